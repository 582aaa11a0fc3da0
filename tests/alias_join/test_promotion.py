"""
Kinds of join: which may turn into another, and what happens after it.

A LEFT JOIN becomes an INNER JOIN where a filter makes both equal. INNER and
CROSS joins stay. After a RIGHT or FULL join no later join drops rows.
"""

from django.db import connection
from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    JoinType,
    OuterRef,
    Q,
    Value,
)
from django.db.models.functions import Abs, Cast, Coalesce
from django.db.models.lookups import Exact
from django.test import skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase, from_clause
from .models import City, Country, Employee, Record, Topic, User


class LeftTests(TopicTestCase):
    def topics(self):
        return Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        ).order_by("name")

    def assertJoinType(self, queryset, join_type):
        self.assertFrom(queryset, f"topic {join_type} JOIN (SELECT ...) mine ON (...)")

    def test_stays(self):
        self.assertJoinType(self.topics(), "LEFT OUTER")
        self.assertRows(self.topics(), [self.a, self.b, self.c])

    def test_filter_demotes(self):
        for condition, rows in [
            (Q(mine__value=1), [self.a]),
            (Q(mine__value__gt=0), [self.a, self.c]),
            (Q(mine__user=self.johnny), [self.a, self.c]),
            (Q(mine__in=Record.objects.filter(value=3)), [self.c]),
            (Q(mine__isnull=False), [self.a, self.c]),
            (Q(mine__value=1) & Q(mine__user__name="johnny"), [self.a]),
            (Q(mine__value=1) | Q(mine__value=3), [self.a, self.c]),
            (Q(name="A") & Q(mine__value=1), [self.a]),
            (~~Q(mine__value=1), [self.a]),
        ]:
            with self.subTest(condition=condition):
                topics = self.topics().filter(condition)
                self.assertRows(topics, rows)
                if "user__name" not in str(condition):
                    self.assertJoinType(topics, "INNER")

    def test_filter_on_the_right_side_demotes(self):
        value = F("mine__value")
        for condition in [
            Q(pk__gt=value - 5),
            Q(pk__gt=Abs(value) - Value(5)),
            Q(pk__gt=Cast(value - 5, IntegerField())),
            Q(pk__range=(value - 5, 1_000_000)),
            Q(pk__range=[Value(0), 1_000_000 * value]),
        ]:
            with self.subTest(condition=condition):
                topics = self.topics().filter(condition)
                self.assertRows(topics, [self.a, self.c])
                self.assertJoinType(topics, "INNER")

    def test_filter_that_unmatched_rows_pass_does_not(self):
        for condition, rows in [
            (Q(mine__isnull=True), [self.b]),
            (Q(mine__value=1) | Q(name="B"), [self.a, self.b]),
            (Q(name="B") | Q(mine__value=1), [self.a, self.b]),
            (Q(mine__value=1) | Q(mine__isnull=True), [self.a, self.b]),
            (~Q(mine__value=1), [self.b, self.c]),
            (~Q(mine__value__gt=0), [self.b]),
            (~(Q(mine__value=1) & Q(name="A")), [self.b, self.c]),
        ]:
            with self.subTest(condition=condition):
                topics = self.topics().filter(condition)
                self.assertRows(topics, rows)
                self.assertJoinType(topics, "LEFT OUTER")

    def test_exclusive_or(self):
        topics = self.topics().filter(Q(mine__value=1) ^ Q(name="B"))
        self.assertRows(topics, [self.a, self.b])
        self.assertJoinType(topics, "LEFT OUTER")

    def test_exclude_does_not(self):
        topics = self.topics().exclude(mine__value=1)
        self.assertRows(topics, [self.b, self.c])
        self.assertJoinType(topics, "LEFT OUTER")

    def test_demoted_by_one_of_several_filters(self):
        for topics in (
            self.topics().filter(mine__value__gt=0).exclude(mine__value=3),
            self.topics().exclude(mine__value=3).filter(mine__value__gt=0),
            self.topics().filter(~Q(mine__value=3), mine__value__gt=0),
        ):
            self.assertRows(topics, [self.a])

    def test_expressions_do_not(self):
        for topics in (
            self.topics().annotate(x=F("mine__value")),
            self.topics().annotate(x=Coalesce("mine__value", 0)).filter(x=0),
            self.topics().order_by("mine__value"),
            self.topics().annotate(n=Count("mine")),
            self.topics().values("mine__value"),
        ):
            with self.subTest(topics=str(topics.query)):
                self.assertJoinType(topics, "LEFT OUTER")
        self.assertRows(
            self.topics().annotate(x=Coalesce("mine__value", 0)).filter(x=0), [self.b]
        )

    def test_filter_on_an_annotation_does_not_lose_rows(self):
        topics = self.topics().annotate(x=F("mine__value"))
        self.assertRows(topics.filter(x=1), [self.a])
        self.assertRows(topics.filter(Q(x=1) | Q(name="B")), [self.a, self.b])

    def test_joins_beyond(self):
        """What is beyond a LEFT join is LEFT, until a filter demotes both."""
        topics = self.topics().order_by("name", "mine__user__name")
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN (SELECT ...) mine ON (...)",
            "LEFT OUTER JOIN user ON (...)",
        )
        self.assertRows(topics, [self.a, self.b, self.c])
        topics = topics.filter(mine__user__name="johnny")
        self.assertFrom(
            topics,
            "topic INNER JOIN (SELECT ...) mine ON (...) INNER JOIN user ON (...)",
        )
        self.assertRows(topics, [self.a, self.c])

    def test_select_related_beyond(self):
        topics = self.topics().select_related("mine__user")
        self.assertEqual(len(topics), 3)
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN (SELECT ...) mine ON (...)",
            "LEFT OUTER JOIN user ON (...)",
        )

    def test_demoted_join_that_another_join_refers_to(self):
        topics = (
            self.topics()
            .alias_join(twin=Record, on=Q(twin__value=F("mine__value") + 3))
            .filter(twin__value=4)
        )
        self.assertRows(topics, [self.a])

    def test_relation_name(self):
        topics = Topic.objects.alias_join(
            mine=FilteredRelation("record", condition=Q(record__user=self.johnny))
        ).order_by("name")
        self.assertRows(topics, [self.a, self.b, self.c])
        self.assertRows(topics.filter(mine__value=1), [self.a])
        self.assertRows(topics.filter(Q(mine__value=1) | Q(name="B")), [self.a, self.b])


