"""
A queryset with joins is a queryset: the source of another join, a subquery, a
branch of a union. Names inside and outside don't get into each other's way.
"""

from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    Max,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Lower
from django.test import skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import B, C, Contact, Phone, Record, Remark, Topic, User


class NestingTestCase(TopicTestCase):
    def mine(self, alias="mine", user=None, **kwargs):
        """Return each topic with a user's record, johnny's by default."""
        source = Record.objects.filter(user=user or self.johnny)
        return Topic.objects.alias_join(**{alias: FilteredRelation(source, **kwargs)})


class SourceTests(NestingTestCase):
    """A queryset with joins as what another join joins."""

    def test_instances(self):
        records = Record.objects.alias_join(
            t=FilteredRelation(
                self.mine().filter(mine__value__gt=1), join_type=JoinType.INNER
            )
        )
        self.assertRows(
            records.order_by("value").values_list("value", "t__name"),
            [(3, "C"), (6, "C")],
        )
        self.assertEqual(records.select_related("t").first().t, self.c)

    def test_annotation_from_the_inner_join(self):
        topics = self.mine().annotate(v=Coalesce("mine__value", 0))
        records = Record.objects.filter(user=self.may).alias_join(t=topics)
        self.assertRows(
            records.order_by("value").values_list("value", "t__name", "t__v"),
            [(4, "A", 1), (5, "B", 0), (6, "C", 3)],
        )

    def test_values(self):
        topics = self.mine().values("id", v=F("mine__value"), who=F("mine__user__name"))
        records = Record.objects.filter(user=self.may).alias_join(
            t=topics, on=Q(t__id=F("topic"))
        )
        self.assertRows(
            records.order_by("value").values_list("value", "t__v", "t__who"),
            [(4, 1, "johnny"), (5, None, None), (6, 3, "johnny")],
        )

    def test_groups(self):
        totals = (
            self.mine(join_type=JoinType.INNER)
            .values("mine__user")
            .annotate(total=Sum("mine__value"), who=F("mine__user"))
            .values("who", "total")
        )
        users = User.objects.alias_join(t=totals, on=Q(t__who=F("pk")))
        self.assertRows(
            users.order_by("name").values_list("name", "t__total"),
            [("johnny", 4), ("may", None)],
        )

    def test_page(self):
        page = self.mine().order_by("-mine__value", "name").filter(mine__isnull=False)
        records = Record.objects.alias_join(
            t=FilteredRelation(page[:1], join_type=JoinType.INNER)
        )
        self.assertRows(records.order_by("value").values_list("value"), [(3,), (6,)])

    def test_pushed_down(self):
        page = Topic.objects.order_by("name")[:2].alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        records = Record.objects.alias_join(
            t=FilteredRelation(
                page.annotate(v=F("mine__value")), join_type=JoinType.INNER
            )
        )
        self.assertRows(
            records.order_by("value").values_list("value", "t__name", "t__v"),
            [(1, "A", 1), (4, "A", 1), (5, "B", None)],
        )

    def test_onto_a_queryset_with_joins(self):
        topics = self.mine().alias_join(
            hers=self.mine("x", self.may).annotate(v=F("x__value")),
            on=Q(hers__pk=F("pk"), hers__v__gt=F("mine__value") + 2),
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "mine__value", "hers__v"),
            [("A", 1, 4), ("B", None, None), ("C", 3, 6)],
        )

    def test_three_levels(self):
        records = Record.objects.filter(user=self.may)
        for level in range(3):
            topics = Topic.objects.alias_join(
                x=FilteredRelation(records, join_type=JoinType.INNER)
            ).annotate(v=F("x__value"))
            records = Record.objects.alias_join(
                x=FilteredRelation(topics, join_type=JoinType.INNER)
            ).filter(value=F("x__v"))
        self.assertRows(
            records.order_by("value").values_list("value", "x__name", "x__v"),
            [(4, "A", 4), (5, "B", 5), (6, "C", 6)],
        )

    def test_the_same_queryset_twice(self):
        mine = self.mine().annotate(v=F("mine__value"))
        topics = Topic.objects.alias_join(
            x=FilteredRelation(mine, condition=Q(x__pk=F("pk"))),
            y=FilteredRelation(mine, condition=Q(y__v=F("x__v"))),
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "x__v", "y__v", "y__name"),
            [("A", 1, 1, "A"), ("B", None, None, None), ("C", 3, 3, "C")],
        )

    def test_itself(self):
        mine = self.mine()
        topics = mine.alias_join(
            again=FilteredRelation(mine, condition=Q(again__name__gt=F("name")))
        )
        self.assertRows(
            topics.order_by("name", "again__name").values_list(
                "name", "mine__value", "again__name"
            ),
            [("A", 1, "B"), ("A", 1, "C"), ("B", None, "C"), ("C", 3, None)],
        )

    def test_source_stays_as_it_was(self):
        mine = self.mine().filter(mine__value__gt=0)
        sql = str(mine.query)
        list(Record.objects.alias_join(t=mine).filter(t__name="A"))
        self.assertEqual(str(mine.query), sql)
        self.assertRows(mine.order_by("name"), [self.a, self.c])

    def test_filtered_relation_of_a_relation(self):
        topics = Topic.objects.alias(
            x=FilteredRelation(
                self.mine("y").filter(y__value=1), condition=Q(x__name__lte=F("name"))
            )
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "x__name"),
            [("A", "A"), ("B", "A"), ("C", "A")],
        )


