"""
update() and delete() write to exactly the base rows that iteration returns,
once each.
"""

import contextlib

from django.core.exceptions import FieldError, MultipleObjectsReturned
from django.db import IntegrityError, connection, transaction
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Concat, Lower, RowNumber
from django.db.models.signals import post_delete, pre_delete
from django.test import skipUnlessDBFeature
from django.test.utils import CaptureQueriesContext

from .base import JoinTestCase, TopicTestCase
from .models import (
    A,
    Asset,
    B,
    C,
    CompanyCar,
    Contact,
    Egg,
    Employee,
    Phone,
    Record,
    Seat,
    Snake,
    Ticket,
    Topic,
    User,
    Vehicle,
)


class RolledBack(Exception):
    pass


@contextlib.contextmanager
def rolled_back():
    with contextlib.suppress(RolledBack), transaction.atomic():
        yield
        raise RolledBack


class WriteTestCase(TopicTestCase):
    def mine(self, **kwargs):
        """Return each topic with the record of johnny."""
        return Topic.objects.alias_join(
            mine=FilteredRelation(Record.objects.filter(user=self.johnny), **kwargs)
        )

    def names(self):
        return "".join(Topic.objects.order_by("pk").values_list("name", flat=True))

    def values(self):
        return list(Record.objects.order_by("pk").values_list("value", flat=True))


class RowsTests(WriteTestCase):
    """The rows that are written to, whatever queryset was joined."""

    def querysets(self):
        """Return querysets with a join and the names of their topics."""
        topics = Topic.objects.order_by("-name")
        mine = Record.objects.filter(user=self.johnny)
        grouped = Record.objects.values("topic").annotate(n=Count("pk"))
        three = Q(mine__value=3)
        inner = JoinType.INNER
        distinct = Topic.objects.filter(record__value__gt=3).distinct()
        ranked = topics.annotate(rank=Window(RowNumber(), order_by=F("name").asc()))
        union = topics.order_by().filter(name="A").union(Topic.objects.filter(name="B"))
        return [
            ("no filter", topics.alias_join(mine=mine), "ABC"),
            ("filter", topics.alias_join(mine=mine).filter(three), "C"),
            ("exclude", topics.alias_join(mine=mine).exclude(three), "AB"),
            ("or", topics.alias_join(mine=mine).filter(three | Q(name="B")), "BC"),
            ("unmatched", topics.alias_join(mine=mine).filter(mine=None), "B"),
            ("inner", topics.alias_join(mine=mine, join_type=inner), "AC"),
            ("to many", topics.alias_join(x=Record).filter(x__value__lt=5), "AC"),
            ("beyond", topics.alias_join(x=Record).filter(x__user=self.johnny), "AC"),
            (
                "far beyond",
                topics.alias_join(x=Record).filter(x__user__name="johnny"),
                "AC",
            ),
            ("cross", topics.alias_join(x=User, join_type=JoinType.CROSS), "ABC"),
            ("groups", topics.alias_join(x=grouped).filter(x__n=1), "B"),
            ("none", topics.alias_join(x=mine.none(), join_type=inner), ""),
            ("none kept", topics.alias_join(x=mine.none()), "ABC"),
            (
                "relation",
                topics.alias_join(
                    x=FilteredRelation("record", condition=Q(record__value__gt=4))
                ).filter(x__isnull=False),
                "BC",
            ),
            (
                "two joins",
                topics.alias_join(mine=mine)
                .alias_join(
                    more=Record, on=Q(more__value__gt=F("mine__value"), more__value=3)
                )
                .filter(more__isnull=False),
                "A",
            ),
            ("of a slice", topics[:2].alias_join(mine=mine), "BC"),
            ("of an offset", topics[1:].alias_join(mine=mine), "AB"),
            ("of a slice, filter", topics[:2].alias_join(mine=mine).filter(three), "C"),
            (
                "of a slice, inner",
                topics[:2].alias_join(mine=mine, join_type=inner),
                "C",
            ),
            ("of distinct", distinct.alias_join(mine=mine), "ABC"),
            ("of distinct, filter", distinct.alias_join(mine=mine).filter(three), "C"),
            (
                "of an aggregation",
                topics.annotate(n=Count("record")).alias_join(mine=mine).filter(n=2),
                "AC",
            ),
            (
                "of a filtered aggregation",
                topics.annotate(n=Count("record")).filter(n=2).alias_join(mine=mine),
                "AC",
            ),
            (
                "of a window",
                ranked.alias_join(mine=mine).filter(rank__lte=2),
                "AB",
            ),
            ("of a union", union.alias_join(mine=mine), "AB"),
            ("of a union, filter", union.alias_join(mine=mine).filter(mine=None), "B"),
            (
                "of a page of joined rows",
                topics.alias_join(x=Record)
                .order_by("-x__value")[:2]
                .alias_join(mine=mine),
                "BC",
            ),
            (
                "distinct after",
                topics.alias_join(x=Record).filter(x__value__lt=5).distinct(),
                "AC",
            ),
            (
                "aggregate after",
                topics.alias_join(x=Record).annotate(n=Count("x")).filter(n=2),
                "AC",
            ),
            (
                "aggregate after, all",
                topics.alias_join(x=Record).annotate(n=Count("x")),
                "ABC",
            ),
            (
                "window after",
                topics.alias_join(x=Record)
                .annotate(rank=Window(RowNumber(), order_by=F("x__value").asc()))
                .filter(rank__lte=2),
                "AC",
            ),
            (
                "select_related",
                topics.alias_join(mine=mine).select_related("mine__user").filter(three),
                "C",
            ),
            (
                "deferred",
                topics.alias_join(mine=mine).only("mine__note").filter(three),
                "C",
            ),
            (
                "source of the same model",
                topics.alias_join(
                    x=Topic.objects.filter(name="A"), on=Q(x__name__lt=F("name"))
                ).filter(x__isnull=False),
                "BC",
            ),
            (
                "sliced source of the same model",
                topics.alias_join(
                    x=Topic.objects.order_by("name")[:1], on=Q(x__pk=F("pk"))
                ).filter(x__isnull=False),
                "A",
            ),
            (
                "subquery that refers to the join",
                topics.alias_join(mine=mine).filter(
                    Exists(Record.objects.filter(value__lt=3, pk=OuterRef("mine__pk")))
                ),
                "A",
            ),
        ]

    def test_iteration(self):
        for name, topics, names in self.querysets():
            with self.subTest(name):
                self.assertEqual(
                    "".join(sorted({topic.name for topic in topics})), names
                )

    def test_update(self):
        for name, topics, names in self.querysets():
            with self.subTest(name), rolled_back():
                with self.assertNumQueries(1):
                    self.assertEqual(topics.update(name=Lower("name")), len(names))
                expected = "".join(c.lower() if c in names else c for c in "ABC")
                self.assertEqual(self.names(), expected)

    def test_delete(self):
        """The records of the topics are deleted with them."""
        records = {"A": 2, "B": 1, "C": 2}
        for name, topics, names in self.querysets():
            with self.subTest(name), rolled_back():
                deleted = {}
                if names:
                    deleted = {
                        "alias_join.Record": sum(records[name] for name in names),
                        "alias_join.Topic": len(names),
                    }
                self.assertEqual(topics.delete(), (sum(deleted.values()), deleted))
                self.assertEqual(
                    self.names(), "".join(name for name in "ABC" if name not in names)
                )
                self.assertEqual(
                    Record.objects.count(), 5 - sum(records[name] for name in names)
                )

    def test_nothing_else_is_written(self):
        for name, topics, names in self.querysets():
            with self.subTest(name), rolled_back():
                topics.update(name="X")
                self.assertEqual(self.values(), [1, 3, 4, 5, 6])
                self.assertEqual(User.objects.count(), 2)


