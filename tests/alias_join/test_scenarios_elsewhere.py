"""What was asked for elsewhere."""

import datetime
from decimal import Decimal

from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from django.test import skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import Car, Egg, Event, Invoice, Kill, Rate, Record, Snake, Topic


class SeveralColumnsOfOneSubqueryTests(TopicTestCase):
    def test_the_subquery_is_written_once(self):
        topics = (
            Topic.objects.alias_join(
                s=Record.objects.values("topic").annotate(
                    n=Count("pk"), low=Min("value"), high=Max("value")
                )
            )
            .annotate(n=F("s__n"), low=F("s__low"), high=F("s__high"))
            .order_by("name")
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                [(topic.name, topic.n, topic.low, topic.high) for topic in topics],
                [("A", 2, 1, 4), ("B", 1, 5, 5), ("C", 2, 3, 6)],
            )
        self.assertEqual(self.sql(topics).count("SELECT"), 2)


class LatestRowsTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.cars = [Car.objects.create(plate=plate) for plate in ("a", "b", "c")]
        for car, kind, day, cost in [
            (0, "oil", 1, 10),
            (0, "tyre", 3, 30),
            (0, "wash", 2, 20),
            (1, "oil", 5, 50),
        ]:
            Event.objects.create(
                car=cls.cars[car],
                kind=kind,
                at=datetime.date(2020, 1, day),
                cost=cost,
            )

    def latest(self, n, **kwargs):
        events = Event.objects.filter(car=OuterRef("pk")).order_by("-at")[:n]
        return Car.objects.alias_join(last=events, **kwargs).order_by(
            "plate", "-last__at"
        )

    @skipUnlessDBFeature("supports_lateral_joins")
    def test_latest_row(self):
        self.assertRows(
            self.latest(1).values_list("plate", "last__kind", "last__cost"),
            [("a", "tyre", 30), ("b", "oil", 50), ("c", None, None)],
        )
        self.assertFrom(
            self.latest(1),
            "car LEFT OUTER JOIN LATERAL (SELECT ... LIMIT 1) last ON ...",
        )

    @skipUnlessDBFeature("supports_lateral_joins")
    def test_latest_two_rows(self):
        self.assertRows(
            self.latest(2, join_type=JoinType.INNER).values_list("plate", "last__kind"),
            [("a", "tyre"), ("a", "wash"), ("b", "oil")],
        )

    @skipUnlessDBFeature("supports_lateral_joins")
    def test_instances(self):
        with self.assertNumQueries(1):
            cars = [
                (car.plate, car.last and (car.last.kind, car.last.car.plate))
                for car in self.latest(1).select_related("last__car")
            ]
        self.assertEqual(cars, [("a", ("tyre", "a")), ("b", ("oil", "b")), ("c", None)])


class TablesWithoutForeignKeyTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        def day(month):
            return datetime.date(2020, month, 1)

        for currency, start, end, factor in [
            ("USD", 1, 3, "0.5"),
            ("USD", 3, 12, "0.25"),
            ("CHF", 1, 12, "2"),
        ]:
            Rate.objects.create(
                currency=currency, start=day(start), end=day(end), factor=factor
            )
        for currency, month, total in [
            ("USD", 2, "10.00"),
            ("USD", 3, "20.00"),
            ("CHF", 5, "30.00"),
            ("SEK", 6, "40.00"),
        ]:
            Invoice.objects.create(currency=currency, issued=day(month), total=total)

    def test_code(self):
        invoices = Invoice.objects.alias_join(
            rate=Rate, on=Q(rate__currency=F("currency"))
        ).order_by("issued", "rate__start")
        self.assertRows(
            invoices.values_list("total", "rate__factor"),
            [
                (Decimal("10.00"), Decimal("0.5")),
                (Decimal("10.00"), Decimal("0.25")),
                (Decimal("20.00"), Decimal("0.5")),
                (Decimal("20.00"), Decimal("0.25")),
                (Decimal("30.00"), Decimal("2")),
                (Decimal("40.00"), None),
            ],
        )

    def test_code_and_range(self):
        invoices = (
            Invoice.objects.alias_join(
                rate=Rate,
                on=Q(
                    rate__currency=F("currency"),
                    rate__start__lte=F("issued"),
                    rate__end__gt=F("issued"),
                ),
            )
            .annotate(total_eur=F("total") * F("rate__factor"))
            .order_by("issued")
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                [(invoice.currency, invoice.total_eur) for invoice in invoices],
                [
                    ("USD", Decimal("5")),
                    ("USD", Decimal("5")),
                    ("CHF", Decimal("60")),
                    ("SEK", None),
                ],
            )
        self.assertFrom(
            invoices,
            "invoice LEFT OUTER JOIN rate rate",
            "ON (rate.currency = invoice.currency AND rate.end > invoice.issued",
            "AND rate.start <= invoice.issued)",
        )

    def test_outer_column_between_joined_columns(self):
        invoices = Invoice.objects.alias_join(
            rate=Rate,
            on=Q(
                issued__range=(F("rate__start"), F("rate__end")),
                currency=F("rate__currency"),
            ),
        ).order_by("issued", "rate__start")
        self.assertRows(
            invoices.values_list("currency", "rate__factor"),
            [
                ("USD", Decimal("0.5")),
                ("USD", Decimal("0.5")),
                ("USD", Decimal("0.25")),
                ("CHF", Decimal("2")),
                ("SEK", None),
            ],
        )

    def test_invoices_without_a_rate(self):
        invoices = Invoice.objects.alias_join(
            rate=Rate, on=Q(rate__currency=F("currency"))
        )
        self.assertRows(
            invoices.filter(rate__isnull=True).values_list("currency"), [("SEK",)]
        )

    def test_sum_over_the_join(self):
        invoices = Invoice.objects.alias_join(
            rate=Rate,
            on=Q(
                rate__currency=F("currency"),
                rate__start__lte=F("issued"),
                rate__end__gt=F("issued"),
            ),
        )
        self.assertEqual(
            invoices.aggregate(eur=Sum(F("total") * F("rate__factor"))),
            {"eur": Decimal("70")},
        )


class TwoGroupedJoinsTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.kaa, cls.nagini, cls.sid = [
            Snake.objects.create(name=name) for name in ("Kaa", "Nagini", "Sid")
        ]
        for _ in range(3):
            Egg.objects.create(snake=cls.kaa)
        Egg.objects.create(snake=cls.nagini)
        for _ in range(4):
            Kill.objects.create(snake=cls.kaa)
        Kill.objects.create(snake=cls.sid)

    def snakes(self):
        return Snake.objects.alias_join(
            eggs=FilteredRelation(
                Egg.objects.values("snake").annotate(n=Count("pk")),
                condition=Q(eggs__snake=F("pk")),
            ),
            kills=FilteredRelation(
                Kill.objects.values("snake").annotate(n=Count("pk")),
                condition=Q(kills__snake=F("pk")),
            ),
        ).order_by("name")

    def test_counts_do_not_multiply(self):
        self.assertRows(
            self.snakes().values_list("name", "eggs__n", "kills__n"),
            [("Kaa", 3, 4), ("Nagini", 1, None), ("Sid", None, 1)],
        )
        self.assertFrom(
            self.snakes(),
            "snake LEFT OUTER JOIN (SELECT ... FROM egg ... GROUP BY ...) eggs",
            "ON (eggs.snake = snake.id)",
            "LEFT OUTER JOIN (SELECT ... FROM kill ... GROUP BY ...) kills",
            "ON (kills.snake = snake.id)",
        )

    def test_inferred(self):
        snakes = Snake.objects.alias_join(
            eggs=Egg.objects.values("snake").annotate(n=Count("pk")),
            kills=Kill.objects.values("snake").annotate(n=Count("pk")),
        )
        self.assertRows(
            snakes.order_by("name").values_list("name", "eggs__n", "kills__n"),
            [("Kaa", 3, 4), ("Nagini", 1, None), ("Sid", None, 1)],
        )

    def test_arithmetic_over_both(self):
        snakes = self.snakes().annotate(
            both=Coalesce("eggs__n", 0) + Coalesce("kills__n", 0)
        )
        self.assertEqual([snake.both for snake in snakes], [7, 1, 1])
        self.assertRows(
            snakes.filter(both__gt=F("eggs__n")).values_list("name"), [("Kaa",)]
        )

    def test_named_rows(self):
        with self.assertNumQueries(1):
            kaa, nagini, sid = self.snakes().select_related("eggs", "kills")
            self.assertEqual((kaa.eggs.n, kaa.kills.n), (3, 4))
            self.assertEqual(nagini.eggs.n, 1)
            self.assertIsNone(nagini.kills)
            self.assertIsNone(sid.eggs)

    def grouped(self):
        return (
            Egg.objects.values("snake")
            .annotate(n=Count("pk"))
            .alias_join(
                kills=Kill.objects.values("snake").annotate(n=Count("pk")),
                on=Q(kills__snake=F("snake")),
                join_type=JoinType.FULL,
            )
            .annotate(who=Coalesce("snake", "kills__snake"))
            .order_by("who")
            .values_list("who", "n", "kills__n")
        )

    @skipUnlessDBFeature("supports_right_join")
    def test_full_join_of_two_grouped_querysets(self):
        self.assertRows(
            self.grouped(),
            [(self.kaa.pk, 3, 4), (self.nagini.pk, 1, None), (self.sid.pk, None, 1)],
        )

    @skipUnlessDBFeature("supports_full_join")
    def test_full_join_of_two_grouped_querysets_sql(self):
        self.assertFrom(
            self.grouped(),
            "(SELECT ... FROM egg ... GROUP BY ...) ...",
            "FULL OUTER JOIN (SELECT ... FROM kill ... GROUP BY ...) kills ON (...)",
        )


