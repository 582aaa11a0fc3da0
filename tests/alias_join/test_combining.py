"""
&, | and ^ keep the joins of both querysets.

A join that both have is one join. One that only one of them has must not
remove rows of the other.
"""

import operator
import pickle

from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    OuterRef,
    Q,
    Value,
)
from django.db.models.functions import Coalesce, Lower
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import TopicTestCase
from .models import Record, ShoutingTopic, Topic, User


class CombiningTestCase(TopicTestCase):
    def joined(self, user, alias, **kwargs):
        """Return each topic with the record of a user."""
        source = Record.objects.filter(user=user)
        return Topic.objects.alias_join(**{alias: FilteredRelation(source, **kwargs)})

    def mine(self, **kwargs):
        return self.joined(self.johnny, "mine", **kwargs)

    def hers(self, **kwargs):
        return self.joined(self.may, "hers", **kwargs)

    def values(self, topics):
        return topics.order_by("name").values_list("name", "mine__value", "hers__value")


class AndTests(CombiningTestCase):
    def test_two_joins(self):
        topics = self.mine() & self.hers()
        self.assertRows(self.values(topics), [("A", 1, 4), ("B", None, 5), ("C", 3, 6)])

    def test_the_same_subquery_in_on(self):
        def mine(value):
            users = User.objects.filter(name="johnny")
            return Topic.objects.alias_join(
                mine=FilteredRelation(
                    Record, condition=Q(mine__topic=F("pk"), mine__user__in=users)
                )
            ).filter(mine__value__gt=value)

        topics = mine(0) & mine(1)
        self.assertRows(topics.values_list("name", "mine__value"), [("C", 3)])

    def test_filters_of_both(self):
        topics = self.mine().filter(mine__value__gt=0) & self.hers().filter(
            hers__value__gt=4
        )
        self.assertRows(self.values(topics), [("C", 3, 6)])

    def test_join_of_the_right_side_only(self):
        topics = Topic.objects.filter(name__gt="A") & self.mine()
        self.assertRows(
            topics.order_by("name").values_list("name", "mine__value"),
            [("B", None), ("C", 3)],
        )

    def test_join_of_the_left_side_only(self):
        topics = self.mine() & Topic.objects.filter(name__gt="A")
        self.assertRows(
            topics.order_by("name").values_list("name", "mine__value"),
            [("B", None), ("C", 3)],
        )

    def test_inner_join_of_one_side(self):
        for topics in (
            Topic.objects.all() & self.mine(join_type=JoinType.INNER),
            self.mine(join_type=JoinType.INNER) & Topic.objects.all(),
        ):
            self.assertRows(topics.order_by("name"), [self.a, self.c])

    def test_unmatched_rows(self):
        topics = self.hers() & self.mine().filter(mine=None)
        self.assertRows(self.values(topics), [("B", None, 5)])

    def test_the_same_join(self):
        """Both conditions are about the same joined row."""
        any_record = Topic.objects.alias_join(any=Record)
        topics = any_record.filter(any__value__gt=1) & any_record.filter(
            any__user=self.johnny
        )
        self.assertRows(topics.values_list("name", "any__value"), [("C", 3)])
        self.assertFrom(topics, "topic ... JOIN record any ON (...)")
        self.assertEqual(self.sql(topics).count("JOIN"), 1)

    def test_rows_of_the_same_join_are_not_multiplied(self):
        any_record = Topic.objects.alias_join(any=Record)
        topics = (any_record & any_record).order_by("any__value")
        self.assertRows(topics, [self.a, self.c, self.a, self.b, self.c])

    def test_the_same_join_built_twice(self):
        topics = self.mine().filter(mine__value__lt=3) & self.mine().filter(name="A")
        self.assertRows(topics, [self.a])
        self.assertEqual(self.sql(topics).count("JOIN"), 1)

    def test_relations_beyond_the_same_join(self):
        any_record = Topic.objects.alias_join(any=Record)
        topics = any_record.filter(any__user__name="may") & any_record.filter(
            any__user__name__startswith="m", any__value__gt=4
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "any__user__name"),
            [("B", "may"), ("C", "may")],
        )

    def test_condition_that_refers_to_an_earlier_join(self):
        mine = self.mine(join_type=JoinType.INNER)
        more = mine.alias_join(more=Record, on=Q(more__value__gt=F("mine__value") + 3))
        for topics in (mine & more, more & mine, Topic.objects.all() & more):
            self.assertRows(
                topics.order_by("name", "more__value").values_list(
                    "name", "mine__value", "more__value"
                ),
                [("A", 1, 5), ("A", 1, 6), ("C", 3, None)],
            )

    def test_annotation_of_a_join(self):
        topics = Topic.objects.filter(name__gt="A") & self.mine().annotate(
            v=Coalesce("mine__value", 0)
        ).filter(v=0)
        self.assertRows(topics, [self.b])

    def test_select_related_of_the_left_side(self):
        topics = self.mine().select_related("mine") & self.hers()
        with self.assertNumQueries(1):
            self.assertEqual(
                [t.mine and t.mine.value for t in topics.order_by("name")], [1, None, 3]
            )

    def test_subquery_that_refers_to_the_join(self):
        bigger = Record.objects.filter(value__gt=OuterRef("mine__value") + 4)
        topics = Topic.objects.exclude(name="C") & self.mine().filter(Exists(bigger))
        self.assertRows(topics, [self.a])

    def test_relation_of_the_model(self):
        mine = Topic.objects.alias_join(
            x=FilteredRelation("record", condition=Q(record__user=self.johnny))
        )
        topics = Topic.objects.filter(name__gt="A") & mine
        self.assertRows(
            topics.order_by("name").values_list("name", "x__value"),
            [("B", None), ("C", 3)],
        )
        topics = mine.filter(x__value=3) & mine.filter(x__user__name="johnny")
        self.assertRows(topics, [self.c])

    def test_lazy_relation_of_the_model(self):
        mine = Topic.objects.alias(
            x=FilteredRelation("record", condition=Q(record__user=self.johnny))
        )
        topics = Topic.objects.filter(name__gt="A") & mine.filter(x__value__gt=0)
        self.assertRows(topics.values_list("name", "x__value"), [("C", 3)])

    def test_lateral_join_built_twice(self):
        def build():
            last = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")[:1]
            return Topic.objects.alias_join(last=last)

        topics = build().filter(last__value__gt=4) & build().filter(name="B")
        self.assertRows(topics.values_list("name", "last__value"), [("B", 5)])
        self.assertEqual(len(topics.query._filtered_relations), 1)

    def test_three(self):
        topics = self.mine() & self.hers() & self.mine().filter(name="C")
        self.assertRows(self.values(topics), [("C", 3, 6)])

    def test_operands_stay_as_they_were(self):
        mine, hers = self.mine(), self.hers()
        sql = str(mine.query), str(hers.query)
        (mine & hers), (mine | hers)
        self.assertEqual((str(mine.query), str(hers.query)), sql)
        self.assertRows(mine.order_by("name"), [self.a, self.b, self.c])


