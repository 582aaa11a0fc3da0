"""Sources that refer to the query they are joined to."""

import datetime
import re

from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError, connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Func,
    JoinType,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Abs, Coalesce, Concat, Length, RowNumber, Trim
from django.db.utils import ConnectionHandler
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import (
    B,
    C,
    Car,
    Contact,
    Event,
    Invoice,
    Phone,
    Rate,
    Record,
    Seat,
    Ticket,
    Topic,
    User,
    Word,
)


def records():
    return Record.objects.filter(topic=OuterRef("pk"))


def totals(records):
    """Return aggregates of all records, without groups."""
    everything = records.annotate(every=Value(1)).values("every")
    return everything.annotate(n=Count("pk"), total=Sum("value")).values("n", "total")


def users_beside(records):
    """Return the names of all users beside those of their records."""
    return records.alias_join(
        who=User, on=Q(who__pk=F("user")), join_type=JoinType.RIGHT
    ).values(who_name=F("who__name"))


class LateralTests(TopicTestCase):
    """
    | topic | johnny | may |
    |-------|--------|-----|
    | A     | 1      | 4   |
    | B     |        | 5   |
    | C     | 3      | 6   |
    """

    def join(self, source, **options):
        return Topic.objects.alias_join(it=source, **options).order_by("name")

    def assertJoined(self, queryset, column, rows):
        """Assert the topics' names and a column, in whatever order."""
        with self.assertNumQueries(1):
            self.assertCountEqual(queryset.values_list("name", column), rows)

    def test_row_with_the_greatest_value(self):
        topics = self.join(records().order_by("-value")[:1])
        self.assertJoined(topics, "it__value", [("A", 4), ("B", 5), ("C", 6)])

    def test_row_with_the_least_value(self):
        topics = self.join(records().order_by("value")[:1])
        self.assertJoined(topics, "it__value", [("A", 1), ("B", 5), ("C", 3)])

    def test_columns_of_one_row(self):
        topics = self.join(records().order_by("value")[:1])
        self.assertRows(
            topics.values_list("name", "it__value", "it__user__name"),
            [("A", 1, "johnny"), ("B", 5, "may"), ("C", 3, "johnny")],
        )

    def test_condition_that_tells_groups_apart(self):
        small = Case(When(value__lt=4, then=Value("small")), default=Value("large"))
        groups = records().values(size=small).annotate(total=Sum("value"))
        self.assertJoined(
            self.join(groups.order_by("total")[:1]),
            "it__size",
            [("A", "small"), ("B", "large"), ("C", "small")],
        )

    def test_groups_of_a_column_selected_twice(self):
        groups = Record.objects.filter(value__lte=OuterRef("pk") + 4 - self.a.pk)
        groups = groups.values(one=F("user__name"), two=F("user__name"))
        source = groups.annotate(n=Count("pk")).order_by("-two", "one")[:1]
        self.assertJoined(
            self.join(source), "it__one", [("A", "may"), ("B", "may"), ("C", "may")]
        )

    def test_ordered_by_an_aggregate_of_nothing(self):
        source = records().annotate(n=Sum("value", filter=Q(pk__in=[])))
        self.assertJoined(
            self.join(source.order_by("n", "-value")[:1]),
            "it__value",
            [("A", 4), ("B", 5), ("C", 6)],
        )

    def test_select_related(self):
        topics = self.join(records().order_by("-value")[1:2])
        with self.assertNumQueries(1):
            self.assertEqual(
                [
                    (topic.name, topic.it and (topic.it.value, topic.it.user.name))
                    for topic in topics.select_related("it__user")
                ],
                [("A", (1, "johnny")), ("B", None), ("C", (3, "johnny"))],
            )

    def test_several_rows(self):
        Record.objects.create(user=self.may, topic=self.a, value=7)
        topics = self.join(records().order_by("-value")[:2])
        self.assertJoined(
            topics, "it__value", [("A", 7), ("A", 4), ("B", 5), ("C", 6), ("C", 3)]
        )
        self.assertEqual(topics.count(), 5)

    def test_limit_and_offset(self):
        Record.objects.create(user=self.may, topic=self.a, value=7)
        for records_slice, rows in [
            (slice(1, 2), [("A", 4), ("B", None), ("C", 3)]),
            (slice(1, 3), [("A", 4), ("A", 1), ("B", None), ("C", 3)]),
            (slice(1, None), [("A", 4), ("A", 1), ("B", None), ("C", 3)]),
            (slice(2, 9), [("A", 1), ("B", None), ("C", None)]),
        ]:
            with self.subTest(slice=records_slice):
                topics = self.join(records().order_by("-value")[records_slice])
                self.assertJoined(topics, "it__value", rows)

    def test_no_slice(self):
        self.assertJoined(
            self.join(records().filter(value__gt=3)),
            "it__value",
            [("A", 4), ("B", 5), ("C", 6)],
        )

    def test_left_keeps_and_inner_drops_rows_without_match(self):
        source = records().filter(user=self.johnny)[:1]
        self.assertJoined(
            self.join(source), "it__value", [("A", 1), ("B", None), ("C", 3)]
        )
        self.assertJoined(
            self.join(source, join_type=JoinType.INNER),
            "it__value",
            [("A", 1), ("C", 3)],
        )
        self.assertJoined(
            self.join(source, join_type=JoinType.CROSS),
            "it__value",
            [("A", 1), ("C", 3)],
        )

    def test_on_applies_to_the_rows_of_the_slice(self):
        topics = self.join(
            records().order_by("-value")[:1],
            on=Q(it__value__gt=4, it__user__isnull=False),
        )
        self.assertJoined(topics, "it__value", [("A", None), ("B", 5), ("C", 6)])

    def test_ties_go_by_primary_key(self):
        Record.objects.all().delete()
        first, second, third = [
            Record.objects.create(user=self.may, topic=self.a, value=value)
            for value in [1, 1, 1]
        ]
        for ordering, record in [
            (["value"], first),
            (["-value"], third),
            (["value", "-pk"], third),
            (["user__name", "-value"], third),
            ([], first),
        ]:
            with self.subTest(ordering=ordering):
                topics = self.join(records().order_by(*ordering)[:1]).filter(name="A")
                self.assertRows(topics.values_list("it__pk"), [(record.pk,)])
        topics = self.join(records().order_by("value").reverse()[:1]).filter(name="A")
        self.assertRows(topics.values_list("it__pk"), [(third.pk,)])

    def test_ties_go_by_primary_key_as_in_an_index(self):
        """The primary key ascends in the index as the start descends."""
        day = datetime.date(2024, 1, 1)
        Invoice.objects.create(currency="CHF", issued=day, total=1)
        first, second = [
            Rate.objects.create(currency="CHF", start=day, end=day, factor=1)
            for _ in range(2)
        ]
        rates = Rate.objects.filter(currency=OuterRef("currency"))
        for source, rate in [
            (rates, first),
            (rates.order_by("-start"), first),
            (rates.order_by("start"), second),
            (rates.order_by("start").reverse(), first),
            (rates.order_by(F("start").desc()).values("id"), first),
            (rates.order_by("-start", "end"), first),
            (rates.order_by("-start", "-end"), second),
            (rates.order_by("-start", "-pk"), second),
        ]:
            with self.subTest(ordering=source.query.order_by):
                invoices = Invoice.objects.alias_join(it=source[:1])
                self.assertRows(invoices.values_list("it__id"), [(rate.pk,)])

    def test_ties_of_groups_go_by_what_they_have(self):
        topics = self.join(
            records().values("user").annotate(n=Count("pk")).order_by("-n")[:1]
        )
        self.assertJoined(
            topics,
            "it__user",
            [("A", self.may.pk), ("B", self.may.pk), ("C", self.may.pk)],
        )

    def test_several_orders_and_null(self):
        Record.objects.create(user=self.may, topic=self.a, value=None, note="a")
        Record.objects.create(user=self.johnny, topic=self.a, value=None, note="b")
        for ordering, row in [
            ([F("value").desc(nulls_last=True)], (4, None)),
            ([F("value").asc(nulls_first=True), "-note"], (None, "b")),
            ([F("value").desc(nulls_first=True), "note"], (None, "a")),
            (["user__name", F("value").asc(nulls_last=True)], (1, None)),
            (["-user__name", F("note").asc(nulls_last=True)], (None, "a")),
        ]:
            for source in [records(), records().values("value", "note")]:
                with self.subTest(ordering=ordering):
                    topics = self.join(source.order_by(*ordering)[:1])
                    self.assertRows(
                        topics.filter(name="A").values_list("it__value", "it__note"),
                        [row],
                    )

    def test_any_condition(self):
        nearest = Record.objects.filter(
            Q(value__lt=OuterRef("pk") + 2 - self.a.pk) | Q(topic=OuterRef("pk")),
            ~Q(user__name=Concat(OuterRef("name"), Value("x"))),
            Exists(User.objects.filter(pk=OuterRef("user"), name__gt="k")),
        ).order_by("value")
        self.assertJoined(
            self.join(nearest[:1]), "it__value", [("A", 4), ("B", 5), ("C", 6)]
        )
        self.assertJoined(
            self.join(nearest), "it__value", [("A", 4), ("B", 5), ("C", 6)]
        )

    def test_order_by_outer_reference(self):
        distance = Abs(F("value") - OuterRef("pk") + self.a.pk - 2)
        for name, source in [
            ("alias", records().alias(distance=distance).order_by("distance")),
            ("expression", records().order_by(distance)),
            ("order", records().order_by(distance.asc())),
        ]:
            with self.subTest(name):
                self.assertJoined(
                    self.join(source[:1]), "it__value", [("A", 1), ("B", 5), ("C", 3)]
                )

    def test_order_by_condition_with_outer_reference(self):
        for name, condition in [
            ("lookup", {"value": OuterRef("pk") - self.a.pk + 4}),
            ("Q", {"condition": ~Q(value__lt=OuterRef("pk") - self.a.pk + 4)}),
            (
                "queryset",
                {
                    "topic__in": Topic.objects.filter(
                        pk=OuterRef(OuterRef("pk")),
                        record__value__lt=OuterRef("value"),
                    )
                },
            ),
        ]:
            source = records().order_by(Case(When(**condition, then=0), default=1))
            with self.subTest(name):
                self.assertJoined(
                    self.join(source[:1]), "it__value", [("A", 4), ("B", 5), ("C", 6)]
                )

    def test_order_by_relation_that_the_outer_query_has(self):
        source = Record.objects.filter(value__gt=Length(OuterRef("user__name")))
        self.assertRows(
            Record.objects.alias_join(it=source.order_by("user__name", "value")[:1])
            .order_by("value")
            .values_list("value", "it__value"),
            [(1, None), (3, None), (4, 4), (5, 4), (6, 4)],
        )

    def test_annotations_of_model_rows(self):
        source = records().annotate(double=F("value") * 2, who=F("user__name"))
        topics = self.join(source.order_by("-double")[:1])
        self.assertRows(
            topics.values_list("name", "it__double", "it__who"),
            [("A", 8, "may"), ("B", 10, "may"), ("C", 12, "may")],
        )
        self.assertRows(topics.filter(it__double__gt=10), [self.c])
        self.assertEqual(topics.select_related("it")[0].it.who, "may")

    def test_aggregates_of_model_rows(self):
        source = records().annotate(n=Count("user__record"))
        for name, source, rows in [
            ("slice", source.order_by("-n")[:1], [("A", 3), ("B", 3), ("C", 3)]),
            ("having", source.filter(n__lt=3), [("A", 2), ("B", None), ("C", 2)]),
            (
                "order",
                records().alias(n=Count("user__record")).order_by("n")[:1],
                [("A", 1), ("B", 5), ("C", 3)],
            ),
        ]:
            with self.subTest(name):
                column = "it__value" if name == "order" else "it__n"
                self.assertJoined(self.join(source), column, rows)

    def test_values(self):
        for source in [
            records().values("value", "user"),
            records().values("user", "value", double=F("value") * 2),
            records().values_list("value", "topic"),
        ]:
            topics = self.join(source.order_by("-value")[:1])
            self.assertJoined(topics, "it__value", [("A", 4), ("B", 5), ("C", 6)])
            self.assertEqual(self.join(source).count(), 5)

    def test_named_rows(self):
        topics = self.join(records().order_by("-value").values("value")[1:2])
        self.assertEqual(
            [topic.it and topic.it.value for topic in topics.select_related("it")],
            [1, None, 3],
        )

    def test_groups(self):
        Record.objects.create(user=self.may, topic=self.a, value=7)
        source = (
            records().values("user__name").annotate(n=Count("pk"), total=Sum("value"))
        )
        source = source.values("n", "total", who=F("user__name"))
        self.assertCountEqual(
            self.join(source).values_list("name", "it__who", "it__n", "it__total"),
            [
                ("A", "johnny", 1, 1),
                ("A", "may", 2, 11),
                ("B", "may", 1, 5),
                ("C", "johnny", 1, 3),
                ("C", "may", 1, 6),
            ],
        )
        self.assertCountEqual(
            self.join(source.order_by("-total")[:1]).values_list("name", "it__total"),
            [("A", 11), ("B", 5), ("C", 6)],
        )
        self.assertJoined(
            self.join(source.filter(n__gt=1)),
            "it__total",
            [("A", 11), ("B", None), ("C", None)],
        )

    def test_groups_of_a_range(self):
        """What can't be compared by "=" is computed for each outer row."""
        source = (
            Record.objects.filter(value__lte=OuterRef("pk") + 4 - self.a.pk)
            .values("user")
            .annotate(total=Sum("value"))
        )
        expected = [
            ("A", 4),
            ("A", 4),
            ("B", 4),
            ("B", 9),
            ("C", 4),
            ("C", 15),
        ]
        self.assertJoined(self.join(source), "it__total", expected)
        self.assertJoined(
            self.join(source.order_by("-total")[:1]),
            "it__total",
            [("A", 4), ("B", 9), ("C", 15)],
        )

    def test_aggregate_with_outer_reference(self):
        source = Record.objects.values("user").annotate(
            n=Count("pk", filter=Q(topic__lte=OuterRef("pk")))
        )
        self.assertJoined(
            self.join(source.filter(user=self.may.pk)),
            "it__n",
            [("A", 1), ("B", 2), ("C", 3)],
        )

    def test_totals(self):
        """An aggregate without groups has a row whatever matches."""
        high = totals(records().filter(value__gt=5))
        columns = ["name", "it__n", "it__total"]
        for name, source, rows in [
            ("all", high, [("A", 0, None), ("B", 0, None), ("C", 1, 6)]),
            (
                "range",
                totals(Record.objects.filter(value__gt=OuterRef("pk") + 3 - self.a.pk)),
                [("A", 3, 15), ("B", 2, 11), ("C", 1, 6)],
            ),
            (
                "having",
                high.filter(n__gt=0),
                [("A", None, None), ("B", None, None), ("C", 1, 6)],
            ),
            (
                "having not",
                high.filter(n=0),
                [("A", 0, None), ("B", 0, None), ("C", None, None)],
            ),
            ("first", high[:1], [("A", 0, None), ("B", 0, None), ("C", 1, 6)]),
            (
                "second",
                high[1:],
                [("A", None, None), ("B", None, None), ("C", None, None)],
            ),
            (
                "nothing",
                totals(records().filter(pk__in=[])),
                [("A", 0, None), ("B", 0, None), ("C", 0, None)],
            ),
        ]:
            with self.subTest(name):
                self.assertRows(self.join(source).values_list(*columns), rows)
        topics = self.join(high)
        self.assertRows(topics.filter(it__n=0), [self.a, self.b])
        self.assertRows(topics.filter(it__isnull=True), [])
        self.assertEqual(
            [topic.it.n for topic in topics.select_related("it")], [0, 0, 1]
        )
        for join_type in [JoinType.INNER, JoinType.CROSS]:
            with self.subTest(join_type=join_type):
                topics = self.join(high, join_type=join_type)
                self.assertRows(topics.values_list("it__n"), [(0,), (0,), (1,)])
        topics = self.join(high, on=Q(it__n__gt=0))
        self.assertRows(topics.values_list("it__n"), [(None,), (None,), (1,)])

    def test_expressions_of_totals(self):
        source = records().filter(value__gt=4).annotate(every=Value(1)).values("every")
        source = source.annotate(n=Count("pk") + 1, most=Coalesce(Max("value"), 0))
        self.assertRows(
            self.join(source).values_list("it__n", "it__most", "it__every"),
            [(1, 0, 1), (2, 5, 1), (2, 6, 1)],
        )

    def test_aggregate_that_is_a_plain_function(self):
        source = records().filter(value__gt=3).values(n=Func("pk", function="COUNT"))
        for source in [source, source[:1]]:
            self.assertRows(
                self.join(source).values_list("name", "it__n"),
                [("A", 1), ("B", 1), ("C", 1)],
            )

    def test_combinations(self):
        low, high = records().filter(value__lt=5), records().filter(value__gt=3)
        a_low, a_high = [("A", 1), ("A", 4), ("C", 3)], [("A", 4), ("B", 5), ("C", 6)]
        union = [("A", 1), ("A", 4), ("B", 5), ("C", 3), ("C", 6)]
        for name, source, rows in [
            ("union", low.union(high), union),
            ("all", low.union(high, all=True), a_low + a_high),
            ("three", low.union(high, records().filter(value=1)), union),
            ("nested", low.union(high).union(records().filter(value=1)), union),
            ("values", low.values("value").union(high.values("value")), union),
            ("values of union", low.union(high).values("value"), union),
            (
                "slice",
                low.union(high).order_by("-value")[:1],
                [("A", 4), ("B", 5), ("C", 6)],
            ),
            (
                "offset",
                low.union(high).order_by("-value")[1:],
                [("A", 1), ("B", None), ("C", 3)],
            ),
            (
                "totals",
                totals(low).values(value=F("n")).union(high.values("value")),
                [("A", 2), ("A", 4), ("B", 0), ("B", 5), ("C", 1), ("C", 6)],
            ),
        ]:
            with self.subTest(name):
                self.assertJoined(self.join(source), "it__value", rows)

    @skipUnlessDBFeature("supports_select_intersection", "supports_select_difference")
    def test_intersection_and_difference(self):
        low, high = records().filter(value__lt=5), records().filter(value__gt=3)
        self.assertJoined(
            self.join(low.intersection(high)),
            "it__value",
            [("A", 4), ("B", None), ("C", None)],
        )
        self.assertJoined(
            self.join(low.difference(high)),
            "it__value",
            [("A", 1), ("B", None), ("C", 3)],
        )

    @skipUnlessDBFeature("supports_slicing_ordering_in_compound")
    def test_combination_of_slices(self):
        greatest = records().order_by("-value")[:1]
        self.assertJoined(
            self.join(greatest.union(records().order_by("value")[:1])),
            "it__value",
            [("A", 1), ("A", 4), ("B", 5), ("C", 3), ("C", 6)],
        )

    def test_ties_of_combinations_go_by_what_they_have(self):
        Record.objects.update(value=1)
        for ordering, user in [(["value"], self.johnny), (["-value"], self.may)]:
            for values in [["value", "user"], ["user", "value"]]:
                source = records().values(*values)
                source = source.filter(note=None).union(source).order_by(*ordering)
                with self.subTest(ordering=ordering, values=values):
                    topics = self.join(source[:1]).filter(name="A")
                    self.assertRows(topics.values_list("it__user"), [(user.pk,)])

    def test_distinct(self):
        Record.objects.create(user=self.may, topic=self.a, value=4)
        self.assertJoined(
            self.join(records().values("value").distinct()),
            "it__value",
            [("A", 1), ("A", 4), ("B", 5), ("C", 3), ("C", 6)],
        )
        self.assertJoined(
            self.join(records().values("value").distinct().order_by("-value")[1:]),
            "it__value",
            [("A", 1), ("B", None), ("C", 3)],
        )

    def test_windows(self):
        source = records().annotate(
            rank=Window(RowNumber(), order_by="-value"), most=Window(Max("value"))
        )
        columns = source.values("value", "rank", "most")
        names = ["name", "it__value", "it__rank", "it__most"]
        self.assertCountEqual(
            self.join(columns).values_list(*names),
            [
                ("A", 4, 1, 4),
                ("A", 1, 2, 4),
                ("B", 5, 1, 5),
                ("C", 6, 1, 6),
                ("C", 3, 2, 6),
            ],
        )
        self.assertCountEqual(
            self.join(columns.filter(rank=2)).values_list(*names),
            [("A", 1, 2, 4), ("B", None, None, None), ("C", 3, 2, 6)],
        )
        self.assertCountEqual(
            self.join(columns.order_by("-rank")[:1]).values_list(*names),
            [("A", 1, 2, 4), ("B", 5, 1, 5), ("C", 3, 2, 6)],
        )

    def test_rows_that_repeat(self):
        """Joins in the source may give a row several times."""
        source = records().filter(user__record__value__gt=4).order_by("value")
        self.assertJoined(
            self.join(source),
            "it__value",
            [("A", 4), ("A", 4), ("B", 5), ("B", 5), ("C", 6), ("C", 6)],
        )
        self.assertJoined(
            self.join(source[1:3]), "it__value", [("A", 4), ("B", 5), ("C", 6)]
        )
        self.assertJoined(
            self.join(source.distinct()), "it__value", [("A", 4), ("B", 5), ("C", 6)]
        )

    def test_groups_of_a_range_of_an_earlier_join(self):
        sources = [Record, Record.objects.all(), Record.objects.order_by("pk")[:9]]
        for source in sources:
            with self.subTest(source=source):
                topics = Topic.objects.alias_join(mine=source, join_type="inner")
                topics = topics.filter(mine__user=self.johnny).alias_join(
                    it=Record.objects.filter(value__lte=OuterRef("mine__value"))
                    .values("user")
                    .annotate(total=Sum("value"))
                )
                self.assertJoined(topics, "it__total", [("A", 1), ("C", 4)])

    def test_filtered_relation_with_outer_reference(self):
        recorded = Topic.objects.alias(
            next=FilteredRelation(
                "record", condition=Q(record__value=OuterRef("value") + 1)
            )
        ).filter(next__isnull=False)
        self.assertRows(
            Record.objects.alias_join(it=recorded)
            .order_by("value")
            .values_list("value", "it__name"),
            [(1, None), (3, "A"), (4, "B"), (5, "C"), (6, None)],
        )

    def test_refers_to_an_earlier_join(self):
        topics = self.join(records().order_by("value")[:1]).alias_join(
            next=Record.objects.filter(
                user=OuterRef("it__user"), value__gt=OuterRef("it__value")
            ).order_by("value")[:1]
        )
        self.assertRows(
            topics.values_list("name", "it__value", "next__value"),
            [("A", 1, 3), ("B", 5, 6), ("C", 3, None)],
        )

    def test_lateral_in_lateral(self):
        best = Record.objects.filter(
            topic=OuterRef("pk"), user=OuterRef(OuterRef("pk"))
        ).order_by("-value")
        topics = Topic.objects.alias_join(best=best[:1], join_type=JoinType.INNER)
        users = User.objects.alias_join(topic=topics.order_by("-best__value")[:1])
        self.assertRows(
            users.order_by("name").values_list("name", "topic__name"),
            [("johnny", "C"), ("may", "C")],
        )
        values = topics.values("name", value=F("best__value"))
        self.assertCountEqual(
            User.objects.alias_join(topic=values).values_list(
                "name", "topic__name", "topic__value"
            ),
            [
                ("johnny", "A", 1),
                ("johnny", "C", 3),
                ("may", "A", 4),
                ("may", "B", 5),
                ("may", "C", 6),
            ],
        )

    def test_refers_further_out(self):
        mine = Record.objects.filter(user=OuterRef(OuterRef("pk")))
        for name, topics in [
            ("inferred", Topic.objects.alias_join(it=mine)),
            (
                "slice",
                Topic.objects.alias_join(
                    it=FilteredRelation(
                        mine.order_by("value")[:1], condition=Q(it__topic=F("pk"))
                    )
                ),
            ),
            (
                "lateral",
                Topic.objects.alias_join(
                    it=mine.filter(topic=OuterRef("pk")).values("topic", "value")
                ),
            ),
        ]:
            with self.subTest(name):
                users = User.objects.filter(Exists(topics.filter(it__value=1)))
                self.assertRows(users, [self.johnny])
                least = topics.filter(it__isnull=False).order_by("it__value")
                self.assertRows(
                    User.objects.annotate(least=Subquery(least.values("it__value")[:1]))
                    .order_by("name")
                    .values_list("name", "least"),
                    [("johnny", 1), ("may", 4)],
                )

    def test_onto_a_page(self):
        page = Topic.objects.order_by("-name")[:2]
        topics = page.alias_join(it=records().order_by("value")[:1])
        self.assertRows(topics.values_list("name", "it__value"), [("C", 3), ("B", 5)])
        topics = page.alias_join(
            it=Record.objects.filter(value__lt=OuterRef("pk") + 4 - self.a.pk)
            .values("user")
            .annotate(n=Count("pk"))
        )
        self.assertCountEqual(
            topics.values_list("name", "it__n"),
            [("C", 2), ("C", 2), ("B", 2), ("B", 1)],
        )

    def test_onto_aggregates(self):
        topics = Topic.objects.annotate(n=Count("record")).alias_join(
            it=Record.objects.filter(value__gt=OuterRef("n")).order_by("value")[:1]
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "n", "it__value"),
            [("A", 2, 3), ("B", 1, 3), ("C", 2, 3)],
        )

    def test_relation_and_annotation_of_the_outer_query(self):
        may = User.objects.annotate(short=F("name"))
        users = may.alias_join(
            it=Record.objects.filter(user__name=OuterRef("short")).order_by("value")[:1]
        )
        self.assertRows(
            users.order_by("name").values_list("name", "it__value"),
            [("johnny", 1), ("may", 4)],
        )
        found = Record.objects.alias_join(
            it=User.objects.filter(name__gt=OuterRef("user__name"))[:1]
        )
        self.assertRows(
            found.order_by("value").values_list("value", "it__name"),
            [(1, "may"), (3, "may"), (4, None), (5, None), (6, None)],
        )

    def test_to_itself(self):
        following = Record.objects.filter(
            user=OuterRef("user"), value__gt=OuterRef("value")
        )
        self.assertRows(
            Record.objects.alias_join(it=following.order_by("value")[:1])
            .order_by("value")
            .values_list("value", "it__value"),
            [(1, 3), (3, None), (4, 5), (5, 6), (6, None)],
        )

    def test_refers_to_an_earlier_join_without_match(self):
        topics = self.join(
            records().filter(user=self.johnny)[:1],
        )
        greater = Record.objects.filter(value__gt=OuterRef("it__value"))
        for name, source, rows in [
            ("totals", totals(greater), [("A", 4), ("B", 0), ("C", 3)]),
            (
                "groups",
                greater.values("user").annotate(n=Count("pk")),
                [("A", 1), ("A", 3), ("B", None), ("C", 3)],
            ),
        ]:
            with self.subTest(name):
                joined = topics.alias_join(more=source)
                self.assertJoined(joined, "more__n", rows)

    def test_joined_to_a_slice(self):
        source = (
            records()
            .order_by("-value")[:1]
            .alias_join(
                other=Record.objects.all(),
                on=Q(other__user=F("user"), other__value__lt=F("value")),
            )
        )
        self.assertJoined(
            self.join(source.values("value", lower=F("other__value"))),
            "it__lower",
            [("A", None), ("B", 4), ("C", 4), ("C", 5)],
        )

    def test_joined_to_groups(self):
        groups = records().values("user").annotate(n=Count("pk"))
        source = groups.alias_join(who=User, on=Q(who__pk=F("user")))
        self.assertJoined(
            self.join(source.values("n", who_name=F("who__name"))),
            "it__who_name",
            [
                ("A", "johnny"),
                ("A", "may"),
                ("B", "may"),
                ("C", "johnny"),
                ("C", "may"),
            ],
        )

    def test_rows_without_a_match_in_the_source(self):
        """They are there for each topic, and the filter applies to them."""
        johnny, may, nobody = ("johnny", 0), ("may", 2), (None, 3)
        right = [("A", *johnny), ("A", *may), ("B", *johnny), ("B", *may)]
        right += [("C", *johnny), ("C", "may", 1)]
        for join_type, rows in [
            (JoinType.RIGHT, right),
            (JoinType.FULL, [*right, ("A", *nobody), ("B", None, 1), ("C", None, 1)]),
        ]:
            source = (
                Record.objects.alias_join(
                    who=User,
                    on=Q(who__pk=F("user"), value__gt=4),
                    join_type=join_type,
                )
                .filter(Q(value=None) | Q(topic__name__gte=OuterRef("name")))
                .values(who_name=F("who__name"))
                .annotate(n=Count("value"))
            )
            with self.subTest(join_type=join_type), self.assertNumQueries(1):
                joined = self.join(source, join_type=JoinType.INNER)
                self.assertCountEqual(
                    joined.values_list("name", "it__who_name", "it__n"), rows
                )

    def test_in_a_subquery(self):
        """What is joined to refers to the query around it."""
        mays = {"who": User.objects.filter(name="may"), "join_type": JoinType.INNER}
        least = records().order_by("value")
        for name, source, topics in [
            ("one", least[:1], [self.b]),
            ("offset", least[1:2], [self.a, self.c]),
            ("two", least[:2], [self.a, self.b, self.c]),
            ("values", least.values("user")[:1], [self.b]),
            (
                "distinct",
                records().values("user").distinct(),
                [self.a, self.b, self.c],
            ),
            (
                "groups",
                records().values("user").annotate(least=Min("value")).filter(least=5),
                [self.b],
            ),
        ]:
            with self.subTest(name):
                source = source.alias_join(on=Q(who__pk=F("user")), **mays)
                found = Topic.objects.filter(Exists(source)).order_by("name")
                self.assertRows(found, topics)

    def test_source_with_a_join(self):
        source = records().alias_join(
            other=Record.objects.filter(user=self.may).values("topic", "value"),
            on=Q(other__topic=F("topic")),
        )
        topics = self.join(source.filter(other__value__gt=4).order_by("value")[:1])
        self.assertJoined(topics, "it__value", [("A", None), ("B", 5), ("C", 3)])

    def test_filtered_relation_in_the_source(self):
        source = User.objects.annotate(
            mine=FilteredRelation("record", condition=Q(record__topic=OuterRef("pk")))
        )
        topics = self.join(source.filter(mine__value__gt=1).order_by("mine__value")[:1])
        self.assertJoined(
            topics, "it__name", [("A", "may"), ("B", "may"), ("C", "johnny")]
        )

    def test_nothing(self):
        for source in [records().none(), records().filter(pk__in=[])[:1]]:
            self.assertJoined(
                self.join(source), "it__value", [("A", None), ("B", None), ("C", None)]
            )

    def test_filter_and_exclude(self):
        topics = self.join(records().order_by("-value")[:1])
        self.assertRows(topics.filter(it__value=5), [self.b])
        self.assertRows(topics.exclude(it__value=5), [self.a, self.c])
        topics = self.join(records().filter(user=self.johnny)[:1])
        self.assertRows(topics.filter(it__isnull=True), [self.b])
        self.assertRows(topics.exclude(it__value=1), [self.b, self.c])

    def test_aggregates_over_the_join(self):
        topics = self.join(records().order_by("-value")[:1])
        self.assertEqual(
            topics.aggregate(Sum("it__value"), n=Count("pk")),
            {"it__value__sum": 15, "n": 3},
        )
        self.assertIs(topics.filter(it__value=6).exists(), True)

    def test_update_and_delete(self):
        topics = self.join(records().order_by("-value")[:1]).filter(it__value=5)
        self.assertEqual(topics.update(name="Z"), 1)
        self.assertEqual(Topic.objects.get(name="Z"), self.b)
        self.assertEqual(topics.delete()[1]["alias_join.Topic"], 1)
        self.assertSequenceEqual(Topic.objects.order_by("name"), [self.a, self.c])

    def test_same_source_is_the_same_join(self):
        topics = self.join(records().order_by("-value")[:1])
        again = self.join(records().order_by("-value")[:1])
        self.assertRows(
            (topics.filter(name="A") & again).values_list("it__value"), [(4,)]
        )

    def test_union(self):
        topics = self.join(records().order_by("-value")[:1]).order_by()
        columns = topics.values_list("name", "it__value")
        self.assertCountEqual(
            columns.filter(name="A").union(columns.filter(name="B")),
            [("A", 4), ("B", 5)],
        )

    @skipUnlessDBFeature("supports_lateral_joins")
    def test_rows_without_a_match_in_the_source_after_a_filter(self):
        self.assertJoined(
            self.join(users_beside(records())),
            "it__who_name",
            [(name, user) for name in "ABC" for user in ["johnny", "may"]],
        )

    def test_right_and_full_are_refused(self):
        for join_type in [JoinType.RIGHT, JoinType.FULL]:
            with self.assertRaisesMessage(
                NotSupportedError,
                f"The queryset of the join 'it' uses OuterRef(), so it can't be a "
                f"{join_type.name} join.",
            ):
                self.join(records(), join_type=join_type)


