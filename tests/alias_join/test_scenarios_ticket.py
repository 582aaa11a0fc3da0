"""What was asked for in ticket #29262."""

import datetime

from django.core.paginator import Paginator
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    FilteredRelation,
    JoinType,
    Q,
    StringAgg,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat
from django.test import skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import (
    Book,
    Car,
    Event,
    Foo,
    Main,
    Other,
    Reading,
    Record,
    SecondModel,
    Through,
    Topic,
    User,
)


class ListViewTests(TopicTestCase):
    """A joined queryset is handed to code that knows nothing of the join."""

    def list_view(self, queryset, search=None, ordering=("name",), page=1):
        if search:
            queryset = queryset.filter(**search)
        queryset = queryset.order_by(*ordering)
        paginator = Paginator(queryset, 2)
        return paginator.count, list(paginator.page(page))

    def test_filters_sorts_counts_and_paginates(self):
        topics = Topic.objects.alias_join(mine=Record.objects.filter(user=self.may))
        for kwargs, expected in [
            ({}, (3, [self.a, self.b])),
            ({"page": 2}, (3, [self.c])),
            ({"ordering": ["-mine__value"]}, (3, [self.c, self.b])),
            ({"search": {"mine__value": 5}}, (1, [self.b])),
            (
                {"search": {"mine__value__gt": 4}, "ordering": ["-name"]},
                (2, [self.c, self.b]),
            ),
        ]:
            with self.subTest(kwargs), self.assertNumQueries(2):
                self.assertEqual(self.list_view(topics, **kwargs), expected)

    def test_arbitrary_data_with_extra_conditions(self):
        """Neither side of the ON needs to be a relation."""
        topics = Topic.objects.alias_join(
            high=FilteredRelation(
                Record.objects.values("topic_id", "value", who=F("user__name")),
                condition=Q(high__topic_id=F("pk"))
                & (Q(high__value__gt=5) | Q(high__who="johnny", high__value__lt=2)),
            )
        ).order_by("name")
        self.assertRows(
            topics.values_list("name", "high__who", "high__value"),
            [("A", "johnny", 1), ("B", None, None), ("C", "may", 6)],
        )


class GroupsWithARowTests(JoinTestCase):
    """Groups, each with one more row of the table that they were made from."""

    @classmethod
    def setUpTestData(cls):
        for related_id, letter in [(1, "A"), (2, "B")]:
            for type in range(1, 6):
                Foo.objects.create(
                    related_id=related_id, value=f"{letter}{type}", type=type
                )

    def groups(self, type):
        pair = Concat("value", Value(":"), Cast("type", CharField()))
        return (
            Foo.objects.values("related_id")
            .annotate(pairs=StringAgg(pair, Value(",")))
            .alias_join(
                one=FilteredRelation(
                    Foo,
                    condition=Q(one__related_id=F("related_id"), one__type=type),
                )
            )
            .values_list("related_id", "pairs", "one__value")
        )

    def assertGroups(self, groups, expected):
        """Assert the groups. An aggregate's values come in any order."""
        with self.assertNumQueries(1):
            self.assertEqual(
                [
                    (related_id, sorted(pairs.split(",")), value)
                    for related_id, pairs, value in groups
                ],
                expected,
            )

    def test_ordered_by_the_joined_value(self):
        groups = self.groups(3)
        a = (1, ["A1:1", "A2:2", "A3:3", "A4:4", "A5:5"], "A3")
        b = (2, ["B1:1", "B2:2", "B3:3", "B4:4", "B5:5"], "B3")
        self.assertGroups(groups.order_by("one__value"), [a, b])
        self.assertGroups(groups.order_by("-one__value"), [b, a])
        self.assertFrom(
            groups,
            "(SELECT ... FROM foo ... GROUP BY ...) ...",
            "LEFT OUTER JOIN foo one",
            "ON (one.related_id = ....related_id AND one.type = %s)",
        )

    def test_no_group_is_lost(self):
        Foo.objects.filter(value="B3").update(type=9)
        self.assertGroups(
            self.groups(3).order_by("related_id"),
            [
                (1, ["A1:1", "A2:2", "A3:3", "A4:4", "A5:5"], "A3"),
                (2, ["B1:1", "B2:2", "B3:9", "B4:4", "B5:5"], None),
            ],
        )

    def test_count(self):
        self.assertEqual(self.groups(3).count(), 2)


