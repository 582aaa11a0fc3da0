"""
A join applies to the rows that the queryset returns at that point.

A plain queryset is joined in place. One that is sliced, distinct, aggregated,
windowed or combined becomes a derived table first.
"""

from django.db.models import (
    Avg,
    Count,
    F,
    FilteredRelation,
    JoinType,
    Max,
    Q,
    Sum,
    Window,
)
from django.db.models.functions import Lower, RowNumber, Upper
from django.test import skipUnlessDBFeature

from .base import TopicTestCase
from .models import (
    B,
    C,
    Contact,
    Employee,
    Fee,
    Phone,
    Record,
    Seat,
    ShoutingTopic,
    Ticket,
    Topic,
    User,
)

DERIVED = "(SELECT ...) ... LEFT OUTER JOIN record any ON (...)"


class PlainTests(TopicTestCase):
    """
    What does not change the rows' number or order needs no derived table.
    """

    flat = "topic LEFT OUTER JOIN record any ON (any.topic_id = topic.id)"

    def test_all(self):
        self.assertFrom(Topic.objects.alias_join(any=Record), self.flat)

    def test_filter(self):
        topics = Topic.objects.filter(name="A").alias_join(any=Record)
        self.assertRows(topics, [self.a, self.a])
        self.assertFrom(topics, self.flat)

    def test_order_by(self):
        topics = Topic.objects.order_by("-name").alias_join(any=Record)
        self.assertRows(topics, [self.c, self.c, self.b, self.a, self.a])
        self.assertFrom(topics, self.flat)

    def test_annotation(self):
        topics = Topic.objects.annotate(low=Lower("name")).alias_join(any=Record)
        self.assertRows(
            topics.filter(low="a").order_by("any__value").values_list("any__value"),
            [(1,), (4,)],
        )
        self.assertFrom(topics, self.flat)

    def test_values(self):
        topics = Topic.objects.values_list("name").alias_join(any=Record)
        self.assertRows(topics.order_by("name", "any__value")[:2], [("A",), ("A",)])
        self.assertFrom(topics, self.flat)

    def test_only_and_defer(self):
        for topics in (Topic.objects.only("id"), Topic.objects.defer("name")):
            topics = topics.alias_join(any=Record).order_by("any__value")
            with self.assertNumQueries(1):
                topic = topics[0]
            self.assertEqual(topic.get_deferred_fields(), {"name"})
            self.assertFrom(topics, self.flat)

    def test_select_related(self):
        records = (
            Record.objects.select_related("topic")
            .alias_join(who=User)
            .filter(who__name="johnny")
            .order_by("value")
        )
        with self.assertNumQueries(1):
            self.assertEqual([record.topic.name for record in records], ["A", "C"])

    def test_joins_share_one_from(self):
        topics = (
            Topic.objects.alias_join(x=Record)
            .filter(x__value=1)
            .alias_join(y=Record)
            .order_by("y__value")
        )
        self.assertRows(topics.values_list("x__value", "y__value"), [(1, 1), (1, 4)])
        self.assertFrom(
            topics,
            "topic ... JOIN record x ON (x.topic_id = topic.id)",
            "LEFT OUTER JOIN record y ON (y.topic_id = topic.id)",
        )

    def test_join_before_a_slice_is_in_place(self):
        topics = Topic.objects.alias_join(any=Record).order_by("any__value")[:2]
        self.assertRows(topics, [self.a, self.c])
        self.assertFrom(topics, self.flat)