class LateralKeyTests(JoinTestCase):
    """Models whose primary key isn't one column of their own table."""

    @classmethod
    def setUpTestData(cls):
        for row in range(2):
            for place in range(2):
                Seat.objects.create(row=row, place=place, window=place == 0)
        cls.tickets = [
            Ticket.objects.create(row=row, place=place, price=price)
            for row, place, price in [(0, 0, 5), (0, 0, 7), (1, 1, 3), (None, 0, 1)]
        ]
        cls.x, cls.y = [C.objects.create(name=name) for name in "xy"]
        for name, c, size in [("k", cls.x, 3), ("l", cls.x, 5), ("m", cls.y, 2)]:
            B.objects.create(name=name, fk_field=c, size=size)

    def test_composite_primary_key(self):
        seats = Seat.objects.filter(row=OuterRef("row")).order_by("-place")
        for source, rows in [
            (seats[:1], [(5, False), (7, False), (3, False), (1, None)]),
            (
                seats[:2],
                [
                    *[(5, False), (5, True), (7, False), (7, True)],
                    *[(3, False), (3, True), (1, None)],
                ],
            ),
            (
                seats.values("window")[1:],
                [(5, True), (7, True), (3, True), (1, None)],
            ),
        ]:
            tickets = Ticket.objects.alias_join(it=source)
            self.assertCountEqual(tickets.values_list("price", "it__window"), rows)

    def test_composite_primary_key_of_the_outer_query(self):
        counts = (
            Ticket.objects.filter(price__gt=OuterRef("row") + 4)
            .values("row")
            .annotate(n=Count("pk"))
        )
        self.assertCountEqual(
            Seat.objects.alias_join(it=counts).values_list("row", "place", "it__n"),
            [(0, 0, 2), (0, 1, 2), (1, 0, 1), (1, 1, 1)],
        )

    def test_inherited_columns(self):
        largest = B.objects.filter(fk_field=OuterRef("pk")).order_by("-size")
        rows = C.objects.order_by("name").alias_join(it=largest[:1])
        self.assertRows(
            rows.values_list("name", "it__name", "it__size"),
            [("x", "l", 5), ("y", "m", 2)],
        )
        self.assertEqual([row.it.name for row in rows.select_related("it")], ["l", "m"])

    def test_inherited_columns_of_the_outer_query(self):
        smaller = B.objects.filter(size__lt=OuterRef("size"), name__lt=OuterRef("name"))
        for source in [
            smaller.values("fk_field").annotate(n=Count("pk")),
            smaller.annotate(n=Value(1))[:1],
        ]:
            self.assertCountEqual(
                B.objects.alias_join(it=source).values_list("name", "it__n"),
                [("k", None), ("l", 1), ("m", None)],
            )


