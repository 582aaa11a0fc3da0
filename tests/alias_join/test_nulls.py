"""
exclude() returns exactly the rows that filter() does not, and
alias__isnull tells matched rows from unmatched ones.
"""

import itertools

from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Upper
from django.db.models.lookups import Exact, GreaterThan, In, IsNull
from django.test import skipUnlessDBFeature
from django.test.utils import register_lookup

from .base import JoinTestCase
from .models import Employee, Record, Remark, Topic, User


class NullTestCase(JoinTestCase):
    """
    Topics with no record, with one whose columns are NULL, with several.

    | topic | mine__value | mine__note |
    |-------|-------------|------------|
    | A     | 1           | x          |
    | A     | 2           |            |
    | B     |             |            |
    | C     |             | x          |
    | D     | (no record) |            |
    """

    @classmethod
    def setUpTestData(cls):
        cls.user = User.objects.create(name="x")
        cls.a, cls.b, cls.c, cls.d = [Topic.objects.create(name=n) for n in "ABCD"]
        for topic, value, note in [
            (cls.a, 1, "x"),
            (cls.a, 2, None),
            (cls.b, None, None),
            (cls.c, None, "x"),
        ]:
            Record.objects.create(user=cls.user, topic=topic, value=value, note=note)

    A1, A2, B, C, D = (
        ("A", 1, "x"),
        ("A", 2, None),
        ("B", None, None),
        ("C", None, "x"),
        ("D", None, None),
    )
    rows = [A1, A2, B, C, D]

    def sources(self):
        """Return the same rows joined as a table and as derived tables."""
        topics = Topic.objects
        records = Record.objects.all()
        return [
            ("table", topics.alias_join(mine=Record)),
            ("queryset", topics.alias_join(mine=records)),
            (
                "values",
                topics.alias_join(mine=records.values("topic", "value", "note")),
            ),
            (
                "onto a slice",
                topics.order_by("name")[:4].alias_join(mine=Record),
            ),
        ]

    def ordered(self, topics):
        rows = topics.values_list("name", "mine__value", "mine__note")
        return sorted(rows, key=self.rows.index)

    def assertSplit(self, condition, matching, *, annotate=None):
        """Assert which rows a condition matches; the others are excluded."""
        others = [row for row in self.rows if row not in matching]
        for name, topics in self.sources():
            with self.subTest(source=name, condition=condition):
                topics = topics.annotate(**annotate or {})
                self.assertEqual(self.ordered(topics.filter(condition)), matching)
                self.assertEqual(self.ordered(topics.exclude(condition)), others)
                self.assertEqual(self.ordered(topics.filter(~condition)), others)
                self.assertEqual(self.ordered(topics.exclude(~condition)), matching)