class OrTests(CombiningTestCase):
    def test_two_joins(self):
        topics = self.mine().filter(mine__value=1) | self.hers().filter(hers__value=6)
        self.assertRows(self.values(topics), [("A", 1, 4), ("C", 3, 6)])

    def test_unmatched_rows_of_the_other_join(self):
        """The filter on the left made its join INNER. With | it isn't."""
        topics = self.mine().filter(mine__value=1) | self.hers().filter(hers__value=5)
        self.assertRows(self.values(topics), [("A", 1, 4), ("B", None, 5)])
        topics = self.hers().filter(hers__value=5) | self.mine().filter(mine__value=1)
        self.assertRows(self.values(topics), [("A", 1, 4), ("B", None, 5)])

    def test_join_of_one_side(self):
        for topics in (
            Topic.objects.filter(name="B") | self.mine().filter(mine__value=3),
            self.mine().filter(mine__value=3) | Topic.objects.filter(name="B"),
        ):
            self.assertRows(
                topics.order_by("name").values_list("name", "mine__value"),
                [("B", None), ("C", 3)],
            )

    def test_no_filter_on_one_side(self):
        for topics in (
            Topic.objects.all() | self.mine().filter(mine__value=3),
            self.mine().filter(mine__value=3) | Topic.objects.all(),
            self.mine() | self.mine().filter(mine__value=3),
        ):
            self.assertRows(
                topics.order_by("name").values_list("name", "mine__value"),
                [("A", 1), ("B", None), ("C", 3)],
            )

    def test_the_same_join(self):
        any_record = Topic.objects.alias_join(any=Record)
        topics = any_record.filter(any__value=1) | any_record.filter(name="B")
        self.assertRows(
            topics.order_by("name").values_list("name", "any__value"),
            [("A", 1), ("B", 5)],
        )
        self.assertEqual(self.sql(topics).count("JOIN"), 1)

    def test_the_same_join_built_twice(self):
        topics = self.mine().filter(mine__value=3) | self.mine().filter(mine=None)
        self.assertRows(topics.order_by("name"), [self.b, self.c])
        self.assertEqual(self.sql(topics).count("JOIN"), 1)

    def test_the_same_inner_join(self):
        mine = self.mine(join_type=JoinType.INNER)
        topics = mine.filter(name="A") | self.mine(join_type=JoinType.INNER).filter(
            mine__value=3
        )
        self.assertRows(topics.order_by("name"), [self.a, self.c])

    def test_the_same_cross_join(self):
        users = Topic.objects.alias_join(u=User, join_type=JoinType.CROSS)
        topics = users.filter(u__name="may", name="A") | users.filter(name="B")
        self.assertRows(
            topics.order_by("name", "u__name").values_list("name", "u__name"),
            [("A", "may"), ("B", "johnny"), ("B", "may")],
        )

    def test_exclude(self):
        topics = self.mine().exclude(mine__value=1) | self.hers().filter(hers__value=4)
        self.assertRows(topics.order_by("name"), [self.a, self.b, self.c])
        topics = self.mine().exclude(mine__value=1) | self.hers().filter(hers__value=5)
        self.assertRows(topics.order_by("name"), [self.b, self.c])

    def test_relation_beyond_the_join(self):
        topics = Topic.objects.filter(name="B") | self.mine().filter(
            mine__user__name="johnny"
        )
        self.assertRows(topics.order_by("name"), [self.a, self.b, self.c])
        topics = self.mine().filter(mine__user__name="x") | Topic.objects.filter(
            name="B"
        )
        self.assertRows(topics.values_list("name", "mine__user__name"), [("B", None)])

    def test_inner_join_beyond_the_join_of_the_right(self):
        """Nothing joined along a nullable path is INNER."""
        topics = self.mine() | self.mine().filter(mine__user__name="x")
        self.assertRows(topics.order_by("name"), [self.a, self.b, self.c])

    def test_relation_of_the_model(self):
        """Ticket comments report KeyError for the alias on the right."""
        mine = Topic.objects.alias(
            x=FilteredRelation("record", condition=Q(record__user=self.johnny))
        )
        for topics in (
            Topic.objects.filter(name="B") | mine.filter(x__value=3),
            mine.filter(x__value=3) | Topic.objects.filter(name="B"),
        ):
            self.assertRows(
                topics.order_by("name").values_list("name", "x__value"),
                [("B", None), ("C", 3)],
            )

    def test_pinned_join_on_one_side(self):
        """It would remove rows that the other side has."""
        for join_type in (JoinType.INNER, JoinType.CROSS):
            kwargs = {"join_type": join_type}
            joined = Topic.objects.alias_join(
                u=User,
                **kwargs,
                on=(None if join_type is JoinType.CROSS else Q(u=F("pk"))),
            )
            for left, right in (
                (Topic.objects.all(), joined),
                (joined, Topic.objects.all()),
                (self.mine(), joined),
                (joined, self.mine()),
            ):
                with (
                    self.subTest(join_type),
                    self.assertRaisesMessage(
                        ValueError,
                        "The join 'u' would remove rows of the queryset that doesn't "
                        "have it. Join it to both, or use JoinType.LEFT.",
                    ),
                ):
                    left | right

    @skipUnlessDBFeature("supports_right_join")
    def test_right_join_on_one_side(self):
        joined = Topic.objects.alias_join(
            u=FilteredRelation(User, condition=Q(u=F("pk")), join_type=JoinType.RIGHT)
        )
        for left, right in (
            (Topic.objects.filter(name="A"), joined),
            (joined, Topic.objects.filter(name="A")),
        ):
            with self.assertRaisesMessage(ValueError, "The join 'u' would remove rows"):
                left | right
            msg = (
                "The join 'u' would add rows that the other queryset's conditions "
                "weren't made for. Join it to both."
            )
            with self.assertRaisesMessage(ValueError, msg):
                left & right

    @skipUnlessDBFeature("supports_right_join")
    def test_path_before_a_right_join(self):
        """What is combined joins it again, now beside rows without a base."""

        def records():
            return Record.objects.alias_join(
                j=FilteredRelation(Topic, condition=Q(j__name=F("topic__name")))
            ).alias_join(
                u=FilteredRelation(
                    User,
                    condition=Q(u=F("user"), value=1),
                    join_type=JoinType.RIGHT,
                )
            )

        left = records().exclude(user__name="may")
        right = records().exclude(topic__name="B")
        self.assertRows(
            (left & right).values_list("u__name", "j__name"),
            [("johnny", "A"), ("may", None)],
        )

    def test_relation_with_a_subquery_in_its_condition(self):
        """Conditions that were built alike are the same."""

        def topics():
            condition = Q(Exists(User.objects.all()))
            return Topic.objects.alias_join(
                x=FilteredRelation("record", condition=condition)
            )

        self.assertRows(
            topics().filter(x__value=1) | topics().filter(x__value=4), [self.a] * 2
        )
        self.assertRows(topics().filter(x__value=1) & topics().filter(x__value=4), [])

    def test_none(self):
        mine = self.mine().filter(mine__value=3)
        self.assertRows(mine | Topic.objects.none(), [self.c])
        self.assertRows(Topic.objects.none() | mine, [self.c])
        self.assertRows(mine & Topic.objects.none(), [], queries=0)

    @skipUnlessDBFeature("allow_sliced_subqueries_with_in")
    def test_page_of_the_left_side(self):
        topics = self.mine().order_by("name")[:1] | self.hers().filter(hers__value=6)
        self.assertRows(topics.order_by("name"), [self.a, self.c])

    def test_proxy(self):
        topics = ShoutingTopic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        combined = topics.filter(mine__value=1) | ShoutingTopic.objects.filter(name="B")
        self.assertEqual([str(t) for t in combined.order_by("name")], ["A", "B"])

    def test_write(self):
        topics = self.mine().filter(mine__value=1) | Topic.objects.filter(name="B")
        self.assertEqual(topics.update(name=Lower("name")), 2)
        self.assertCountEqual(
            Topic.objects.values_list("name", flat=True), ["a", "b", "C"]
        )