@skipUnlessDBFeature("supports_collation_on_charfield")
class LateralCollationTests(JoinTestCase):
    def test_computed_text(self):
        """Groups by a text have the rows that are equal to the outer one."""
        Word.objects.bulk_create([Word(text=text) for text in ("a", "A", "b")])
        words = Word.objects.annotate(key=Trim("text")).filter(key=OuterRef("text"))
        sizes = words.values("size")
        for source, column in [
            (sizes.annotate(n=Count("pk")), "COUNT(*)"),
            (sizes.annotate(n=Min("pk")).order_by("n")[:1], "MIN(inside.id)"),
        ]:
            with self.subTest(column):
                joined = Word.objects.alias_join(it=source).order_by("pk")
                self.assertSameAsSQL(
                    joined.values_list("text", "it__n"),
                    f"""
                    SELECT word.text, (
                        SELECT {column} FROM alias_join_word inside
                        WHERE TRIM(inside.text) = word.text
                    ) FROM alias_join_word word ORDER BY word.id
                    """,
                )


class LateralMetaOrderingTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.first, cls.second = [Car.objects.create(plate=plate) for plate in "ab"]
        for car, day, cost in [
            (cls.first, 3, 1),
            (cls.first, 2, 2),
            (cls.first, 2, 3),
            (cls.second, 4, 4),
        ]:
            Event.objects.create(car=car, at=f"2020-01-0{day}", kind="x", cost=cost)

    def test_meta_ordering(self):
        events = Event.objects.filter(car=OuterRef("pk"))
        for source, costs in [
            (events, [2, 4]),
            (events.reverse(), [1, 4]),
            (events.values("cost"), [2, 4]),
        ]:
            cars = Car.objects.order_by("plate").alias_join(it=source[:1])
            self.assertRows(cars.values_list("it__cost"), [(cost,) for cost in costs])

    def test_groups_have_none(self):
        events = Event.objects.filter(car=OuterRef("pk")).values("at")
        cars = Car.objects.order_by("plate").alias_join(
            it=events.annotate(total=Sum("cost")).order_by("-total")[:1]
        )
        self.assertRows(cars.values_list("it__total"), [(5,), (4,)])

    def test_groups_of_a_range(self):
        events = Event.objects.filter(at__gte=OuterRef("at")).values("kind")
        totals = Event.objects.alias_join(
            it=events.annotate(total=Sum("cost")).order_by("kind")[:1]
        )
        self.assertRows(
            totals.order_by("cost").values_list("cost", "it__total"),
            [(1, 5), (2, 10), (3, 10), (4, 4)],
        )

    def test_many_to_many(self):
        phones = [Phone.objects.create(number=number) for number in "123"]
        contact = Contact.objects.create(name="a")
        contact.phones.set(phones)
        contacts = Contact.objects.alias_join(
            it=Phone.objects.filter(contact=OuterRef("pk"))[:2]
        )
        self.assertCountEqual(contacts.values_list("it__number"), [("3",), ("2",)])