class SubqueryTests(NestingTestCase):
    def test_in(self):
        topics = self.mine().filter(mine__value=3)
        for records in (
            Record.objects.filter(topic__in=topics),
            Record.objects.filter(topic__in=topics.values("pk")),
            Record.objects.filter(topic__name__in=topics.values("name")),
        ):
            self.assertRows(
                records.order_by("value").values_list("value"), [(3,), (6,)]
            )

    def test_joined_column_in(self):
        values = self.mine().filter(mine__isnull=False).values("mine__value")
        self.assertRows(
            Record.objects.filter(value__in=values)
            .order_by("value")
            .values_list("value"),
            [(1,), (3,)],
        )
        self.assertRows(
            Record.objects.exclude(value__in=values)
            .order_by("value")
            .values_list("value"),
            [(4,), (5,), (6,)],
        )

    def test_joined_row_in(self):
        records = self.mine().filter(mine__isnull=False).values("mine")
        self.assertRows(
            Record.objects.filter(pk__in=records)
            .order_by("value")
            .values_list("value"),
            [(1,), (3,)],
        )

    def test_exists(self):
        topics = self.mine().filter(pk=OuterRef("topic"), mine__value__gt=1)
        self.assertRows(
            Record.objects.filter(Exists(topics))
            .order_by("value")
            .values_list("value"),
            [(3,), (6,)],
        )
        self.assertRows(
            Record.objects.filter(~Exists(topics))
            .order_by("value")
            .values_list("value"),
            [(1,), (4,), (5,)],
        )

    def test_exists_without_a_reference_to_the_join(self):
        """An INNER join decides even so."""
        topics = self.mine(join_type=JoinType.INNER).filter(pk=OuterRef("topic"))
        self.assertRows(
            Record.objects.filter(~Exists(topics)).values_list("value"), [(5,)]
        )

    def test_annotation(self):
        value = self.mine().filter(pk=OuterRef("topic")).values("mine__value")
        self.assertRows(
            Record.objects.filter(user=self.may)
            .annotate(v=Subquery(value))
            .order_by("value")
            .values_list("value", "v"),
            [(4, 1), (5, None), (6, 3)],
        )

    def test_annotation_in_the_joined_queryset(self):
        """The subquery refers to a column of the join."""
        rival = (
            Record.objects.filter(value__gt=OuterRef("mine__value"))
            .order_by("value")
            .values("value")[:1]
        )
        topics = self.mine().annotate(next=Subquery(rival))
        self.assertRows(
            topics.order_by("name").values_list("name", "mine__value", "next"),
            [("A", 1, 3), ("B", None, None), ("C", 3, 4)],
        )
        self.assertRows(topics.filter(next=4), [self.c])
        self.assertRows(topics.exclude(next=4).order_by("name"), [self.a, self.b])

    def test_outer_reference_along_a_relation_of_the_join(self):
        users = User.objects.filter(name=OuterRef("mine__user__name"))
        self.assertRows(
            self.mine().filter(Exists(users)).order_by("name"), [self.a, self.c]
        )
        self.assertRows(self.mine().filter(~Exists(users)), [self.b])
        self.assertRows(
            self.mine()
            .annotate(who=Subquery(users.values("name")))
            .order_by("name")
            .values_list("who"),
            [("johnny",), (None,), ("johnny",)],
        )

    def test_outer_reference_to_the_alias(self):
        records = Record.objects.filter(pk=OuterRef("mine"))
        self.assertRows(
            self.mine().filter(Exists(records)).order_by("name"), [self.a, self.c]
        )

    def test_outer_reference_in_on(self):
        """The ON of a subquery refers to the outer query."""
        topics = Topic.objects.alias_join(
            x=FilteredRelation(
                Record,
                condition=Q(x__topic=F("pk"), x__user=OuterRef("pk")),
                join_type=JoinType.INNER,
            )
        )
        users = User.objects.annotate(
            n=Coalesce(
                Subquery(
                    topics.order_by()
                    .values(one=Value(1))
                    .annotate(n=Count("*"))
                    .values("n")
                ),
                0,
            )
        )
        self.assertRows(
            users.order_by("name").values_list("name", "n"), [("johnny", 2), ("may", 3)]
        )

    def test_outer_reference_in_the_source(self):
        """OuterRef(OuterRef()) in a source means the query one further out."""
        records = Record.objects.filter(user=OuterRef(OuterRef("pk")))
        topics = Topic.objects.alias_join(
            x=FilteredRelation(records, condition=Q(x__topic=F("pk")))
        )
        users = User.objects.annotate(
            none=Exists(topics.filter(x=None)),
            best=Subquery(
                topics.order_by(F("x__value").desc(nulls_last=True)).values("name")[:1]
            ),
        )
        self.assertRows(
            users.order_by("name").values_list("name", "none", "best"),
            [("johnny", True, "C"), ("may", False, "C")],
        )

    def test_nested_outer_references(self):
        inner = Record.objects.filter(
            topic=OuterRef("pk"), value__gt=OuterRef(OuterRef("mine__value")) + 2
        )
        topics = Topic.objects.filter(Exists(inner), pk__gte=OuterRef("pk"))
        self.assertRows(
            self.mine().filter(Exists(topics)).order_by("name"), [self.a, self.c]
        )
        inner = inner.filter(value__lt=5)
        topics = Topic.objects.filter(Exists(inner), pk__gte=OuterRef("pk"))
        self.assertRows(self.mine().filter(Exists(topics)), [self.a])

    def test_joins_inside_and_outside(self):
        inner = self.mine("x", self.may).filter(
            pk=OuterRef("pk"), x__value__gt=OuterRef("mine__value") + 2
        )
        self.assertRows(
            self.mine().filter(Exists(inner)).order_by("name"), [self.a, self.c]
        )
        self.assertRows(self.mine().filter(~Exists(inner)), [self.b])

    def test_aggregate_over_the_join(self):
        best = (
            Topic.objects.alias_join(x=Record)
            .filter(pk=OuterRef("topic"))
            .values("pk")
            .annotate(best=Max("x__value"))
            .values("best")
        )
        self.assertRows(
            Record.objects.filter(value__in=best)
            .order_by("value")
            .values_list("value"),
            [(4,), (5,), (6,)],
        )

    def test_pushed_down_subquery(self):
        page = Topic.objects.order_by("name")[:2].alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        self.assertRows(
            Record.objects.filter(topic__in=page)
            .order_by("value")
            .values_list("value"),
            [(1,), (4,), (5,)],
        )
        self.assertRows(
            Record.objects.filter(Exists(page.filter(pk=OuterRef("topic"), mine=None)))
            .order_by("value")
            .values_list("value"),
            [(5,)],
        )

    def test_count_of_a_query_with_subqueries(self):
        users = User.objects.filter(name=OuterRef("mine__user__name"))
        topics = self.mine().annotate(found=Exists(users))
        self.assertEqual(topics.filter(found=True).count(), 2)
        self.assertEqual(
            topics.aggregate(n=Count("pk", filter=Q(found=False))), {"n": 1}
        )

    def test_update_in_a_subquery(self):
        topics = self.mine().filter(mine__value=3)
        self.assertEqual(Record.objects.filter(topic__in=topics).update(value=9), 2)
        self.assertEqual(Record.objects.filter(topic__in=topics).delete()[0], 0)
        self.assertEqual(Record.objects.filter(value=9).count(), 2)

    def test_exclude_of_a_relation_to_many(self):
        """exclude() makes a subquery of its own, here and beyond the join."""
        remark = Remark.everything.create(topic=self.a, text="x")
        Remark.everything.create(topic=self.a, text="y")
        topics = self.mine().exclude(remark__text="x")
        self.assertRows(topics.order_by("name"), [self.b, self.c])
        topics = self.mine().exclude(mine__topic__remark__text="x")
        self.assertRows(topics.order_by("name"), [self.b, self.c])
        topics = self.mine().exclude(mine__topic__remark=remark, mine__value=1)
        self.assertRows(topics.order_by("name"), [self.b, self.c])
        inner = self.mine().exclude(mine__topic__remark__text="x")
        self.assertRows(
            Record.objects.exclude(topic__in=inner)
            .order_by("value")
            .values_list("value"),
            [(1,), (4,)],
        )
        self.assertRows(
            Record.objects.filter(
                Exists(
                    self.mine()
                    .exclude(mine__topic__remark__text="x")
                    .filter(pk=OuterRef("topic"))
                )
            )
            .order_by("value")
            .values_list("value"),
            [(3,), (5,), (6,)],
        )

    def test_outer_reference_in_exclude(self):
        """The subquery of exclude() is one more level."""
        value = OuterRef("mine__value")
        for topics in (
            Topic.objects.exclude(record__value=value),
            self.mine("x").exclude(x__topic__record__value=value),
            self.mine("x").exclude(x__topic__record__value=value + 3),
        ):
            topics = topics.filter(pk=OuterRef("pk"))
            self.assertRows(self.mine().filter(Exists(topics)), [self.b])

    def test_update_with_a_joined_queryset(self):
        """The table that is updated is the one that the subquery joins."""
        value = self.mine().filter(pk=OuterRef("topic")).values("mine__value")
        Record.objects.update(value=Coalesce(Subquery(value), 0))
        self.assertSequenceEqual(
            Record.objects.order_by("pk").values_list("value", flat=True),
            [1, 3, 1, 0, 3],
        )

    def test_subquery_before_a_join_onto_a_page(self):
        bigger = Record.objects.filter(value__gt=OuterRef("mine__value") + 2)
        topics = self.mine().annotate(found=Exists(bigger)).order_by("name")[:2]
        self.assertRows(
            topics.alias_join(hers=Record.objects.filter(user=self.may)).values_list(
                "name", "found", "hers__value"
            ),
            [("A", True, 4), ("B", False, 5)],
        )


