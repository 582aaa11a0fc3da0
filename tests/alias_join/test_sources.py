"""Every kind of source: models, querysets, values, and raw SQL."""

import copy
import pickle

from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import (
    Avg,
    Case,
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
    Window,
)
from django.db.models.functions import Coalesce, Lower, Rank, RowNumber
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import TopicTestCase
from .models import (
    A,
    B,
    C,
    City,
    Contact,
    Country,
    Phone,
    Record,
    RecordTable,
    Remark,
    Seat,
    ShoutingTopic,
    Ticket,
    Topic,
    User,
)


class SourceTestCase(TopicTestCase):
    def topics(self, source, on=None, **kwargs):
        return Topic.objects.alias_join(s=source, on=on, **kwargs).order_by("name")

    def assertValues(self, source, rows, on=None, columns=("s__value",)):
        """Assert the name of the topics and ``columns`` of the joined rows."""
        topics = self.topics(source, on).order_by("name", *columns)
        self.assertRows(topics.values_list("name", *columns), rows)


ALL = [("A", 1), ("A", 4), ("B", 5), ("C", 3), ("C", 6)]
JOHNNY = [("A", 1), ("B", None), ("C", 3)]


class ModelTests(SourceTestCase):
    def test_model(self):
        self.assertValues(Record, ALL)
        self.assertFrom(self.topics(Record), "topic LEFT OUTER JOIN record s ON (...)")

    def test_unmanaged_model(self):
        self.assertValues(RecordTable, ALL)
        self.assertValues(RecordTable.objects.filter(value__in=[1, 3]), JOHNNY)

    def test_proxy_model(self):
        records = Record.objects.alias_join(loud=ShoutingTopic).order_by("value")
        self.assertRows(
            records.values_list("loud__name"), [("A",), ("C",), ("A",), ("B",), ("C",)]
        )
        self.assertFrom(records, "record LEFT OUTER JOIN topic loud ON (...)")

    def test_proxy_as_the_model(self):
        topics = ShoutingTopic.objects.alias_join(s=Record).order_by("s__value")
        self.assertRows(topics.values_list("s__value", "name")[:1], [(1, "A")])
        self.assertIs(type(topics[0]), ShoutingTopic)

    def test_child_model(self):
        """A child's table has the child's own columns only."""
        c = C.objects.create(name="c")
        C.objects.create(name="d")
        B.objects.create(name="x", size=2, fk_field=c)
        A.objects.create(name="y")
        for source in (B, B.objects.all()):
            cs = C.objects.alias_join(child=source).order_by("name")
            with self.subTest(source=source):
                self.assertRows(
                    cs.values_list("child__name", "child__size", "child__id"),
                    [("x", 2, A.objects.get(name="x").pk), (None, None, None)],
                )
                self.assertRows(cs.filter(child__name="x"), [c])
                self.assertRows(cs.filter(child__fk_field__name="c"), [c])
                self.assertRows(cs.filter(child__a_ptr__name="x"), [c])
                self.assertFrom(
                    cs, "c LEFT OUTER JOIN (SELECT ... INNER JOIN a ...) child ON (...)"
                )

    def test_child_model_joined_on_an_inherited_column(self):
        c = C.objects.create(name="x")
        B.objects.create(name="x", size=2, fk_field=C.objects.create(name="other"))
        cs = C.objects.alias_join(child=B, on=Q(child__name=F("name")))
        self.assertRows(cs.filter(child__size=2), [c])

    def test_child_as_the_model(self):
        c = C.objects.create(name="c")
        B.objects.create(name="x", size=2, fk_field=c)
        bs = B.objects.alias_join(
            c=C, twin=FilteredRelation(A, condition=Q(twin__pk=F("pk")))
        ).filter(c__name="c")
        self.assertRows(
            bs.values_list("name", "size", "c__name", "twin__name"),
            [("x", 2, "c", "x")],
        )

    def test_parent_model(self):
        c = C.objects.create(name="c")
        b = B.objects.create(name="x", size=2, fk_field=c)
        bs = B.objects.alias_join(base=A, on=Q(base__pk=F("pk")))
        self.assertRows(bs.filter(base__name="x", base__b__size=2), [b])

    def test_composite_primary_key(self):
        seat = Seat.objects.create(row=1, place=1)
        Seat.objects.create(row=1, place=2)
        Ticket.objects.create(seat=seat, price=5)
        seats = Seat.objects.order_by("place")
        for source in (Ticket, Ticket.objects.all(), Ticket.objects.filter(price=5)):
            with self.subTest(source=source):
                self.assertRows(
                    seats.alias_join(t=source).values_list("pk", "t__price"),
                    [((1, 1), 5), ((1, 2), None)],
                )
        for source in (Seat, Seat.objects.all(), Seat.objects.filter(row=1)):
            tickets = Ticket.objects.alias_join(s=source)
            with self.subTest(source=source):
                self.assertRows(tickets.values_list("s__pk"), [((1, 1),)])
                self.assertRows(tickets.filter(s=seat).values_list("price"), [(5,)])
                self.assertRows(
                    tickets.filter(s__pk=(1, 1)).values_list("price"), [(5,)]
                )
                self.assertRows(tickets.filter(s__isnull=True), [])
                self.assertEqual(tickets.aggregate(n=Count("s__place"))["n"], 1)

    def test_to_field(self):
        country = Country.objects.create(code="at", name="Austria")
        graz = City.objects.create(name="Graz", country=country)
        City.objects.create(name="Nowhere")
        for source in (Country, Country.objects.all(), Country.objects.values("code")):
            cities = City.objects.alias_join(c=source).order_by("name")
            with self.subTest(source=source):
                self.assertRows(
                    cities.values_list("name", "c__code"),
                    [("Graz", "at"), ("Nowhere", None)],
                )
        countries = Country.objects.alias_join(town=City)
        self.assertRows(countries.filter(town=graz), [country])
        self.assertRows(countries.filter(town__country="at"), [country])
        self.assertRows(countries.values_list("town__country"), [("at",)])

    def test_model_is_its_table_whatever_its_manager(self):
        Remark.everything.create(topic=self.a, text="public")
        Remark.everything.create(topic=self.b, text="secret", public=False)
        for source, rows in [
            (Remark, [("A", "public"), ("B", "secret"), ("C", None)]),
            (Remark.everything, [("A", "public"), ("B", "secret"), ("C", None)]),
            (Remark.objects, [("A", "public"), ("B", None), ("C", None)]),
            (Remark.objects.all(), [("A", "public"), ("B", None), ("C", None)]),
        ]:
            with self.subTest(source=source):
                self.assertValues(source, rows, columns=("s__text",))

    def test_related_manager(self):
        topics = self.topics(self.johnny.record_set)
        self.assertRows(topics.values_list("name", "s__value"), JOHNNY)

    def test_through_model(self):
        contact = Contact.objects.create(name="ann")
        phones = [Phone.objects.create(number=number) for number in "12"]
        contact.phones.add(*phones)
        contacts = Contact.objects.alias_join(link=Contact.phones.through)
        self.assertRows(
            contacts.order_by("link__phone__number").values_list("link__phone__number"),
            [("1",), ("2",)],
        )

    def test_the_model_itself(self):
        topics = self.topics(Topic, on=Q(s__name__gt=F("name")))
        self.assertRows(
            topics.order_by("name", "s__name").values_list("name", "s__name"),
            [("A", "B"), ("A", "C"), ("B", "C"), ("C", None)],
        )


