"""
An alias is used like a relation of the model, wherever Django takes a lookup
path.
"""

import datetime
import pickle

from django.core.exceptions import FieldError
from django.db import NotSupportedError, connection, transaction
from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    Exists,
    F,
    JoinType,
    Max,
    Min,
    OuterRef,
    Q,
    StringAgg,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import (
    Coalesce,
    Concat,
    ExtractYear,
    Greatest,
    Length,
    Lower,
    Rank,
    RowNumber,
    TruncMonth,
    Upper,
)
from django.db.models.lookups import GreaterThan
from django.test import skipUnlessDBFeature
from django.test.utils import CaptureQueriesContext, register_lookup

from .base import JoinTestCase, TopicTestCase
from .models import (
    A,
    B,
    C,
    Car,
    City,
    Contact,
    Country,
    Employee,
    Event,
    Phone,
    Record,
    Sample,
    Seat,
    Slot,
    Tag,
    Ticket,
    Topic,
    User,
)


class ReferencesTestCase(TopicTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.a1, cls.c3, cls.a4, cls.b5, cls.c6 = Record.objects.order_by("value")

    def any(self):
        """Return each topic with each of its records."""
        return Topic.objects.alias_join(any=Record)

    def mine(self):
        """Return each topic with the record of johnny: A 1, B none, C 3."""
        return Topic.objects.alias_join(mine=Record.objects.filter(user=self.johnny))

    def assertNames(self, topics, names):
        names_of_topics = topics.order_by("name").values_list("name", flat=True)
        self.assertEqual("".join(names_of_topics), names)


class FilterTests(ReferencesTestCase):
    """Each condition with its topics. exclude() has the other ones."""

    def assertFilters(self, queryset, conditions):
        for condition, names in conditions:
            rest = "".join(name for name in "ABC" if name not in names)
            with self.subTest(condition):
                self.assertNames(queryset.filter(condition), names)
                self.assertNames(queryset.exclude(condition), rest)
                self.assertNames(queryset.filter(~condition), rest)
                self.assertNames(queryset.exclude(~condition), names)

    def test_columns(self):
        self.assertFilters(
            self.mine(),
            [
                (Q(mine__value=1), "A"),
                (Q(mine__value__exact=3), "C"),
                (Q(mine__value__gt=1), "C"),
                (Q(mine__value__in=[1, 5]), "A"),
                (Q(mine__value__in=[]), ""),
                (Q(mine__value__range=(1, 2)), "A"),
                (Q(mine__value__isnull=True), "B"),
                (Q(mine__value__isnull=False), "AC"),
                (Q(mine__value=None), "B"),
                (Q(mine__note=None), "ABC"),
                (Q(mine__value=F("mine__value")), "AC"),
                (Q(mine__topic_id=self.a.pk), "A"),
            ],
        )

    def test_transforms(self):
        with register_lookup(CharField, Length), register_lookup(CharField, Upper):
            self.assertFilters(
                self.mine(),
                [
                    (Q(mine__user__name__length=6), "AC"),
                    (Q(mine__user__name__length__gt=6), ""),
                    (Q(mine__user__name__upper="JOHNNY"), "AC"),
                    (Q(mine__topic__name__upper__in=["A", "B"]), "A"),
                ],
            )

    def test_relations(self):
        self.assertFilters(
            self.mine(),
            [
                (Q(mine__user=self.johnny), "AC"),
                (Q(mine__user=self.johnny.pk), "AC"),
                (Q(mine__user_id=self.may.pk), ""),
                (Q(mine__user__pk=self.johnny.pk), "AC"),
                (Q(mine__user__id=self.johnny.pk), "AC"),
                (Q(mine__user__name="johnny"), "AC"),
                (Q(mine__user__name__startswith="x"), ""),
                (Q(mine__user__in=[self.johnny, self.may]), "AC"),
                (Q(mine__user__in=User.objects.filter(name="may")), ""),
                (Q(mine__user__isnull=True), "B"),
                (Q(mine__topic__name="A"), "A"),
                (Q(mine__topic=F("pk")), "AC"),
            ],
        )

    def test_relations_to_many(self):
        """The record's topic has other records."""
        self.assertFilters(
            self.mine(),
            [
                (Q(mine__topic__record__value=4), "A"),
                (Q(mine__topic__record__value=5), ""),
                (Q(mine__topic__record=self.c6), "C"),
                (Q(mine__topic__record__user__name="may", mine__value=3), "C"),
                (Q(mine__topic__remark__isnull=True), "ABC"),
                (Q(mine__user__sent__isnull=True), "ABC"),
            ],
        )

    def test_the_joined_row(self):
        self.assertFilters(
            self.mine(),
            [
                (Q(mine=self.a1), "A"),
                (Q(mine=self.a1.pk), "A"),
                (Q(mine=self.a4), ""),
                (Q(mine=None), "B"),
                (Q(mine__pk=self.c3.pk), "C"),
                (Q(mine__id=self.c3.pk), "C"),
                (Q(mine__pk__in=[self.a1.pk, self.c3.pk]), "AC"),
                (Q(mine__in=[self.a1, self.b5]), "A"),
                (Q(mine__in=[self.a1.pk]), "A"),
                (Q(mine__in=Record.objects.filter(value__gt=1)), "C"),
                (Q(mine__in=Record.objects.filter(value__gt=1).values("pk")), "C"),
                (Q(mine__in=Record.objects.none()), ""),
                (Q(mine__isnull=True), "B"),
                (Q(mine__isnull=False), "AC"),
                (Q(mine__pk__isnull=True), "B"),
                (Q(mine=F("mine__pk")), "AC"),
            ],
        )

    def test_combinations(self):
        one, three = Q(mine__value=1), Q(mine__value=3)
        self.assertFilters(
            self.mine(),
            [
                (one | three, "AC"),
                (one & three, ""),
                (one | Q(name="B"), "AB"),
                (~one & ~three, "B"),
                (~(one | Q(name="B")), "C"),
                (Q(mine__user__name="johnny") & (three | Q(mine=None)), "C"),
                (Q(mine=None) | Q(mine__user__name="johnny", mine__value=1), "AB"),
                (Q(Q(name="B") | ~Q(mine__value__gt=1), ~Q(name="A")), "B"),
            ],
        )

    def test_expressions(self):
        self.assertFilters(
            self.mine(),
            [
                (Q(mine__value=Length("name")), "A"),
                (Q(mine__value=Length("name") + 2), "C"),
                (Q(mine__value__gt=F("mine__topic") - F("pk")), "AC"),
                (Q(GreaterThan(F("mine__value"), 1)), "C"),
                (Q(pk=F("mine__topic_id")), "AC"),
                (Q(name=F("mine__topic__name")), "AC"),
                (
                    Q(
                        Exists(
                            Record.objects.filter(
                                value=OuterRef("mine__value") + 3,
                                topic=OuterRef("mine__topic"),
                            )
                        )
                    ),
                    "AC",
                ),
                (
                    Q(
                        mine__value=Subquery(
                            Record.objects.filter(
                                user=OuterRef("mine__user"), topic=OuterRef("pk")
                            ).values("value")[:1]
                        )
                    ),
                    "AC",
                ),
                (
                    Q(Case(When(mine__value=1, then=True), default=False)),
                    "A",
                ),
            ],
        )

    def test_annotations(self):
        topics = self.mine().annotate(
            v=F("mine__value"), w=Coalesce("mine__value", 0), who=F("mine__user__name")
        )
        self.assertFilters(
            topics,
            [
                (Q(v=1), "A"),
                (Q(v=None), "B"),
                (Q(w=0), "B"),
                (Q(w__gt=0), "AC"),
                (Q(who="johnny"), "AC"),
                (Q(who="johnny", w=3), "C"),
            ],
        )

    def test_the_same_row_in_every_filter(self):
        topics = self.any().filter(any__value__gt=3).filter(any__user=self.johnny)
        self.assertRows(topics, [])
        topics = self.any().filter(any__value__gt=3).exclude(any__user=self.johnny)
        self.assertNames(topics, "ABC")

    def test_get(self):
        self.assertEqual(self.mine().get(mine__value=3), self.c)
        self.assertEqual(self.mine().get(mine=None), self.b)
        with self.assertRaises(Topic.DoesNotExist):
            self.mine().get(mine__value=4)
        with self.assertRaises(Topic.MultipleObjectsReturned):
            self.any().get(name="A")


class OrderTests(ReferencesTestCase):
    def test_order_by(self):
        topics = self.any()
        for ordering, values in [
            (["any__value"], [1, 3, 4, 5, 6]),
            (["-any__value"], [6, 5, 4, 3, 1]),
            (["any__user__name", "-any__value"], [3, 1, 6, 5, 4]),
            (["-any__user__name", "name"], [4, 5, 6, 1, 3]),
            ([F("any__value").desc()], [6, 5, 4, 3, 1]),
            ([Lower("any__user__name").desc(), "-any__value"], [6, 5, 4, 3, 1]),
            (["any__topic__name", "any__user__pk"], [1, 4, 5, 3, 6]),
            (["any__user", "any__value"], [1, 3, 4, 5, 6]),
            (["any__user_id", "any"], [1, 3, 4, 5, 6]),
            (["any__pk"], [1, 3, 4, 5, 6]),
            (["-any"], [6, 5, 4, 3, 1]),
        ]:
            with self.subTest(ordering):
                self.assertRows(
                    topics.order_by(*ordering).values_list("any__value", flat=True),
                    values,
                )

    def test_nulls(self):
        topics = self.mine()
        self.assertRows(
            topics.order_by(F("mine__value").asc(nulls_first=True)),
            [self.b, self.a, self.c],
        )
        self.assertRows(
            topics.order_by(F("mine__value").desc(nulls_last=True)),
            [self.c, self.a, self.b],
        )

    def test_ordering_of_the_joined_model(self):
        """order_by("alias") follows Meta.ordering of the joined model."""
        contact = Contact.objects.create(name="x")
        for number in ("2", "3", "1"):
            contact.phones.add(Phone.objects.create(number=number))
        contacts = Contact.objects.alias_join(p=Phone, on=Q(p__number__gt="0"))
        for ordering, numbers in [
            (["p"], ["3", "2", "1"]),
            (["-p"], ["1", "2", "3"]),
            (["p__pk"], ["2", "3", "1"]),
        ]:
            with self.subTest(ordering):
                self.assertRows(
                    contacts.order_by(*ordering).values_list("p__number", flat=True),
                    numbers,
                )

    def test_reverse_first_and_last(self):
        topics = self.any().order_by("any__value")
        self.assertEqual(topics.first(), self.a)
        self.assertEqual(topics.last(), self.c)
        self.assertEqual(topics.reverse()[1], self.b)
        self.assertEqual(topics[1], self.c)

    def test_earliest_and_latest(self):
        self.assertEqual(self.any().earliest("any__value"), self.a)
        self.assertEqual(self.any().latest("any__value"), self.c)
        self.assertEqual(self.any().latest("any__user__name", "-any__value"), self.a)
        self.assertEqual(
            self.any().filter(any__value__lt=6).latest("any__value"), self.b
        )


class ValuesTests(ReferencesTestCase):
    def test_values(self):
        self.assertRows(
            self.mine()
            .order_by("name")
            .values("name", "mine__value", "mine__user__name"),
            [
                {"name": "A", "mine__value": 1, "mine__user__name": "johnny"},
                {"name": "B", "mine__value": None, "mine__user__name": None},
                {"name": "C", "mine__value": 3, "mine__user__name": "johnny"},
            ],
        )

    def test_the_joined_row(self):
        expected = [(self.a1.pk,), (None,), (self.c3.pk,)]
        for name in ("mine", "mine__pk", "mine__id"):
            with self.subTest(name):
                self.assertRows(
                    self.mine().order_by("name").values_list(name), expected
                )

    def test_foreign_key(self):
        pk = self.johnny.pk
        for name in ("mine__user", "mine__user_id", "mine__user__pk", "mine__user__id"):
            with self.subTest(name):
                self.assertRows(
                    self.mine().order_by("name").values_list(name),
                    [(pk,), (None,), (pk,)],
                )

    def test_named(self):
        rows = (
            self.mine().order_by("name").values_list("name", "mine__value", named=True)
        )
        self.assertRows(rows, [("A", 1), ("B", None), ("C", 3)])
        self.assertEqual([row.mine__value for row in rows], [1, None, 3])

    def test_flat(self):
        self.assertRows(
            self.mine().order_by("name").values_list("mine__value", flat=True),
            [1, None, 3],
        )

    def test_expressions(self):
        self.assertRows(
            self.mine()
            .order_by("name")
            .values_list(
                F("mine__value") * 2,
                Coalesce("mine__user__name", Value("?")),
                Case(When(mine=None, then=Value("none")), default=Value("some")),
            ),
            [(2, "johnny", "some"), (None, "?", "none"), (6, "johnny", "some")],
        )
        self.assertRows(
            self.mine().order_by("name").values(double=F("mine__value") * 2),
            [{"double": 2}, {"double": None}, {"double": 6}],
        )

    def test_transforms(self):
        car = Car.objects.create(plate="x")
        Event.objects.create(car=car, kind="a", at=datetime.date(2020, 5, 17))
        cars = Car.objects.alias_join(e=Event)
        self.assertRows(cars.values_list("e__at__year", "e__at__month"), [(2020, 5)])
        self.assertRows(
            cars.values_list(ExtractYear("e__at"), TruncMonth("e__at")),
            [(2020, datetime.date(2020, 5, 1))],
        )
        self.assertRows(cars.filter(e__at__year=2020), [car])
        self.assertRows(cars.filter(e__at__year__gt=2020), [])
        self.assertRows(cars.exclude(e__at__year__gt=2020), [car])

    def test_function_of_the_alias_compared_with_what_is_beyond(self):
        cars = [Car.objects.create(plate=plate) for plate in "ab"]
        for car, day in [(cars[0], 1), (cars[0], 2), (cars[1], 2)]:
            Event.objects.create(car=car, at=datetime.date(2020, 5, day))
        joined = Car.objects.alias_join(e=Event, on=Q(e__car=F("pk")))
        first = TruncMonth("e__at")
        self.assertCountEqual(joined.filter(e__car__event__at=first), [cars[0]] * 2)
        self.assertRows(joined.exclude(e__car__event__at=first), [cars[1]])

    def test_condition_compared_with_what_is_beyond(self):
        value = Case(When(name="A", then="mine__value"), default=3)
        topics = self.mine()
        self.assertNames(
            topics.alias(x=value).exclude(mine__topic__record__value=F("x")), "B"
        )
        msg = (
            "exclude() can't compare what is related to a joined row with a value that "
            "depends on a condition. annotate() the value and compare with the "
            "annotation."
        )
        same_name = User.objects.filter(name=OuterRef("name"))
        for value in (value, Case(When(pk__in=same_name, then="mine__value"))):
            with self.assertRaisesMessage(NotSupportedError, msg):
                topics.exclude(mine__topic__record__value=value)

    def test_relation_to_many_beyond(self):
        self.assertRows(
            self.mine()
            .order_by("name", "mine__topic__record__value")
            .values_list("name", "mine__topic__record__value"),
            [("A", 1), ("A", 4), ("B", None), ("C", 3), ("C", 6)],
        )

    def test_many_to_many_beyond(self):
        contact = Contact.objects.create(name="A")
        contact.phones.add(Phone.objects.create(number="1"))
        topics = Topic.objects.alias_join(c=Contact, on=Q(c__name=F("name")))
        self.assertRows(
            topics.order_by("name").values_list("name", "c__phones__number"),
            [("A", "1"), ("B", None), ("C", None)],
        )
        self.assertNames(topics.filter(c__phones__number="1"), "A")
        self.assertNames(topics.exclude(c__phones__number="1"), "BC")
        self.assertNames(topics.filter(c__phones=None), "BC")

    def test_no_columns_of_the_join_by_default(self):
        self.assertRows(
            self.mine().order_by("name").values(),
            [
                {"id": topic.pk, "name": topic.name}
                for topic in (self.a, self.b, self.c)
            ],
        )

    def test_distinct(self):
        self.assertRows(
            self.any()
            .values_list("any__user__name")
            .distinct()
            .order_by("any__user__name"),
            [("johnny",), ("may",)],
        )

    @skipUnlessDBFeature("can_distinct_on_fields")
    def test_distinct_on_fields(self):
        self.assertRows(
            self.any()
            .order_by("any__user__name", "-any__value")
            .distinct("any__user__name")
            .values_list("any__user__name", "any__value"),
            [("johnny", 3), ("may", 6)],
        )
        self.assertRows(
            self.any()
            .order_by("any__user", "any__value")
            .distinct("any__user")
            .values_list("any__value", flat=True),
            [1, 4],
        )

    def test_in_bulk(self):
        self.assertEqual(
            self.mine().filter(mine__value__gt=1).in_bulk(),
            {self.c.pk: self.c},
        )
        self.assertEqual(
            self.mine().filter(mine=None).in_bulk([self.a.pk, self.b.pk]),
            {self.b.pk: self.b},
        )

    def test_dates(self):
        car = Car.objects.create(plate="x")
        for month in (1, 1, 3):
            Event.objects.create(car=car, kind="a", at=datetime.date(2020, month, 5))
        cars = Car.objects.alias_join(e=Event)
        self.assertRows(
            cars.dates("e__at", "month"),
            [datetime.date(2020, 1, 1), datetime.date(2020, 3, 1)],
        )
        self.assertRows(
            cars.filter(e__at__month__gt=1).dates("e__at", "year", "DESC"),
            [datetime.date(2020, 1, 1)],
        )

    def test_datetimes(self):
        tag = Tag.objects.create(name="x")
        for hour in (3, 3, 5):
            Sample.objects.create(tag=tag, at=datetime.datetime(2020, 1, 2, hour, 30))
        tags = Tag.objects.alias_join(s=Sample)
        self.assertRows(
            tags.datetimes("s__at", "hour"),
            [datetime.datetime(2020, 1, 2, 3), datetime.datetime(2020, 1, 2, 5)],
        )


class AnnotationTests(ReferencesTestCase):
    def test_column(self):
        topics = self.mine().annotate(v=F("mine__value")).order_by("name")
        with self.assertNumQueries(1):
            self.assertEqual([topic.v for topic in topics], [1, None, 3])

    def test_expressions(self):
        topics = self.mine().annotate(
            total=F("mine__value") + Length("name"),
            label=Concat("name", Value(":"), "mine__user__name"),
            most=Greatest(Coalesce("mine__value", 0), Value(2)),
        )
        self.assertRows(
            topics.order_by("name").values_list("total", "label", "most"),
            [
                (2, "A:johnny", 2),
                (None, "B:", 2),
                (4, "C:johnny", 3),
            ],
        )

    def test_case(self):
        topics = self.mine().annotate(
            size=Case(
                When(mine__value__gt=2, then=Value("big")),
                When(mine__isnull=True, then=Value("none")),
                When(mine__user__name="johnny", then=F("mine__user__name")),
            )
        )
        self.assertRows(
            topics.order_by("name").values_list("size"),
            [("johnny",), ("none",), ("big",)],
        )

    def test_aggregates(self):
        topics = self.any().annotate(
            n=Count("any"),
            values=Count("any__value"),
            users=Count("any__user", distinct=True),
            big=Count("any", filter=Q(any__value__gt=3)),
            total=Sum("any__value"),
            mean=Avg("any__value"),
            most=Max("any__value"),
            first=Min("any__user__name"),
        )
        self.assertRows(
            topics.order_by("name").values_list(
                "name", "n", "values", "users", "big", "total", "mean", "most", "first"
            ),
            [
                ("A", 2, 2, 2, 1, 5, 2.5, 4, "johnny"),
                ("B", 1, 1, 1, 1, 5, 5.0, 5, "may"),
                ("C", 2, 2, 2, 1, 9, 4.5, 6, "johnny"),
            ],
        )

    def test_aggregates_of_unmatched_rows(self):
        topics = self.mine().annotate(
            n=Count("mine"), rows=Count("*"), total=Sum("mine__value", default=0)
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "n", "rows", "total"),
            [("A", 1, 1, 1), ("B", 0, 1, 0), ("C", 1, 1, 3)],
        )
        self.assertNames(topics.filter(n=0), "B")
        self.assertNames(topics.exclude(n=0), "AC")
        self.assertNames(topics.filter(total__gt=0, mine__value__lt=2), "A")

    def test_aggregates_over_relations_to_many(self):
        topics = self.mine().annotate(n=Count("mine__topic__record"))
        self.assertRows(
            topics.order_by("name").values_list("name", "n"),
            [("A", 2), ("B", 0), ("C", 2)],
        )

    def test_groups(self):
        self.assertRows(
            self.any()
            .values("any__user__name")
            .annotate(n=Count("pk"), total=Sum("any__value"))
            .order_by("any__user__name"),
            [
                {"any__user__name": "johnny", "n": 2, "total": 4},
                {"any__user__name": "may", "n": 3, "total": 15},
            ],
        )
        self.assertRows(
            self.any()
            .values("any__user")
            .annotate(total=Sum("any__value"))
            .filter(total__gt=4)
            .values_list("any__user", "total"),
            [(self.may.pk, 15)],
        )

    @skipUnlessDBFeature("supports_aggregate_order_by_clause")
    def test_aggregate_with_an_ordering(self):
        topics = self.any().annotate(
            names=StringAgg("any__user__name", Value(","), order_by="-any__value")
        )
        self.assertRows(
            topics.order_by("name").values_list("names", flat=True),
            ["may,johnny", "may", "may,johnny"],
        )

    def test_aggregate(self):
        self.assertEqual(
            self.any().aggregate(
                n=Count("any"),
                users=Count("any__user", distinct=True),
                total=Sum("any__value"),
                hers=Sum("any__value", filter=Q(any__user__name="may")),
                names=Count("name", distinct=True),
            ),
            {"n": 5, "users": 2, "total": 19, "hers": 15, "names": 3},
        )
        self.assertEqual(
            self.mine().aggregate(Count("mine"), Max("mine__value")),
            {"mine__count": 2, "mine__value__max": 3},
        )

    def test_aggregate_over_an_annotation(self):
        topics = self.mine().annotate(v=Coalesce("mine__value", 10))
        self.assertEqual(topics.aggregate(Sum("v")), {"v__sum": 14})
        self.assertEqual(
            self.any().annotate(n=Count("any")).aggregate(Max("n")), {"n__max": 2}
        )

    def test_windows(self):
        topics = self.any().annotate(
            rank=Window(
                Rank(), partition_by="any__user", order_by=F("any__value").desc()
            ),
            total=Window(Sum("any__value"), partition_by="any__user__name"),
        )
        self.assertRows(
            topics.order_by("any__value").values_list("any__value", "rank", "total"),
            [(1, 2, 4), (3, 1, 4), (4, 3, 15), (5, 2, 15), (6, 1, 15)],
        )
        self.assertRows(
            topics.filter(rank=1).order_by("any__value").values_list("any__value"),
            [(3,), (6,)],
        )

    def test_window_ordered_by_a_path(self):
        topics = self.any().annotate(
            n=Window(RowNumber(), order_by=["any__user__name", "-any__value"])
        )
        self.assertRows(
            topics.order_by("n").values_list("any__value", flat=True), [3, 1, 6, 5, 4]
        )

    def test_subquery(self):
        other = Record.objects.filter(topic=OuterRef("mine__topic")).exclude(
            user=OuterRef("mine__user")
        )
        topics = self.mine().annotate(other=Subquery(other.values("value")))
        self.assertRows(
            topics.order_by("name").values_list("name", "other"),
            [("A", 4), ("B", None), ("C", 6)],
        )

    def test_groups_of_a_subquery_with_a_join(self):
        users = User.objects.alias_join(
            it=Record,
            on=Q(it__user=F("pk"), it__value=OuterRef("record__value")),
            join_type=JoinType.INNER,
        )
        topics = Topic.objects.annotate(
            user=Subquery(users.values("name")), n=Count("record")
        )
        self.assertRows(
            topics.order_by("name", "user").values_list("name", "user", "n"),
            [
                ("A", "johnny", 1),
                ("A", "may", 1),
                ("B", "may", 1),
                ("C", "johnny", 1),
                ("C", "may", 1),
            ],
        )

    def test_condition_beside_a_relation_to_many(self):
        msg = "The join 'mine' can't be referred to from a subquery."
        value = Case(When(mine__value=1, then=4), default=5)
        with self.assertRaisesMessage(FieldError, msg):
            self.mine().exclude(record__value=value)

    def test_alias(self):
        topics = self.mine().alias(v=F("mine__value") + 1).filter(v=2)
        self.assertNames(topics, "A")
        self.assertNames(self.mine().alias(n=Count("mine")).filter(n=0), "B")

    def test_default_aliases_of_aggregates(self):
        topics = self.any().annotate(Sum("any__value"), Count("any__user"))
        self.assertRows(
            topics.order_by("name").values_list("any__value__sum", "any__user__count"),
            [(5, 2), (5, 1), (9, 2)],
        )

    def test_unknown_names(self):
        for reference, message in [
            ("mine__values", "Cannot resolve keyword 'values' into"),
            ("mine__user__nam", "Unsupported lookup 'nam' for ForeignKey"),
            ("mine__value__foo", "Unsupported lookup 'foo' for IntegerField"),
        ]:
            with self.subTest(reference), self.assertRaisesRegex(FieldError, message):
                self.mine().filter(**{reference: 1})
            with self.subTest(reference), self.assertRaises(FieldError):
                list(self.mine().values_list(reference))
            with self.subTest(reference), self.assertRaises(FieldError):
                list(self.mine().order_by(reference))