class OuterJoinTests(WriteTestCase):
    """Rows without a topic can't be written to, and are in nobody's way."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.egon = User.objects.create(name="egon")

    def querysets(self):
        records = Record.objects.filter(value__gt=3)
        fans = FilteredRelation(
            User, condition=Q(who=F("user"), value__lt=4), join_type=JoinType.RIGHT
        )
        yield "all", Record.objects.alias_join(who=fans), [1, 3]
        yield "onto filtered", records.alias_join(who=fans), []
        yield "filter", Record.objects.alias_join(who=fans).exclude(value=1), [3]
        fans = FilteredRelation(
            User, condition=Q(who=F("user")), join_type=JoinType.FULL
        )
        yield "full", Record.objects.alias_join(who=fans), [1, 3, 4, 5, 6]
        yield "full onto filtered", records.alias_join(who=fans), [4, 5, 6]

    @skipUnlessDBFeature("supports_right_join")
    def test_update(self):
        for name, records, values in self.querysets():
            with self.subTest(name), rolled_back():
                self.assertEqual(records.update(note="x"), len(values))
                self.assertSequenceEqual(
                    Record.objects.filter(note="x")
                    .order_by("value")
                    .values_list("value", flat=True),
                    values,
                )

    @skipUnlessDBFeature("supports_right_join")
    def test_delete(self):
        for name, records, values in self.querysets():
            with self.subTest(name), rolled_back():
                self.assertEqual(records.delete()[0], len(values))
                self.assertEqual(
                    self.values(), [v for v in [1, 3, 4, 5, 6] if v not in values]
                )
                self.assertEqual(User.objects.count(), 3)

    @skipUnlessDBFeature("supports_right_join")
    def test_delete_with_cascade(self):
        """The topics are loaded, which rows without one can't be."""
        Record.objects.filter(topic=self.b).delete()
        topics = Topic.objects.alias_join(
            x=FilteredRelation(
                Record, condition=Q(x__topic=F("pk"), name="A"), join_type="right"
            )
        )
        self.assertEqual(
            topics.delete(), (3, {"alias_join.Record": 2, "alias_join.Topic": 1})
        )
        self.assertEqual(self.names(), "BC")

    @skipUnlessDBFeature("supports_right_join")
    def test_update_with_a_joined_value(self):
        records = Record.objects.alias_join(
            who=FilteredRelation(User, condition=Q(who=F("user")), join_type="right")
        )
        with self.assertNumQueries(2):
            self.assertEqual(records.update(note=F("who__name")), 5)
        self.assertSequenceEqual(
            Record.objects.order_by("value").values_list("note", flat=True),
            ["johnny", "johnny", "may", "may", "may"],
        )


