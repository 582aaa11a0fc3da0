"""Queries that a review found to go wrong."""

from django.core.exceptions import FieldError
from django.db import NotSupportedError
from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    FilteredRelation,
    IntegerField,
    JoinType,
    OuterRef,
    Q,
    Subquery,
    Window,
)
from django.db.models.functions import RowNumber
from django.db.models.lookups import LessThanOrEqual
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import Fee, FruitTree, Record, Seat, Ticket, Topic, User


class MineTestCase(TopicTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.mine = Topic.objects.alias_join(mine=Record.objects.filter(user=cls.johnny))

    def assertNames(self, queryset, names):
        self.assertCountEqual(queryset.values_list("name", flat=True), names)


class ExcludeAlongRelationToManyTests(MineTestCase):
    """
    What is excluded along a relation to many of the base is compared with a
    joined column of the outer query, not of the subquery.
    """

    def test_column(self):
        self.assertNames(self.mine.exclude(record__value=F("mine__value")), ["B"])

    def test_expression(self):
        self.assertNames(self.mine.exclude(record__value=F("mine__value") + 3), ["B"])

    def test_expression_of_column_that_the_base_has_too(self):
        # Topic has an id as well.
        self.assertNames(self.mine.exclude(record__id=F("mine__id") + 0), ["B"])

    def test_list(self):
        queryset = self.mine.exclude(record__value__in=[F("mine__value"), 99])
        self.assertNames(queryset, ["B"])

    def test_range(self):
        bounds = (F("mine__value") + 1, F("mine__value") + 2)
        self.assertNames(
            self.mine.exclude(record__value__range=bounds), ["A", "B", "C"]
        )

    def test_condition_of_a_join(self):
        for user in [F("other__id"), F("other__id") + 0]:
            with self.subTest(user=user):
                queryset = Topic.objects.alias_join(
                    other=User, on=~Q(record__user=user)
                )
                self.assertCountEqual(
                    queryset.values_list("name", "other__name"),
                    [("A", None), ("B", "johnny"), ("C", None)],
                )


@skipIfDBFeature("supports_logical_xor")
class NegatedXorTests(MineTestCase):
    """Operands of XOR are true or not, negated or not."""

    def test_unmatched_rows_are_kept(self):
        condition = ~Q(mine__value=1) ^ ~Q(mine__user=self.johnny)
        self.assertNames(self.mine.filter(condition), ["C"])
        self.assertNames(self.mine.exclude(condition), ["A", "B"])

    def test_negated_operand(self):
        condition = Q(name="B") ^ ~Q(mine__value=1)
        self.assertNames(self.mine.filter(condition), ["C"])
        self.assertNames(self.mine.exclude(condition), ["A", "B"])


class EmptySubqueryTests(MineTestCase):
    """A scalar subquery is NULL if it has no rows, whatever it selects."""

    def setUp(self):
        self.user = User.objects.filter(pk=OuterRef("mine__user")).values("name")[:1]

    def test_annotation(self):
        queryset = self.mine.annotate(user=Subquery(self.user))
        self.assertNames(queryset.exclude(user="johnny"), ["B"])
        self.assertNames(queryset.filter(~Q(user="johnny")), ["B"])

    def test_alias(self):
        queryset = self.mine.alias(user=Subquery(self.user))
        self.assertNames(queryset.exclude(user="johnny"), ["B"])

    def test_value(self):
        self.assertNames(self.mine.exclude(name=self.user), ["A", "B", "C"])
        self.assertNames(self.mine.exclude(name__lt=self.user), ["B"])

    def test_grouped(self):
        counts = Record.objects.filter(
            topic=OuterRef("pk"), user=OuterRef("mine__user")
        )
        counts = counts.values("topic").annotate(n=Count("pk")).values("n")
        queryset = self.mine.annotate(n=Subquery(counts)).exclude(n=1)
        self.assertNames(queryset, ["B"])


class WindowTests(TopicTestCase):
    """A window function of the queryset isn't computed over joined rows."""

    def test_filter(self):
        first_two = LessThanOrEqual(Window(RowNumber(), order_by="name"), 2)
        queryset = Topic.objects.filter(first_two).alias_join(mine=Record)
        self.assertCountEqual(
            queryset.values_list("name", "mine__value"), [("A", 1), ("A", 4), ("B", 5)]
        )

    def test_order_by(self):
        queryset = Topic.objects.order_by(
            Window(Count("*"), partition_by="name").desc(), "-name"
        )
        queryset = queryset.alias_join(mine=Record)
        names = list(queryset.values_list("name", flat=True))
        self.assertEqual(names, ["C", "C", "B", "A", "A"])


class JoinsBeforeSliceTests(MineTestCase):
    """Joins made before a slice, after further slices and joins."""

    def slice(self, queryset, alias):
        user = FilteredRelation(User, condition=Q((f"{alias}__name", "may")))
        return queryset.order_by("name")[:2].alias_join(**{alias: user})

    def test_twice(self):
        queryset = self.slice(self.slice(self.mine, "x"), "y")
        self.assertSequenceEqual(
            queryset.values_list("name", "mine__value", "mine__user_id", "x__name"),
            [("A", 1, self.johnny.pk, "may"), ("B", None, None, "may")],
        )
        self.assertNames(queryset.filter(mine__user=self.johnny), ["A"])
        self.assertNames(queryset.exclude(mine__user__name="johnny"), ["B"])

    def test_twice_select_related(self):
        queryset = self.slice(self.slice(self.mine, "x"), "y")
        a, b = queryset.select_related("mine__user", "x")
        self.assertEqual((a.mine.value, a.mine.user.name), (1, "johnny"))
        self.assertEqual(a.x.name, "may")
        self.assertIsNone(b.mine)

    def test_values(self):
        counts = Record.objects.values("topic").annotate(n=Count("pk"))
        queryset = Topic.objects.alias_join(counts=counts)
        for alias in "xy":
            queryset = self.slice(queryset, alias)
            with self.subTest(alias=alias):
                a, b = queryset.select_related("counts")
                self.assertEqual(a.counts._asdict(), {"topic": self.a.pk, "n": 2})
                self.assertEqual(b.counts._asdict(), {"topic": self.b.pk, "n": 1})

    def test_values_called_row(self):
        seat = Seat.objects.create(row=7, place=1)
        seats = Seat.objects.values("row", "place")
        queryset = Topic.objects.alias_join(seat=seats, on=Q(seat__place=seat.place))
        queryset = self.slice(queryset, "x")
        self.assertSequenceEqual(
            queryset.values_list("name", "seat__row"), [("A", 7), ("B", 7)]
        )

    def test_values_called_pk(self):
        source = Record.objects.filter(user=self.johnny).values("topic", "pk")
        queryset = self.slice(Topic.objects.alias_join(mine=source), "x")
        record = Record.objects.get(user=self.johnny, topic=self.a)
        rows = queryset.values_list("name", "mine__pk")
        self.assertSequenceEqual(rows, [("A", record.pk), ("B", None)])
        queryset = self.slice(queryset, "y")
        self.assertNames(queryset.filter(mine__pk=record.pk), ["A"])
        a, b = queryset.select_related("mine")
        self.assertEqual(a.mine._asdict(), {"topic": self.a.pk, "pk": record.pk})
        self.assertIsNone(b.mine)

    def test_in_queryset(self):
        queryset = self.slice(self.mine, "x")
        self.assertNames(queryset.filter(mine__in=Record.objects.all()), ["A"])
        self.assertNames(queryset.exclude(mine__in=Record.objects.all()), ["B"])

    def test_long_alias(self):
        alias = "a" * 61
        queryset = Topic.objects.alias_join(
            **{alias: Record.objects.filter(user=self.johnny)}
        )
        self.assertSequenceEqual(
            self.slice(queryset, "x").values_list(f"{alias}__value", f"{alias}__note"),
            [(1, None), (None, None)],
        )

    def test_select_related_and_distinct(self):
        queryset = self.mine.select_related("mine").distinct()
        queryset = queryset.alias_join(may=User, on=Q(may__name="may"))
        self.assertCountEqual(
            [(topic.name, topic.mine and topic.mine.value) for topic in queryset],
            [("A", 1), ("B", None), ("C", 3)],
        )

    def test_original_queryset_is_unchanged(self):
        def state():
            query = self.mine.query
            return str(query), {key: [*names] for key, names in query.table_map.items()}

        before = state()
        self.slice(self.mine, "x")
        self.assertEqual(state(), before)


class CompositePrimaryKeyTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        for row, place in [(1, 1), (1, 2), (2, 1)]:
            Seat.objects.create(row=row, place=place)
        Ticket.objects.create(row=1, place=1, price=10)
        Ticket.objects.create(row=1, place=2, price=20)
        Ticket.objects.create(row=3, place=1, price=30)

    def test_ordered_slice_as_base(self):
        queryset = Seat.objects.order_by("-pk")[:2].alias_join(sold=Ticket)
        self.assertSequenceEqual(
            queryset.values_list("row", "place", "sold__price"),
            [(2, 1, None), (1, 2, 20)],
        )

    def test_first_of_lateral_source(self):
        seats = Seat.objects.filter(row=OuterRef("row")).order_by("-place")
        for stop, expected in [
            (1, [(10, 2), (20, 2), (30, None)]),
            (2, [(10, 2), (10, 1), (20, 2), (20, 1), (30, None)]),
        ]:
            with self.subTest(stop=stop):
                queryset = Ticket.objects.alias_join(near=seats[:stop])
                self.assertCountEqual(
                    queryset.values_list("price", "near__place"), expected
                )

    def test_count(self):
        queryset = Ticket.objects.alias_join(mine=Seat)
        self.assertEqual(queryset.aggregate(n=Count("mine")), {"n": 2})


class RelationNameTests(MineTestCase):
    """The join type of a FilteredRelation along a relation isn't ignored."""

    def test_exclude_along_relation_to_many(self):
        queryset = Topic.objects.alias_join(
            mine=FilteredRelation("record", condition=Q(record__user=self.johnny))
        )
        self.assertNames(queryset.exclude(mine__value=1), ["B", "C"])

    def test_exclude_along_several_relations(self):
        queryset = User.objects.alias_join(
            topics=FilteredRelation(
                "record__topic", condition=Q(record__topic__name="A")
            )
        )
        names = queryset.exclude(topics__name="B").values_list("name", "topics__name")
        self.assertCountEqual(
            names,
            [("johnny", "A"), ("johnny", None), ("may", "A")] + [("may", None)] * 2,
        )

    def test_join_type(self):
        for join_type in [JoinType.RIGHT, JoinType.FULL, JoinType.CROSS]:
            for method in ["alias_join", "alias"]:
                with (
                    self.subTest(join_type=join_type, method=method),
                    self.assertRaises((ValueError, NotSupportedError)),
                ):
                    relation = FilteredRelation(
                        "record",
                        condition=Q(record__user=self.johnny),
                        join_type=join_type,
                    )
                    queryset = getattr(Topic.objects, method)(mine=relation)
                    list(queryset.values_list("name", "mine__value"))


class SourceWithoutBaseRowsTests(TopicTestCase):
    """
    A source with a RIGHT join has rows without a primary key: they are
    matched rows nevertheless, or the source is refused.
    """

    @skipUnlessDBFeature("supports_right_join")
    def test_rows(self):
        zoe = User.objects.create(name="zoe")
        source = Record.objects.alias_join(
            owner=User, on=Q(owner=F("user")), join_type=JoinType.RIGHT
        ).annotate(owner_name=F("owner__name"))
        try:
            queryset = Topic.objects.filter(name="A").alias_join(
                x=source, on=Q(x__owner_name=zoe.name), join_type=JoinType.INNER
            )
        except (ValueError, NotSupportedError):
            return
        self.assertEqual(queryset.count(), 1)
        self.assertEqual(queryset.exclude(x__topic=self.a).count(), 1)
        self.assertEqual(queryset.filter(x__isnull=True).count(), 0)


class OuterRefProjectionTests(TopicTestCase):
    """The type of an outer value that a source selects is known."""

    def assertDifferences(self, difference):
        source = Record.objects.filter(topic=OuterRef("pk"), user=self.may)
        queryset = Topic.objects.alias_join(x=source.annotate(difference=difference))
        rows = [(t.name, t.x.difference) for t in queryset.select_related("x")]
        self.assertCountEqual(
            rows,
            [
                ("A", 4 - self.a.pk),
                ("B", 5 - self.b.pk),
                ("C", 6 - self.c.pk),
            ],
        )
        self.assertCountEqual(queryset.values_list("name", "x__difference"), rows)

    def test_type_given(self):
        self.assertDifferences(
            ExpressionWrapper(F("value") - OuterRef("pk"), IntegerField())
        )

    def test_type_of_outer_field(self):
        self.assertDifferences(F("value") - OuterRef("pk"))

    @skipUnlessDBFeature("supports_lateral_joins")
    def test_type_of_earlier_join(self):
        queryset = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        ).alias_join(
            theirs=Record.objects.filter(topic=OuterRef("pk"), user=self.may).values(
                "value", mine=OuterRef("mine__value")
            )
        )
        self.assertCountEqual(
            queryset.filter(theirs__mine__lt=F("theirs__value") - 1).values_list(
                "name", "theirs__mine", "theirs__value"
            ),
            [("A", 1, 4), ("C", 3, 6)],
        )

    def test_type_of_query_further_out(self):
        source = Record.objects.filter(topic=OuterRef("pk"))
        msg = (
            "The join 'x' can't have the column 'outer': The type of 'outer' is "
            "unknown. Set its output_field, for example with ExpressionWrapper()."
        )
        with self.assertRaisesMessage(FieldError, msg):
            Topic.objects.alias_join(
                x=source.annotate(outer=OuterRef(OuterRef("pk"))),
            )