class QuerySetTests(SourceTestCase):
    def test_all(self):
        self.assertValues(Record.objects.all(), ALL)

    def test_filter_and_exclude(self):
        self.assertValues(Record.objects.filter(user=self.johnny), JOHNNY)
        self.assertValues(Record.objects.exclude(user=self.may), JOHNNY)

    def test_own_joins(self):
        for source in (
            Record.objects.filter(user__name="johnny"),
            Record.objects.select_related("user").filter(user__name="johnny"),
            Record.objects.exclude(topic__record__value=5).filter(user__name="johnny"),
        ):
            with self.subTest(source=source):
                self.assertValues(source, JOHNNY)

    def test_own_to_many_join_repeats_rows(self):
        source = Topic.objects.filter(record__isnull=False)
        users = User.objects.alias_join(t=source, on=Q(name="may")).order_by("t__name")
        self.assertRows(
            users.filter(t__isnull=False).values_list("t__name"),
            [("A",), ("A",), ("B",), ("C",), ("C",)],
        )

    def test_annotations(self):
        source = Record.objects.filter(user=self.johnny).annotate(
            double=F("value") * 2,
            who=Lower("user__name"),
            kind=Case(When(value__gt=2, then=Value("big")), default=Value("small")),
        )
        self.assertValues(
            source,
            [
                ("A", 1, 2, "johnny", "small"),
                ("B", None, None, None, None),
                ("C", 3, 6, "johnny", "big"),
            ],
            columns=("s__value", "s__double", "s__who", "s__kind"),
        )
        self.assertRows(self.topics(source).filter(s__double=6), [self.c])
        self.assertRows(self.topics(source).exclude(s__double=6), [self.a, self.b])

    def test_alias_is_no_column(self):
        source = Record.objects.alias(double=F("value") * 2).filter(double=2)
        self.assertValues(source, [("A", 1), ("B", None), ("C", None)])
        with self.assertRaisesMessage(FieldError, "'double'"):
            self.topics(source).filter(s__double=2)

    def test_aggregates(self):
        source = User.objects.annotate(n=Count("record"), top=Max("record__value"))
        records = Record.objects.alias_join(who=source).order_by("value")
        self.assertRows(
            records.values_list("value", "who__n", "who__top"),
            [(1, 2, 3), (3, 2, 3), (4, 3, 6), (5, 3, 6), (6, 3, 6)],
        )
        self.assertRows(
            records.filter(who__n=2, who__name="johnny").values_list("value"),
            [(1,), (3,)],
        )

    def test_having(self):
        source = User.objects.annotate(n=Count("record")).filter(n__gt=2)
        records = Record.objects.alias_join(who=source).order_by("value")
        self.assertRows(
            records.values_list("value", "who__name"),
            [(1, None), (3, None), (4, "may"), (5, "may"), (6, "may")],
        )

    def test_windows(self):
        source = Record.objects.annotate(
            rank=Window(Rank(), partition_by="topic", order_by="-value"),
            total=Window(Sum("value"), partition_by="user"),
        )
        self.assertValues(
            source,
            [
                ("A", 1, 2, 4),
                ("A", 4, 1, 15),
                ("B", 5, 1, 15),
                ("C", 3, 2, 4),
                ("C", 6, 1, 15),
            ],
            columns=("s__value", "s__rank", "s__total"),
        )
        self.assertRows(
            self.topics(source).filter(s__rank=1).values_list("s__value"),
            [(4,), (5,), (6,)],
        )

    def test_filtered_window(self):
        source = Record.objects.annotate(
            n=Window(RowNumber(), partition_by="topic", order_by="-value")
        ).filter(n=1)
        self.assertValues(source, [("A", 4), ("B", 5), ("C", 6)])

    def test_subqueries(self):
        source = Record.objects.annotate(
            best=Subquery(
                Record.objects.filter(topic=OuterRef("topic"))
                .order_by("-value")
                .values("value")[:1]
            ),
            his=Exists(
                Record.objects.filter(topic=OuterRef("topic"), user=self.johnny)
            ),
        ).filter(user=self.may)
        self.assertValues(
            source,
            [("A", 4, 4, True), ("B", 5, 5, False), ("C", 6, 6, True)],
            columns=("s__value", "s__best", "s__his"),
        )

    def test_distinct(self):
        source = Topic.objects.filter(record__isnull=False).distinct()
        records = Record.objects.alias_join(t=source).order_by("value")
        self.assertRows(
            records.values_list("t__name"), [("A",), ("C",), ("A",), ("B",), ("C",)]
        )

    @skipUnlessDBFeature("can_distinct_on_fields")
    def test_distinct_on_fields(self):
        source = Record.objects.order_by("topic", "-value").distinct("topic")
        self.assertValues(source, [("A", 4), ("B", 5), ("C", 6)])
        source = Record.objects.order_by("topic__name", "value").distinct("topic__name")
        self.assertValues(source, [("A", 1), ("B", 5), ("C", 3)])
        source = (
            Record.objects.order_by("topic", "-value")
            .distinct("topic")
            .values("topic", "value")
        )
        self.assertValues(source, [("A", 4), ("B", 5), ("C", 6)])

    def test_ordering_without_a_slice_is_dropped(self):
        topics = self.topics(Record.objects.order_by("value"))
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN (SELECT ... FROM record ...) s ON (...)",
        )
        self.assertNotIn("value ASC", self.sql(topics))

    def test_slices(self):
        records = Record.objects.order_by("-value")
        for source, rows in [
            (records[:2], [("A", None), ("B", 5), ("C", 6)]),
            (records[3:], [("A", 1), ("B", None), ("C", 3)]),
            (records[2:4], [("A", 4), ("B", None), ("C", 3)]),
            (records.reverse()[:1], [("A", 1), ("B", None), ("C", None)]),
            (records[:4][1:2], [("A", None), ("B", 5), ("C", None)]),
        ]:
            with self.subTest(source=source):
                self.assertValues(source, rows)

    def test_slice_ordered_by_a_relation(self):
        source = Record.objects.order_by("user__name", "-topic__name")[:1]
        self.assertValues(source, [("A", None), ("B", None), ("C", 3)])

    def test_slice_ordered_by_an_annotation(self):
        source = Record.objects.annotate(x=-F("value")).order_by("x")[:1]
        self.assertValues(source, [("A", None), ("B", None), ("C", 6)])
        source = Record.objects.alias(x=-F("value")).order_by("x")[:1]
        self.assertValues(source, [("A", None), ("B", None), ("C", 6)])

    def test_slice_in_the_order_of_the_model(self):
        """Phone's Meta.ordering is descending."""
        phones = [Phone.objects.create(number=number) for number in "123"]
        contact = Contact.objects.create(name="ann")
        contact.phones.add(*phones)
        links = Contact.phones.through.objects.alias_join(p=Phone.objects.all()[:1])
        self.assertRows(
            links.order_by("phone_id").values_list("p__number"),
            [(None,), (None,), ("3",)],
        )

    def test_only_and_defer_hide_nothing(self):
        for source in (
            Record.objects.filter(user=self.johnny).only("pk"),
            Record.objects.filter(user=self.johnny).defer("value", "topic"),
        ):
            with self.subTest(source=source):
                self.assertValues(source, JOHNNY)

    def test_queryset_with_joins(self):
        source = (
            Record.objects.alias_join(who=User, on=Q(who__pk=F("user")))
            .filter(who__name="johnny")
            .annotate(name=F("who__name"))
        )
        self.assertValues(
            source,
            [("A", 1, "johnny"), ("B", None, None), ("C", 3, "johnny")],
            columns=("s__value", "s__name"),
        )

    def test_queryset_with_a_join_of_the_same_alias(self):
        source = Record.objects.alias_join(s=User).filter(s__name="johnny")
        self.assertValues(source, JOHNNY)

    def test_queryset_joined_onto_a_slice(self):
        source = Record.objects.order_by("-value")[:3].alias_join(who=User)
        self.assertValues(
            source.filter(who__name="may"), [("A", 4), ("B", 5), ("C", 6)]
        )

    def test_filtered_relation_of_the_source(self):
        source = Topic.objects.annotate(
            r=FilteredRelation("record", condition=Q(record__value__gt=3))
        ).filter(r__isnull=False)
        users = User.objects.alias_join(t=source, on=Q(name="may")).order_by("t__name")
        self.assertRows(
            users.filter(name="may").values_list("t__name"), [("A",), ("B",), ("C",)]
        )

    def test_the_same_queryset_twice(self):
        source = Record.objects.filter(user=self.johnny)
        topics = Topic.objects.alias_join(x=source, y=source).order_by("name")
        self.assertRows(
            topics.values_list("x__value", "y__value"), [(1, 1), (None, None), (3, 3)]
        )
        self.assertRows(topics.filter(x=F("y")), [self.a, self.c])
        self.assertRows(topics.filter(x__value=1, y__value=3), [])

    def test_source_is_left_as_it_was(self):
        source = Record.objects.filter(user=self.johnny).order_by("value")
        before = str(source.query)
        topics = self.topics(source).filter(s__value=1)
        self.assertRows(topics, [self.a])
        self.assertEqual(str(source.query), before)
        self.assertRows(source.values_list("value"), [(1,), (3,)])
        later = source.filter(value=3)
        self.assertRows(topics, [self.a])
        self.assertRows(later.values_list("value"), [(3,)])

    def test_evaluated_queryset(self):
        source = Record.objects.filter(user=self.johnny)
        self.assertEqual(len(source), 2)
        self.assertValues(source, JOHNNY)

    def test_prefetch_related_is_ignored(self):
        source = Record.objects.filter(user=self.johnny).prefetch_related("topic")
        self.assertValues(source, JOHNNY)


