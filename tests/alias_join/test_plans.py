"""What databases do to find the rows of a join."""

import datetime
import re
from unittest import SkipTest

from django.db.models import Case, F, FilteredRelation, OuterRef, Q, Sum, Value, When
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import JoinTestCase
from .models import Invoice, Rate, Record, SecondModel, Topic, User


class Plan:
    """The tables that a query searches by an index, and those it scans."""

    # What databases without LATERAL call that.
    formats = [
        (r"\bSEARCH (\w+)", r"\bSCAN (\w+)"),
        (r"(\S+) (?:eq_ref|ref) ", r"(\S+) (?:ALL|index) "),
    ]

    def __init__(self, queryset):
        self.text = queryset.explain()
        for searched, scanned in self.formats:
            self.searched = re.findall(searched, self.text)
            self.scanned = re.findall(scanned, self.text)
            if self.searched or self.scanned:
                return
        raise SkipTest(f"The format of the plan is another:\n{self.text}")


@skipIfDBFeature("supports_lateral_joins")
class LateralPlanTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        user = User.objects.create(name="may")
        topics = Topic.objects.bulk_create(Topic(name=str(n)) for n in range(100))
        Record.objects.bulk_create(
            Record(user=user, topic=topic, value=n)
            for topic in topics
            for n in range(9)
        )
        day = datetime.date(2024, 1, 1)
        Invoice.objects.bulk_create(
            Invoice(currency=n, issued=day, total=n) for n in range(100)
        )
        Rate.objects.bulk_create(
            Rate(currency=n, start=day, end=day, factor=m)
            for n in range(100)
            for m in range(9)
        )

    def test_one_row(self):
        records = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")
        for name, source in [
            ("rows", records[:1]),
            ("values", records.values("value")[:1]),
            ("unsliced", records),
        ]:
            with self.subTest(name):
                plan = Plan(Topic.objects.alias_join(it=source).values("it__value"))
                self.assertEqual(plan.scanned, ["alias_join_topic"], plan.text)

    def test_index_serves_ties(self):
        rates = Rate.objects.filter(currency=OuterRef("currency"))
        for ordering in ["-start", "start"]:
            with self.subTest(ordering):
                rate = rates.order_by(ordering)[:1]
                plan = Plan(Invoice.objects.alias_join(it=rate).values("it__factor"))
                self.assertEqual(plan.scanned, ["alias_join_invoice"], plan.text)
                self.assertNotRegex(plan.text, "TEMP B-TREE|filesort")

    def test_totals(self):
        records = Record.objects.filter(topic=OuterRef("pk"))
        totals = records.annotate(every=Value(1)).values("every")
        totals = totals.annotate(total=Sum("value"))
        for name, topics, scans in [
            ("all", Topic.objects.all(), 1),
            # The page itself, and what it is taken from.
            ("page", Topic.objects.order_by("name")[:25], 2),
        ]:
            with self.subTest(name):
                plan = Plan(topics.alias_join(it=totals).values("it__total"))
                self.assertEqual(len(plan.scanned), scans, plan.text)
                self.assertGreaterEqual(len(plan.searched), 2, plan.text)

    def test_onto_a_page(self):
        records = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")
        page = Topic.objects.order_by("name")[:25]
        for name, source in [
            ("rows", records[:1]),
            ("values", records.values("value")[:1]),
            ("unsliced", records),
        ]:
            with self.subTest(name):
                plan = Plan(page.alias_join(it=source).values("it__value"))
                # The page itself, and what it is taken from.
                self.assertEqual(len(plan.scanned), 2, plan.text)
                self.assertGreaterEqual(len(plan.searched), 1, plan.text)

    @skipUnlessDBFeature("allow_sliced_subqueries_with_in")
    def test_several_rows(self):
        records = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")
        plan = Plan(Topic.objects.alias_join(it=records[:3]).values("it__value"))
        self.assertEqual(plan.scanned, ["alias_join_topic"], plan.text)


@skipUnlessDBFeature("requires_typed_join_keys")
class TypedKeyPlanTests(JoinTestCase):
    """An index serves a join on a column that is computed."""

    def test_computed_key(self):
        me = User.objects.create(name="me")
        sums = SecondModel.objects.values(
            target=Case(When(from_member=me, then="to_member"), default="from_member")
        ).annotate(total=Sum("first_value"))
        users = User.objects.alias_join(
            it=FilteredRelation(sums, condition=Q(it__target=F("pk")))
        )
        self.assertFrom(
            users,
            "user LEFT OUTER JOIN",
            "(SELECT CAST(CASE ... END AS numeric) AS target, ...) it",
            "ON (it.target = user.id)",
        )
        self.assertRegex(
            users.values("it__total").explain(), "SEARCH it USING AUTOMATIC"
        )

    def test_column(self):
        sums = SecondModel.objects.values("to_member").annotate(
            total=Sum("first_value")
        )
        users = User.objects.alias_join(it=sums, on=Q(it__to_member=F("pk")))
        self.assertNotIn("CAST", self.sql(users))

    def test_not_compared(self):
        sums = SecondModel.objects.values(
            "to_member", total=F("first_value") + F("second_value")
        )
        users = User.objects.alias_join(
            it=sums, on=Q(it__to_member=F("pk"), it__total__gt=1)
        )
        self.assertNotIn("CAST", self.sql(users))