class HydrationTests(ReferencesTestCase):
    def test_only(self):
        topics = self.mine().select_related("mine").order_by("name")
        for queryset, deferred in [
            (topics.only("name", "mine__value"), {"user_id", "topic_id", "note"}),
            (topics.defer("mine__note"), {"note"}),
        ]:
            with self.assertNumQueries(1):
                a, b, _ = queryset
                self.assertEqual((a.name, a.mine.value, b.mine), ("A", 1, None))
            self.assertEqual(a.mine.get_deferred_fields(), deferred)

    def test_select_related_path(self):
        topics = self.mine().select_related("mine__user").order_by("name")
        with self.assertNumQueries(1):
            self.assertEqual(
                [topic.mine and topic.mine.user.name for topic in topics],
                ["johnny", None, "johnny"],
            )


class ModelTests(JoinTestCase):
    """Keys and tables that aren't the usual ones."""

    def test_composite_key(self):
        for row, place in [(1, 1), (1, 2), (2, 1)]:
            Seat.objects.create(row=row, place=place, window=place == 1)
        for price, row, place in [(5, 1, 1), (6, 1, 2), (7, None, None)]:
            Ticket.objects.create(price=price, row=row, place=place)
        seat = Seat.objects.get(pk=(1, 2))
        on = Q(s__row=F("row"), s__place=F("place"))
        rows = Seat.objects.raw("SELECT * FROM alias_join_seat")
        nobody = Q(nobody__salary=F("price"))
        sliced = Ticket.objects.alias_join(s=Seat).order_by("price")[:3]
        sliced_raw = Ticket.objects.alias_join(s=rows, on=on).order_by("price")[:3]
        once = sliced.alias_join(nobody=Employee, on=nobody)
        for source, tickets in [
            ("model", Ticket.objects.alias_join(s=Seat)),
            ("raw", Ticket.objects.alias_join(s=rows, on=on)),
            ("before a slice", once),
            ("raw before a slice", sliced_raw.alias_join(nobody=Employee, on=nobody)),
            ("before slices", once[:3].alias_join(no=Employee, on=Q(no__pk=None))),
        ]:
            with self.subTest(source):
                self.assertCompositeKey(tickets.order_by("price"), seat)

    def assertCompositeKey(self, tickets, seat):
        for condition, prices in [
            (Q(s=seat), [6]),
            (Q(s__pk=(1, 1)), [5]),
            (Q(s__pk__in=[(1, 1), (1, 2)]), [5, 6]),
            (Q(s__in=Seat.objects.filter(place=2)), [6]),
            (Q(s__isnull=True), [7]),
            (Q(s=None), [7]),
            (Q(s__row=1), [5, 6]),
            (Q(s__window=True), [5]),
        ]:
            rest = [price for price in (5, 6, 7) if price not in prices]
            with self.subTest(condition):
                values = tickets.values_list("price", flat=True)
                self.assertRows(values.filter(condition), prices)
                self.assertRows(values.exclude(condition), rest)
        self.assertRows(
            tickets.values_list("s__row", "s__place", "s__window"),
            [(1, 1, True), (1, 2, False), (None, None, None)],
        )
        keys = tickets.filter(price__lt=7).values_list("s__pk")
        self.assertRows(keys, [((1, 1),), ((1, 2),)])
        keys.query = pickle.loads(pickle.dumps(keys.query))
        self.assertRows(keys, [{"s__pk": (1, 1)}, {"s__pk": (1, 2)}])
        counted = tickets.annotate(n=Count("s")).values_list("price", "n")
        self.assertRows(counted, [(5, 1), (6, 1), (7, 0)])
        with self.assertNumQueries(1):
            joined = [ticket.s for ticket in tickets.select_related("s")]
        self.assertEqual([s and s.pk for s in joined], [(1, 1), (1, 2), None])

    def test_composite_key_of_a_subquery(self):
        """Its columns may have different types."""
        slot = Slot.objects.create(room="a", hour=1)
        Slot.objects.create(room="a", hour=2)
        Employee.objects.create(name="a", salary=1)
        on = Q(s__room=F("name"), s__hour=F("salary"))
        joined = Employee.objects.alias_join(s=Slot, on=on)
        for keys in (joined.values("s__pk"), joined.values("s")):
            self.assertRows(Slot.objects.filter(pk__in=keys), [slot])

    def test_inherited_columns(self):
        c = C.objects.create(name="c")
        B.objects.create(name="b", size=2, fk_field=c)
        A.objects.create(name="a")
        parents = A.objects.alias_join(x=B, on=Q(x__name=F("name")))
        self.assertRows(
            parents.order_by("name").values_list(
                "name", "x__name", "x__size", "x__fk_field__name"
            ),
            [("a", None, None, None), ("b", "b", 2, "c")],
        )
        self.assertRows(
            parents.filter(x__fk_field__name="c").values_list("name"), [("b",)]
        )
        self.assertRows(
            parents.exclude(x__fk_field__name="c").values_list("name"), [("a",)]
        )
        self.assertEqual(parents.get(x=B.objects.get()).name, "b")
        with self.assertNumQueries(1):
            child = parents.select_related("x__fk_field").get(name="b").x
            self.assertEqual(
                (child.name, child.size, child.fk_field.name), ("b", 2, "c")
            )

    def test_to_field(self):
        country = Country.objects.create(code="xx", name="X")
        City.objects.create(name="a", country=country)
        City.objects.create(name="b")
        cities = City.objects.alias_join(c=Country)
        self.assertRows(
            cities.order_by("name").values_list("name", "c__name", "c__code"),
            [("a", "X", "xx"), ("b", None, None)],
        )
        countries = Country.objects.alias_join(c=City)
        self.assertEqual(countries.get(c__country=country), country)
        self.assertEqual(countries.get(c__country="xx"), country)
        self.assertRows(countries.values_list("c__country"), [("xx",)])
        self.assertRows(countries.values_list("c__country__name"), [("X",)])