class CombinedTests(SourceTestCase):
    def test_union(self):
        small = Record.objects.filter(value__lt=4)
        source = small.union(Record.objects.filter(value=6))
        self.assertValues(source, [("A", 1), ("B", None), ("C", 3), ("C", 6)])
        self.assertRows(self.topics(source).filter(s__user=self.may), [self.c])
        self.assertRows(self.topics(source).filter(s__isnull=True), [self.b])

    def test_union_all(self):
        source = Record.objects.filter(value=1)
        source = source.union(source, all=True)
        self.assertValues(source, [("A", 1), ("A", 1), ("B", None), ("C", None)])

    def test_union_of_values(self):
        source = Record.objects.filter(value__lt=4).values("topic", "value")
        source = source.union(Topic.objects.values_list("pk", Value(0)))
        self.assertValues(
            source,
            [("A", 0), ("A", 1), ("B", 0), ("C", 0), ("C", 3)],
            on=Q(s__topic=F("pk")),
        )

    def test_union_of_annotations(self):
        source = Record.objects.filter(value__lt=4).annotate(x=F("value") * 2)
        source = source.union(Record.objects.filter(value=5).annotate(x=Value(0)))
        self.assertValues(
            source,
            [("A", 1, 2), ("B", 5, 0), ("C", 3, 6)],
            columns=("s__value", "s__x"),
        )

    def test_union_of_three(self):
        records = [Record.objects.filter(value=value) for value in (1, 4, 5)]
        source = records[0].union(*records[1:])
        self.assertValues(source, [("A", 1), ("A", 4), ("B", 5), ("C", None)])

    def test_nested_unions(self):
        records = [Record.objects.filter(value=value) for value in (1, 4, 5)]
        source = records[0].union(records[1].union(records[2]))
        self.assertValues(source, [("A", 1), ("A", 4), ("B", 5), ("C", None)])

    def test_sliced_union(self):
        small = Record.objects.filter(value__lt=4)
        source = small.union(Record.objects.filter(value=6)).order_by("-value")[:2]
        self.assertValues(source, [("A", None), ("B", None), ("C", 3), ("C", 6)])

    @skipUnlessDBFeature("supports_slicing_ordering_in_compound")
    def test_union_of_slices(self):
        source = Record.objects.order_by("value")[:1].union(
            Record.objects.order_by("-value")[:1]
        )
        self.assertValues(source, [("A", 1), ("B", None), ("C", 6)])

    @skipUnlessDBFeature("supports_select_intersection")
    def test_intersection(self):
        source = Record.objects.filter(value__lt=5).intersection(
            Record.objects.filter(value__gt=1)
        )
        self.assertValues(source, [("A", 4), ("B", None), ("C", 3)])

    @skipUnlessDBFeature("supports_select_difference")
    def test_difference(self):
        source = Record.objects.difference(Record.objects.filter(value__gt=4))
        self.assertValues(source, [("A", 1), ("A", 4), ("B", None), ("C", 3)])
        source = Record.objects.values("topic", "value").difference(
            Record.objects.filter(value__gt=4).values("topic", "value")
        )
        self.assertValues(source, [("A", 1), ("A", 4), ("B", None), ("C", 3)])

    def test_union_with_joins_in_its_branches(self):
        first, second = [
            Record.objects.alias_join(who=User).filter(who__name=name)
            for name in ("johnny", "may")
        ]
        self.assertValues(first.union(second), ALL)

    def test_union_of_a_model_with_ordering(self):
        for number in "123":
            Phone.objects.create(number=number)
        source = Phone.objects.filter(number="1").union(
            Phone.objects.filter(number="2")
        )
        topics = self.topics(source, on=Q(name="A"))
        self.assertRows(
            topics.order_by("s__number").filter(name="A").values_list("s__number"),
            [("1",), ("2",)],
        )