class UnionTests(NestingTestCase):
    def test_branches(self):
        first = self.mine().filter(mine__value=1)
        second = self.mine("x", self.may).filter(x__value=6)
        self.assertRows(first.union(second).order_by("name"), [self.a, self.c])

    def test_values_of_the_joins(self):
        first = self.mine(join_type=JoinType.INNER).values_list("name", "mine__value")
        second = self.mine("x", self.may).values_list("name", "x__value")
        self.assertRows(
            first.union(second).order_by("mine__value"),
            [("A", 1), ("C", 3), ("A", 4), ("B", 5), ("C", 6)],
        )

    def test_with_a_plain_branch(self):
        topics = Topic.objects.filter(name="B").union(self.mine().filter(mine__value=1))
        self.assertRows(topics.order_by("name"), [self.a, self.b])
        self.assertEqual(topics.count(), 2)

    def test_union_as_a_source(self):
        first = self.mine().filter(mine__value=1)
        second = self.mine("x", self.may).filter(x__value=6)
        records = Record.objects.alias_join(
            t=FilteredRelation(first.union(second), join_type=JoinType.INNER)
        )
        self.assertRows(
            records.order_by("value").values_list("value", "t__name"),
            [(1, "A"), (3, "C"), (4, "A"), (6, "C")],
        )

    def test_join_onto_a_union_of_joined_querysets(self):
        first = self.mine().filter(mine__value=1)
        second = self.mine("x", self.may).filter(x__value=6)
        topics = first.union(second).alias_join(mine=Record)
        self.assertRows(
            topics.order_by("mine__value").values_list("name", "mine__value"),
            [("A", 1), ("C", 3), ("A", 4), ("C", 6)],
        )

    @skipUnlessDBFeature("supports_select_intersection")
    def test_intersection(self):
        topics = self.mine(join_type=JoinType.INNER).intersection(
            self.mine("x", self.may).filter(x__value__gt=4)
        )
        self.assertRows(topics, [self.c])

    @skipUnlessDBFeature("supports_select_difference")
    def test_difference(self):
        topics = Topic.objects.difference(self.mine().filter(mine=None))
        self.assertRows(topics.order_by("name"), [self.a, self.c])

    @skipUnlessDBFeature("allow_sliced_subqueries_with_in")
    def test_union_in(self):
        topics = (
            self.mine()
            .filter(mine__value=1)
            .values("pk")
            .union(self.mine("x", self.may).filter(x__value=5).values("pk"))
        )
        self.assertRows(
            Topic.objects.filter(pk__in=topics).order_by("name"), [self.a, self.b]
        )