class DeleteTests(WriteTestCase):
    def test_signals_are_sent_once_a_row(self):
        calls = []

        def receiver(signal, instance, **kwargs):
            calls.append((signal is pre_delete, instance.name))

        for signal in (pre_delete, post_delete):
            signal.connect(receiver, sender=Topic)
            self.addCleanup(signal.disconnect, receiver, sender=Topic)
        Topic.objects.alias_join(any=Record).filter(any__value__lt=5).delete()
        self.assertCountEqual(
            calls, [(True, "A"), (True, "C"), (False, "A"), (False, "C")]
        )

    def test_rows_are_loaded_once_for_a_cascade(self):
        topics = self.mine().filter(mine__value__gt=0)
        with CaptureQueriesContext(connection) as queries:
            topics.delete()
        self.assertEqual(
            [query["sql"].split()[0] for query in queries],
            ["SELECT", "DELETE", "DELETE", "DELETE"],
        )

    def test_rows_without_a_cascade_are_not_loaded(self):
        records = Record.objects.alias_join(who=User).filter(who__name="may")
        with self.assertNumQueries(1):
            self.assertEqual(records.delete(), (3, {"alias_join.Record": 3}))
        self.assertEqual(self.values(), [1, 3])

    def test_many_to_many_rows(self):
        contact = Contact.objects.create(name="x")
        other = Contact.objects.create(name="y")
        phone = Phone.objects.create(number="1")
        contact.phones.add(phone)
        other.phones.add(phone, Phone.objects.create(number="2"))
        contacts = Contact.objects.alias_join(x=FilteredRelation("phones"))
        contacts = contacts.filter(x__number="1", name="x")
        self.assertEqual(
            contacts.delete(),
            (2, {"alias_join.Contact": 1, "alias_join.Contact_phones": 1}),
        )
        self.assertSequenceEqual(Contact.objects.all(), [other])

    def test_set_null(self):
        boss = Employee.objects.create(name="boss", salary=3)
        worker = Employee.objects.create(name="worker", boss=boss, salary=2)
        employees = Employee.objects.alias_join(
            staff=Employee, on=Q(staff__boss=F("pk"))
        )
        self.assertEqual(
            employees.filter(staff__salary=2).delete(), (1, {"alias_join.Employee": 1})
        )
        worker.refresh_from_db()
        self.assertIsNone(worker.boss)

    def test_cached_rows_are_forgotten(self):
        topics = self.mine().filter(mine__value=3)
        self.assertEqual(list(topics), [self.c])
        topics.delete()
        self.assertEqual(list(topics), [])

    def test_joined_rows_stay(self):
        Record.objects.alias_join(t=Topic).filter(t__name="A").delete()
        self.assertEqual(self.names(), "ABC")
        self.assertEqual(self.values(), [3, 5, 6])

    def test_lateral_source(self):
        last = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")[:1]
        topics = Topic.objects.alias_join(last=last)
        self.assertEqual(topics.filter(last__value__lte=5).delete()[0], 5)
        self.assertEqual(self.names(), "C")

    def test_refusals(self):
        mine = self.mine()
        for queryset, message in [
            (mine[:1], "Cannot use 'limit' or 'offset' with delete()."),
            (mine.values("mine__value"), "Cannot call delete() after .values()"),
        ]:
            with self.subTest(message), self.assertRaisesMessage(TypeError, message):
                queryset.delete()

    def test_the_table_itself(self):
        """What a source computes doesn't change with each deleted row."""
        groups = Record.objects.values("topic").annotate(n=Count("pk"))
        records = Record.objects.alias_join(g=groups, on=Q(g__topic=F("topic")))
        self.assertEqual(records.filter(g__n=2).delete(), (4, {"alias_join.Record": 4}))
        self.assertEqual(self.values(), [5])

    def test_raw_delete_of_a_page(self):
        """A fast deletion deletes no more than the page either."""
        records = Record.objects.order_by("-value")[:2].alias_join(who=User)
        with self.assertNumQueries(1):
            self.assertEqual(records.delete(), (2, {"alias_join.Record": 2}))
        self.assertEqual(self.values(), [1, 3, 4])