@skipIfDBFeature("supports_lateral_joins")
class RefusedLateralTests(TopicTestCase):
    """Sources that no derived table has exactly the rows of."""

    def assertRefused(self, source, reason):
        message = (
            f"{connection.display_name} has no LATERAL, which the join 'it' needs "
            "because its queryset uses OuterRef(), and the queryset can't be rewritten "
            f"because {reason}"
        )
        with self.assertRaisesMessage(NotSupportedError, message):
            list(Topic.objects.alias_join(it=source))

    def test_groups_of_a_range_of_a_combination(self):
        """Rows of a combination needn't be those of the model's table."""
        union = Record.objects.filter(value=1).union(Record.objects.filter(value=3))
        page = union.order_by("value")[:2].alias_join(by=User)
        for source in [union, page]:
            with self.subTest(source=source):
                topics = Topic.objects.alias_join(mine=source, join_type="inner")
                topics = topics.alias_join(
                    it=Record.objects.filter(value__lte=OuterRef("mine__value"))
                    .values("user")
                    .annotate(total=Sum("value"))
                )
                with self.assertRaisesMessage(NotSupportedError, "can't be rewritten"):
                    list(topics)

    def test_column_next_to_an_aggregate_that_is_a_plain_function(self):
        self.assertRefused(
            records().values("value", n=Func("pk", function="COUNT")),
            "it selects an aggregate that is a plain Func(). Use an Aggregate.",
        )

    def test_totals_over_something_that_has_no_key(self):
        topics = Topic.objects.annotate(n=Count("record"))
        source = totals(Record.objects.filter(value__gt=OuterRef("n")))
        with self.assertRaisesMessage(
            NotSupportedError,
            "because an OuterRef() isn't a column of a table in the query around it, "
            "and its aggregate isn't grouped and so has a row even if nothing matches. "
            "Group it with values().",
        ):
            list(topics.alias_join(it=source))

    def test_rows_without_a_match_in_the_source(self):
        for source in [
            users_beside(records()),
            users_beside(Record.objects.filter(value__gt=OuterRef("pk"))),
        ]:
            self.assertRefused(
                source,
                "its RIGHT or FULL join comes after an OuterRef(). Filter by that "
                "after the join.",
            )

    def test_random_order(self):
        self.assertRefused(
            records().order_by("?")[:1], "its order is random. Order it by a column."
        )

    def test_distinct_fields(self):
        self.assertRefused(
            records().order_by("user").distinct("user"),
            "it uses distinct() with fields. Order it and take one row by [:1].",
        )

    def test_range_over_something_that_has_no_key(self):
        values = Record.objects.values("value").distinct()
        source = Record.objects.filter(value__gt=OuterRef("value"))
        with self.assertRaisesMessage(
            NotSupportedError,
            "because an OuterRef() isn't a column of a table in the query around it, "
            "and it is sliced, distinct, or computed from several rows, and isn't "
            "filtered by a column of the same type that equals the OuterRef(). Filter "
            "by such a column, or take one row of the model by [:1].",
        ):
            list(values.alias_join(it=source.values("user").annotate(n=Count("pk"))))