class ComplementTests(NullTestCase):
    def test_column(self):
        self.assertSplit(Q(mine__value=1), [self.A1])
        self.assertSplit(Q(mine__value__gt=1), [self.A2])
        self.assertSplit(Q(mine__note="x"), [self.A1, self.C])
        self.assertSplit(Q(mine__note__startswith="x"), [self.A1, self.C])

    def test_is_null_of_a_column(self):
        self.assertSplit(Q(mine__value__isnull=True), [self.B, self.C, self.D])
        self.assertSplit(Q(mine__value=None), [self.B, self.C, self.D])

    def test_transform(self):
        with register_lookup(CharField, Upper):
            self.assertSplit(Q(mine__note__upper="X"), [self.A1, self.C])

    def test_range(self):
        self.assertSplit(Q(mine__value__range=(2, 5)), [self.A2])
        self.assertSplit(Q(mine__value__range=(F("mine__value"), 1)), [self.A1])

    def test_in(self):
        self.assertSplit(Q(mine__value__in=[2, 5]), [self.A2])
        self.assertSplit(Q(mine__value__in=[]), [])
        self.assertSplit(Q(mine__value__in=[F("mine__value")]), [self.A1, self.A2])
        self.assertSplit(Q(mine__value__in=[F("mine__value") - 1, 2]), [self.A2])
        self.assertSplit(Q(name__in=[F("mine__note"), "B"]), [self.B])

    def test_in_a_subquery(self):
        twos = Record.objects.filter(value=2)
        self.assertSplit(Q(mine__value__in=twos.values("value")), [self.A2])
        notes = Record.objects.values("note")
        self.assertSplit(Q(name__in=notes), [])
        self.assertSplit(Q(In(F("name"), notes)), [])
        self.assertSplit(Q(x__in=notes), [], annotate={"x": F("name")})

    def test_subquery_without_rows(self):
        none = Record.objects.filter(note="none").values("pk")
        self.assertSplit(Q(mine__value__gt=none), [])
        self.assertSplit(Q(pk__gt=none), [])
        self.assertSplit(Q(pk=none[:1]), [])
        self.assertSplit(Q(GreaterThan(F("pk"), none)), [])
        self.assertSplit(Q(x__gt=none), [], annotate={"x": F("pk")})

    def test_in_a_union(self):
        names = Topic.objects.filter(name="A").values("name")
        names = names.union(Record.objects.values("note"))
        self.assertSplit(Q(name__in=names), [self.A1, self.A2])
        records = Record.objects.filter(value=1).union(Record.objects.filter(value=2))
        self.assertSplit(Q(name__in=records.values("note")), [])

    def test_in_an_extra_column(self):
        notes = Record.objects.extra(select={"extra": "note"}).values("extra")
        self.assertSplit(Q(name__in=notes), [])

    def test_column_beside_a_column(self):
        self.assertSplit(Q(mine__value=F("mine__value")), [self.A1, self.A2])
        self.assertSplit(Q(name=F("mine__note")), [])
        self.assertSplit(Q(name__lt=F("mine__note")), [self.A1, self.C])
        self.assertSplit(Q(pk=F("mine__topic")), [self.A1, self.A2, self.B, self.C])

    def test_expression_beside_a_column(self):
        self.assertSplit(Q(mine__value=3 - F("mine__value")), [])
        self.assertSplit(Q(mine__value__lt=F("mine__value") + 1), [self.A1, self.A2])
        self.assertSplit(Q(name=Upper("mine__note")), [])

    def test_annotation(self):
        self.assertSplit(Q(v=1), [self.A1], annotate={"v": F("mine__value")})
        self.assertSplit(Q(v__gt=2), [self.A2], annotate={"v": F("mine__value") * 2})
        self.assertSplit(
            Q(v="X"), [self.A1, self.C], annotate={"v": Upper("mine__note")}
        )
        self.assertSplit(
            Q(v__range=(1, 1)), [self.A1], annotate={"v": F("mine__value")}
        )
        self.assertSplit(
            Q(name__lt=F("v")), [self.A1, self.C], annotate={"v": F("mine__note")}
        )

    def test_annotation_that_is_never_null(self):
        self.assertSplit(
            Q(v=0),
            [self.B, self.C, self.D],
            annotate={"v": Coalesce("mine__value", 0)},
        )
        self.assertSplit(
            Q(v=2),
            [self.B, self.C, self.D],
            annotate={"v": Case(When(mine__value__gt=0, then=1), default=2)},
        )

    def test_annotation_that_may_be_null(self):
        self.assertSplit(
            Q(v=1),
            [self.A1, self.A2],
            annotate={"v": Case(When(mine__value__gt=0, then=1))},
        )

    def test_expression_as_a_condition(self):
        greater = GreaterThan(F("mine__value"), 1)
        self.assertSplit(Q(greater), [self.A2])
        self.assertSplit(Q(greater) | Q(mine__note="x"), [self.A1, self.A2, self.C])

    def test_case_as_a_condition(self):
        case = Case(When(mine__value=1, then=Value(True)), default=Value(False))
        self.assertSplit(Q(case), [self.A1])

    def test_exists(self):
        same = Record.objects.filter(value=OuterRef("mine__value"))
        self.assertSplit(Q(Exists(same)), [self.A1, self.A2])

    def test_case_only_where_needed(self):
        topics = Topic.objects.alias_join(
            mine=Record, on=Q(mine__topic=F("pk")), join_type=JoinType.INNER
        )
        for condition in [
            IsNull(F("mine__value"), True),
            Exists(Record.objects.filter(value=OuterRef("mine__value"))),
            Exact(F("mine__pk") + F("pk"), 1),
            In(F("mine__pk"), Record.objects.values("pk")),
        ]:
            with self.subTest(condition):
                self.assertNotIn("CASE", str(topics.exclude(condition).query))
        # A quotient is NULL where the divisor is zero.
        for condition in [
            Exact(F("mine__pk") / F("pk"), 1),
            GreaterThan(F("mine__pk"), Record.objects.values("pk")),
        ]:
            with self.subTest(condition):
                self.assertIn("CASE", str(topics.exclude(condition).query))

    def test_relation_beyond_the_alias(self):
        for name, topics in self.sources()[:2]:
            with self.subTest(name):
                self.assertEqual(
                    self.ordered(topics.filter(mine__user__name="x")), self.rows[:4]
                )
                self.assertEqual(
                    self.ordered(topics.exclude(mine__user__name="x")), [self.D]
                )
                self.assertEqual(
                    self.ordered(topics.exclude(mine__user__name="y")), self.rows
                )

    def test_instance(self):
        record = Record.objects.get(value=1)
        for name, topics in self.sources()[:2]:
            with self.subTest(name):
                self.assertEqual(self.ordered(topics.filter(mine=record)), [self.A1])
                self.assertEqual(
                    self.ordered(topics.exclude(mine=record)), self.rows[1:]
                )
                self.assertEqual(
                    self.ordered(topics.exclude(mine__in=[record])), self.rows[1:]
                )

    def test_nothing_beyond_the_alias(self):
        Remark.objects.create(topic=self.a, text="x")
        case = Case(
            When(GreaterThan(F("mine__value"), 1), then=Value("y")), default="name"
        )
        none, some = [self.B, self.C, self.D], [self.A1, self.A2]
        for condition, others in [
            (Q(mine__topic__remark=None), some),
            (Q(mine__topic__remark__isnull=True), some),
            (Q(mine__topic__remark__isnull=False), none),
            (Q(mine__topic__remark__text=None), some),
            (Q(mine__topic__remark__text=F("mine__note")), [self.A2, *none]),
            (Q(mine__topic__remark__text__lt=case), [self.A1, *none]),
        ]:
            for name, topics in self.sources()[:2]:
                with self.subTest(source=name, condition=condition):
                    self.assertEqual(self.ordered(topics.exclude(condition)), others)

    def test_subquery_beside_to_many(self):
        """References in it are to the query, also in exclude()'s subquery."""
        records = Record.objects.all()
        own = Topic.objects.filter(
            pk=OuterRef("topic"), name=OuterRef(OuterRef("name"))
        )
        notes_of_topic = records.filter(topic__name=OuterRef("name")).values("note")
        notes_of_own = records.filter(Exists(own)).values("note")
        same_note = records.filter(note=OuterRef("mine__note")).values("note")
        for condition, others in [
            (Q(mine__user__record__note__in=notes_of_topic), [self.B, self.D]),
            (Q(mine__user__record__note__in=notes_of_own), [self.B, self.D]),
            (Q(mine__user__record__note__in=same_note), [self.A2, self.B, self.D]),
            (Q(record__note__in=same_note), [self.A2, self.B, self.D]),
            (
                Q(mine__user__record__note=Subquery(same_note[:1])),
                [self.A2, self.B, self.D],
            ),
        ]:
            for name, topics in self.sources()[:2]:
                with self.subTest(source=name, condition=condition):
                    self.assertEqual(self.ordered(topics.exclude(condition)), others)

    def test_to_many_beyond_the_alias(self):
        for name, topics in self.sources()[:2]:
            with self.subTest(name):
                self.assertEqual(
                    self.ordered(topics.exclude(mine__user__record__value=99)),
                    self.rows,
                )
                self.assertEqual(
                    self.ordered(topics.exclude(mine__user__record__value=2)),
                    [self.D],
                )