class XorTests(CombiningTestCase):
    # NULL XOR TRUE is NULL.
    @skipIfDBFeature("supports_logical_xor")
    def test_two_joins(self):
        topics = self.mine().filter(mine__value__gt=0) ^ self.hers().filter(
            hers__value__gt=4
        )
        self.assertRows(self.values(topics), [("A", 1, 4), ("B", None, 5)])

    def test_join_of_one_side(self):
        for topics in (
            self.mine().filter(mine__value__gt=0) ^ Topic.objects.filter(name="A"),
            Topic.objects.filter(name="A") ^ self.mine().filter(mine__value__gt=0),
        ):
            self.assertRows(topics.order_by("name"), [self.c])

    def test_unmatched_rows(self):
        for topics in (
            self.mine().filter(mine=None) ^ Topic.objects.filter(name="A"),
            Topic.objects.filter(name="A") ^ self.mine().filter(mine=None),
        ):
            self.assertRows(topics.order_by("name"), [self.a, self.b])

    def test_the_same_join(self):
        topics = self.mine().filter(mine__value__gte=1) ^ self.mine().filter(
            mine__value__gte=3
        )
        self.assertRows(topics, [self.a])

    def test_pinned_join_on_one_side(self):
        for join_type in (JoinType.INNER,):
            with self.assertRaisesMessage(ValueError, "would remove rows"):
                Topic.objects.all() ^ self.mine(join_type=join_type)


