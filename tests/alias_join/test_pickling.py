"""
Querysets with joins, their queries, and their rows can be pickled and copied.
"""

import copy
import os
import pickle
import subprocess
import sys

from django.core.cache import caches
from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Lower, RowNumber
from django.test import override_settings

from .base import TopicTestCase
from .models import B, C, Record, Seat, Ticket, Topic, User

# Load queries from standard input and write copies to standard output.
ECHO = """
import pickle
import sys

import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "alias_join"])
django.setup()
queries = pickle.load(sys.stdin.buffer)
copies = {name: query.chain() for name, query in queries.items()}
sys.stdout.buffer.write(pickle.dumps(copies))
"""


class PicklingTestCase(TopicTestCase):
    def querysets(self):
        topics = Topic.objects.order_by("name")
        mine = Record.objects.filter(user=self.johnny)
        grouped = Record.objects.values("topic").annotate(n=Count("pk"))
        page = topics[:2]
        last = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")[:1]
        yield "model", topics.alias_join(x=Record).order_by("x__value")
        yield "queryset", topics.alias_join(x=mine)
        yield "inner", topics.alias_join(x=mine, join_type=JoinType.INNER)
        yield "cross", topics.alias_join(x=User.objects.all()[:1], join_type="cross")
        yield "annotations", topics.alias_join(
            x=mine.annotate(v=F("value") + 1)
        ).filter(x__v__gt=2)
        yield "values", topics.alias_join(x=mine.values("topic", v=F("value")))
        yield "values_list", topics.alias_join(x=mine.values_list("topic", "value"))
        yield "groups", topics.alias_join(x=grouped).filter(x__n=2)
        yield "relation path", topics.alias_join(
            x=mine.values("topic", who=F("user__name"))
        )
        yield "slice", topics.alias_join(x=mine.order_by("value")[:1])
        yield "distinct", topics.alias_join(x=mine.distinct())
        yield "union", topics.alias_join(x=mine.union(Record.objects.filter(value=5)))
        yield "window", topics.alias_join(
            x=mine.annotate(r=Window(RowNumber(), order_by="value"))
        )
        yield "condition", topics.alias_join(
            x=Record, on=Q(x__topic=F("pk")) & ~Q(x__user=self.may.pk)
        )
        yield "expression", topics.alias_join(
            x=mine,
            on=Case(When(x__topic=F("pk"), then=True), default=False),
        )
        yield "exists", topics.alias_join(
            x=mine, on=Exists(Topic.objects.filter(pk=OuterRef("x__topic"), name="A"))
        )
        yield "relation", topics.alias_join(
            x=FilteredRelation("record", condition=Q(record__value=3))
        )
        yield "lazy", topics.alias(x=FilteredRelation(mine)).filter(x__value=1)
        yield "two", topics.alias_join(x=mine).alias_join(
            y=User, on=Q(y=F("x__user"))
        ).filter(y__name="johnny")
        yield "nested", topics.alias_join(
            x=mine.alias_join(u=User).annotate(who=F("u__name"))
        ).filter(x__who="johnny")
        yield "onto a slice", page.alias_join(x=mine)
        yield "onto an aggregation", topics.annotate(n=Count("record")).alias_join(
            x=mine
        )
        yield "onto a slice of joined rows", topics.alias_join(y=mine)[:2].alias_join(
            x=mine
        ).filter(y__value=1)
        yield "onto values", topics.values("name")[:2].alias_join(x=mine)
        yield "beyond", topics.alias_join(x=mine).filter(x__user__name="johnny")
        yield "exclude", topics.alias_join(x=mine).exclude(x__topic__record__value=4)
        yield "annotated", topics.alias_join(x=mine).annotate(
            v=Coalesce("x__value", 0), low=Lower("x__user__name")
        ).filter(v__gt=0)
        yield "subquery", topics.alias_join(x=mine).annotate(
            v=Subquery(
                Record.objects.filter(value__gt=OuterRef("x__value"))
                .order_by("value")
                .values("value")[:1]
            )
        )
        yield "select_related", topics.alias_join(x=mine).select_related("x__user")
        yield "deferred", topics.alias_join(x=mine).select_related("x").only("x__note")
        yield "rows of values", topics.alias_join(
            x=mine.values("topic", "value")
        ).select_related("x")
        yield "values after", topics.alias_join(x=mine).values("name", "x__value")
        yield "lateral", topics.alias_join(x=last)
        yield "none", topics.alias_join(x=mine.none())
        yield "constant", topics.alias_join(
            x=mine.annotate(v=Value("x")), on=Q(x__v="x", x__topic=F("pk"))
        )
        if connection.features.supports_right_join:
            yield "right", topics.alias_join(
                x=FilteredRelation(
                    mine, condition=Q(x__topic=F("pk")), join_type="right"
                )
            )

    def assertSame(self, queryset, other):
        """Assert the same SQL and rows, and that both can be built upon."""
        self.assertEqual(
            other.query.sql_with_params(), queryset.query.sql_with_params()
        )
        self.assertEqual(list(other.all()), list(queryset.all()))
        self.assertEqual(other.count(), queryset.count())
        if not other.query.is_sliced:
            self.assertEqual(
                list(other.filter(name="A")), list(queryset.filter(name="A"))
            )