class InnerTests(TopicTestCase):
    def topics(self):
        return Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny), join_type=JoinType.INNER
        ).order_by("name")

    def test_never_promoted(self):
        for topics, rows in [
            (self.topics(), [self.a, self.c]),
            (self.topics().filter(mine__isnull=True), []),
            (self.topics().exclude(mine__value=1), [self.c]),
            (
                self.topics().filter(Q(mine__value=1) | Q(name__in="ABC")),
                [self.a, self.c],
            ),
            (self.topics().filter(Q(name="B") | Q(mine__value=1)), [self.a]),
            (self.topics().filter(~Q(mine__value=1) | Q(name="A")), [self.a, self.c]),
            (self.topics().filter(Q(mine__value=1) ^ Q(name="C")), [self.a, self.c]),
            (self.topics().select_related("mine__user"), [self.a, self.c]),
            (self.topics().order_by("mine__user__name", "name"), [self.a, self.c]),
            (self.topics().annotate(n=Count("mine")), [self.a, self.c]),
        ]:
            with self.subTest(topics=str(topics.query)):
                self.assertRows(topics, rows)
                self.assertIn("topic INNER JOIN (SELECT", from_clause(self.sql(topics)))

    def test_under_a_negated_or(self):
        topics = self.topics().filter(~(Q(mine__value=1) | Q(name="B")))
        self.assertRows(topics, [self.c])

    def test_combined_with_and(self):
        self.assertRows(
            self.topics() & self.topics().filter(Q(mine__value=1) | Q(name="C")),
            [self.a, self.c],
        )

    def test_relation_name(self):
        topics = Topic.objects.alias_join(
            mine=FilteredRelation(
                "record",
                condition=Q(record__user=self.johnny),
                join_type=JoinType.INNER,
            )
        ).order_by("name")
        self.assertRows(topics, [self.a, self.c])
        self.assertRows(topics.filter(Q(mine__value=1) | Q(name="B")), [self.a])

    def test_relations_on_the_way(self):
        users = User.objects.order_by("name").alias_join(
            topic=FilteredRelation(
                "record__topic",
                condition=Q(record__topic__name="B"),
                join_type=JoinType.INNER,
            )
        )
        self.assertRows(users, [self.may])
        self.assertRows(users.filter(Q(name="johnny") | Q(topic__name="B")), [self.may])
        self.assertRows(users.exclude(topic__name="B"), [])

    def test_relation_to_many_after_one_to_many(self):
        users = Topic.objects.order_by("name").alias_join(
            twin=FilteredRelation(
                "record__user__record",
                condition=Q(record__user__record__value=5),
                join_type=JoinType.INNER,
            )
        )
        self.assertRows(
            users.values_list("name", "twin__value"), [("A", 5), ("B", 5), ("C", 5)]
        )

    def test_relation_in_use_on_the_way(self):
        ceo = Employee.objects.create(name="ceo")
        boss = Employee.objects.create(name="boss", boss=ceo)
        worker = Employee.objects.create(name="worker", boss=boss)
        top = FilteredRelation("boss__boss", join_type=JoinType.INNER)
        employees = Employee.objects.order_by("boss__name", "name")
        self.assertRows(employees.alias_join(top=top), [worker])
        self.assertRows(
            employees.alias_join(top=top).filter(Q(boss=None) | Q(boss__boss=ceo)),
            [worker],
        )
        self.assertRows(
            employees.annotate(top=top).values_list("name", "top__name"),
            [("worker", "ceo")],
        )

    def test_after_a_left_join(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        ).alias_join(twin=Record, on=Q(twin__value=F("mine__value")), join_type="inner")
        self.assertRows(topics.order_by("name"), [self.a, self.c])