class AggregateTests(NullTestCase):
    def test_columns_and_aggregates(self):
        boss = Employee.objects.create(name="boss", salary=0)
        for name in "ab":
            Employee.objects.create(name=name, boss=boss)
        employees = Employee.objects.alias_join(
            e=Employee, on=Q(e__boss=F("pk"))
        ).annotate(n=Count("e"))
        many = Q(n__gte=1) & Q(pk__range=[F("salary"), boss.pk])
        self.assertRows(employees.filter(many), [boss])
        self.assertCountEqual(
            employees.exclude(many).values_list("name", flat=True), ["a", "b"]
        )
        other = Q(n__gte=1) ^ Q(pk__range=[F("salary"), boss.pk])
        self.assertRows(employees.filter(other), [])
        self.assertEqual(len(employees.exclude(other)), 3)

    def assertSplit(self, topics, condition, names):
        for name, topics in [
            ("table", Topic.objects.alias_join(mine=Record)),
            ("queryset", Topic.objects.alias_join(mine=Record.objects.all())),
        ]:
            with self.subTest(source=name, condition=condition):
                topics = topics.annotate(
                    s=Sum("mine__value"), n=Count("mine"), m=Max("mine__note")
                ).order_by("name")
                rows = topics.values_list("name", flat=True)
                others = [name for name in "ABCD" if name not in names]
                self.assertEqual(list(rows.filter(condition)), list(names))
                self.assertEqual(list(rows.exclude(condition)), others)
                self.assertEqual(list(rows.exclude(~condition)), list(names))

    def test_aggregate(self):
        for condition, names in [
            (Q(s=3), "A"),
            (Q(s__gt=3), ""),
            (Q(s__isnull=True), "BCD"),
            (Q(n=0), "D"),
            (Q(m="x"), "AC"),
            (Q(s=F("n") + 1), "A"),
            (Q(n__lt=F("s")), "A"),
            (Q(s__range=(1, 5)), "A"),
            (Q(s__in=[3]), "A"),
            (Q(s=3) | Q(name="B"), "AB"),
            (Q(s=3) & ~Q(m="x"), ""),
            (~Q(s=3) & Q(m="x"), "C"),
            (Q(s=3) | ~Q(m="x"), "ABD"),
        ]:
            self.assertSplit(None, condition, names)