class QueryTests(PicklingTestCase):
    def test_query(self):
        """Nothing is evaluated."""
        for name, queryset in self.querysets():
            with self.subTest(name):
                with self.assertNumQueries(0):
                    data = pickle.dumps(queryset.query)
                    query = pickle.loads(data)
                other = queryset.all()
                other.query = query
                self.assertSame(queryset, other)

    def test_every_protocol(self):
        queryset = Topic.objects.alias_join(x=Record.objects.values("topic", "value"))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            with self.subTest(protocol):
                other = queryset.all()
                other.query = pickle.loads(pickle.dumps(queryset.query, protocol))
                self.assertSame(queryset, other)

    def test_twice(self):
        for name, queryset in self.querysets():
            with self.subTest(name):
                other = queryset.all()
                other.query = pickle.loads(pickle.dumps(other.query))
                other = other.all()
                other.query = pickle.loads(pickle.dumps(other.query))
                self.assertSame(queryset, other)

    def test_further_references(self):
        """The copy resolves lookup paths as the original does."""
        for name, queryset in self.querysets():
            if name in {
                "deferred",
                "values",
                "values_list",
                "rows of values",
                "groups",
            }:
                continue
            if name in {"relation path", "onto values", "values after", "right"}:
                continue
            with self.subTest(name):
                other = queryset.all()
                other.query = pickle.loads(pickle.dumps(queryset.query))
                for condition in (
                    Q(x__pk__gt=1),
                    Q(x__isnull=True),
                ):
                    if name == "cross":
                        break
                    self.assertEqual(
                        list(other.filter(condition)), list(queryset.filter(condition))
                    )
                with self.assertRaisesMessage(
                    ValueError, "The join alias 'x' is already the name of a join"
                ):
                    other.alias_join(x=Record)

    def test_another_process(self):
        """Nothing in a query is bound to the process that built it."""
        querysets = dict(self.querysets())
        echo = subprocess.run(
            [sys.executable, "-c", ECHO],
            input=pickle.dumps({name: q.query for name, q in querysets.items()}),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        queries = pickle.loads(echo.stdout)
        for name, queryset in querysets.items():
            with self.subTest(name):
                other = queryset.all()
                other.query = queries[name]
                self.assertSame(queryset, other)


class QuerySetTests(PicklingTestCase):
    def test_queryset(self):
        """Pickling evaluates the queryset, unpickling doesn't."""
        for name, queryset in self.querysets():
            if name == "right":
                continue
            with self.subTest(name):
                data = pickle.dumps(queryset)
                with self.assertNumQueries(0):
                    other = pickle.loads(data)
                    self.assertEqual(list(other), list(queryset._result_cache))
                self.assertSame(queryset, other)

    def test_joined_instances(self):
        topics = (
            Topic.objects.order_by("name")
            .alias_join(
                mine=Record.objects.filter(user=self.johnny).annotate(
                    double=F("value") * 2
                )
            )
            .select_related("mine__user")
        )
        other = pickle.loads(pickle.dumps(topics))
        with self.assertNumQueries(0):
            a, b, c = other
            self.assertEqual((a.mine.value, a.mine.double), (1, 2))
            self.assertEqual(c.mine.user.name, "johnny")
            self.assertIsNone(b.mine)

    def test_named_rows(self):
        topics = (
            Topic.objects.order_by("name")
            .alias_join(
                mine=Record.objects.filter(user=self.johnny).values("topic", "value")
            )
            .select_related("mine")
        )
        a, b, c = pickle.loads(pickle.dumps(list(topics)))
        self.assertEqual(a.mine, (self.a.pk, 1))
        self.assertEqual(c.mine.value, 3)
        self.assertIsNone(b.mine)

    def test_composite_key(self):
        Seat.objects.create(row=1, place=2)
        Ticket.objects.create(row=1, place=2, price=3)
        tickets = Ticket.objects.alias_join(s=Seat).select_related("s")
        other = tickets.all()
        other.query = pickle.loads(pickle.dumps(tickets.query))
        self.assertEqual(other.get(s__place=2).s.pk, (1, 2))

    def test_inherited_columns(self):
        B.objects.create(name="x", size=1, fk_field=C.objects.create(name="c"))
        children = C.objects.alias_join(x=B).select_related("x")
        other = children.all()
        other.query = pickle.loads(pickle.dumps(children.query))
        self.assertEqual(other.get(x__name="x", x__size=1).x.name, "x")

    @override_settings(
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    )
    def test_cache(self):
        topics = Topic.objects.order_by("name").alias_join(x=Record.objects.all()[:1])
        caches["default"].set("topics", topics)
        with self.assertNumQueries(0):
            names = [topic.name for topic in caches["default"].get("topics")]
        self.assertEqual(names, ["A", "B", "C"])

    def test_prefetch(self):
        topics = (
            Topic.objects.alias_join(x=Record.objects.filter(value=5))
            .filter(x__isnull=False)
            .prefetch_related("record_set__user")
        )
        other = pickle.loads(pickle.dumps(topics))
        with self.assertNumQueries(0):
            self.assertEqual(
                [[r.user.name for r in t.record_set.all()] for t in other], [["may"]]
            )


class CopyTests(PicklingTestCase):
    def test_deepcopy(self):
        """As with any queryset, the copy isn't evaluated."""
        for name, queryset in self.querysets():
            if name == "right":
                continue
            with self.subTest(name):
                list(queryset)
                other = copy.deepcopy(queryset)
                self.assertIsNone(other._result_cache)
                self.assertSame(queryset, other)

    def test_copy_of_the_query(self):
        for name, queryset in self.querysets():
            for copy_query in (copy.copy, copy.deepcopy):
                with self.subTest(name, copy=copy_query):
                    other = queryset.all()
                    other.query = copy_query(queryset.query)
                    self.assertSame(queryset, other)

    def test_copies_are_independent(self):
        topics = Topic.objects.alias_join(x=Record)
        sql = str(topics.query)
        other = copy.deepcopy(topics).filter(x__user__name="may").alias_join(y=Record)
        self.assertEqual(str(topics.query), sql)
        self.assertEqual(other.count(), 5)
        with self.assertRaisesMessage(Exception, "Cannot resolve keyword 'y'"):
            topics.filter(y=None)
