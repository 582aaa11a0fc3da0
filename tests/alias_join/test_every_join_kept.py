"""
Every join is kept, referenced or not.

Whatever counts or tests rows sees the rows that iteration returns.
"""

from django.core.paginator import Paginator
from django.db.models import Count, Exists, F, FilteredRelation, JoinType, OuterRef, Q
from django.test import skipUnlessDBFeature

from .base import TopicTestCase
from .models import Contact, Phone, Record, Topic, User


class EveryJoinKeptTests(TopicTestCase):
    def joined(self):
        """
        Return querysets none of which refers to its join, with their rows.
        """
        a, b, c = self.a, self.b, self.c
        mine = Record.objects.filter(user=self.johnny)
        grouped = mine.values("topic").annotate(n=Count("pk"))
        nothing = Record.objects.filter(value=99)
        inner, cross = JoinType.INNER, JoinType.CROSS
        topics = Topic.objects.order_by("name")
        return [
            ("table", topics.alias_join(x=Record), [a, a, b, c, c]),
            ("inner", topics.alias_join(x=Record, join_type=inner), [a, a, b, c, c]),
            ("queryset", topics.alias_join(x=mine), [a, b, c]),
            ("inner queryset", topics.alias_join(x=mine, join_type=inner), [a, c]),
            ("values", topics.alias_join(x=mine.values("topic")), [a, b, c]),
            ("groups", topics.alias_join(x=grouped, join_type=inner), [a, c]),
            ("no match", topics.alias_join(x=nothing, join_type=inner), []),
            (
                "cross",
                topics.alias_join(x=User, join_type=cross),
                [a, a, b, b, c, c],
            ),
            (
                "two",
                topics.alias_join(x=Record).alias_join(y=mine, join_type=inner),
                [a, a, c, c],
            ),
            (
                "relation",
                topics.alias_join(x=FilteredRelation("record")),
                [a, a, b, c, c],
            ),
            ("onto a slice", topics[:2].alias_join(x=Record), [a, a, b]),
            (
                "onto a slice by alias()",
                topics[:2].alias(
                    x=FilteredRelation(Record, condition=Q(x__topic=F("pk")))
                ),
                [a, a, b],
            ),
            (
                "onto an aggregation",
                topics.annotate(n=Count("pk")).alias_join(x=Record),
                [a, a, b, c, c],
            ),
        ]

    def test_iteration(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertRows(topics, rows)
                self.assertEqual(list(topics.iterator(chunk_size=2)), rows)

    def test_count(self):
        for name, topics, rows in self.joined():
            with self.subTest(name), self.assertNumQueries(1):
                self.assertEqual(topics.count(), len(rows))

    def test_exists(self):
        for name, topics, rows in self.joined():
            with self.subTest(name), self.assertNumQueries(1):
                self.assertIs(topics.exists(), bool(rows))

    def test_contains(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertIs(topics.contains(self.b), self.b in rows)

    def test_aggregate(self):
        for name, topics, rows in self.joined():
            with self.subTest(name), self.assertNumQueries(1):
                self.assertEqual(
                    topics.aggregate(
                        stars=Count("*"),
                        names=Count("name"),
                        topics=Count("pk", distinct=True),
                    ),
                    {
                        "stars": len(rows),
                        "names": len(rows),
                        "topics": len(set(rows)),
                    },
                )

    def test_pagination(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                paginator = Paginator(topics, 2)
                self.assertEqual(paginator.count, len(rows))
                self.assertEqual(
                    [topic for page in paginator for topic in page.object_list], rows
                )

    def test_slices(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertRows(topics[1:3], rows[1:3])
                self.assertEqual(topics[1:3].count(), len(rows[1:3]))

    def test_values(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertRows(
                    topics.values_list("name", flat=True),
                    [topic.name for topic in rows],
                )

    def test_order_by_nothing(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertCountEqual(topics.order_by(), rows)

    def test_first(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertEqual(topics.first(), rows[0] if rows else None)

    def test_get(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                if rows.count(self.a) > 1:
                    with self.assertRaises(Topic.MultipleObjectsReturned):
                        topics.get(name="A")
                elif self.a not in rows:
                    with self.assertRaises(Topic.DoesNotExist):
                        topics.get(name="A")
                else:
                    self.assertEqual(topics.get(name="A"), self.a)

    def test_in_a_subquery(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                if not topics.query.is_sliced:
                    self.assertCountEqual(
                        Topic.objects.filter(pk__in=topics.values("pk")), set(rows)
                    )
                    self.assertCountEqual(
                        Topic.objects.filter(Exists(topics.filter(pk=OuterRef("pk")))),
                        set(rows),
                    )

    def test_in_a_union(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                both = topics.order_by().union(Topic.objects.none(), all=True)
                self.assertCountEqual(both, rows)

    def test_filter_on_the_model(self):
        for name, topics, rows in self.joined():
            with self.subTest(name):
                self.assertRows(
                    topics.filter(name="A"),
                    [topic for topic in rows if topic == self.a],
                )

    @skipUnlessDBFeature("supports_right_join")
    def test_right(self):
        for name in ("D", "E"):
            Topic.objects.create(name=name)
        users = User.objects.alias_join(
            topic=FilteredRelation(
                Topic,
                condition=Q(topic__name="A", name="may"),
                join_type=JoinType.RIGHT,
            )
        )
        self.assertEqual(users.count(), 5)
        self.assertEqual(
            users.aggregate(n=Count("*"), users=Count("pk")), {"n": 5, "users": 1}
        )
        self.assertEqual(len(users.values_list("name")), 5)
        self.assertIs(users.exists(), True)


class EagerTests(TopicTestCase):
    def test_alias_join_joins_a_relation_at_once(self):
        topics = Topic.objects.alias_join(any=FilteredRelation("record"))
        self.assertFrom(
            topics, "topic LEFT OUTER JOIN record any ON (topic.id = any.topic_id)"
        )

    def test_alias_and_annotate_join_a_relation_when_used(self):
        any = FilteredRelation("record")
        for topics in (Topic.objects.alias(any=any), Topic.objects.annotate(any=any)):
            self.assertFrom(topics, "topic")
            self.assertEqual(topics.count(), 3)
            self.assertFrom(
                topics.filter(any__value=1),
                "topic INNER JOIN record any ON (topic.id = any.topic_id)",
            )

    def test_alias_and_annotate_join_a_source_at_once(self):
        any = FilteredRelation(Record)
        for topics in (Topic.objects.alias(any=any), Topic.objects.annotate(any=any)):
            self.assertFrom(
                topics, "topic LEFT OUTER JOIN record any ON (any.topic_id = topic.id)"
            )
            self.assertEqual(topics.count(), 5)

    def test_order_of_joins(self):
        contacts = Contact.objects.alias_join(
            link=Contact.phones.through,
            phone=FilteredRelation(Phone, condition=Q(phone__pk=F("link__phone"))),
        ).alias_join(
            again=FilteredRelation(Phone, condition=Q(again__pk=F("phone__pk")))
        )
        self.assertFrom(
            contacts,
            "contact LEFT OUTER JOIN contact_phones link",
            "ON (link.contact_id = contact.id)",
            "LEFT OUTER JOIN phone phone ON (phone.id = link.phone_id)",
            "LEFT OUTER JOIN phone again ON (again.id = phone.id)",
        )


class OrderTests(TopicTestCase):
    """A join that nothing refers to leaves the order as it is."""

    def assertDescending(self, **joins):
        records = Record.objects.alias_join(**joins).alias_join(
            k=Record, on=Q(k__topic=F("topic"))
        )
        pairs = [
            (record, other)
            for record in Record.objects.all()
            for other in Record.objects.all()
            if record.topic_id == other.topic_id
        ]
        pairs.sort(key=lambda pair: (-pair[0].pk, -pair[1].pk))
        expected = [(record.pk, other.pk) for record, other in pairs]
        records = records.order_by("-pk", "-k__pk").values_list("pk", "k__pk")
        self.assertRows(records, expected)
        self.assertRows(records[1:4], expected[1:4])
        self.assertRows(records.distinct(), expected)
        self.assertRows(
            Record.objects.filter(pk=records[:1].values("pk")), [Record.objects.last()]
        )

    def test_model(self):
        self.assertDescending(z=FilteredRelation(User, condition=Q(z__pk=F("user"))))

    def test_unique_column(self):
        condition = Q(z__name=F("note"))
        self.assertDescending(z=FilteredRelation(User, condition=condition))

    def test_queryset(self):
        users = User.objects.filter(name="may")
        condition = Q(z__pk=F("user"))
        for source in (users, users.values("pk")):
            with self.subTest(instances=source is users):
                self.assertDescending(z=FilteredRelation(source, condition=condition))

    def test_latest(self):
        latest = User.objects.filter(pk=OuterRef("user")).order_by("-pk")[:1]
        self.assertDescending(z=latest)

    def test_relation(self):
        condition = Q(user__name="may")
        self.assertDescending(z=FilteredRelation("user", condition=condition))

    def test_several(self):
        self.assertDescending(
            y=FilteredRelation(Topic, condition=Q(y__pk=F("topic"))),
            z=FilteredRelation(User, condition=Q(z__pk=F("user"))),
        )

    def test_joined_by_a_path(self):
        records = Record.objects.alias_join(
            z=FilteredRelation(User, condition=Q(z__pk=F("user")))
        )
        users = User.objects.alias_join(
            z=FilteredRelation(User, condition=Q(z__pk=F("pk")))
        ).filter(name="may")
        expected = sorted(self.may.record_set.values_list("pk", flat=True))[::-1]
        users = users.order_by("-record__pk").values_list("record__pk", flat=True)
        self.assertRows(users, expected)
        self.assertRows(
            records.order_by("-topic__pk", "-pk")[:1], [Record.objects.last()]
        )