class TruthTableTests(NullTestCase):
    """
    Conditions are either true or false, at any depth.

    A comparison with NULL is false, so its negation is true.
    """

    def atoms(self):
        return [
            (Q(mine__value=1), lambda name, value, note: value == 1),
            (Q(mine__note="x"), lambda name, value, note: note == "x"),
            (Q(mine__value__isnull=True), lambda name, value, note: value is None),
            (Q(mine__isnull=True), lambda name, value, note: name == "D"),
            (
                Q(name__lt=F("mine__note")),
                lambda name, value, note: note is not None and name < note,
            ),
            (
                Q(twice__gt=2),
                lambda name, value, note: value is not None and value * 2 > 2,
            ),
            (
                Q(mine__value__in=[F("mine__value") - 1, 2]),
                lambda name, value, note: value == 2,
            ),
            (Q(name="A"), lambda name, value, note: name == "A"),
        ]

    # Each is a Python expression over p and q, for conditions as for truth.
    forms = [
        "p & q",
        "p | q",
        "~(p & q)",
        "~(p | q)",
        "p & ~q",
        "~p & q",
        "~p | q",
        "p | ~q",
        "~(~p & q)",
        "~(~p | q)",
        "(p & q) | ~p",
        "~p | (p & q)",
        "~((p & q) | ~p)",
        "~(p & ~(q | ~p))",
        "~(~(~p & q) & ~(p | q))",
    ]

    class Truth:
        """A boolean with the operators of Q."""

        def __init__(self, value):
            self.value = value

        def __and__(self, other):
            return type(self)(self.value and other.value)

        def __or__(self, other):
            return type(self)(self.value or other.value)

        def __invert__(self):
            return type(self)(not self.value)

    def assertTrueTo(self, topics, form, p, q):
        condition = eval(form, {"p": p[0], "q": q[0]})
        expected = [
            row
            for row in self.rows
            if eval(
                form, {"p": self.Truth(p[1](*row)), "q": self.Truth(q[1](*row))}
            ).value
        ]
        self.assertEqual(self.ordered(topics.filter(condition)), expected)

    def test_every_form_over_every_pair(self):
        for name, topics in self.sources():
            topics = topics.annotate(twice=F("mine__value") * 2)
            for form, (p, q) in itertools.product(
                self.forms, itertools.permutations(self.atoms(), 2)
            ):
                with self.subTest(source=name, form=form, p=p[0], q=q[0]):
                    self.assertTrueTo(topics, form, p, q)

    def test_filters_in_turn(self):
        """A later filter does not see joins as an earlier one left them."""
        topics = Topic.objects.alias_join(mine=Record)
        for (p, p_truth), (q, q_truth) in itertools.permutations(self.atoms(), 2):
            if "twice" in str(p) + str(q):
                continue
            with self.subTest(p=p, q=q):
                self.assertEqual(
                    self.ordered(topics.exclude(p).exclude(q)),
                    [
                        row
                        for row in self.rows
                        if not p_truth(*row) and not q_truth(*row)
                    ],
                )
                self.assertEqual(
                    self.ordered(topics.filter(p | q).exclude(q)),
                    [row for row in self.rows if p_truth(*row) and not q_truth(*row)],
                )