class ColumnNameTests(TopicTestCase):
    """
    Columns of one name, of a parent or of an annotation, aren't mixed up.
    """

    def test_parent_with_the_same_column(self):
        FruitTree.objects.create(species="malus", fruit="apple")
        queryset = Topic.objects.filter(name="A").alias_join(
            tree=FruitTree, on=Q(tree__fruit="apple")
        )
        self.assertSequenceEqual(
            queryset.values_list("tree__species", "tree__fruit"), [("malus", "apple")]
        )

    def test_slice_of_a_child_with_the_same_column(self):
        FruitTree.objects.create(species="malus", fruit="apple")
        queryset = FruitTree.objects.order_by("pk")[:1].alias_join(
            topic=Topic, on=Q(topic__name="A")
        )
        self.assertSequenceEqual(
            queryset.values_list("species", "fruit", "topic__name"),
            [("malus", "apple", "A")],
        )

    def test_annotation_called_like_a_column(self):
        Fee.objects.create(title="entry", total=10)
        fees = Fee.objects.annotate(amount=F("total") + 1)
        for queryset, names in [
            (
                lambda: fees.order_by("pk")[:1].alias_join(
                    topic=Topic, on=Q(topic__name="A")
                ),
                ["title", "amount"],
            ),
            (
                lambda: Topic.objects.filter(name="A").alias_join(
                    fee=fees, on=Q(fee__total=10)
                ),
                ["fee__title", "fee__amount"],
            ),
        ]:
            with self.subTest(names=names):
                try:
                    rows = list(queryset().values_list(*names))
                except ValueError as error:
                    self.assertIn("amount", str(error))
                else:
                    self.assertEqual(rows, [("entry", 11)])