class LockTests(ReferencesTestCase):
    def of(self, queries):
        sql = queries[-1]["sql"]
        return sql[sql.index("FOR UPDATE") :].replace('"', "").replace("`", "")

    @skipUnlessDBFeature("has_select_for_update_of")
    def test_of(self):
        topics = self.mine().select_related("mine")
        inner = Topic.objects.alias_join(
            any=Record, join_type=JoinType.INNER
        ).select_related("any__user")
        for queryset, of, tables in [
            (topics, ("self",), "alias_join_topic"),
            (inner, ("self", "any"), "alias_join_topic, any"),
            (inner, ("any",), "any"),
        ]:
            with self.subTest(of=of), transaction.atomic():
                with CaptureQueriesContext(connection) as queries:
                    list(queryset.select_for_update(of=of))
                self.assertEqual(self.of(queries), f"FOR UPDATE OF {tables}")

    @skipUnlessDBFeature("has_select_for_update_of")
    def test_of_something_else(self):
        with self.assertRaisesMessage(
            FieldError, "Invalid field name(s) given in select_for_update(of=(...)): x"
        ):
            list(self.mine().select_for_update(of=("x",)))

    @skipUnlessDBFeature("has_select_for_update")
    def test_inner_join(self):
        topics = Topic.objects.alias_join(any=Record, join_type=JoinType.INNER)
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(
                list(topics.filter(any__value=3).select_for_update()), [self.c]
            )
        self.assertEqual(self.of(queries), "FOR UPDATE")
