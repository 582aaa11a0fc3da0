"""What databases do to find the rows of a join."""

import re

from django.db import connection
from django.db.models import Case, F, FilteredRelation, OuterRef, Q, Sum, When
from django.test import skipUnlessDBFeature

from .base import JoinTestCase
from .models import Record, SecondModel, Topic, User


class Plan:
    """The tables that a query searches by an index, and those it scans."""

    def __init__(self, queryset):
        self.text = queryset.explain()
        if connection.vendor == "sqlite":
            self.searched = re.findall(r"SEARCH (\w+)", self.text)
            self.scanned = re.findall(r"SCAN (\w+)", self.text)
        else:
            self.searched = re.findall(r"(\S+) (?:eq_ref|ref) ", self.text)
            self.scanned = re.findall(r"(\S+) (?:ALL|index) ", self.text)


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

    def setUp(self):
        if connection.vendor != "sqlite" and not (
            connection.vendor == "mysql" and connection.mysql_is_mariadb
        ):
            self.skipTest("The format of the plan is another.")

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