class ModelTests(JoinTestCase):
    """Models with more than one table, or more than one key column."""

    def create_children(self):
        c = C.objects.create(name="c")
        return [
            B.objects.create(name=name, size=size, fk_field=c)
            for name, size in [("x", 1), ("y", 2), ("z", 3)]
        ]

    def children(self):
        return list(B.objects.order_by("pk").values_list("name", "size"))

    def test_update_child(self):
        self.create_children()
        for children in (
            B.objects.alias_join(same=B, on=Q(same__size__gt=F("size"))),
            B.objects.order_by("size")[:5].alias_join(
                same=B, on=Q(same__size__gt=F("size"))
            ),
        ):
            with self.subTest(str(children.query)), rolled_back():
                children = children.filter(same__isnull=False)
                self.assertEqual(children.update(size=0), 2)
                self.assertEqual(self.children(), [("x", 0), ("y", 0), ("z", 3)])

    def test_update_parent(self):
        self.create_children()
        children = B.objects.alias_join(same=B, on=Q(same__size__gt=F("size")))
        children = children.filter(same__isnull=False)
        self.assertEqual(children.update(name="w"), 2)
        self.assertEqual(self.children(), [("w", 1), ("w", 2), ("z", 3)])

    def test_update_child_and_parent(self):
        """The rows are found before the first table changes."""
        self.create_children()
        for children in (B.objects.all(), B.objects.order_by("-size")[1:]):
            children = children.alias_join(same=B, on=Q(same__size__gt=F("size")))
            with rolled_back():
                children = children.filter(same__isnull=False)
                self.assertEqual(children.update(name="w", size=9), 2)
                self.assertEqual(self.children(), [("w", 9), ("w", 9), ("z", 3)])

    def test_delete_child(self):
        self.create_children()
        children = B.objects.alias_join(same=B, on=Q(same__size__gt=F("size")))
        self.assertEqual(
            children.filter(same__isnull=False).delete(),
            (4, {"alias_join.A": 2, "alias_join.B": 2}),
        )
        self.assertEqual(self.children(), [("z", 3)])
        self.assertEqual(A.objects.get().name, "z")

    def test_delete_child_of_a_page(self):
        self.create_children()
        children = B.objects.order_by("-size")[:2].alias_join(c=C)
        self.assertEqual(children.delete()[1]["alias_join.B"], 2)
        self.assertEqual(self.children(), [("x", 1)])

    def test_second_parent(self):
        Asset.objects.create(price=5)
        for number, name in enumerate(["x", "y"]):
            driver = Employee.objects.create(name=name, salary=number)
            CompanyCar.objects.create(price=1, wheels=4, driver=driver)
        cars = CompanyCar.objects.alias_join(d=Employee).filter(d__name="y")
        self.assertEqual(cars.update(wheels=3), 1)
        self.assertSequenceEqual(
            CompanyCar.objects.order_by("pk").values_list("wheels", flat=True), [4, 3]
        )
        cars = CompanyCar.objects.alias_join(d=Employee)
        self.assertEqual(cars.update(wheels=F("d__salary")), 2)
        self.assertSequenceEqual(
            Vehicle.objects.order_by("pk").values_list("wheels", flat=True), [0, 1]
        )
        self.assertEqual(cars.filter(d__name="x").delete()[0], 3)
        self.assertEqual(Asset.objects.count(), 2)
        self.assertEqual(CompanyCar.objects.get().wheels, 1)

    def create_seats(self):
        for row, place in [(1, 1), (1, 2), (2, 1)]:
            Seat.objects.create(row=row, place=place)
        for row, place, price in [(1, 1, 5), (1, 2, 9), (1, 2, 9), (None, 1, 9)]:
            Ticket.objects.create(row=row, place=place, price=price)

    def test_composite_key(self):
        self.create_seats()
        sold = Seat.objects.alias_join(t=Ticket, join_type=JoinType.INNER)
        with rolled_back():
            self.assertEqual(sold.filter(t__price=9).update(window=True), 1)
            self.assertEqual(Seat.objects.get(window=True).pk, (1, 2))
        with rolled_back():
            self.assertEqual(
                sold.filter(t__price=9).delete(),
                (3, {"alias_join.Seat": 1, "alias_join.Ticket": 2}),
            )
            self.assertCountEqual(
                Seat.objects.values_list("pk", flat=True), [(1, 1), (2, 1)]
            )
        page = Seat.objects.order_by("row", "place")[:2].alias_join(t=Ticket)
        with rolled_back():
            self.assertEqual(page.update(window=True), 2)
            self.assertEqual(Seat.objects.get(window=False).pk, (2, 1))
        with rolled_back():
            self.assertEqual(
                page.delete(), (5, {"alias_join.Seat": 2, "alias_join.Ticket": 3})
            )
            self.assertEqual(Seat.objects.get().pk, (2, 1))

    def test_value_of_a_composite_key(self):
        self.create_seats()
        seats = Ticket.objects.filter(row=1).alias_join(
            s=Seat, on=Q(s__row=F("row"), s__place=1)
        )
        with self.assertRaisesMessage(FieldError, "composite primary key"):
            seats.update(price=F("s__pk"))
        seats.update(price=F("s__place") + 100)
        self.assertCountEqual(
            Ticket.objects.values_list("price", flat=True), [101, 101, 101, 9]
        )

    def test_joined_value_for_a_composite_key(self):
        self.create_seats()
        Ticket.objects.filter(price=5).update(row=2)
        seats = Seat.objects.alias_join(t=Ticket, join_type=JoinType.INNER)
        self.assertEqual(
            seats.update(window=Case(When(t__price=9, then=True), default=False)), 2
        )
        self.assertEqual(Seat.objects.get(window=True).pk, (1, 2))