class ValuesTests(SourceTestCase):
    def test_columns(self):
        records = Record.objects.filter(user=self.johnny)
        for source in (
            records.values("topic", "value"),
            records.values("value", "topic_id"),
            records.values_list("topic", "value"),
            records.values_list("topic", "value", named=True),
            records.values(),
            records.values_list(),
        ):
            with self.subTest(source=source):
                self.assertValues(source, JOHNNY)

    def test_flat(self):
        source = Record.objects.filter(user=self.johnny).values_list("topic", flat=True)
        self.assertValues(
            source,
            [("A", self.a.pk), ("B", None), ("C", self.c.pk)],
            columns=("s__topic",),
        )

    def test_renamed(self):
        source = Record.objects.filter(user=self.johnny).values(
            t=F("topic"), v=F("value")
        )
        self.assertValues(source, JOHNNY, on=Q(s__t=F("pk")), columns=("s__v",))
        self.assertFrom(
            self.topics(source),
            "topic LEFT OUTER JOIN",
            "(SELECT ... AS t, ... AS v, %s AS __row FROM record ...) s",
            "ON (s.t = topic.id)",
        )

    def test_expressions(self):
        source = Record.objects.filter(user=self.johnny).values(
            "topic", double=F("value") * 2, zero=Value(0)
        )
        self.assertValues(
            source,
            [("A", 2, 0), ("B", None, None), ("C", 6, 0)],
            columns=("s__double", "s__zero"),
        )

    def test_relation_paths(self):
        source = Record.objects.values("topic", "value", who=F("user__name"))
        self.assertRows(
            self.topics(source).filter(s__who="johnny").values_list("s__value"),
            [(1,), (3,)],
        )

    def test_relation_path_without_a_name(self):
        msg = "values(user_name=F('user__name'))"
        with self.assertRaisesMessage(ValueError, msg):
            self.topics(Record.objects.values("topic", "user__name"))

    def test_transform(self):
        source = Record.objects.values("topic", "value", note_=F("note"))
        with self.assertRaisesMessage(ValueError, "'note_'"):
            self.topics(source)

    def test_groups(self):
        for source in (
            Record.objects.values("topic").annotate(n=Count("pk"), value=Sum("value")),
            Record.objects.values("topic")
            .annotate(n=Count("pk"), value=Sum("value"))
            .filter(n__gt=0)
            .order_by("topic"),
            Record.objects.values("topic")
            .annotate(n=Count("pk"), value=Sum("value"))
            .values_list("n", "value", "topic"),
        ):
            with self.subTest(source=source):
                self.assertValues(
                    source,
                    [("A", 2, 5), ("B", 1, 5), ("C", 2, 9)],
                    columns=("s__n", "s__value"),
                )

    def test_groups_by_an_expression(self):
        source = (
            Record.objects.values(big=Case(When(value__gt=3, then=1), default=0))
            .annotate(n=Count("pk"))
            .order_by()
        )
        topics = self.topics(source, on=Q(name="A")).filter(name="A")
        self.assertRows(
            topics.order_by("s__big").values_list("s__big", "s__n"), [(0, 2), (1, 3)]
        )

    def test_groups_without_the_grouped_column(self):
        source = (
            Record.objects.values("topic")
            .annotate(total=Sum("value"))
            .values("total")
            .order_by("total")
        )
        topics = self.topics(source, on=Q(name="A")).filter(name="A")
        self.assertRows(
            topics.order_by("s__total").values_list("s__total"), [(5,), (5,), (9,)]
        )

    def test_filtered_groups(self):
        source = Record.objects.values("topic").annotate(n=Count("pk")).filter(n__gt=1)
        self.assertValues(source, [("A", 2), ("B", None), ("C", 2)], columns=("s__n",))

    def test_distinct(self):
        Record.objects.create(user=self.johnny, topic=self.a, value=1)
        source = Record.objects.values("topic", "value").distinct()
        self.assertValues(source, ALL)

    def test_slice(self):
        source = Record.objects.values("topic", "value").order_by("-value")[:2]
        self.assertValues(source, [("A", None), ("B", 5), ("C", 6)])

    def test_slice_ordered_by_what_is_not_selected(self):
        source = Record.objects.values("topic").order_by("-value")[:1]
        self.assertValues(
            source,
            [("A", None), ("B", None), ("C", self.c.pk)],
            columns=("s__topic",),
        )

    def test_windows(self):
        source = Record.objects.values(
            "topic", n=Window(RowNumber(), partition_by="topic", order_by="value")
        )
        self.assertValues(
            source,
            [("A", 1), ("A", 2), ("B", 1), ("C", 1), ("C", 2)],
            columns=("s__n",),
        )

    def test_values_of_a_join(self):
        source = Record.objects.alias_join(who=User).values(
            "topic", "value", name=F("who__name")
        )
        self.assertRows(
            self.topics(source).filter(s__name="johnny").values_list("s__value"),
            [(1,), (3,)],
        )

    def test_aggregates_of_a_join(self):
        source = (
            Topic.objects.alias_join(r=Record, on=Q(r__topic=F("pk"), r__user=self.may))
            .values("name")
            .annotate(top=Max("r__value"), mean=Avg("r__value"))
        )
        topics = self.topics(source, on=Q(s__name=F("name")))
        self.assertRows(
            topics.values_list("name", "s__top", "s__mean"),
            [("A", 4, 4.0), ("B", 5, 5.0), ("C", 6, 6.0)],
        )

    def test_dates(self):
        with self.assertRaisesMessage(FieldError, "Choices are: topic, value"):
            self.topics(Record.objects.values("topic", "value")).filter(s__note="x")

    def test_null_columns(self):
        """Rows are told from unmatched ones though all columns are NULL."""
        Record.objects.filter(topic=self.a).update(value=None)
        source = Record.objects.filter(topic=self.a, user=self.may).values("value")
        topics = self.topics(source, on=Q(name="A"))
        self.assertRows(topics.filter(s__isnull=False), [self.a])
        self.assertRows(topics.filter(s__isnull=True), [self.b, self.c])

    def test_relation_of_a_column(self):
        source = Record.objects.values("topic", "user", "value")
        self.assertRows(
            self.topics(source).filter(s__user__name="johnny").values_list("s__value"),
            [(1,), (3,)],
        )
        self.assertRows(
            self.topics(source)
            .filter(s__user__record__value=5, s__value__gt=4)
            .values_list("s__value"),
            [(5,), (6,)],
        )