class PrefetchTests(NestingTestCase):
    def test_queryset_with_a_join(self):
        records = Record.objects.alias_join(who=User).select_related("who")
        topics = Topic.objects.order_by("name").prefetch_related(
            Prefetch("record_set", records.filter(who__name="may"), to_attr="hers")
        )
        with self.assertNumQueries(2):
            self.assertEqual(
                [
                    [(record.value, record.who.name) for record in topic.hers]
                    for topic in topics
                ],
                [[(4, "may")], [(5, "may")], [(6, "may")]],
            )

    def test_forward(self):
        records = Record.objects.order_by("value").prefetch_related(
            Prefetch("topic", self.mine().annotate(v=F("mine__value")))
        )
        with self.assertNumQueries(2):
            self.assertEqual(
                [(record.value, record.topic.v) for record in records],
                [(1, 1), (3, 3), (4, 1), (5, None), (6, 3)],
            )

    def test_prefetch_from_a_joined_queryset(self):
        topics = self.mine().order_by("name").prefetch_related("record_set")
        with self.assertNumQueries(2):
            self.assertEqual(
                [len(topic.record_set.all()) for topic in topics], [2, 1, 2]
            )

    def test_prefetch_beyond_the_alias(self):
        topics = (
            self.mine()
            .select_related("mine")
            .filter(mine__isnull=False)
            .order_by("name")
            .prefetch_related("mine__user")
        )
        with self.assertNumQueries(2):
            self.assertEqual([topic.mine.user.name for topic in topics], ["johnny"] * 2)

    def test_sliced(self):
        records = Record.objects.alias_join(who=User).order_by("-who__name")[:1]
        topics = Topic.objects.order_by("name").prefetch_related(
            Prefetch("record_set", records, to_attr="first")
        )
        with self.assertNumQueries(2):
            self.assertEqual(
                [[record.value for record in topic.first] for topic in topics],
                [[4], [5], [6]],
            )