class JoinedValueTests(WriteTestCase):
    """update(x=F("alias__y"))"""

    def notes(self):
        return list(Record.objects.order_by("value").values_list("note", flat=True))

    def test_column(self):
        records = Record.objects.alias_join(t=Topic)
        with self.assertNumQueries(2):
            self.assertEqual(records.update(note=F("t__name")), 5)
        self.assertEqual(self.notes(), ["A", "C", "A", "B", "C"])

    def test_sql(self):
        records = Record.objects.alias_join(t=Topic)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            records.update(note=F("t__name"))
        quoted = connection.ops.quote_name("alias_join_record")
        self.assertEqual(
            [query["sql"].split()[0] for query in queries], ["SELECT", "UPDATE"]
        )
        self.assertIn(f"UPDATE {quoted} SET", queries[1]["sql"])
        self.assertIn("(SELECT DISTINCT", queries[1]["sql"])

    def test_unmatched_rows_become_null(self):
        Record.objects.update(note="x")
        records = Record.objects.alias_join(t=Topic.objects.filter(name="A"))
        self.assertEqual(records.update(note=F("t__name")), 5)
        self.assertEqual(self.notes(), ["A", None, "A", None, None])

    def test_unmatched_rows_stay_with_an_inner_join(self):
        Record.objects.update(note="x")
        records = Record.objects.alias_join(
            t=Topic.objects.filter(name="A"), join_type=JoinType.INNER
        )
        self.assertEqual(records.update(note=F("t__name")), 2)
        self.assertEqual(self.notes(), ["A", "x", "A", "x", "x"])

    def test_filtered_rows(self):
        records = Record.objects.alias_join(t=Topic).exclude(t__name="C")
        self.assertEqual(records.filter(value__gt=1).update(note=F("t__name")), 2)
        self.assertEqual(self.notes(), [None, None, "A", "B", None])

    def test_relation_beyond(self):
        topics = self.mine(join_type=JoinType.INNER)
        self.assertEqual(topics.update(name=F("mine__user__name")), 2)
        self.assertEqual(self.names(), "johnnyBjohnny")

    def test_expression(self):
        topics = self.mine()
        name = Concat(
            "name", Value("-"), Coalesce(Lower("mine__user__name"), Value("?"))
        )
        self.assertEqual(topics.update(name=name), 3)
        self.assertEqual(self.names(), "A-johnnyB-?C-johnny")

    def test_case(self):
        self.mine().update(
            name=Case(
                When(mine__value__gt=1, then=Value("big")), default=Value("small")
            )
        )
        self.assertEqual(self.names(), "smallsmallbig")

    def test_annotation(self):
        topics = self.mine().annotate(v=Coalesce("mine__value", 0) + 5)
        topics.update(name=Concat(Value("v"), "v", output_field=Topic.name.field))
        self.assertEqual(self.names(), "v6v5v8")

    def test_subquery_that_refers_to_the_join(self):
        best = Record.objects.filter(value__lt=OuterRef("mine__value") + 3).order_by(
            "-value"
        )
        topics = self.mine().filter(mine__isnull=False)
        topics.update(name=Subquery(best.values("user__name")[:1]))
        self.assertEqual(self.names(), "johnnyBmay")

    def test_foreign_key(self):
        records = Record.objects.filter(value=5).alias_join(
            other=Record.objects.filter(value=1), join_type=JoinType.CROSS
        )
        self.assertEqual(records.update(topic=F("other__topic")), 1)
        self.assertEqual(Record.objects.get(value=5).topic, self.a)

    def test_alias_is_the_key_of_the_joined_row(self):
        records = Record.objects.alias_join(
            x=Topic.objects.filter(name="B"), join_type=JoinType.CROSS
        )
        records.filter(value__lt=4).update(topic=F("x"))
        self.assertSequenceEqual(
            Record.objects.filter(topic=self.b)
            .order_by("value")
            .values_list("value", flat=True),
            [1, 3, 5],
        )

    def test_several_fields(self):
        records = Record.objects.alias_join(x=Topic.objects.annotate(n=Count("record")))
        with self.assertNumQueries(2):
            records.update(note=F("x__name"), value=F("x__n") * 10 + F("value"))
        self.assertEqual(self.notes(), ["B", "A", "C", "A", "C"])
        self.assertEqual(self.values(), [21, 23, 24, 15, 26])

    def test_joined_value_beside_a_plain_one(self):
        self.mine().filter(mine__value=1).update(name=F("mine__user__name"))
        Record.objects.alias_join(t=Topic).update(
            note=F("t__name"), value=F("value") + 1
        )
        self.assertEqual(self.notes(), ["johnny", "C", "johnny", "B", "C"])
        self.assertEqual(self.values(), [2, 4, 5, 6, 7])

    def test_group(self):
        for count in (2, 0, 1):
            snake = Snake.objects.create(name="s")
            Egg.objects.bulk_create(Egg(snake=snake) for _ in range(count))
        eggs = Egg.objects.values("snake").annotate(n=Count("pk"))
        snakes = Snake.objects.alias_join(eggs=eggs)
        snakes.update(
            name=Concat(
                Value("n"),
                Coalesce("eggs__n", 0),
                output_field=Snake.name.field,
            )
        )
        self.assertSequenceEqual(
            Snake.objects.order_by("pk").values_list("name", flat=True),
            ["n2", "n0", "n1"],
        )

    def test_the_table_itself(self):
        """Values are those from before, in whatever order rows are written."""
        boss = None
        for salary in (4, 3, 2, 1):
            boss = Employee.objects.create(name=f"e{salary}", boss=boss, salary=salary)
        employees = Employee.objects.alias_join(
            chief=Employee, on=Q(chief__pk=F("boss")), join_type=JoinType.INNER
        )
        for ordering in ([], ["salary"], ["-salary"], ["chief__salary"]):
            with self.subTest(ordering=ordering), rolled_back():
                employees.order_by(*ordering).update(salary=F("chief__salary"))
                self.assertSequenceEqual(
                    Employee.objects.order_by("pk").values_list("salary", flat=True),
                    [4, 4, 3, 2],
                )

    def test_the_key_of_the_table_itself(self):
        """Nor does a written value decide which row another one joins."""
        boss = None
        for name in "abcd":
            boss = Employee.objects.create(name=name, boss=boss)
        a, b, c, d = Employee.objects.order_by("name")
        for source in (Employee, Employee.objects.values("pk", "boss")):
            for join_type in (JoinType.LEFT, JoinType.INNER):
                employees = Employee.objects.alias_join(
                    chief=source, on=Q(chief__pk=F("boss")), join_type=join_type
                )
                with self.subTest(source=source, join_type=join_type), rolled_back():
                    employees.update(boss=F("chief__boss"))
                    self.assertSequenceEqual(
                        Employee.objects.order_by("pk").values_list("boss", flat=True),
                        [None, None, a.pk, b.pk],
                    )

    def test_page(self):
        topics = Topic.objects.order_by("-name")[:2].alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        self.assertEqual(
            topics.update(name=Coalesce("mine__user__name", Value("?"))), 2
        )
        self.assertEqual(self.names(), "A?johnny")

    def test_aggregate_of_the_queryset_before(self):
        topics = (
            Topic.objects.annotate(n=Count("record"), low=Lower("name"))
            .alias_join(mine=Record.objects.filter(user=self.johnny))
            .filter(mine__isnull=False)
        )
        self.assertEqual(
            topics.update(name=Concat("low", "n", output_field=Topic.name.field)), 2
        )
        self.assertEqual(self.names(), "a2Bc2")

    def test_column_of_the_base_of_a_page(self):
        topics = Topic.objects.order_by("-name")[:2].alias_join(mine=Record)
        with self.assertNumQueries(1):
            self.assertEqual(topics.update(name=Lower("name")), 2)
        self.assertEqual(self.names(), "Abc")

    def test_first_of_each_by_a_window(self):
        topics = (
            Topic.objects.alias_join(x=Record)
            .annotate(
                rank=Window(
                    RowNumber(), partition_by="pk", order_by=F("x__value").desc()
                )
            )
            .filter(rank=1)
        )
        topics.update(
            name=Concat("x__value", Value("."), output_field=Topic.name.field)
        )
        self.assertEqual(self.names(), "4.5.6.")

    def test_lateral(self):
        last = Record.objects.filter(topic=OuterRef("pk")).order_by("-value")[:1]
        topics = Topic.objects.alias_join(last=last)
        topics.update(
            name=Concat("last__value", Value("."), output_field=Topic.name.field)
        )
        self.assertEqual(self.names(), "4.5.6.")

    def test_relation_of_the_model(self):
        topics = Topic.objects.alias_join(
            x=FilteredRelation("record", condition=Q(record__user=self.may))
        )
        topics.update(
            name=Concat("x__value", Value("."), output_field=Topic.name.field)
        )
        self.assertEqual(self.names(), "4.5.6.")

    def test_field_of_the_parent(self):
        c = C.objects.create(name="c")
        B.objects.create(name="x", size=1, fk_field=c)
        A.objects.create(name="a")
        children = B.objects.alias_join(c=C)
        self.assertEqual(children.update(name=F("c__name")), 1)
        self.assertSequenceEqual(
            A.objects.order_by("name").values_list("name", flat=True), ["a", "c"]
        )
        children.update(size=F("c__pk"))
        self.assertEqual(B.objects.get().size, c.pk)

    def test_not_null(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.mine().update(name=F("mine__user__name"))
        self.assertEqual(self.names(), "ABC")

    def test_several_rows_with_equal_values(self):
        topics = Topic.objects.alias_join(
            x=Record.objects.filter(user=self.may), join_type=JoinType.CROSS
        )
        self.assertEqual(topics.update(name=F("x__user__name")), 3)
        self.assertEqual(self.names(), "maymaymay")

    def test_several_rows_with_different_values(self):
        topics = Topic.objects.alias_join(x=Record)
        with (
            self.assertNumQueries(1),
            self.assertRaisesMessage(
                MultipleObjectsReturned, "which of several joined rows"
            ),
        ):
            topics.update(name=F("x__user__name"))
        self.assertEqual(self.names(), "ABC")

    def test_several_rows_one_of_which_is_null(self):
        Record.objects.filter(user=self.may).update(note="x")
        topics = Topic.objects.alias_join(x=Record)
        with self.assertRaises(MultipleObjectsReturned):
            topics.update(name=F("x__note"))

    def test_several_rows_whose_values_differ_together(self):
        """No row has the mixture of both."""
        Record.objects.filter(topic=self.b).delete()
        Record.objects.update(value=1, note="x")
        pairs = Record.objects.filter(topic=self.a).order_by("pk")
        first, second = pairs
        Record.objects.filter(pk=first.pk).update(value=2, note="y")
        records = Record.objects.alias_join(
            x=Record, on=Q(x__topic=F("topic")), join_type=JoinType.INNER
        )
        with self.assertRaises(MultipleObjectsReturned):
            records.update(value=F("x__value"), note=F("x__note"))
        records.filter(topic=self.c).update(value=F("x__value"), note=F("x__note"))

    def test_only_rows_of_the_queryset_have_to_be_unique(self):
        topics = Topic.objects.alias_join(x=Record)
        self.assertEqual(topics.filter(name="B").update(name=F("x__user__name")), 1)
        self.assertEqual(self.names(), "AmayC")
        topics.filter(x__value__gt=3).update(name=F("x__user__name"))
        self.assertEqual(self.names(), "maymaymay")

    def test_aggregate(self):
        topics = Topic.objects.alias_join(x=Record)
        message = "can't be updated with an aggregate or a window function"
        for value in (Max("x__note"), Window(Max("x__note"), partition_by="pk")):
            with self.assertRaisesMessage(FieldError, message):
                topics.update(name=value)

    def test_value_of_grouped_rows(self):
        topics = Topic.objects.alias_join(x=Record).annotate(n=Count("x")).filter(n=1)
        with self.assertRaisesMessage(FieldError, "joined rows that are grouped"):
            topics.update(name=F("x__note"))

    def test_fields_of_several_models(self):
        children = B.objects.alias_join(c=C)
        with self.assertRaisesMessage(
            FieldError, "in several tables: alias_join.A, alias_join.B"
        ):
            children.update(name=F("c__name"), size=1)

    def test_ordinary_relation_is_refused_as_ever(self):
        records = Record.objects.alias_join(t=Topic)
        for queryset in (records, Record.objects.alias(x=FilteredRelation("topic"))):
            name = "topic__name" if queryset is records else "x__name"
            with self.assertRaisesMessage(
                FieldError, "Joined field references are not permitted in this query"
            ):
                queryset.update(note=F(name))

    def test_unknown_column(self):
        with self.assertRaisesMessage(FieldError, "Choices are"):
            self.mine().update(name=F("mine__nme"))

    @skipUnlessDBFeature("supports_json_field")
    def test_queryset_stays_as_it_was(self):
        records = Record.objects.alias_join(t=Topic).order_by("t__name", "value")
        sql = str(records.query)
        records.update(note=F("t__name"))
        self.assertEqual(str(records.query), sql)
        self.assertEqual([record.note for record in records], list("AABCC"))


class OrderedUpdateTests(WriteTestCase):
    """MySQL and MariaDB have UPDATE ... ORDER BY."""

    def test_ordering_by_the_join_does_not_matter(self):
        for ordering in (
            ["mine__value"],
            ["-mine__user__name"],
            [Lower("mine__user__name")],
            [F("mine__value").desc(nulls_last=True), "name"],
            ["?"],
        ):
            with self.subTest(ordering=ordering), rolled_back():
                topics = self.mine().order_by(*ordering)
                self.assertEqual(topics.filter(mine__value=3).update(name="X"), 1)
                self.assertEqual(self.names(), "ABX")

    def test_annotation(self):
        topics = self.mine().annotate(v=F("mine__value")).order_by("-v")
        self.assertEqual(topics.filter(v=3).update(name="X"), 1)
        self.assertEqual(self.names(), "ABX")


class OtherWritesTests(WriteTestCase):
    def test_create(self):
        topic = self.mine().create(name="D")
        self.assertEqual(self.names(), "ABCD")
        self.assertIsNotNone(topic.pk)

    def test_bulk_create(self):
        self.mine().bulk_create([Topic(name="D"), Topic(name="E")])
        self.assertEqual(self.names(), "ABCDE")

    def test_bulk_update_of_rows_of_the_queryset(self):
        self.a.name, self.b.name, self.c.name = "XYZ"
        topics = self.mine(join_type=JoinType.INNER)
        self.assertEqual(topics.bulk_update([self.a, self.b, self.c], ["name"]), 2)
        self.assertEqual(self.names(), "XBZ")

    def test_bulk_update_of_a_page(self):
        self.a.name, self.b.name, self.c.name = "XYZ"
        topics = Topic.objects.order_by("name")[:2].alias_join(any=Record)
        self.assertEqual(topics.bulk_update([self.a, self.b, self.c], ["name"]), 2)
        self.assertEqual(self.names(), "XYC")

    def test_get_or_create(self):
        topics = self.mine()
        self.assertEqual(topics.get_or_create(mine__value=3), (self.c, False))
        topic, created = topics.get_or_create(mine__value=99, name="D")
        self.assertIs(created, True)
        self.assertEqual(topic.name, "D")
        with self.assertRaises(MultipleObjectsReturned):
            Topic.objects.alias_join(any=Record).get_or_create(name="A")

    def test_get_or_create_by_the_alias(self):
        record = Record.objects.get(value=3)
        self.assertEqual(self.mine().get_or_create(mine=record), (self.c, False))
        record = Record.objects.get(value=4)
        with self.assertRaisesMessage(
            FieldError, "Invalid field name(s) for model Topic: 'mine'."
        ):
            self.mine().get_or_create(mine=record)

    def test_update_or_create(self):
        topics = self.mine(join_type=JoinType.INNER)
        topic, created = topics.update_or_create(mine__value=3, defaults={"name": "X"})
        self.assertEqual((topic, created), (self.c, False))
        self.assertEqual(self.names(), "ABX")
        topic, created = topics.update_or_create(mine__value=9, defaults={"name": "Y"})
        self.assertIs(created, True)
        self.assertEqual(self.names(), "ABXY")

    def test_update_or_create_with_an_outer_join(self):
        topic, created = self.mine().update_or_create(
            mine__value=3, defaults={"name": "X"}
        )
        self.assertEqual((topic, created), (self.c, False))
        topic, created = self.mine().update_or_create(
            mine=None, name="B", defaults={"name": "Y"}
        )
        self.assertEqual((topic, created), (self.b, False))
        self.assertEqual(self.names(), "AYX")

    def test_refusals_of_update(self):
        topics = self.mine()
        for queryset, message in [
            (topics[:1], "Cannot update a query once a slice has been taken."),
        ]:
            with self.assertRaisesMessage(TypeError, message):
                queryset.update(name="X")