class SliceTests(TopicTestCase):
    def test_same_rows_of_the_page(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertRows(topics, [self.a, self.a, self.b])
        self.assertEqual(topics.count(), 3)
        self.assertFrom(topics, DERIVED)

    def test_offset(self):
        topics = Topic.objects.order_by("name")[1:].alias_join(any=Record)
        self.assertRows(topics, [self.b, self.c, self.c])

    def test_ordering_survives(self):
        """Without an ORDER BY of its own the outer query could lose it."""
        for ordering, rows in [
            (["-name"], [self.c, self.c, self.b]),
            ([F("name").desc()], [self.c, self.c, self.b]),
            ([Upper("name").desc(), "pk"], [self.c, self.c, self.b]),
        ]:
            with self.subTest(ordering=ordering):
                topics = Topic.objects.order_by(*ordering)[:2].alias_join(any=Record)
                self.assertRows(topics, rows)
                self.assertShape(
                    self.sql(topics), "SELECT ... ON (...) ORDER BY ... DESC..."
                )

    def test_ordering_by_a_relation_survives(self):
        records = Record.objects.order_by("-topic__name", "user__name")[:3].alias_join(
            again=Record, on=Q(again__pk=F("pk"))
        )
        self.assertRows(records.values_list("value"), [(3,), (6,), (5,)])

    def test_only_a_slice_is_ordered_itself(self):
        ordered = Topic.objects.order_by("name")
        for topics in (
            ordered.distinct(),
            ordered.annotate(n=Count("record")),
            Topic.objects.union(Topic.objects.all()).order_by("name"),
        ):
            sql = self.sql(topics.alias_join(any=Record))
            self.assertEqual(sql.count(" ASC"), 1, sql)

    def test_ordering_of_the_model_survives(self):
        for number in ("1", "2", "3"):
            Phone.objects.create(number=number)
        phones = Phone.objects.all()[:2].alias_join(
            link=Contact.phones.through, on=Q(link__phone=F("pk"))
        )
        self.assertRows(phones.values_list("number"), [("3",), ("2",)])

    def test_ordering_by_an_annotation_survives(self):
        topics = (
            Topic.objects.annotate(low=Lower("name"))
            .order_by("-low")[:2]
            .alias_join(any=Record)
        )
        self.assertRows(topics.values_list("low"), [("c",), ("c",), ("b",)])

    def test_reverse(self):
        topics = Topic.objects.order_by("name").reverse()[:1].alias_join(any=Record)
        self.assertRows(topics, [self.c, self.c])

    def test_later_ordering_replaces(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertRows(
            topics.order_by("-any__value").values_list("name", "any__value"),
            [("B", 5), ("A", 4), ("A", 1)],
        )

    def test_later_filter_filters_joined_rows(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertRows(topics.filter(any__value__gte=4), [self.a, self.b])
        self.assertRows(topics.filter(name="C"), [])
        self.assertRows(topics.exclude(any__value=4), [self.a, self.b])

    def test_later_slice_slices_joined_rows(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertRows(
            topics.order_by("any__value")[1:].values_list("any__value"),
            [(4,), (5,)],
        )

    def test_twice(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        topics = topics.order_by("any__value")[:2].alias_join(again=Record)
        self.assertRows(
            topics.order_by("any__value", "again__value").values_list(
                "name", "any__value", "again__value"
            ),
            [("A", 1, 1), ("A", 1, 4), ("A", 4, 1), ("A", 4, 4)],
        )

    def test_joins_of_one_call_share_the_derived_table(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(
            x=Record.objects.filter(user=self.johnny),
            y=Record.objects.filter(user=self.may),
        )
        self.assertRows(topics.values_list("x__value", "y__value"), [(1, 4), (None, 5)])
        self.assertFrom(
            topics,
            "(SELECT ... FROM topic ...) ...",
            "LEFT OUTER JOIN (SELECT ...) x ON (...)",
            "LEFT OUTER JOIN (SELECT ...) y ON (...)",
        )

    def test_values(self):
        topics = Topic.objects.order_by("name").values_list("name")[:2]
        topics = topics.alias_join(any=Record)
        self.assertRows(topics, [("A",), ("A",), ("B",)])
        self.assertRows(
            topics.order_by("any__value").values_list("name", "any__value"),
            [("A", 1), ("A", 4), ("B", 5)],
        )

    def test_flat_values_and_named_rows(self):
        topics = Topic.objects.order_by("name")
        self.assertRows(
            topics.values_list("name", flat=True)[:1].alias_join(any=Record),
            ["A", "A"],
        )
        row = topics.values_list("name", named=True)[:1].alias_join(any=Record)[0]
        self.assertEqual(row.name, "A")

    def test_aggregate(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertEqual(
            topics.aggregate(n=Count("any"), s=Sum("any__value")), {"n": 3, "s": 10}
        )

    def test_get_first_and_last(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertEqual(topics.get(any__value=4), self.a)
        self.assertEqual(topics.order_by("any__value").first(), self.a)
        self.assertEqual(topics.order_by("any__value").last(), self.b)

    def test_inner_join_shortens_the_page(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(
            mine=Record.objects.filter(user=self.johnny), join_type=JoinType.INNER
        )
        self.assertRows(topics, [self.a])

    def test_relation_name(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(
            any=FilteredRelation("record", condition=Q(record__value__gt=3))
        )
        self.assertRows(
            topics.order_by("any__value").values_list("name", "any__value"),
            [("A", 4), ("B", 5)],
        )


class InstanceTests(TopicTestCase):
    """Instances come from a derived table as they do from the model's."""

    def test_instance(self):
        topic = Topic.objects.order_by("name")[:1].alias_join(any=Record)[0]
        self.assertIs(type(topic), Topic)
        self.assertEqual((topic.pk, topic.name), (self.a.pk, "A"))
        self.assertEqual(topic._state.db, "default")
        self.assertIs(topic._state.adding, False)
        topic.name = "changed"
        topic.save()
        self.a.refresh_from_db()
        self.assertEqual(self.a.name, "changed")

    def test_proxy(self):
        topic = ShoutingTopic.objects.order_by("name")[:1].alias_join(any=Record)[0]
        self.assertIs(type(topic), ShoutingTopic)

    def test_deferred_fields(self):
        for topics in (Topic.objects.only("id"), Topic.objects.defer("name")):
            topics = topics.order_by("name")[:1].alias_join(any=Record)
            with self.assertNumQueries(1):
                topic = topics[0]
            self.assertEqual(topic.get_deferred_fields(), {"name"})
            with self.assertNumQueries(1):
                self.assertEqual(topic.name, "A")

    def test_defer_after_the_join(self):
        topic = Topic.objects.order_by("name")[:1].alias_join(any=Record).only("id")[0]
        self.assertEqual(topic.get_deferred_fields(), {"name"})

    def test_select_related(self):
        records = (
            Record.objects.select_related("topic", "user")
            .order_by("value")[:2]
            .alias_join(again=Record, on=Q(again__pk=F("pk")))
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                [(record.topic.name, record.user.name) for record in records],
                [("A", "johnny"), ("C", "johnny")],
            )

    def test_select_related_after_the_join(self):
        records = (
            Record.objects.order_by("value")[:2]
            .alias_join(again=Record, on=Q(again__pk=F("pk")))
            .select_related("topic", "again__user")
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                [(record.topic.name, record.again.user.name) for record in records],
                [("A", "johnny"), ("C", "johnny")],
            )

    def test_prefetch_related(self):
        topics = (
            Topic.objects.prefetch_related("record_set")
            .order_by("name")[:1]
            .alias_join(mine=Record.objects.filter(user=self.johnny))
        )
        with self.assertNumQueries(2):
            self.assertEqual(len(topics[0].record_set.all()), 2)

    def test_paths_from_the_derived_table(self):
        records = Record.objects.order_by("value")[:3].alias_join(
            again=Record, on=Q(again__pk=F("pk"))
        )
        self.assertRows(
            records.filter(topic__name="A").values_list("value", "user__name"),
            [(1, "johnny"), (4, "may")],
        )
        self.assertRows(
            records.filter(topic__record__value=6).values_list("value"), [(3,)]
        )

    def test_composite_primary_key(self):
        for place in (1, 2):
            seat = Seat.objects.create(row=1, place=place)
            Ticket.objects.create(seat=seat, price=place)
        seats = Seat.objects.order_by("-place")[:1].alias_join(sold=Ticket)
        self.assertRows(seats.values_list("pk", "sold__price"), [((1, 2), 2)])
        self.assertEqual(seats.get().pk, (1, 2))

    def test_multi_table_inheritance(self):
        c = C.objects.create(name="c")
        B.objects.create(name="y", size=1, fk_field=c)
        B.objects.create(name="x", size=2, fk_field=c)
        rows = B.objects.order_by("name")[:1].alias_join(c=C, on=Q(c__pk=F("fk_field")))
        with self.assertNumQueries(1):
            b = rows.get()
            self.assertEqual((b.name, b.size, b.fk_field_id), ("x", 2, c.pk))
        self.assertRows(rows.filter(name="x").values_list("name", "size"), [("x", 2)])


class AggregationTests(TopicTestCase):
    def test_annotation_keeps_its_value(self):
        topics = Topic.objects.annotate(n=Count("record")).alias_join(any=Record)
        with self.assertNumQueries(1):
            self.assertEqual(
                [
                    (topic.name, topic.n)
                    for topic in topics.order_by("name", "any__value")
                ],
                [("A", 2), ("A", 2), ("B", 1), ("C", 2), ("C", 2)],
            )
        self.assertFrom(
            topics, "(SELECT ... GROUP BY ...) ... JOIN record any ON (...)"
        )

    def test_two_annotations_in_turn(self):
        topics = (
            Topic.objects.annotate(n=Count("record"))
            .alias_join(any=Record)
            .annotate(m=Count("any"))
            .alias_join(mine=Record.objects.filter(user=self.johnny))
            .order_by("name")
        )
        self.assertRows(
            topics.values_list("name", "n", "m", "mine__value"),
            [("A", 2, 2, 1), ("B", 1, 1, None), ("C", 2, 2, 3)],
        )

    def test_join_before_the_annotation_is_aggregated(self):
        topics = Topic.objects.alias_join(x=Record, y=Record).annotate(n=Count("x"))
        self.assertRows(
            topics.order_by("name").values_list("name", "n"),
            [("A", 4), ("B", 1), ("C", 4)],
        )

    def test_alias(self):
        topics = Topic.objects.alias(n=Count("record")).alias_join(any=Record)
        topics = topics.order_by("any__value")
        self.assertRows(topics.filter(n=1), [self.b])
        self.assertRows(topics.filter(n=2), [self.a, self.c, self.a, self.c])
        self.assertNotIn("n", topics[0].__dict__)

    def test_filter_and_order_by_the_annotation(self):
        topics = Topic.objects.annotate(n=Count("record")).alias_join(any=Record)
        self.assertRows(
            topics.filter(n=1).values_list("name", "n", "any__value"), [("B", 1, 5)]
        )
        self.assertRows(
            topics.order_by("n", "any__value").values_list("any__value"),
            [(5,), (1,), (3,), (4,), (6,)],
        )

    def test_filter_on_the_annotation_before(self):
        topics = (
            Topic.objects.annotate(n=Count("record"))
            .filter(n__gt=1)
            .alias_join(any=Record)
            .order_by("any__value")
        )
        self.assertRows(topics, [self.a, self.c, self.a, self.c])

    def test_annotation_in_on(self):
        topics = (
            Topic.objects.annotate(n=Count("record"))
            .alias_join(
                many=FilteredRelation(Record, condition=Q(many__topic=F("pk"), n__gt=1))
            )
            .order_by("name", "many__value")
        )
        self.assertRows(
            topics.values_list("name", "many__value"),
            [("A", 1), ("A", 4), ("B", None), ("C", 3), ("C", 6)],
        )

    def test_groups(self):
        users = (
            Record.objects.values("user")
            .annotate(total=Sum("value"))
            .alias_join(who=User)
            .order_by("total")
        )
        self.assertRows(
            users.values_list("who__name", "total"), [("johnny", 4), ("may", 15)]
        )
        self.assertRows(users.values("total"), [{"total": 4}, {"total": 15}])
        self.assertRows(users.filter(total__gt=4).values_list("who__name"), [("may",)])
        self.assertFrom(
            users,
            "(SELECT ... FROM record ... GROUP BY ...) ...",
            "LEFT OUTER JOIN user who ON (who.id = ....user_id)",
        )

    def test_columns_of_groups_that_are_called_alike(self):
        boss = Employee.objects.create(name="a", salary=2)
        boss = Employee.objects.create(name="b", salary=1, boss=boss)
        Employee.objects.create(name="c", salary=3, boss=boss)
        groups = (
            Employee.objects.values("salary", over=F("boss__salary"))
            .annotate(most=Max("boss__boss__salary"))
            .alias_join(topic=Topic, on=Q(topic__name="A"))
        )
        self.assertCountEqual(
            groups.filter(Q(most__lt=3) | Q(salary=1)).values_list("salary", "over"),
            [(1, 2), (3, 1)],
        )

    def test_rows_of_groups_without_values_after(self):
        users = (
            Record.objects.values("user")
            .annotate(total=Sum("value"))
            .order_by("total")
            .alias_join(who=User)
        )
        self.assertRows(
            users,
            [
                {"user": self.johnny.pk, "total": 4},
                {"user": self.may.pk, "total": 15},
            ],
        )

    def test_aggregate_over_groups(self):
        users = (
            Record.objects.values("user")
            .annotate(total=Sum("value"))
            .alias_join(who=User)
        )
        self.assertEqual(
            users.filter(who__name="may").aggregate(Avg("total")), {"total__avg": 15.0}
        )

    def test_ordering_by_an_aggregate_survives(self):
        topics = (
            Topic.objects.annotate(s=Sum("record__value"))
            .order_by("-s", "-name")
            .alias_join(mine=Record.objects.filter(user=self.johnny))
        )
        self.assertRows(topics.values_list("name", "s"), [("C", 9), ("B", 5), ("A", 5)])


class DistinctTests(TopicTestCase):
    def test_distinct(self):
        topics = Topic.objects.filter(record__value__gt=0).distinct()
        topics = topics.order_by("name").alias_join(any=Record)
        self.assertRows(topics, [self.a, self.a, self.b, self.c, self.c])
        self.assertFrom(topics, "(SELECT DISTINCT ...) ... JOIN record any ON (...)")

    def test_distinct_values(self):
        users = Record.objects.values("user").distinct().alias_join(who=User)
        self.assertRows(
            users.order_by("who__name").values_list("who__name"),
            [("johnny",), ("may",)],
        )

    def test_distinct_after_the_join(self):
        topics = Topic.objects.alias_join(any=Record).distinct().order_by("name")
        self.assertRows(topics, [self.a, self.b, self.c])

    @skipUnlessDBFeature("can_distinct_on_fields")
    def test_distinct_on_fields(self):
        records = (
            Record.objects.order_by("topic__name", "-value")
            .distinct("topic__name")
            .alias_join(who=User)
        )
        self.assertRows(
            records.values_list("value", "who__name"),
            [
                (4, "may"),
                (5, "may"),
                (6, "may"),
            ],
        )
        self.assertRows(records.filter(value=1), [])


class WindowTests(TopicTestCase):
    def ranked(self):
        return Topic.objects.annotate(
            rank=Window(RowNumber(), order_by=F("name").desc())
        )

    def test_window_keeps_its_value(self):
        topics = self.ranked().alias_join(any=Record).order_by("rank", "any__value")
        self.assertRows(
            topics.values_list("name", "rank"),
            [("C", 1), ("C", 1), ("B", 2), ("A", 3), ("A", 3)],
        )
        self.assertFrom(topics, DERIVED)

    def test_filter_on_the_window(self):
        before = self.ranked().filter(rank__lte=2).alias_join(any=Record)
        after = self.ranked().alias_join(any=Record).filter(rank__lte=2)
        for topics in (before, after):
            self.assertRows(topics.order_by("name", "pk"), [self.b, self.c, self.c])

    def test_window_after_the_join(self):
        topics = Topic.objects.alias_join(any=Record).annotate(
            rank=Window(RowNumber(), order_by="any__value")
        )
        self.assertRows(
            topics.order_by("rank").values_list("name", "rank"),
            [("A", 1), ("C", 2), ("A", 3), ("B", 4), ("C", 5)],
        )


class CombinedTests(TopicTestCase):
    def test_union(self):
        topics = Topic.objects.filter(name="A").union(Topic.objects.filter(name="B"))
        topics = topics.alias_join(any=Record)
        self.assertRows(topics.order_by("any__value"), [self.a, self.a, self.b])
        self.assertRows(topics.filter(any__value=4), [self.a])
        self.assertEqual(topics.count(), 3)

    def test_union_all(self):
        topics = Topic.objects.filter(name="A").union(
            Topic.objects.filter(name="A"), all=True
        )
        mine = Record.objects.filter(user=self.johnny)
        self.assertRows(topics.alias_join(mine=mine), [self.a, self.a])

    def test_union_of_values(self):
        rows = (
            Topic.objects.filter(name="A")
            .values("id", "name")
            .union(Topic.objects.filter(name="B").values("id", "name"))
            .alias_join(any=Record, on=Q(any__topic=F("id")))
        )
        self.assertRows(
            rows.order_by("any__value").values_list("name", "any__value"),
            [("A", 1), ("A", 4), ("B", 5)],
        )

    def test_ordered_and_sliced_union(self):
        topics = Topic.objects.filter(name="A").union(Topic.objects.exclude(name="A"))
        topics = topics.order_by("-name")[:2].alias_join(any=Record)
        self.assertRows(topics, [self.c, self.c, self.b])

    def test_union_ordered_by_primary_key(self):
        topics = Topic.objects.filter(name="A").union(Topic.objects.exclude(name="A"))
        self.assertRows(
            topics.order_by("pk").alias_join(any=Record),
            [self.a, self.a, self.b, self.c, self.c],
        )
        for ordering in ("-pk", F("pk").desc()):
            page = topics.order_by(ordering)[:2]
            with self.subTest(ordering=ordering):
                self.assertRows(page.alias_join(any=Record), [self.c, self.c, self.b])
                self.assertRows(
                    Topic.objects.filter(
                        pk__in=Topic.objects.alias_join(
                            page=page, on=Q(page__pk=F("pk")), join_type=JoinType.INNER
                        )
                    ).order_by("name"),
                    [self.b, self.c],
                )

    def test_union_ordered_by_composite_primary_key(self):
        seats = [Seat.objects.create(row=n // 2, place=n % 2) for n in range(4)]
        page = Seat.objects.union(Seat.objects.all()).order_by("-pk")[:3]
        self.assertRows(page.alias_join(sold=Ticket), seats[:0:-1])

    def test_union_ordered_by_field_with_another_column(self):
        for title in "bac":
            Fee.objects.create(title=title, total=0)
        fees = Fee.objects.union(Fee.objects.all()).order_by("title")
        topics = Topic.objects.filter(name="A")
        for page, titles in ((fees, "abc"), (fees[:2], "ab")):
            rows = page.alias_join(topic=topics, join_type=JoinType.CROSS)
            self.assertRows(rows.values_list("title", flat=True), [*titles])

    def test_union_of_a_model_with_an_ordering(self):
        for number in "132":
            Phone.objects.create(number=number)
        phones = Phone.objects.exclude(number="1").union(Phone.objects.all())
        topics = Topic.objects.filter(name="A")
        for page, numbers in ((phones, "321"), (phones[:2], "32"), (phones[1:], "21")):
            rows = page.alias_join(topic=topics, join_type=JoinType.CROSS)
            self.assertRows(rows.values_list("number", flat=True), [*numbers])

    @skipUnlessDBFeature("supports_select_intersection")
    def test_intersection(self):
        topics = Topic.objects.filter(name__gte="B").intersection(
            Topic.objects.filter(name__lte="B")
        )
        self.assertRows(topics.alias_join(any=Record), [self.b])

    @skipUnlessDBFeature("supports_select_difference")
    def test_difference(self):
        topics = Topic.objects.difference(Topic.objects.filter(name__lte="B"))
        self.assertRows(topics.alias_join(any=Record), [self.c, self.c])


class ImmutabilityTests(TopicTestCase):
    def test_the_queryset_joined_to_is_unchanged(self):
        for topics in (
            Topic.objects.order_by("name"),
            Topic.objects.order_by("name")[:2],
            Topic.objects.annotate(n=Count("record")).order_by("name"),
        ):
            rows, sql = list(topics), str(topics.query)
            topics.alias_join(any=Record)
            self.assertEqual(str(topics.query), sql)
            self.assertEqual(list(topics.all()), rows)

    def test_an_evaluated_queryset_can_be_joined(self):
        topics = Topic.objects.order_by("name")[:1]
        list(topics)
        self.assertRows(topics.alias_join(any=Record), [self.a, self.a])

    def test_without_joins_returns_a_clone(self):
        topics = Topic.objects.order_by("name")[:2]
        clone = topics.alias_join()
        self.assertIsNot(clone, topics)
        self.assertRows(clone, [self.a, self.b])
        self.assertEqual(str(clone.query), str(topics.query))
