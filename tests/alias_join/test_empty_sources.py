"""A source without rows keeps LEFT rows; an always-true ON is 1 = 1."""

from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    OuterRef,
    Q,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.test import skipUnlessDBFeature

from .base import TopicTestCase
from .models import Record, Topic, User


class EmptySourceTests(TopicTestCase):
    def sources(self):
        records = Record.objects
        yield records.none()
        yield records.filter(pk__in=[])
        yield records.filter(value=1).none()
        yield records.filter(pk__in=[]).values("topic", "value")
        yield records.none().values("topic", "value")
        yield records.filter(pk__in=[]).annotate(x=F("value"))
        yield records.filter(user__in=User.objects.none())
        yield records.filter(Exists(User.objects.none()))
        yield records.filter(pk__in=[]).order_by("value")[:3]
        yield records.order_by("value")[:0]
        yield records.filter(pk__in=[]).distinct()
        yield records.none().values("topic", "value").distinct()
        yield records.filter(pk__in=[]).values("topic").annotate(value=Count("pk"))
        yield records.filter(pk__in=[]).union(records.filter(pk__in=[]))
        yield records.none().union(records.none())
        yield records.filter(topic__in=Topic.objects.none(), value__in=[])
        yield records.alias_join(who=User.objects.none(), join_type="inner")

    def assertAllUnmatched(self, topics):
        self.assertRows(
            topics.order_by("name").values_list("name", "s__value"),
            [("A", None), ("B", None), ("C", None)],
        )
        self.assertRows(topics.filter(s__isnull=False), [])
        self.assertRows(
            topics.filter(s__isnull=True).order_by("name"), [self.a, self.b, self.c]
        )
        self.assertRows(topics.filter(s__value=1), [])
        self.assertRows(
            topics.exclude(s__value=1).order_by("name"), [self.a, self.b, self.c]
        )
        self.assertEqual(topics.count(), 3)
        self.assertIs(topics.exists(), True)
        self.assertEqual(topics.aggregate(n=Count("s")), {"n": 0})

    def test_left(self):
        for number, source in enumerate(self.sources()):
            with self.subTest(number=number):
                self.assertAllUnmatched(
                    Topic.objects.alias_join(s=source, on=Q(s__topic=F("pk")))
                )

    def test_inner(self):
        for source in self.sources():
            topics = Topic.objects.alias_join(
                s=source, on=Q(s__topic=F("pk")), join_type=JoinType.INNER
            )
            self.assertRows(topics, [])
            self.assertEqual(topics.count(), 0)
            self.assertIs(topics.exists(), False)

    def test_cross(self):
        topics = Topic.objects.alias_join(s=Record.objects.none(), join_type="cross")
        self.assertRows(topics, [])

    @skipUnlessDBFeature("supports_right_join")
    def test_right(self):
        topics = Topic.objects.none().alias_join(s=Record, join_type=JoinType.RIGHT)
        self.assertRows(
            topics.order_by("s__value").values_list("name", "s__value"),
            [(None, value) for value in (1, 3, 4, 5, 6)],
        )
        topics = Topic.objects.alias_join(
            s=Record.objects.none(), join_type=JoinType.RIGHT
        )
        self.assertRows(topics, [])

    @skipUnlessDBFeature("supports_right_join")
    def test_full(self):
        topics = Topic.objects.alias_join(
            s=Record.objects.none(), join_type=JoinType.FULL
        )
        self.assertRows(topics.order_by("name"), [self.a, self.b, self.c])

    def test_instances(self):
        topics = Topic.objects.alias_join(s=Record.objects.none())
        with self.assertNumQueries(1):
            self.assertEqual([t.s for t in topics.select_related("s")], [None] * 3)
        topics = Topic.objects.alias_join(s=Record.objects.none().values("topic"))
        with self.assertNumQueries(1):
            self.assertEqual([t.s for t in topics.select_related("s")], [None] * 3)

    def test_aggregate_of_nothing(self):
        totals = Record.objects.values("topic").annotate(
            total=Sum("value", filter=Q(pk__in=[])),
            number=Count("pk", filter=Q(pk__in=[])),
        )
        topics = Topic.objects.alias_join(
            it=FilteredRelation(totals, condition=Q(it__topic=F("pk")))
        ).order_by("name")
        self.assertRows(
            topics.values_list("name", "it__total", "it__number"),
            [("A", None, 0), ("B", None, 0), ("C", None, 0)],
        )
        self.assertRows(topics.filter(it__total__lt=1), [])
        self.assertRows(topics.filter(it__number__lt=1), [self.a, self.b, self.c])

    @skipUnlessDBFeature("supports_aggregate_filter_clause")
    def test_filter_on_an_aggregate_of_nothing(self):
        topics = Topic.objects.annotate(
            total=Sum("record__value", filter=Q(record__in=[]))
        )
        self.assertRows(topics.filter(total__gt=0), [], queries=0)

    def test_group_of_a_value(self):
        # Django doesn't group by values, so that there is always a row.
        empty = Record.objects.filter(value=-1)
        topics = Topic.objects.alias_join(
            s=FilteredRelation(
                empty.values(one=Value(1)).annotate(n=Count("pk")),
                condition=Q(s__one__lte=F("pk")),
            )
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "s__n"),
            [("A", 0), ("B", 0), ("C", 0)],
        )

    def test_union_with_one_empty_branch(self):
        records = Record.objects.filter(value=1)
        for source in (
            records.union(Record.objects.none()),
            Record.objects.none().union(records),
            records.union(Record.objects.filter(pk__in=[])),
        ):
            topics = Topic.objects.alias_join(s=source)
            self.assertRows(topics.filter(s__isnull=False), [self.a])
            self.assertEqual(topics.count(), 3)

    def test_nested(self):
        source = Record.objects.alias_join(who=User.objects.none())
        topics = Topic.objects.alias_join(s=source).filter(s__value=1)
        self.assertRows(topics, [self.a])
        source = Record.objects.alias_join(who=User.objects.none()).filter(
            who__isnull=False
        )
        self.assertAllUnmatched(Topic.objects.alias_join(s=source))

    def test_in_subqueries(self):
        topics = Topic.objects.alias_join(s=Record.objects.none())
        self.assertEqual(Topic.objects.filter(pk__in=topics.values("pk")).count(), 3)
        self.assertEqual(
            Topic.objects.filter(Exists(topics.filter(pk=OuterRef("pk")))).count(), 3
        )
        self.assertEqual(topics.union(topics).count(), 3)

    def test_aggregate_defaults(self):
        """A count in the source is NULL where nothing matches, not 0."""
        topics = Topic.objects.alias_join(
            s=Record.objects.none().values("topic").annotate(n=Count("pk"))
        ).order_by("name")
        self.assertRows(topics.values_list("s__n"), [(None,)] * 3)
        self.assertRows(topics.values_list(Coalesce("s__n", 0)), [(0,)] * 3)

    def test_empty_queryset_stays_empty(self):
        topics = Topic.objects.none().alias_join(s=Record)
        self.assertRows(topics, [], queries=0)
        self.assertEqual(topics.count(), 0)

    def test_empty_queryset_pushed_down(self):
        topics = Topic.objects.filter(pk__in=[])[:2].alias_join(s=Record)
        self.assertEqual(list(topics), [])
        self.assertEqual(topics.count(), 0)