class RowMarkerTests(NullTestCase):
    """Whether a row matched is not told from a column that may be NULL."""

    def test_is_null(self):
        for name, topics in self.sources():
            with self.subTest(name):
                self.assertEqual(
                    self.ordered(topics.filter(mine__isnull=True)), [self.D]
                )
                self.assertEqual(
                    self.ordered(topics.filter(mine__isnull=False)), self.rows[:4]
                )
                self.assertEqual(
                    self.ordered(topics.exclude(mine__isnull=True)), self.rows[:4]
                )
                self.assertEqual(self.ordered(topics.filter(mine=None)), [self.D])

    def test_primary_key_is_null(self):
        for name, topics in self.sources()[:2]:
            with self.subTest(name):
                self.assertEqual(
                    self.ordered(topics.filter(mine__pk__isnull=True)), [self.D]
                )
                self.assertEqual(
                    self.ordered(topics.exclude(mine__pk=None)), self.rows[:4]
                )

    def test_source_without_any_column_that_is_not_null(self):
        notes = Record.objects.filter(topic=self.b).values("note", "value")
        for on, is_matched in [(Q(name="A"), True), (Q(name=F("mine__note")), False)]:
            with self.subTest(on):
                topics = Topic.objects.filter(name="A").alias_join(mine=notes, on=on)
                self.assertEqual(topics.filter(mine__isnull=False).count(), is_matched)
                self.assertEqual(topics.exclude(mine__isnull=True).count(), is_matched)
                self.assertEqual(
                    topics.filter(mine__isnull=True).count(), not is_matched
                )

    def test_source_of_groups(self):
        sums = Record.objects.values("topic").annotate(s=Sum("value"))
        topics = Topic.objects.alias_join(mine=sums).order_by("name")
        self.assertRows(topics.filter(mine__s__isnull=True), [self.b, self.c, self.d])
        self.assertRows(topics.filter(mine__isnull=True), [self.d])

    def test_source_of_a_union(self):
        rows = (
            Record.objects.filter(topic=self.a, value=1)
            .values("topic", "note")
            .union(Record.objects.filter(topic=self.b).values("topic", "note"))
        )
        topics = Topic.objects.alias_join(mine=rows, on=Q(mine__topic=F("pk")))
        topics = topics.order_by("name")
        self.assertRows(topics.filter(mine__isnull=False), [self.a, self.b])
        self.assertRows(topics.filter(mine__isnull=True), [self.c, self.d])
        self.assertRows(
            topics.filter(mine__note__isnull=True), [self.b, self.c, self.d]
        )

    def test_is_null_as_an_expression(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.values("topic").annotate(s=Sum("value"))
        ).annotate(seen=Case(When(mine__isnull=True, then=0), default=1))
        self.assertRows(
            topics.order_by("name").values_list("name", "seen"),
            [("A", 1), ("B", 1), ("C", 1), ("D", 0)],
        )

    def test_count_of_the_alias(self):
        """Count() takes rows whose columns are NULL for matched ones, too."""
        for source in (
            Record,
            Record.objects.all(),
            Record.objects.values("topic", "value"),
        ):
            topics = Topic.objects.alias_join(mine=source).annotate(
                n=Count("mine"), values=Count("mine__value")
            )
            self.assertRows(
                topics.order_by("name").values_list("name", "n", "values"),
                [("A", 2, 2), ("B", 1, 0), ("C", 1, 0), ("D", 0, 0)],
            )

    def test_anti_join(self):
        topics = Topic.objects.alias_join(mine=Record).filter(mine__isnull=True)
        self.assertRows(topics, [self.d])
        self.assertShape(
            self.sql(topics),
            "SELECT ... FROM topic LEFT OUTER JOIN record mine "
            "ON (mine.topic_id = topic.id) WHERE mine.id IS NULL",
        )