class JoinedQuerysetUsedAgainTests(TopicTestCase):
    def mine(self):
        """Topics A and C."""
        return Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        ).filter(mine__value__gte=1)

    def test_in_exists(self):
        self.assertRows(
            Record.objects.filter(
                Exists(self.mine().filter(pk=OuterRef("topic"))), user=self.may
            )
            .order_by("value")
            .values_list("value"),
            [(4,), (6,)],
        )
        self.assertRows(
            Record.objects.filter(
                ~Exists(self.mine().filter(pk=OuterRef("topic")))
            ).values_list("value"),
            [(5,)],
        )

    def test_in_in(self):
        self.assertRows(
            Record.objects.filter(topic__in=self.mine(), user=self.may)
            .order_by("value")
            .values_list("value"),
            [(4,), (6,)],
        )
        self.assertRows(
            Record.objects.exclude(topic__in=self.mine()).values_list("value"),
            [(5,)],
        )

    def test_outer_reference_to_the_alias(self):
        better = Record.objects.filter(
            topic=OuterRef("pk"), value__gt=OuterRef("mine__value")
        )
        self.assertRows(
            self.mine()
            .annotate(better=Subquery(better.values("value")[:1]))
            .order_by("name")
            .values_list("name", "mine__value", "better"),
            [("A", 1, 4), ("C", 3, 6)],
        )

    def test_in_union(self):
        low = self.mine().filter(mine__value=1).values_list("name", "mine__value")
        high = self.mine().filter(mine__value=3).values_list("name", "mine__value")
        self.assertRows(low.union(high).order_by("name"), [("A", 1), ("C", 3)])

    def test_as_the_source_of_another_join(self):
        records = Record.objects.filter(user=self.may).alias_join(
            seen=self.mine().values("pk", johnnys=F("mine__value")),
            on=Q(seen__pk=F("topic")),
        )
        self.assertRows(
            records.order_by("value").values_list("value", "seen__johnnys"),
            [(4, 1), (5, None), (6, 3)],
        )

    def test_rows_of_a_joined_queryset_as_a_source(self):
        records = Record.objects.filter(user=self.may).alias_join(seen=self.mine())
        self.assertRows(
            records.order_by("value").values_list("value", "seen__name"),
            [(4, "A"), (5, None), (6, "C")],
        )