class CrossTests(TopicTestCase):
    def topics(self):
        return Topic.objects.alias_join(who=User, join_type=JoinType.CROSS)

    def test_every_pair(self):
        self.assertRows(
            self.topics()
            .order_by("name", "who__name")
            .values_list("name", "who__name"),
            [(name, user) for name in "ABC" for user in ("johnny", "may")],
        )
        self.assertFrom(self.topics(), "topic CROSS JOIN user who")

    def test_never_promoted(self):
        for topics, count in [
            (self.topics(), 6),
            (self.topics().filter(Q(who__name="may") | Q(name="A")), 4),
            (self.topics().exclude(who__name="may"), 3),
            (self.topics().filter(who__isnull=True), 0),
            (self.topics().filter(~Q(who__name="may") | Q(name="A")), 4),
            (self.topics().filter(Q(who__record__value=1) | Q(name="B")), 7),
        ]:
            with self.subTest(topics=str(topics.query)):
                self.assertEqual(topics.count(), count)
                self.assertEqual(len(topics), count)
                self.assertIn("CROSS JOIN user who", self.sql(topics))

    def test_queryset(self):
        topics = Topic.objects.alias_join(
            who=User.objects.filter(name="may"), join_type="cross"
        )
        self.assertEqual(topics.count(), 3)

    def test_empty(self):
        topics = Topic.objects.alias_join(
            who=User.objects.filter(name="nobody"), join_type="cross"
        )
        self.assertRows(topics, [])

    def test_select_related(self):
        topics = self.topics().select_related("who").order_by("name", "who__name")
        with self.assertNumQueries(1):
            self.assertEqual(topics[1].who, self.may)


class OuterTestCase(JoinTestCase):
    """
    | city    | country |         | country |
    |---------|---------|         |---------|
    | Graz    | at      |         | at      |
    | Nowhere |         |         | de      |
    """

    @classmethod
    def setUpTestData(cls):
        cls.at = Country.objects.create(code="at", name="Austria")
        cls.de = Country.objects.create(code="de", name="Germany")
        cls.graz = City.objects.create(name="Graz", country=cls.at)
        cls.nowhere = City.objects.create(name="Nowhere")
        Employee.objects.create(name="Graz", salary=1)
        Employee.objects.create(name="Germany", salary=2)

    def names(self, cities):
        return cities.order_by("c__name", "name").values_list("name", "c__name")