class RawTests(SourceTestCase):
    sql_ = "SELECT * FROM alias_join_record WHERE value < %s"

    def raw(self, sql=sql_, params=(4,), **kwargs):
        return Record.objects.raw(sql, params, **kwargs)

    def test_rows(self):
        self.assertValues(self.raw(), JOHNNY)
        self.assertFrom(
            self.topics(self.raw()),
            "topic LEFT OUTER JOIN",
            "(SELECT * FROM record WHERE value < %s) s ON (s.topic_id = topic.id)",
        )

    def test_nothing_runs_before_the_query(self):
        with self.assertNumQueries(0):
            self.topics(self.raw()).filter(s__value=1)

    def test_parameters_are_bound(self):
        sql, params = self.topics(
            self.raw("SELECT * FROM alias_join_record WHERE note = %s", ["'; --"])
        ).query.sql_with_params()
        self.assertNotIn("--", sql)
        self.assertEqual(list(params), ["'; --"])

    def test_parameters_with_names(self):
        source = self.raw(
            "SELECT * FROM alias_join_record "
            "WHERE value < %(x)s AND value <> %(y)s AND %(x)s > 0 "
            "AND COALESCE(note, '') NOT LIKE '%%z'",
            {"x": 4, "y": 3},
        )
        self.assertValues(source, [("A", 1), ("B", None), ("C", None)])

    def test_no_parameters(self):
        Record.objects.filter(value=1).update(note="50%")
        source = self.raw("SELECT * FROM alias_join_record WHERE note LIKE '5%'", None)
        self.assertValues(source, [("A", 1), ("B", None), ("C", None)])

    def test_before_and_after_other_parameters(self):
        topics = (
            Topic.objects.annotate(x=Value("x"))
            .alias_join(s=self.raw(), on=Q(s__topic=F("pk"), s__value__gt=2))
            .filter(name__gt="A")
            .order_by("name")
        )
        self.assertRows(
            topics.values_list("x", "name", "s__value"),
            [("x", "B", None), ("x", "C", 3)],
        )

    def test_semicolon(self):
        self.assertValues(self.raw("SELECT * FROM alias_join_record ;\n", ()), ALL)

    def test_columns_have_types_and_relations(self):
        topics = self.topics(self.raw())
        self.assertRows(
            topics.filter(s__user__name="johnny").values_list("s__topic__name"),
            [("A",), ("C",)],
        )
        self.assertRows(topics.filter(s=Record.objects.get(value=1)), [self.a])
        self.assertRows(topics.exclude(s__value=1), [self.b, self.c])
        self.assertRows(topics.filter(s__isnull=True), [self.b])
        self.assertEqual(topics.aggregate(n=Count("s"))["n"], 2)

    def test_instances(self):
        with self.assertNumQueries(1):
            a, b, c = self.topics(self.raw()).select_related("s__user")
            self.assertEqual(a.s.user, self.johnny)
            self.assertIsNone(b.s)

    def test_some_columns(self):
        source = self.raw("SELECT DISTINCT topic_id FROM alias_join_record", ())
        self.assertRows(
            self.topics(source).values_list("s__topic__name"), [("A",), ("B",), ("C",)]
        )

    def test_translations(self):
        source = self.raw(
            "SELECT id, user_id, topic_id, value AS v, note FROM alias_join_record "
            "WHERE value < %s",
            translations={"v": "value"},
        )
        self.assertValues(source, JOHNNY)
        with self.assertNumQueries(1):
            self.assertEqual(self.topics(source).select_related("s")[0].s.value, 1)

    def test_child_model(self):
        c = C.objects.create(name="c")
        B.objects.create(name="x", size=2, fk_field=c)
        source = B.objects.raw(
            "SELECT * FROM alias_join_b b JOIN alias_join_a a ON a.id = b.a_ptr_id"
        )
        cs = C.objects.alias_join(child=source)
        self.assertRows(cs.values_list("child__name", "child__size"), [("x", 2)])

    def test_join_types(self):
        topics = self.topics(self.raw(), join_type=JoinType.INNER)
        self.assertRows(topics, [self.a, self.c])

    def test_nested(self):
        topics = self.topics(self.raw())
        self.assertRows(
            Topic.objects.filter(pk__in=topics.filter(s__value=3).values("pk")),
            [self.c],
        )
        records = Record.objects.alias_join(
            t=topics.filter(s__value=3), join_type="inner"
        )
        self.assertRows(records.order_by("value").values_list("value"), [(3,), (6,)])

    def test_pushed_down(self):
        topics = self.topics(self.raw())[:2].alias_join(r=Record)
        self.assertRows(
            topics.order_by("r__value").values_list("s__value", "r__value"),
            [(1, 1), (1, 4), (None, 5)],
        )

    def test_combined(self):
        self.assertRows(
            self.topics(self.raw()) & self.topics(self.raw()),
            [*Topic.objects.order_by("name")],
        )
        with self.assertRaisesMessage(ValueError, "different joins called 's'"):
            self.topics(self.raw()) & self.topics(self.raw(params=[5]))

    def test_pickle(self):
        topics = self.topics(self.raw()).filter(s__value=3)
        restored = Topic.objects.all()
        restored.query = pickle.loads(pickle.dumps(topics.query))
        self.assertRows(restored, [self.c])

    def test_other_database(self):
        topics = self.topics(self.raw().using("other"))
        with self.assertRaisesMessage(ValueError, "'other'"):
            list(topics)