class SameAliasTests(CombiningTestCase):
    operators = [operator.and_, operator.or_, operator.xor]

    def test_another_meaning(self):
        other = Topic.objects
        for name, topics in [
            ("source", self.joined(self.may, "mine")),
            ("type", self.mine(join_type=JoinType.INNER)),
            ("condition", self.mine(condition=Q(mine__topic=F("pk"), name="A"))),
            ("model", other.alias_join(mine=Record)),
            ("values", other.alias_join(mine=Record.objects.values("topic"))),
            ("slice", other.alias_join(mine=Record.objects.all()[:3])),
            ("relation", other.alias_join(mine=FilteredRelation("record"))),
        ]:
            for operate in self.operators:
                with (
                    self.subTest(name, operator=operate),
                    self.assertRaisesMessage(
                        ValueError, "The querysets have different joins called 'mine'."
                    ),
                ):
                    operate(self.mine(), topics)
                with (
                    self.subTest(name, operator=operate),
                    self.assertRaisesMessage(
                        ValueError, "The querysets have different joins called 'mine'."
                    ),
                ):
                    operate(topics, self.mine())

    def test_another_value_in_the_source(self):
        def build(value):
            return Topic.objects.alias_join(
                x=Record.objects.annotate(n=Value(value)).filter(value__lt=value)
            )

        build(3) & build(3)
        with self.assertRaisesMessage(ValueError, "different joins called 'x'"):
            build(3) & build(4)

    def test_another_relation(self):
        def build(name):
            return Topic.objects.alias(
                x=FilteredRelation("record", condition=Q(record__note=name))
            )

        build("a") & build("a")
        with self.assertRaisesMessage(ValueError, "different joins called 'x'"):
            build("a").filter(x=None) & build("b").filter(x=None)

    def builders(self):
        """Yield functions that build the same joins each time."""
        mine = JoinType.INNER

        def grouped():
            return Record.objects.values("topic").annotate(n=Count("pk"))

        yield lambda: self.mine()
        yield lambda: self.mine(join_type=mine)
        yield lambda: Topic.objects.alias_join(g=grouped())
        yield lambda: Topic.objects.alias_join(g=grouped().order_by("topic")[:2])
        yield lambda: Topic.objects.alias_join(
            x=Record.objects.filter(user__name="may").distinct(),
            on=Q(x__topic=F("pk")) | Q(x__value=Coalesce(F("x__topic"), 0) + 1),
        )
        yield lambda: Topic.objects.alias_join(
            x=Record, on=Exists(User.objects.filter(pk=OuterRef("x__user")))
        )
        yield lambda: Topic.objects.alias_join(
            x=Record.objects.alias_join(u=User).filter(u__name="may")
        )
        yield lambda: Topic.objects.alias_join(
            x=Record.objects.filter(value=1).union(Record.objects.filter(value=6)),
            on=Q(x__topic=F("pk")),
        )
        yield lambda: Topic.objects.alias_join(x=FilteredRelation("record__user"))
        yield lambda: self.mine().alias_join(
            more=Record, on=Q(more__value=F("mine__value"))
        )

    def test_built_twice(self):
        for number, build in enumerate(self.builders()):
            once = [topic.pk for topic in build().order_by("pk")]
            for operate in self.operators[:2]:
                with self.subTest(number, operator=operate):
                    topics = operate(build(), build())
                    self.assertEqual([t.pk for t in topics.order_by("pk")], once)
                    self.assertEqual(
                        self.sql(topics).count("JOIN"), self.sql(build()).count("JOIN")
                    )

    def test_pickled_copy(self):
        for number, build in enumerate(self.builders()):
            topics = build()
            copy = build()
            copy.query = pickle.loads(pickle.dumps(topics.query))
            once = [topic.pk for topic in build().order_by("pk")]
            for left, right in ((topics, copy), (copy, topics)):
                with self.subTest(number):
                    combined = (left & right).order_by("pk")
                    self.assertEqual([topic.pk for topic in combined], once)

    def test_used_before(self):
        """What was referred to since makes no other join."""
        used = self.mine().filter(mine__user__name="johnny").order_by("mine__value")
        list(used)
        topics = used & self.mine().filter(mine__value=3)
        self.assertRows(topics, [self.c])
        topics = self.mine().filter(mine__value=3) & used
        self.assertRows(topics, [self.c])