@skipUnlessDBFeature("supports_right_join")
class RightTests(OuterTestCase):
    def cities(self, base=None):
        base = City.objects.all() if base is None else base
        return base.alias_join(c=Country, join_type=JoinType.RIGHT)

    def test_rows(self):
        self.assertRows(
            self.names(self.cities()), [("Graz", "Austria"), (None, "Germany")]
        )
        self.assertFrom(self.cities(), "city RIGHT OUTER JOIN country c ON (...)")

    def test_never_changed(self):
        for condition, rows in [
            (Q(c__name="Germany"), [(None, "Germany")]),
            (Q(name="Graz"), [("Graz", "Austria")]),
            (Q(name__isnull=True), [(None, "Germany")]),
            (Q(pk__isnull=True), [(None, "Germany")]),
            (~Q(name="Graz"), [(None, "Germany")]),
            (
                Q(name="Graz") | Q(c__code="de"),
                [("Graz", "Austria"), (None, "Germany")],
            ),
            (Q(c__isnull=True), []),
        ]:
            with self.subTest(condition=condition):
                cities = self.cities().filter(condition)
                self.assertRows(self.names(cities), rows)
                self.assertIn("RIGHT OUTER JOIN", self.sql(cities))

    def test_earlier_filter_is_kept(self):
        """It applies to the cities, not to the countries without one."""
        cities = self.cities(City.objects.filter(name="Nowhere"))
        self.assertRows(self.names(cities), [(None, "Austria"), (None, "Germany")])

    def test_earlier_annotation_is_kept(self):
        """The countries without a city have none."""
        for value in [Value(7), Coalesce("pk", 7), Coalesce("country", Value("?"))]:
            with self.subTest(value=value):
                cities = self.cities(City.objects.annotate(x=value))
                self.assertRows(
                    cities.filter(x__isnull=True).values_list("c__name", "x"),
                    [("Germany", None)],
                )
                self.assertEqual(cities.exclude(x=value).count(), 1)
                hidden = self.cities(City.objects.alias(x=value))
                self.assertEqual(hidden.filter(x=value).count(), 1)

    def test_beside_a_union(self):
        names = Employee.objects.values("name")
        inner = {"join_type": JoinType.INNER}
        cities = self.cities().alias_join(
            e=names.union(names, all=True), on=Q(e__name=F("name")), **inner
        )
        cities = cities.alias_join(other=City, on=Q(other__pk=F("pk")), **inner)
        self.assertRows(
            cities.values_list("name", "c__name", "e__name"),
            [("Graz", "Austria", "Graz")] * 2,
        )

    def test_after_an_inner_join_without_rows(self):
        """Whether or not a database sees that a condition never holds."""
        for condition in [
            Q(e__name__in=[]),
            Q(Exact(Value(1), 2), e__salary=1),
            Q(e__salary__lt=F("e__salary")),
        ]:
            base = City.objects.alias_join(
                e=Employee, on=condition, join_type=JoinType.INNER
            )
            with self.subTest(condition=condition):
                self.assertRows(
                    self.names(self.cities(base)),
                    [(None, "Austria"), (None, "Germany")],
                )

    def test_later_joins_are_outer(self):
        cities = self.cities().order_by("c__name")
        for later in (
            cities.order_by("c__name", "country__name"),
            cities.annotate(x=F("country__name")),
            cities.alias_join(e=Employee, on=Q(e__name=F("name"))),
        ):
            with self.subTest(later=str(later.query)):
                self.assertRows(
                    later.values_list("name", "c__name"),
                    [("Graz", "Austria"), (None, "Germany")],
                )
        self.assertRows(
            cities.values_list("country__name", "c__name"),
            [("Austria", "Austria"), (None, "Germany")],
        )

    def test_path_along_a_not_null_foreign_key(self):
        user = User.objects.create(name="u")
        topic = Topic.objects.create(name="t")
        Topic.objects.create(name="unseen")
        Record.objects.create(user=user, topic=topic, value=1)
        records = Record.objects.alias_join(
            t=Topic, on=Q(t__pk=F("topic")), join_type=JoinType.RIGHT
        ).order_by("t__name")
        self.assertRows(
            records.values_list("user__name", "topic__name", "t__name"),
            [("u", "t", "t"), (None, None, "unseen")],
        )
        self.assertRows(
            records.filter(Q(user__name="u") | Q(t__name="unseen")).values_list(
                "t__name"
            ),
            [("t",), ("unseen",)],
        )
        self.assertRows(
            records.exclude(user__name="u").values_list("t__name"), [("unseen",)]
        )

    def test_instances_are_refused(self):
        msg = "RIGHT or FULL join returned a row without a row of the queryset's model"
        with self.assertRaisesMessage(ValueError, msg):
            list(self.cities())
        with self.assertRaisesMessage(ValueError, msg):
            list(self.cities().iterator())
        self.assertRows(self.cities().filter(pk__isnull=False), [self.graz])

    def test_instances_where_each_row_has_one(self):
        Country.objects.filter(code="de").delete()
        self.assertRows(self.cities(), [self.graz])

    def test_count_and_aggregate(self):
        self.assertEqual(self.cities().count(), 2)
        self.assertEqual(
            self.cities().aggregate(n=Count("pk"), c=Count("c")), {"n": 1, "c": 2}
        )

    def test_in_a_subquery(self):
        countries = Country.objects.filter(
            Exists(self.cities().filter(pk=None, c__code=OuterRef("code")))
        )
        self.assertRows(countries, [self.de])
        self.assertRows(
            Country.objects.filter(code__in=self.cities().values("c__code")).order_by(
                "code"
            ),
            [self.at, self.de],
        )

    def test_queryset(self):
        cities = City.objects.alias_join(
            c=Country.objects.filter(code="de"), join_type=JoinType.RIGHT
        )
        self.assertRows(self.names(cities), [(None, "Germany")])

    def test_as_a_source(self):
        source = self.cities().values(city=F("name"), code=F("c__code"))
        countries = Country.objects.alias_join(s=source, on=Q(s__code=F("code")))
        self.assertRows(
            countries.order_by("code").values_list("code", "s__city"),
            [("at", "Graz"), ("de", None)],
        )
        self.assertRows(countries.filter(s__isnull=True), [])