class InheritanceTests(JoinTestCase):
    def test_tables_of_parents(self):
        """Those of a source aren't those of the queries around it."""
        c = C.objects.create(name="c")
        for name, size in [("p", 1), ("q", 2), ("r", 3)]:
            B.objects.create(name=name, size=size, fk_field=c)
        for source in [B, B.objects.all()]:
            pairs = B.objects.alias_join(
                next=FilteredRelation(source, condition=Q(next__size__gt=F("size")))
            ).filter(next__name="r")
            with self.subTest(source=source):
                self.assertRows(
                    pairs.order_by("size").values_list("size", "next__name"),
                    [(1, "r"), (2, "r")],
                )
                self.assertRows(
                    B.objects.filter(pk__in=pairs).order_by("size").values_list("size"),
                    [(1,), (2,)],
                )
                names = pairs.filter(pk=OuterRef("pk")).values("next__name")
                self.assertRows(
                    B.objects.annotate(next=Subquery(names))
                    .order_by("size")
                    .values_list("size", "next"),
                    [(1, "r"), (2, "r"), (3, None)],
                )


class ManyToManyPrefetchTests(JoinTestCase):
    """The table of links, which prefetching selects from, is joined too."""

    @classmethod
    def setUpTestData(cls):
        cls.ann, cls.bob = [
            Contact.objects.create(name=name) for name in ("ann", "bob")
        ]
        cls.one, cls.two = [Phone.objects.create(number=number) for number in "12"]
        cls.ann.phones.set([cls.one, cls.two])
        cls.bob.phones.set([cls.two])

    def assertPhones(self, phones, *expected):
        contacts = Contact.objects.order_by("name").prefetch_related(
            Prefetch("phones", phones.order_by("number"), to_attr="ordered")
        )
        with self.assertNumQueries(2):
            self.assertEqual([contact.ordered for contact in contacts], [*expected])

    def test_table(self):
        link = Contact.phones.through
        for alias in ["link", link._meta.db_table]:
            for source in [link, link.objects.all()]:
                with self.subTest(alias, source=source):
                    self.assertPhones(
                        Phone.objects.alias_join(**{alias: source}),
                        [self.one, self.two, self.two],
                        [self.two, self.two],
                    )

    def test_grouped(self):
        links = Contact.phones.through.objects.values("phone").annotate(n=Count("pk"))
        phones = Phone.objects.alias_join(links=links).annotate(n=F("links__n"))
        self.assertPhones(phones.filter(n=2), [self.two], [self.two])
        self.assertPhones(phones.filter(n=1), [self.one], [])

    def test_filter_along_the_relation(self):
        links = Contact.phones.through.objects.values("phone").annotate(n=Count("pk"))
        phones = Phone.objects.alias_join(links=links).filter(
            contact__name="ann", contact__phones__number="1"
        )
        self.assertPhones(phones, [self.one, self.two], [])

    def test_sliced(self):
        phones = Phone.objects.alias_join(link=Contact.phones.through)
        contacts = Contact.objects.order_by("name").prefetch_related(
            Prefetch("phones", phones.order_by("-number")[:2], to_attr="last")
        )
        self.assertEqual(
            [contact.last for contact in contacts], [[self.two] * 2, [self.two] * 2]
        )