class PickleTests(SourceTestCase):
    """A query is pickled and copied with its joins."""

    def querysets(self):
        records = Record.objects.filter(user=self.johnny)
        for source in (
            Record,
            records,
            records.values("topic", "value"),
            records.annotate(x=F("value") + 1),
            records.values("topic").annotate(value=Sum("value")),
            records.values("topic", "value").union(records.values("topic", "value")),
            records.order_by("value")[:5],
            records.alias_join(who=User),
            FilteredRelation("record", condition=Q(record__user=self.johnny)),
        ):
            yield self.topics(source).filter(s__value__in=[1, 3])
        yield self.topics(records)[:3].alias_join(again=Record).filter(again__value=3)

    def test_pickled_query(self):
        for queryset in self.querysets():
            with self.subTest(queryset=str(queryset.query)):
                rows = list(queryset.values_list("name", "s__value"))
                self.assertTrue(rows)
                restored = Topic.objects.all()
                restored.query = pickle.loads(pickle.dumps(queryset.query))
                self.assertEqual(
                    restored.query.sql_with_params(), queryset.query.sql_with_params()
                )
                self.assertRows(restored.values_list("name", "s__value"), rows)
                self.assertRows(restored.filter(s__value=3), [self.c])
                self.assertEqual((restored & queryset).count(), len(rows))

    def test_pickled_queryset(self):
        queryset = self.topics(Record.objects.filter(value=3)).select_related("s")
        restored = pickle.loads(pickle.dumps(queryset))
        with self.assertNumQueries(0):
            self.assertEqual(
                [topic.s and topic.s.value for topic in restored], [None, None, 3]
            )
        self.assertRows(restored.filter(s__value=3), [self.c])

    def test_pickled_named_rows(self):
        source = Record.objects.filter(value=3).values("topic", "value")
        queryset = self.topics(source).select_related("s")
        restored = pickle.loads(pickle.dumps(list(queryset)))
        self.assertEqual(
            [topic.s and topic.s.value for topic in restored], [None, None, 3]
        )

    def test_deepcopy(self):
        for queryset in self.querysets():
            with self.subTest(queryset=str(queryset.query)):
                rows = list(queryset)
                self.assertRows(copy.deepcopy(queryset).all(), rows)


class LimitsTests(SourceTestCase):
    @skipIfDBFeature("supports_select_intersection")
    def test_intersection_is_not_supported(self):
        source = Record.objects.intersection(Record.objects.filter(value=1))
        with self.assertRaisesMessage(Exception, "intersection"):
            list(self.topics(source))

    def test_coalesce_unmatched(self):
        source = Record.objects.filter(user=self.johnny)
        self.assertRows(
            self.topics(source).values_list(Coalesce("s__value", 0)), [(1,), (0,), (3,)]
        )

    def test_identifiers_are_quoted(self):
        sql = str(self.topics(Record).query)
        self.assertIn(connection.ops.quote_name("s"), sql)
