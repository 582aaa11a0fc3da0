"""What was asked on a question and answer site."""

from django.core.paginator import Paginator
from django.db.models import Avg, Count, F, FilteredRelation, JoinType, Q, Sum
from django.db.models.functions import Coalesce

from .base import JoinTestCase
from .models import (
    A,
    B,
    Book,
    C,
    Foo,
    LinkPost,
    Order,
    OrderType,
    Points,
    Reading,
    User,
    UserFoo,
    UserPostVote,
)


class MineTests(JoinTestCase):
    """Every foo with the row of the user who asks."""

    @classmethod
    def setUpTestData(cls):
        cls.user, other = [User.objects.create(name=name) for name in ("ann", "bob")]
        cls.foos = [Foo.objects.create(value=value) for value in "xyz"]
        cls.mine = UserFoo.objects.create(user=cls.user, foo=cls.foos[0], stars=5)
        UserFoo.objects.create(user=other, foo=cls.foos[0], stars=1)
        UserFoo.objects.create(user=other, foo=cls.foos[1], stars=2)

    def foos_with_mine(self):
        return Foo.objects.alias_join(
            mine=UserFoo.objects.filter(user=self.user)
        ).order_by("value")

    def test_instances(self):
        with self.assertNumQueries(1):
            x, y, z = self.foos_with_mine().select_related("mine")
            self.assertIsInstance(x.mine, UserFoo)
            self.assertEqual(x.mine, self.mine)
            self.assertEqual(x.mine.stars, 5)
            self.assertIsNone(y.mine)
            self.assertIsNone(z.mine)

    def test_instances_and_a_relation_of_theirs(self):
        with self.assertNumQueries(1):
            x, y, z = self.foos_with_mine().select_related("mine__user")
            self.assertEqual(x.mine.user.name, "ann")
            self.assertIsNone(y.mine)

    def test_one_row_a_foo(self):
        self.assertRows(self.foos_with_mine(), self.foos)

    def test_filter_by_instance(self):
        self.assertRows(self.foos_with_mine().filter(mine=self.mine), [self.foos[0]])
        self.assertRows(self.foos_with_mine().exclude(mine=self.mine), self.foos[1:])


class SumOfPointsTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann, cls.bob = [User.objects.create(name=name) for name in ("ann", "bob")]
        Points.objects.create(user=cls.ann, points=2)
        Points.objects.create(user=cls.ann, points=3)

    def test_grouped_derived_table(self):
        users = User.objects.alias_join(
            score=Points.objects.values("user").annotate(total=Sum("points"))
        ).order_by("name")
        self.assertRows(
            users.values_list("name", "score__total"), [("ann", 5), ("bob", None)]
        )
        self.assertRows(
            users.values_list("name", Coalesce("score__total", 0)),
            [("ann", 5), ("bob", 0)],
        )
        self.assertFrom(
            users,
            "user LEFT OUTER JOIN",
            "(SELECT ... FROM points ... GROUP BY ...) score",
            "ON (score.user = user.id)",
        )

    def test_aggregate_over_the_join(self):
        users = User.objects.alias_join(score=Points).annotate(
            total=Coalesce(Sum("score__points"), 0)
        )
        self.assertRows(
            users.order_by("name").values_list("name", "total"),
            [("ann", 5), ("bob", 0)],
        )


class VotesOfAPageTests(JoinTestCase):
    """The posts of one page, with the viewer's vote."""

    @classmethod
    def setUpTestData(cls):
        cls.viewer, other = [User.objects.create(name=name) for name in ("ann", "bob")]
        cls.posts = [LinkPost.objects.create(title=f"post {n}") for n in range(5)]
        for user, post, value in [
            (cls.viewer, 0, 1),
            (cls.viewer, 3, -1),
            (other, 2, 1),
            (other, 3, 1),
        ]:
            UserPostVote.objects.create(user=user, post=cls.posts[post], value=value)

    def with_vote(self, posts):
        return posts.alias_join(vote=UserPostVote.objects.filter(user=self.viewer))

    def test_one_query_for_the_page(self):
        page = Paginator(LinkPost.objects.order_by("-title"), 2).get_page(1)
        posts = self.with_vote(page.object_list).select_related("vote")
        with self.assertNumQueries(1):
            self.assertEqual(
                [(post.title, post.vote and post.vote.value) for post in posts],
                [("post 4", None), ("post 3", -1)],
            )

    def test_derived_table(self):
        posts = self.with_vote(LinkPost.objects.order_by("-title")[1:4])
        self.assertRows(
            posts.values_list("title", "vote__value"),
            [("post 3", -1), ("post 2", None), ("post 1", None)],
        )
        self.assertFrom(
            posts,
            "(SELECT ... FROM linkpost ... ORDER BY ... LIMIT ...) ...",
            "LEFT OUTER JOIN (SELECT ... FROM userpostvote ...) vote ON (...)",
        )

    def test_a_filter_after_the_join_filters_the_page(self):
        posts = self.with_vote(LinkPost.objects.order_by("-title")[:2])
        self.assertRows(posts.filter(vote__isnull=True), [self.posts[4]])


class SubclassTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.c = C.objects.create(name="c")
        cls.plain = A.objects.create(name="plain")
        cls.b = B.objects.create(name="sub", fk_field=cls.c)

    def test_left_all_the_way(self):
        rows = (
            A.objects.alias_join(sub=FilteredRelation("b"))
            .select_related("sub__fk_field")
            .order_by("name")
        )
        with self.assertNumQueries(1):
            plain, sub = rows
            self.assertEqual(plain, self.plain)
            self.assertIsNone(plain.sub)
            self.assertEqual(sub.sub.fk_field.name, "c")
        self.assertFrom(
            rows,
            "a LEFT OUTER JOIN b sub ON (a.id = sub.a_ptr_id)",
            "LEFT OUTER JOIN c ON (sub.fk_field_id = c.id)",
        )

    def test_subclass_as_a_source(self):
        rows = (
            A.objects.alias_join(sub=B, on=Q(sub__pk=F("pk")))
            .select_related("sub__fk_field")
            .order_by("name")
        )
        with self.assertNumQueries(1):
            plain, sub = rows
            self.assertIsNone(plain.sub)
            self.assertEqual(sub.sub, self.b)
            self.assertEqual(sub.sub.name, "sub")
            self.assertEqual(sub.sub.fk_field, self.c)

    def test_relation_of_the_parent_class(self):
        """A path that comes back to the class doesn't start there again."""
        B.objects.create(name="large", fk_field=self.c, size=2)
        large = FilteredRelation("a_ptr__b", condition=Q(a_ptr__b__size=2))
        for method in [B.objects.alias, B.objects.alias_join]:
            with self.subTest(method=method.__name__):
                self.assertRows(
                    method(large=large)
                    .order_by("name")
                    .values_list("name", "large__name"),
                    [("large", "large"), ("sub", None)],
                )


class RatingOfAFriendTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.me, cls.friend = [User.objects.create(name=n) for n in ("me", "friend")]
        cls.books = [Book.objects.create(title=title) for title in ("p", "q", "r", "s")]
        for user, book, rating in [
            (cls.me, 0, 1),
            (cls.me, 1, 2),
            (cls.me, 2, 3),
            (cls.friend, 0, 6),
            (cls.friend, 1, 7),
            (cls.friend, 3, 4),
        ]:
            Reading.objects.create(user=user, book=cls.books[book], rating=rating)

    def readings(self):
        return (
            Reading.objects.filter(user=self.me)
            .alias_join(
                theirs=FilteredRelation(
                    Reading,
                    condition=Q(
                        theirs__book=F("book"),
                        theirs__user=self.friend,
                        theirs__rating__range=(1, 6),
                    ),
                )
            )
            .order_by("book__title")
        )

    def test_self_join(self):
        self.assertRows(
            self.readings().values_list("book__title", "rating", "theirs__rating"),
            [("p", 1, 6), ("q", 2, None), ("r", 3, None)],
        )
        self.assertFrom(
            self.readings().order_by(),
            "reading LEFT OUTER JOIN reading theirs",
            "ON (theirs.book_id = reading.book_id",
            "AND theirs.rating BETWEEN %s AND %s AND theirs.user_id = %s)",
        )

    def test_self_join_with_a_queryset(self):
        readings = (
            Reading.objects.filter(user=self.me)
            .alias_join(
                theirs=Reading.objects.filter(user=self.friend, rating__range=(1, 6)),
                on=Q(theirs__book=F("book")),
            )
            .order_by("book__title")
        )
        self.assertRows(
            readings.values_list("book__title", "rating", "theirs__rating"),
            [("p", 1, 6), ("q", 2, None), ("r", 3, None)],
        )

    def test_difference_and_average(self):
        readings = self.readings().annotate(more=F("theirs__rating") - F("rating"))
        self.assertEqual([reading.more for reading in readings], [5, None, None])
        self.assertEqual(
            self.readings().aggregate(Avg("theirs__rating"), n=Count("theirs")),
            {"theirs__rating__avg": 6.0, "n": 1},
        )


class SameRowConditionsTests(JoinTestCase):
    """Types that have an order that meets three conditions at once."""

    @classmethod
    def setUpTestData(cls):
        cls.good, cls.mixed, cls.empty = [
            OrderType.objects.create(name=name) for name in ("good", "mixed", "empty")
        ]
        for type, status, city, total in [
            (cls.good, "paid", "Rome", 20),
            (cls.good, "paid", "Rome", 30),
            (cls.mixed, "paid", "Rome", 5),
            (cls.mixed, "paid", "Oslo", 20),
            (cls.mixed, "open", "Rome", 20),
        ]:
            Order.objects.create(type=type, status=status, city=city, total=total)

    def test_inner_join_of_distinct_keys(self):
        types = OrderType.objects.alias_join(
            match=Order.objects.filter(status="paid", city="Rome", total__gte=10)
            .values("type")
            .distinct(),
            join_type=JoinType.INNER,
        )
        self.assertRows(types, [self.good])
        self.assertEqual(types.count(), 1)
        self.assertFrom(
            types,
            "ordertype INNER JOIN (SELECT DISTINCT ...) match",
            "ON (match.type = ordertype.id)",
        )

    def test_conditions_on_the_same_alias(self):
        types = (
            OrderType.objects.alias_join(match=Order)
            .filter(match__status="paid")
            .filter(match__city="Rome")
            .filter(match__total__gte=10)
            .distinct()
        )
        self.assertRows(types, [self.good])
        self.assertEqual(self.sql(types).count(" JOIN "), 1)