class DocumentedExceptionTests(NullTestCase):
    """Where Django's own lookups are no complement, joined columns agree."""

    def test_none_in_a_list_matches_nothing_and_excludes_null(self):
        topics = Topic.objects.alias_join(mine=Record)
        self.assertEqual(
            self.ordered(topics.filter(mine__value__in=[None, 1])), [self.A1]
        )
        self.assertEqual(
            self.ordered(topics.exclude(mine__value__in=[None, 1])), [self.A2]
        )


class OuterJoinTests(JoinTestCase):
    """After a RIGHT or FULL join the base's columns may be NULL, too."""

    @classmethod
    def setUpTestData(cls):
        user = User.objects.create(name="x")
        for name in "AB":
            topic = Topic.objects.create(name=name)
        for value in (1, 2, None):
            Record.objects.create(user=user, topic=topic, value=value)

    def rows(self, topics):
        return sorted(topics.values_list("name", "mine__value"), key=str)

    def topics(self, join_type):
        return Topic.objects.alias_join(
            mine=FilteredRelation(
                Record.objects.values("topic", "value"),
                condition=Q(mine__topic=F("pk"), mine__value__lt=2),
                join_type=join_type,
            )
        )

    @skipUnlessDBFeature("supports_right_join")
    def test_right(self):
        topics = self.topics(JoinType.RIGHT)
        rows = [("B", 1), (None, 2), (None, None)]
        self.assertEqual(self.rows(topics), rows)
        for condition, expected in [
            (Q(name="B"), rows[:1]),
            (Q(name="A"), []),
            (Q(name__lt="C"), rows[:1]),
            (Q(pk__isnull=True), rows[1:]),
            (Q(name=F("name")), rows[:1]),
            (Q(mine__value=2), rows[1:2]),
            (Q(name="B") | Q(mine__value=2), rows[:2]),
            (Q(name="B") & Q(mine__value=1), rows[:1]),
            (~Q(name="B") & ~Q(mine__value=2), rows[2:]),
            (Q(upper="B"), rows[:1]),
        ]:
            with self.subTest(condition):
                topics = self.topics(JoinType.RIGHT).annotate(upper=Upper("name"))
                others = [row for row in rows if row not in expected]
                self.assertEqual(self.rows(topics.filter(condition)), expected)
                self.assertEqual(self.rows(topics.exclude(condition)), others)

    @skipUnlessDBFeature("supports_right_join")
    def test_full(self):
        records = Record.objects.filter(value__isnull=False)
        topics = Topic.objects.alias_join(
            mine=records.values(topic_name=Upper("user__name"), v=F("value")),
            on=Q(mine__topic_name=F("name")),
            join_type=JoinType.FULL,
        )
        rows = [("A", None), ("B", None), (None, 1), (None, 2)]
        for condition, expected in [
            (Q(), rows),
            (Q(name="A"), rows[:1]),
            (Q(mine__v=1), rows[2:3]),
            (Q(name="A") | Q(mine__v=1), [rows[0], rows[2]]),
            (~Q(name="A") & ~Q(mine__v=1), [rows[1], rows[3]]),
            (Q(name__lt=F("mine__topic_name")), []),
            (Q(mine__isnull=True), rows[:2]),
            (Q(pk__isnull=True), rows[2:]),
        ]:
            with self.subTest(condition):
                others = [row for row in rows if row not in expected]
                for result, expected in [
                    (topics.filter(condition), expected),
                    (topics.exclude(condition) if condition else topics.none(), others),
                ]:
                    self.assertEqual(
                        sorted(result.values_list("name", "mine__v"), key=str), expected
                    )