@skipUnlessDBFeature("supports_right_join")
class FullTests(OuterTestCase):
    def cities(self, base=None):
        base = City.objects.all() if base is None else base
        return base.alias_join(c=Country, join_type=JoinType.FULL)

    def rows(self, cities):
        with self.assertNumQueries(1):
            return sorted(
                cities.values_list("name", "c__name"),
                key=lambda row: [value or "" for value in row],
            )

    def test_rows(self):
        self.assertEqual(
            self.rows(self.cities()),
            [(None, "Germany"), ("Graz", "Austria"), ("Nowhere", None)],
        )

    @skipUnlessDBFeature("supports_full_join")
    def test_sql(self):
        self.assertFrom(self.cities(), "city FULL OUTER JOIN country c ON (...)")

    def test_never_changed(self):
        join_type = "FULL" if connection.features.supports_full_join else "RIGHT"
        for condition, rows in [
            (Q(c__name="Austria"), [("Graz", "Austria")]),
            (Q(name="Nowhere"), [("Nowhere", None)]),
            (Q(c__isnull=True), [("Nowhere", None)]),
            (Q(pk=None), [(None, "Germany")]),
            (~Q(c__name="Austria"), [(None, "Germany"), ("Nowhere", None)]),
            (~Q(name="Graz"), [(None, "Germany"), ("Nowhere", None)]),
            (
                Q(name="Nowhere") | Q(c__code="de"),
                [(None, "Germany"), ("Nowhere", None)],
            ),
        ]:
            with self.subTest(condition=condition):
                cities = self.cities().filter(condition)
                self.assertEqual(self.rows(cities), rows)
                self.assertIn(f"city {join_type} OUTER JOIN", self.sql(cities))

    def test_earlier_filter_is_kept(self):
        cities = self.cities(City.objects.filter(name="Nowhere"))
        self.assertEqual(
            self.rows(cities),
            [(None, "Austria"), (None, "Germany"), ("Nowhere", None)],
        )

    def test_earlier_annotation_is_kept(self):
        cities = self.cities(City.objects.annotate(x=Value(7)))
        self.assertEqual(self.rows(cities.filter(x=None)), [(None, "Germany")])

    def test_after_an_inner_join_without_rows(self):
        base = City.objects.alias_join(
            e=Employee, on=Q(e__name__in=[]), join_type=JoinType.INNER
        )
        self.assertEqual(
            self.rows(self.cities(base)), [(None, "Austria"), (None, "Germany")]
        )

    def test_later_joins_are_outer(self):
        cities = self.cities().order_by("country__name")
        self.assertEqual(len(self.rows(cities)), 3)
        cities = self.cities().alias_join(e=Employee, on=Q(e__name=F("name")))
        self.assertEqual(len(self.rows(cities)), 3)

    def test_instances_are_refused(self):
        with self.assertRaisesMessage(ValueError, "RIGHT or FULL"):
            list(self.cities())
        self.assertRows(
            self.cities().filter(pk__isnull=False).order_by("name"),
            [self.graz, self.nowhere],
        )

    def test_two(self):
        cities = self.cities().alias_join(
            e=Employee,
            on=Q(e__name=Coalesce("name", "c__name")),
            join_type=JoinType.FULL,
        )
        Employee.objects.create(name="nobody", salary=3)
        with self.assertNumQueries(1):
            self.assertCountEqual(
                cities.values_list("name", "c__name", "e__salary"),
                [
                    ("Graz", "Austria", 1),
                    ("Nowhere", None, None),
                    (None, "Germany", 2),
                    (None, None, 3),
                ],
            )
