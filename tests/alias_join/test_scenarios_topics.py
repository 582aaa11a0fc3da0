"""One user's value beside every topic."""

from django.core.paginator import Paginator
from django.db.models import Count, F, FilteredRelation, JoinType, Max, Q, Sum

from .base import TopicTestCase
from .models import Record, Topic


class OneUsersValueTests(TopicTestCase):
    def mine(self, user):
        return Topic.objects.alias_join(mine=Record.objects.filter(user=user))

    def test_every_topic_with_the_users_value(self):
        for user, rows in [
            (self.johnny, [("A", 1), ("B", None), ("C", 3)]),
            (self.may, [("A", 4), ("B", 5), ("C", 6)]),
        ]:
            with self.subTest(user=user):
                topics = self.mine(user).order_by("name")
                self.assertRows(topics.values_list("name", "mine__value"), rows)

    def test_derived_table(self):
        topics = (
            Topic.objects.alias_join(
                mine=Record.objects.filter(user=self.johnny).values(
                    "value", tid=F("topic")
                ),
                on=Q(mine__tid=F("pk")),
            )
            .order_by("name")
            .values_list("name", "mine__value")
        )
        self.assertRows(topics, [("A", 1), ("B", None), ("C", 3)])
        self.assertSameAsSQL(
            topics,
            """
            SELECT t.name, r.value
            FROM alias_join_topic t
            LEFT JOIN (
                SELECT topic_id AS tid, value
                FROM alias_join_record
                WHERE user_id = %s
            ) r ON r.tid = t.id
            ORDER BY t.name
            """,
            [self.johnny.pk],
        )
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN",
            "(SELECT ... FROM record ... WHERE ....user_id = %s) mine",
            "ON (mine.tid = topic.id)",
        )

    def test_flat(self):
        topics = (
            Topic.objects.alias_join(
                mine=FilteredRelation(
                    Record,
                    condition=Q(mine__topic=F("pk"), mine__user=self.johnny),
                )
            )
            .order_by("name")
            .values_list("name", "mine__value")
        )
        self.assertRows(topics, [("A", 1), ("B", None), ("C", 3)])
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN record mine",
            "ON (mine.topic_id = topic.id AND mine.user_id = %s)",
        )

    def test_flat_through_the_relation(self):
        topics = (
            Topic.objects.alias_join(
                mine=FilteredRelation("record", condition=Q(record__user=self.johnny))
            )
            .order_by("name")
            .values_list("name", "mine__value")
        )
        self.assertRows(topics, [("A", 1), ("B", None), ("C", 3)])
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN record mine",
            "ON (topic.id = mine.topic_id AND (mine.user_id = %s))",
        )

    def test_filtered_relation_in_alias_and_annotate(self):
        records = Record.objects.filter(user=self.johnny)
        for method in ("alias", "annotate", "alias_join"):
            with self.subTest(method=method):
                topics = getattr(Topic.objects, method)(mine=FilteredRelation(records))
                self.assertRows(
                    topics.order_by("name").values_list("name", "mine__value"),
                    [("A", 1), ("B", None), ("C", 3)],
                )

    def test_filter(self):
        topics = self.mine(self.johnny)
        self.assertRows(topics.filter(mine__value__gt=1), [self.c])
        self.assertRows(topics.filter(mine__isnull=True), [self.b])
        self.assertRows(topics.filter(mine__isnull=False, name="A"), [self.a])

    def test_exclude(self):
        topics = self.mine(self.johnny).order_by("name")
        self.assertRows(topics.exclude(mine__value=1), [self.b, self.c])
        self.assertRows(topics.exclude(mine__isnull=True), [self.a, self.c])

    def test_order_by(self):
        topics = self.mine(self.johnny)
        self.assertRows(
            topics.order_by(F("mine__value").desc(nulls_last=True)),
            [self.c, self.a, self.b],
        )
        self.assertRows(
            topics.order_by(F("mine__value").asc(nulls_first=True)),
            [self.b, self.a, self.c],
        )

    def test_values(self):
        self.assertRows(
            self.mine(self.johnny).order_by("name").values("name", "mine__value"),
            [
                {"name": "A", "mine__value": 1},
                {"name": "B", "mine__value": None},
                {"name": "C", "mine__value": 3},
            ],
        )

    def test_annotate(self):
        topics = self.mine(self.johnny).annotate(twice=F("mine__value") * 2)
        with self.assertNumQueries(1):
            self.assertEqual(
                [(topic.name, topic.twice) for topic in topics.order_by("name")],
                [("A", 2), ("B", None), ("C", 6)],
            )

    def test_aggregate(self):
        with self.assertNumQueries(1):
            self.assertEqual(
                self.mine(self.johnny).aggregate(
                    Sum("mine__value"), topics=Count("pk"), records=Count("mine")
                ),
                {"mine__value__sum": 4, "topics": 3, "records": 2},
            )

    def test_count_of_the_alias(self):
        topics = self.mine(self.johnny).annotate(n=Count("mine")).order_by("name")
        self.assertRows(topics.values_list("name", "n"), [("A", 1), ("B", 0), ("C", 1)])

    def test_max_of_the_alias(self):
        topics = Topic.objects.alias_join(any=Record).annotate(m=Max("any__value"))
        self.assertRows(
            topics.order_by("name").values_list("name", "m"),
            [("A", 4), ("B", 5), ("C", 6)],
        )

    def test_count_and_exists(self):
        topics = self.mine(self.johnny)
        with self.assertNumQueries(4):
            self.assertEqual(topics.count(), 3)
            self.assertEqual(topics.filter(mine__value=3).count(), 1)
            self.assertIs(topics.exists(), True)
            self.assertIs(topics.filter(mine__value=4).exists(), False)

    def test_rows_multiply(self):
        topics = Topic.objects.alias_join(any=Record).order_by("any__value")
        self.assertRows(topics, [self.a, self.c, self.a, self.b, self.c])
        self.assertEqual(topics.count(), 5)

    def test_slices(self):
        topics = self.mine(self.johnny).order_by("name").values_list("mine__value")
        self.assertRows(topics[:2], [(1,), (None,)])
        self.assertRows(topics[1:], [(None,), (3,)])
        self.assertEqual(topics.last(), (3,))

    def test_paginator(self):
        paginator = Paginator(self.mine(self.johnny).order_by("name"), 2)
        with self.assertNumQueries(3):
            self.assertEqual(paginator.count, 3)
            self.assertEqual(list(paginator.page(1)), [self.a, self.b])
            self.assertEqual(list(paginator.page(2)), [self.c])

    def test_inner(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny), join_type=JoinType.INNER
        )
        self.assertRows(topics.order_by("name"), [self.a, self.c])
        self.assertFrom(topics, "topic INNER JOIN (SELECT ...) mine ON (...)")

    def test_both_users_side_by_side(self):
        topics = Topic.objects.alias_join(
            johnny=Record.objects.filter(user=self.johnny),
            may=Record.objects.filter(user=self.may),
        ).order_by("name")
        self.assertRows(
            topics.values_list("name", "johnny__value", "may__value"),
            [("A", 1, 4), ("B", None, 5), ("C", 3, 6)],
        )
        self.assertRows(
            topics.filter(may__value=F("johnny__value") + 3), [self.a, self.c]
        )