class NullableForeignKeyTests(JoinTestCase):
    """What holds for joined columns holds for those of a plain foreign key."""

    @classmethod
    def setUpTestData(cls):
        boss = Employee.objects.create(name="boss", salary=9)
        vice = Employee.objects.create(name="vice", boss=boss)
        Employee.objects.create(name="aide", boss=vice, salary=1)
        Employee.objects.create(name="cook", boss=boss, salary=2)

    def names(self, employees):
        return sorted(employees.values_list("name", flat=True))

    def assertSplit(self, condition, names, **annotations):
        everybody = ["aide", "boss", "cook", "vice"]
        employees = Employee.objects.annotate(**annotations)
        others = [name for name in everybody if name not in names]
        with self.subTest(condition):
            self.assertEqual(self.names(employees.filter(condition)), names)
            self.assertEqual(self.names(employees.exclude(condition)), others)
            self.assertEqual(self.names(employees.exclude(~condition)), names)

    def test_column(self):
        self.assertSplit(Q(boss__salary=9), ["cook", "vice"])
        self.assertSplit(Q(boss__salary__gt=1), ["cook", "vice"])

    def test_the_order_of_operands(self):
        """Negation in one operand, a conjunction in another."""
        both = Q(boss__salary=9, boss__name="boss")
        one = ~Q(boss__salary=9)
        self.assertSplit(both | one, ["aide", "boss", "cook", "vice"])
        self.assertSplit(one | both, ["aide", "boss", "cook", "vice"])

    def test_annotation(self):
        self.assertSplit(Q(x="boss"), ["cook", "vice"], x=F("boss__name"))
        self.assertSplit(Q(x__gt=9), ["cook", "vice"], x=F("boss__salary") * 2)

    def test_base_alone(self):
        """Django loses the NULLs of expressions that concern no join."""
        employees = Employee.objects.annotate(twice=F("salary") * 2)
        for condition in [Q(twice=18), Q(GreaterThan(F("salary"), 2))]:
            with self.subTest(condition):
                self.assertEqual(
                    self.names(employees.exclude(condition)), ["aide", "cook"]
                )

    def test_right_side(self):
        self.assertSplit(Q(salary__lt=F("boss__salary")), ["cook"])
        self.assertSplit(Q(salary=F("boss__salary") - 7), ["cook"])

    def test_right_side_of_the_base(self):
        Employee.objects.update(salary=None)
        Employee.objects.filter(name="cook").update(salary=F("pk"))
        self.assertSplit(Q(pk=F("salary")), ["cook"])

    def test_right_side_that_unmatched_rows_have(self):
        self.assertSplit(Q(name=Coalesce("boss__name", Value("boss"))), ["boss"])

    def test_exclusive_or(self):
        """Without a row both operands are false, and their negation true."""
        self.assertSplit(
            Q(b__name="boss") ^ Q(b__name="cook"),
            ["cook", "vice"],
            b=FilteredRelation("boss"),
        )

    def test_aggregate(self):
        self.assertSplit(Q(total=2), ["boss"], total=Sum("employee__salary"))
        self.assertSplit(Q(mean__lt=2), ["vice"], mean=Avg("employee__salary"))