class NameTests(NestingTestCase):
    """Names that another query, or Django itself, uses too."""

    names = [
        "alias_join_topic",
        "alias_join_record",
        "ALIAS_JOIN_TOPIC",
        "T1",
        "T2",
        "T3",
        "T4",
        "t4",
        "U0",
        "U1",
        "u0",
        "V0",
        "W1",
        "subquery",
        "Aa0",
        "col1",
        "order",
        "select",
        "Ünïcödé",
        "SELF",
    ]

    def test_any_name(self):
        for name in self.names:
            with self.subTest(name):
                topics = self.mine(name)
                self.assertRows(
                    topics.order_by("name").values_list("name", f"{name}__value"),
                    [("A", 1), ("B", None), ("C", 3)],
                )
                self.assertEqual(topics.filter(**{f"{name}__value": 3}).count(), 1)

    def test_beside_other_joins(self):
        for name in self.names:
            with self.subTest(name):
                topics = (
                    self.mine(name)
                    .filter(record__user__name="may")
                    .filter(record__user__name__startswith="m")
                    .exclude(remark__text="x")
                    .exclude(**{f"{name}__topic__remark__text": "x"})
                    .alias_join(second=Record)
                    .filter(second__value__gt=4)
                )
                self.assertRows(
                    topics.order_by("name").values_list(
                        "name", f"{name}__value", "second__value"
                    ),
                    [("B", None, 5), ("C", 3, 6)],
                )

    def test_the_same_name_inside_and_outside(self):
        for name in ["mine", *self.names]:
            with self.subTest(name):
                inner = self.mine(name, self.may).annotate(v=F(f"{name}__value"))
                topics = Topic.objects.alias_join(
                    **{name: FilteredRelation(inner, condition=Q(**{name: F("pk")}))}
                )
                self.assertRows(
                    topics.order_by("name").values_list(f"{name}__name", f"{name}__v"),
                    [("A", 4), ("B", 5), ("C", 6)],
                )
                topics = self.mine(name).filter(
                    Exists(
                        self.mine(name, self.may).filter(
                            **{
                                "pk": OuterRef("pk"),
                                f"{name}__value__gt": OuterRef(f"{name}__value"),
                            }
                        )
                    )
                )
                self.assertRows(topics.order_by("name"), [self.a, self.c])
                self.assertRows(
                    self.mine(name)
                    .filter(pk__in=self.mine(name, self.may))
                    .exclude(**{f"{name}__value": 1})
                    .order_by("name"),
                    [self.b, self.c],
                )

    def test_names_in_both(self):
        for first in self.names[:8]:
            for second in self.names[:12]:
                if first.lower() == second.lower():
                    continue
                with self.subTest(first=first, second=second):
                    topics = self.mine(first).alias_join(
                        **{
                            second: FilteredRelation(
                                self.mine(first, self.may).annotate(
                                    v=F(f"{first}__value")
                                ),
                                condition=Q(**{second: F("pk")}),
                            )
                        }
                    )
                    topics = topics.filter(
                        Exists(self.mine(second).filter(pk=OuterRef(second)))
                    )
                    self.assertRows(
                        topics.order_by("name").values_list(
                            f"{first}__value", f"{second}__v"
                        ),
                        [(1, 4), (None, 5), (3, 6)],
                    )
                    combined = self.mine(first) & self.mine(second, self.may)
                    self.assertRows(
                        combined.order_by("name").values_list(
                            f"{first}__value", f"{second}__value"
                        ),
                        [(1, 4), (None, 5), (3, 6)],
                    )

    def test_page(self):
        for name in self.names:
            with self.subTest(name):
                topics = self.mine(name).order_by("name")[1:].alias_join(again=Record)
                self.assertRows(
                    topics.order_by("again__value").values_list(
                        "name", f"{name}__value", "again__value"
                    ),
                    [("C", 3, 3), ("B", None, 5), ("C", 3, 6)],
                )

    def test_update(self):
        for name in self.names:
            with self.subTest(name):
                topics = self.mine(name).filter(**{f"{name}__value": 1})
                self.assertEqual(topics.update(name=Lower("name")), 1)
                self.assertEqual(topics.update(name=F(f"{name}__user__name")), 1)
                self.assertEqual(topics.update(name="A"), 1)