class ConditionTests(TopicTestCase):
    def test_always_false(self):
        for on in (
            Q(pk__in=[]),
            Q(s__pk__in=[]),
            Q(s__topic=F("pk"), pk__in=[]),
        ):
            topics = Topic.objects.alias_join(s=Record, on=on)
            with self.subTest(on=on):
                self.assertRows(topics.order_by("name"), [self.a, self.b, self.c])
                self.assertRows(topics.filter(s__isnull=False), [])
                self.assertFrom(topics, "topic LEFT OUTER JOIN record s ON (1 = 0)")

    def test_always_true(self):
        for on in (
            ~Q(pk__in=[]),
            ~Q(s__pk__in=[]),
            Q(~Q(pk__in=[]), ~Q(s__pk__in=[])),
        ):
            topics = Topic.objects.alias_join(s=Record, on=on)
            with self.subTest(on=on):
                self.assertEqual(topics.count(), 15)
                self.assertFrom(topics, "topic LEFT OUTER JOIN record s ON (1 = 1)")

    def test_subquery_without_rows(self):
        for on, count in [
            (Exists(Topic.objects.none()), 3),
            (~Exists(Topic.objects.none()), 15),
            (Q(s__topic__in=Topic.objects.none()), 3),
            (~Q(s__topic__in=Topic.objects.none()), 15),
        ]:
            topics = Topic.objects.alias_join(s=Record, on=on)
            with self.subTest(on=on):
                self.assertEqual(topics.count(), count)
                self.assertEqual(len(topics), count)

    def test_partly(self):
        topics = Topic.objects.alias_join(
            s=Record, on=Q(s__topic=F("pk")) & (Q(s__value=1) | Q(pk__in=[]))
        )
        self.assertRows(topics.filter(s__isnull=False), [self.a])
        self.assertEqual(topics.count(), 3)

    def test_constant(self):
        for value, count in [(True, 15), (False, 3)]:
            topics = Topic.objects.alias_join(s=Record, on=Q(Value(value)))
            with self.subTest(value=value):
                self.assertEqual(topics.count(), count)

    def test_relation_name(self):
        topics = Topic.objects.alias_join(
            s=FilteredRelation("record", condition=Q(record__pk__in=[]))
        )
        self.assertRows(topics.order_by("name"), [self.a, self.b, self.c])
        self.assertRows(topics.filter(s__isnull=False), [])
        self.assertEqual(topics.count(), 3)
