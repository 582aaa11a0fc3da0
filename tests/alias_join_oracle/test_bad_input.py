"""
Whatever is passed to a join, it either works with its names quoted or raises
an error that names the alias.
"""

import os
import re
import tempfile
from functools import reduce
from operator import or_
from unittest import skipUnless

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import NotSupportedError, connection, models, transaction
from django.db.models import F, FilteredRelation, Q
from django.test import TestCase
from django.test.utils import ignore_warnings
from django.utils.deprecation import RemovedInDjango2028Warning

from . import hostile
from .areas import Areas
from .models import Item, Note, Owner
from .test_rows import EXAMPLES

# Hypothesis keeps a cache, and would in the current directory.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", tempfile.gettempdir())

try:
    import hypothesis
except ImportError:
    hypothesis = None

SEED = os.environ.get("ORACLE_SEED")
REFUSALS = (TypeError, ValueError, FieldError, NotSupportedError)


def skeleton(sql):
    """A statement without its quoted names."""
    quote = re.escape(connection.ops.quote_name("x")[0])
    return re.sub(f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}", "name", sql)


@skipUnless(Areas().alias_join, "Alias joins are missing.")
@ignore_warnings(category=RemovedInDjango2028Warning)
class BadInputTests(TestCase):
    databases = {"default", "other"}

    @classmethod
    def setUpTestData(cls):
        owner = Owner.objects.create(name="a", level=1)
        item = Item.objects.create(name="a", owner=owner)
        Note.objects.create(item=item, author=owner, rank=1)

    def attempt(self, build, alias="mine", like=None):
        """Run build(alias) and return why it was refused, if it was."""
        try:
            with transaction.atomic():
                queryset = build(alias)
                sql, _ = queryset.query.sql_with_params()
                list(queryset)
                queryset.count()
        except REFUSALS as error:
            message = str(error)
            self.assertTrue(
                any(
                    text in message
                    for text in (alias, repr(alias)[1:-1], ascii(alias)[1:-1])
                ),
                f"{type(error).__name__} does not name {alias!r}: {message}",
            )
            return error
        if like is not None:
            plain, _ = build(like).query.sql_with_params()
            self.assertEqual(skeleton(sql), skeleton(plain))

    def attempt_names(self, build, like="mine"):
        for payload in hostile.PAYLOADS:
            with self.subTest(payload=payload[:80]):
                self.attempt(build, payload, like)
        if hypothesis is None:
            return
        names = hypothesis.strategies.one_of(
            hypothesis.strategies.lists(
                hypothesis.strategies.sampled_from(hostile.FRAGMENTS), max_size=6
            ).map("".join),
            hypothesis.strategies.text(max_size=70),
        )

        @hypothesis.settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            derandomize=SEED is None,
        )
        @hypothesis.given(names)
        def agree(name):
            self.attempt(build, name, like)

        if SEED is not None:
            agree = hypothesis.seed(int(SEED))(agree)
        agree()

    # Names.

    def test_alias_join(self):
        self.attempt_names(
            lambda alias: Owner.objects.alias_join(
                on=Q((f"{alias}__author", F("id"))), **{alias: Note}
            ).values("name", f"{alias}__rank")
        )

    def test_alias_join_of_a_projection(self):
        self.attempt_names(
            lambda alias: Owner.objects.alias_join(
                on=Q((f"{alias}__author", F("id"))),
                **{alias: Note.objects.values("author", "rank")},
            )
            .filter(**{f"{alias}__rank__gt": 0})
            .order_by(f"{alias}__rank")
        )

    def test_alias(self):
        self.attempt_names(
            lambda alias: Owner.objects.alias(
                **{
                    alias: FilteredRelation(
                        Note, condition=Q((f"{alias}__author", F("id")))
                    )
                }
            ).values("name", f"{alias}__rank")
        )

    def test_annotate(self):
        self.attempt_names(
            lambda alias: Owner.objects.annotate(
                **{
                    alias: FilteredRelation(
                        Note, condition=Q((f"{alias}__author", F("id")))
                    )
                }
            ).select_related(alias)
        )

    def test_eager_relation(self):
        self.attempt_names(
            lambda alias: Owner.objects.alias_join(
                **{alias: FilteredRelation("written", condition=Q(written__rank=1))}
            ).values("name", f"{alias}__rank")
        )

    def test_order_by(self):
        self.attempt_names(
            lambda alias: Owner.objects.alias_join(
                on=Q((f"{alias}__author", F("id"))), **{alias: Note}
            ).order_by(f"-{alias}__rank", f"{alias}__pk")
        )

    def test_pushed_down(self):
        self.attempt_names(
            lambda alias: Owner.objects.order_by("pk")[:2]
            .alias_join(on=Q((f"{alias}__author", F("id"))), **{alias: Note})
            .values("name", f"{alias}__rank")
        )

    def projections(self, project):
        """Names that Django accepts in values(), in a source."""

        def build(name):
            source = project(name)
            try:
                str(source.query)
            except Exception as error:
                raise ValueError(name) from error
            return Owner.objects.alias_join(
                mine=source, on=Q(("mine__author", F("id")))
            ).values("name", f"mine__{name}")

        def attempt(name):
            # Some refusals are those of values() and annotate().
            try:
                project(name)
            except REFUSALS as error:
                raise ValueError(name) from error
            return build(name)

        self.attempt_names(attempt, like="extra")

    def test_projected_names(self):
        self.projections(
            lambda name: Note.objects.values("author", **{name: F("rank")})
        )

    def test_annotated_names(self):
        self.projections(lambda name: Note.objects.annotate(**{name: F("rank")}))

    def test_references(self):
        """Paths of later calls name columns, or nothing."""
        joined = Owner.objects.alias_join(mine=Note, on=Q(mine__author=F("id")))
        calls = (
            lambda path: joined.filter(**{path: 1}),
            lambda path: joined.exclude(**{path: 1}),
            lambda path: joined.order_by(path),
            lambda path: joined.values(path),
            lambda path: joined.annotate(x=F(path)),
            lambda path: joined.select_related(path),
            lambda path: joined.only(path),
            lambda path: joined.defer(path),
            lambda path: joined.distinct().values_list(path),
        )
        for payload in hostile.PAYLOADS:
            for number, call in enumerate(calls):
                with self.subTest(payload=payload[:80], call=number):
                    try:
                        with transaction.atomic():
                            list(call(f"mine__{payload}"))
                    except (*REFUSALS, FieldDoesNotExist):
                        pass

    # Conditions.

    def test_conditions_of_a_wrong_type(self):
        for condition in hostile.NOT_CONDITIONS:
            with self.subTest(condition=condition):
                for build in (
                    lambda alias: Owner.objects.alias_join(mine=Note, on=condition),
                    lambda alias: Owner.objects.alias(
                        mine=FilteredRelation(Note, condition=condition)
                    ),
                ):
                    self.assertIsNotNone(self.attempt_any(build))

    def attempt_any(self, build):
        """As attempt(), for errors raised before the alias is known."""
        try:
            build("mine")
        except REFUSALS as error:
            return error

    def test_unusable_conditions(self):
        for condition in hostile.BAD_CONDITIONS:
            with self.subTest(condition=condition):
                self.attempt(
                    lambda alias: Owner.objects.alias_join(mine=Note, on=condition)
                )

    def test_huge_conditions(self):
        wide = reduce(or_, (Q(mine__rank=number) for number in range(500)))
        deep = Q(mine__rank=1)
        for _ in range(25):
            deep = ~(deep & Q(mine__author=F("id")))
        for condition in (wide, deep):
            self.assertIsNone(
                self.attempt(
                    lambda alias: Owner.objects.alias_join(mine=Note, on=condition)
                )
            )

    # Sources.

    def test_sources_of_a_wrong_type(self):
        for source in hostile.NOT_SOURCES:
            with self.subTest(source=source):
                for build in (
                    lambda alias: Owner.objects.alias_join(
                        mine=source, on=Q(mine__rank=1)
                    ),
                    lambda alias: Owner.objects.alias_join(
                        mine=FilteredRelation(source, condition=Q(mine__rank=1))
                    ),
                ):
                    self.assertIsNotNone(self.attempt_any(build))
                self.attempt(
                    lambda alias: Owner.objects.alias_join(
                        mine=source, on=Q(mine__rank=1)
                    )
                )

    def test_unusable_sources(self):
        for name, source in hostile.sources():
            with self.subTest(source=name):
                self.attempt(lambda alias: Owner.objects.alias_join(mine=source()))
            with self.subTest(source=name, on=True):
                self.attempt(
                    lambda alias: Owner.objects.alias_join(
                        mine=source(), on=Q(mine__isnull=False)
                    )
                )

    def test_join_types(self):
        for join_type in ("", "outer", "LEFT JOIN", "left; --", 1, [], object(), Q()):
            with self.subTest(join_type=join_type):
                for build in (
                    lambda alias: Owner.objects.alias_join(
                        mine=Note, on=Q(mine__rank=1), join_type=join_type
                    ),
                    lambda alias: Owner.objects.alias(
                        mine=FilteredRelation(
                            Note, condition=Q(mine__rank=1), join_type=join_type
                        )
                    ),
                ):
                    self.assertIsNotNone(self.attempt_any(build))

    # Aliases that are used already.

    def test_twice(self):
        joined = Owner.objects.alias_join(mine=Note, on=Q(mine__author=F("id")))
        for build in (
            lambda alias: joined.alias_join(mine=Item, on=Q(mine__owner=F("id"))),
            lambda alias: joined.annotate(mine=F("level")),
            lambda alias: joined.annotate(mine__rank=F("level")),
            lambda alias: joined.alias(mine=models.Count("pk")),
            lambda alias: joined.values(mine=F("level")),
            lambda alias: Owner.objects.annotate(mine=F("level")).alias_join(
                mine=Note, on=Q(mine__author=F("id"))
            ),
        ):
            self.assertIsNotNone(self.attempt(build))