class SumsOfConversationTests(JoinTestCase):
    """
    Every user beside the sums of what they and I exchanged in two weeks.
    """

    @classmethod
    def setUpTestData(cls):
        cls.me, cls.ann, cls.bob, cls.cid = [
            User.objects.create(name=name) for name in ("me", "ann", "bob", "cid")
        ]
        for day, sender, receiver, first, second in [
            (1, cls.me, cls.ann, 1, 10),
            (2, cls.ann, cls.me, 2, 20),
            (3, cls.me, cls.bob, 4, 40),
            (4, cls.ann, cls.bob, 8, 80),
            (28, cls.bob, cls.me, 16, 160),
            (28, cls.cid, cls.me, 32, 320),
        ]:
            SecondModel.objects.create(
                date=datetime.date(2018, 4, day),
                from_member=sender,
                to_member=receiver,
                first_value=first,
                second_value=second,
            )

    def users(self):
        sums = (
            SecondModel.objects.filter(
                Q(from_member=self.me) | Q(to_member=self.me),
                date__range=(datetime.date(2018, 4, 1), datetime.date(2018, 4, 14)),
            )
            .annotate(
                target=Case(
                    When(from_member=self.me, then=F("to_member")),
                    default=F("from_member"),
                )
            )
            .values("target")
            .annotate(first=Sum("first_value"), second=Sum("second_value"))
            .annotate(total=F("first") + F("second"))
        )
        return (
            User.objects.alias_join(sums=sums, on=Q(sums__target=F("pk")))
            .exclude(pk=self.me.pk)
            .order_by("name")
        )

    def test_rows(self):
        self.assertRows(
            self.users().values_list(
                "name", "sums__first", "sums__second", "sums__total"
            ),
            [
                ("ann", 3, 30, 33),
                ("bob", 4, 40, 44),
                ("cid", None, None, None),
            ],
        )
        self.assertFrom(
            self.users(),
            "user LEFT OUTER JOIN",
            "(SELECT ... FROM secondmodel ... GROUP BY ...) sums",
            "ON (sums.target = user.id)",
        )

    def test_missing_sums_as_zero(self):
        users = self.users().annotate(total=Coalesce("sums__total", 0))
        with self.assertNumQueries(1):
            self.assertEqual(
                [(user.name, user.total) for user in users],
                [("ann", 33), ("bob", 44), ("cid", 0)],
            )
        self.assertRows(users.filter(total=0), [self.cid])

    def test_columns_of_model_instances(self):
        users = self.users().select_related("sums")
        with self.assertNumQueries(1):
            ann, bob, cid = users
            self.assertEqual(ann.sums.first, 3)
            self.assertEqual(bob.sums.total, 44)
            self.assertIsNone(cid.sums)
        self.assertEqual(users[0].sums.second, 30)

    def test_filter_exclude_and_order_by(self):
        users = self.users()
        self.assertRows(users.filter(sums__total__gt=33), [self.bob])
        self.assertRows(users.filter(sums__isnull=True), [self.cid])
        self.assertRows(users.exclude(sums__first=3), [self.bob, self.cid])
        self.assertRows(
            users.order_by(F("sums__total").desc(nulls_last=True)),
            [self.bob, self.ann, self.cid],
        )

    def test_aggregate(self):
        self.assertEqual(
            self.users().aggregate(all=Sum("sums__total"), users=Count("pk")),
            {"all": 77, "users": 3},
        )


class ConditionsAtAnyDepthTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann, cls.bob = [User.objects.create(name=name) for name in ("ann", "bob")]
        cls.dune, cls.emma = [
            Book.objects.create(title=title) for title in ("Dune", "Emma")
        ]
        Reading.objects.create(user=cls.ann, book=cls.dune, rating=5)
        Reading.objects.create(user=cls.ann, book=cls.emma, rating=2)
        Reading.objects.create(user=cls.bob, book=cls.emma, rating=4)

    def test_relation_beyond_a_relation(self):
        users = User.objects.alias_join(
            d=FilteredRelation(
                "reading__book", condition=Q(reading__book__title__startswith="D")
            )
        ).order_by("name", F("d__title").asc(nulls_last=True))
        self.assertRows(
            users.values_list("name", "d__title"),
            [("ann", "Dune"), ("ann", None), ("bob", None)],
        )

    def test_join_beyond_a_join(self):
        users = User.objects.alias_join(
            r=FilteredRelation(Reading, condition=Q(r__user=F("pk"), r__rating__gte=4)),
            d=FilteredRelation(
                Book, condition=Q(d__pk=F("r__book"), d__title__startswith="D")
            ),
        ).order_by("name")
        self.assertRows(
            users.values_list("name", "r__rating", "d__title"),
            [("ann", 5, "Dune"), ("bob", 4, None)],
        )
        self.assertFrom(
            users,
            "user LEFT OUTER JOIN reading r",
            "ON (r.rating >= %s AND r.user_id = user.id)",
            "LEFT OUTER JOIN book d",
            "ON (d.id = r.book_id AND d.title... LIKE ...)",
        )

    def test_condition_on_the_outer_models_relations(self):
        readings = Reading.objects.alias_join(
            other=FilteredRelation(
                Reading,
                condition=Q(other__book=F("book"), book__title__startswith="E")
                & ~Q(other__pk=F("pk")),
            )
        ).order_by("pk")
        self.assertRows(
            readings.values_list("user__name", "book__title", "other__rating"),
            [("ann", "Dune", None), ("ann", "Emma", 4), ("bob", "Emma", 2)],
        )