class PushedDownTests(CombiningTestCase):
    def page(self, start, stop):
        topics = Topic.objects.order_by("name")[start:stop]
        return topics.alias_join(mine=Record.objects.filter(user=self.johnny))

    def test_equal_bases(self):
        topics = self.page(0, 2).filter(mine__value=1) | self.page(0, 2).filter(
            mine=None
        )
        self.assertRows(topics, [self.a, self.b])
        topics = self.page(0, 2) & self.page(0, 2).filter(mine=None)
        self.assertRows(topics, [self.b])

    def test_different_bases(self):
        message = "Querysets can't be combined if one of them was sliced"
        plain = Topic.objects.all()
        for left, right in (
            (self.page(0, 2), self.page(1, 3)),
            (self.page(0, 2), self.mine()),
            (self.mine(), self.page(0, 2)),
            (plain, self.page(0, 2)),
            (self.page(0, 2), plain),
            (self.page(0, 2), plain.annotate(n=Count("pk")).alias_join(mine=Record)),
        ):
            for operate in SameAliasTests.operators:
                with (
                    self.subTest(operator=operate),
                    self.assertRaisesMessage(ValueError, message),
                ):
                    operate(left, right)

    def test_none(self):
        self.assertRows(self.page(0, 2) | Topic.objects.none(), [self.a, self.b])
        self.assertRows(Topic.objects.none() | self.page(0, 2), [self.a, self.b])