@skipIfDBFeature("supports_outer_references_in_derived_tables")
class RefusedSubqueryTests(TopicTestCase):
    """Querysets in a subquery that can't be joined to."""

    def test_range(self):
        counts = Record.objects.filter(value__gt=OuterRef("pk")).values("user")
        counts = counts.annotate(n=Count("pk")).alias_join(
            who=User, on=Q(who__pk=F("user"))
        )
        with self.assertRaisesMessage(
            NotSupportedError,
            f"{connection.display_name} has no LATERAL, which the base of the join "
            "'who' needs because its queryset uses OuterRef(), and the queryset can't "
            "be rewritten because an OuterRef() isn't a column of a table in the query "
            "around it, and it is sliced, distinct, or computed from several rows",
        ):
            list(Topic.objects.filter(Exists(counts)))


@skipUnlessDBFeature("supports_lateral_joins")
class NativeLateralTests(TopicTestCase):
    def test_sql(self):
        topics = Topic.objects.alias_join(it=records().order_by("-value")[:1])
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN LATERAL",
            "(SELECT ... FROM record U0 WHERE U0.topic_id = topic.id",
            "ORDER BY 4 DESC, 1 DESC LIMIT 1) it ON (1 = 1)",
        )


class OtherDatabaseTests(JoinTestCase):
    """SQL for databases that needn't be there."""

    def connect(self, engine, **attributes):
        try:
            other = ConnectionHandler({"default": {"ENGINE": engine}})["default"]
        except ImproperlyConfigured as error:
            self.skipTest(str(error))
        for name, value in attributes.items():
            setattr(other, name, value)
        return other

    def mysql(self, version):
        return self.connect(
            "django.db.backends.mysql",
            mysql_server_data={
                "version": version,
                "sql_mode": "STRICT_TRANS_TABLES",
                "default_storage_engine": "InnoDB",
                "sql_auto_is_null": False,
                "lower_case_table_names": False,
                "has_zoneinfo_database": True,
            },
        )

    def assertCompiled(self, other, queryset, *lines):
        sql, _ = queryset.query.get_compiler(connection=other).as_sql()
        sql = re.sub('["`]', "", sql).lower().replace("alias_join_", "")
        self.assertShape(sql, " ".join(lines))

    def assertLateral(self, other, limit):
        self.assertCompiled(
            other,
            Topic.objects.alias_join(it=records().order_by("-value")[:1]).values("it"),
            "select ... from topic left outer join lateral (select ... from record u0",
            "where u0.topic_id = (topic.id) order by 4 desc, 1 desc",
            f"{limit}) it on (1 = 1)",
        )
        self.assertCompiled(
            other,
            Topic.objects.alias_join(it=totals(records())).values("it__n"),
            "select ... from topic left outer join lateral (select count(u0.id) as n,",
            "... from record u0 where u0.topic_id = (topic.id)) it on (1 = 1)",
        )

    def subquery(self):
        first = records().order_by("value")[:1]
        who = first.alias_join(who=User, on=Q(who__pk=F("user")))
        return Topic.objects.values(who=Subquery(who.values("who__name")))

    def test_mysql(self):
        other = self.mysql("8.4.3")
        self.assertLateral(other, "limit 1")
        self.assertCompiled(
            other,
            self.subquery(),
            "select (select v2.name as who__name from (select ... from record u0",
            "where u0.topic_id = (topic.id) order by ... limit 1) v0 left outer join",
            "user v2 on (v2.id = (v0.user_id))...) as who from topic",
        )

    def test_mariadb(self):
        other = self.mysql("10.11.8-MariaDB")
        self.assertCompiled(
            other,
            Topic.objects.alias_join(it=records().order_by("-value")[:1]).values("it"),
            "select ... from topic left outer join record it on (it.id = (select",
            "... from record u0 where u0.topic_id = (topic.id) order by ... limit 1))",
        )
        self.assertCompiled(
            other,
            Topic.objects.alias_join(it=totals(records())).values("it__n"),
            "select ... from topic left outer join (select (select count(u0.id) as",
            "value from record u0 where u0.topic_id = (topic.id)) as n, ... topic.id",
            "as __key0 from topic) it on (it.__key0 = (topic.id))",
        )
        self.assertCompiled(
            other,
            self.subquery(),
            "select (select v2.name as who__name from (select 1) __one inner join",
            "(select ... from record u0) v0 on (v0.id = (select u0.id as id from",
            "record u0 where u0.topic_id = (topic.id) order by ... limit 1))",
            "left outer join",
            "user v2 on (v2.id = (v0.user_id))...) as who from topic",
        )

    def test_oracle(self):
        other = self.connect(
            "django.db.backends.oracle",
            oracle_version=(19, 0, 0, 0, 0),
            operators={"exact": "= %s"},
        )
        self.assertLateral(other, "fetch first 1 rows only")