class DistinctDerivedTableTests(JoinTestCase):
    """
    A filter joins a derived table; the view then orders and limits the rows.
    """

    @classmethod
    def setUpTestData(cls):
        cls.x, cls.y = [Other.objects.create(name=name) for name in "xy"]
        cls.mains = [Main.objects.create(name=str(n)) for n in range(4)]
        Through.objects.create(main=cls.mains[0], other=cls.x)
        Through.objects.create(main=cls.mains[2], other=cls.x)
        Through.objects.create(main=cls.mains[2], other=cls.x)
        Through.objects.create(main=cls.mains[3], other=cls.y)

    def filtered(self, join_type=JoinType.LEFT):
        return Main.objects.alias_join(
            marked=Through.objects.filter(other=self.x).values("main").distinct(),
            join_type=join_type,
        )

    def test_left(self):
        self.assertRows(
            self.filtered().order_by("id").values_list("id", "marked__main"),
            [
                (main.pk, main.pk if index in (0, 2) else None)
                for index, main in enumerate(self.mains)
            ],
        )
        self.assertFrom(
            self.filtered(),
            "main LEFT OUTER JOIN",
            "(SELECT DISTINCT ... FROM through ... WHERE ....other_id = %s) marked",
            "ON (marked.main = main.id)",
        )

    def test_inner_with_the_views_ordering_and_limit(self):
        self.assertRows(
            self.filtered(JoinType.INNER).order_by("-id"),
            [self.mains[2], self.mains[0]],
        )
        self.assertRows(
            self.filtered(JoinType.INNER).order_by("-id")[:1], [self.mains[2]]
        )

    def test_join_type_by_its_value(self):
        self.assertRows(
            self.filtered("inner").order_by("-id")[:1],
            [self.mains[2]],
        )

    @skipUnlessDBFeature("supports_right_join")
    def test_right(self):
        self.assertRows(
            self.filtered(JoinType.RIGHT)
            .order_by("-id")
            .values_list("id", "marked__main"),
            [(main.pk, main.pk) for main in (self.mains[2], self.mains[0])],
        )
        self.assertFrom(
            self.filtered(JoinType.RIGHT),
            "main RIGHT OUTER JOIN (SELECT DISTINCT ...) marked ON (...)",
        )

    def test_onto_the_views_slice(self):
        """The other order: the limit applies before the join."""
        mains = Main.objects.order_by("-id")[:2].alias_join(
            marked=Through.objects.filter(other=self.x)
        )
        self.assertRows(
            mains.values_list("id", "marked__main"),
            [
                (self.mains[3].pk, None),
                (self.mains[2].pk, self.mains[2].pk),
                (self.mains[2].pk, self.mains[2].pk),
            ],
        )


class CountOfConditionalEventsTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.cars = [Car.objects.create(plate=plate) for plate in ("a", "b", "c")]
        for car, kind, day in [
            (0, "start", 1),
            (0, "start", 2),
            (0, "start", 20),
            (0, "stop", 2),
            (1, "stop", 3),
        ]:
            Event.objects.create(
                car=cls.cars[car], kind=kind, at=datetime.date(2020, 1, day)
            )

    def cars_with_count(self):
        return (
            Car.objects.alias_join(
                started=FilteredRelation(
                    Event,
                    condition=Q(
                        started__car=F("pk"),
                        started__kind="start",
                        started__at__range=(
                            datetime.date(2020, 1, 1),
                            datetime.date(2020, 1, 7),
                        ),
                    ),
                )
            )
            .annotate(n=Count("started"))
            .order_by("plate")
        )

    def test_count_with_conditions_in_on(self):
        cars = self.cars_with_count()
        with self.assertNumQueries(1):
            self.assertEqual(
                [(car.plate, car.n) for car in cars], [("a", 2), ("b", 0), ("c", 0)]
            )
        self.assertShape(
            self.sql(cars),
            "SELECT car.id, car.plate, COUNT(started.id) AS n FROM car "
            "LEFT OUTER JOIN event started "
            "ON (started.at BETWEEN %s AND %s AND started.car_id = car.id "
            "AND started.kind = %s) "
            "GROUP BY car.id... ORDER BY car.plate ASC",
        )

    def test_filter_on_the_count(self):
        cars = self.cars_with_count()
        self.assertRows(cars.filter(n=0), self.cars[1:])
        self.assertRows(cars.exclude(n=0), self.cars[:1])

    def test_the_counts_of_every_page(self):
        paginator = Paginator(self.cars_with_count(), 2)
        self.assertEqual(paginator.count, 3)
        self.assertEqual([car.n for car in paginator.page(1)], [2, 0])
        self.assertEqual([car.n for car in paginator.page(2)], [0])
