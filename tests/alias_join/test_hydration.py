"""select_related() gives what is joined as an instance, a row, or None."""

from django.core.exceptions import FieldDoesNotExist, FieldError, FieldFetchBlocked
from django.db.models import (
    FETCH_PEERS,
    FETCH_RAISE,
    Count,
    F,
    FilteredRelation,
    JoinType,
    Prefetch,
    Q,
    Sum,
    Window,
)
from django.db.models.functions import Lower, RowNumber
from django.test import skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import (
    A,
    B,
    C,
    City,
    Contact,
    Country,
    Employee,
    Phone,
    Record,
    Remark,
    Seat,
    ShoutingTopic,
    Ticket,
    Topic,
    User,
)


class InstanceTests(TopicTestCase):
    def topics(self, source=None, **kwargs):
        if source is None:
            source = Record.objects.filter(user=self.johnny)
        return Topic.objects.alias_join(mine=source, **kwargs).order_by("name")

    def test_instance(self):
        for source in (None, FilteredRelation("record", condition=Q(record__user=1))):
            with self.subTest(source=source), self.assertNumQueries(1):
                a, b, c = self.topics().select_related("mine")
                self.assertIs(type(a.mine), Record)
                self.assertEqual((a.mine.topic_id, a.mine.value), (self.a.pk, 1))
                self.assertIsNone(b.mine)
                self.assertEqual((c.mine.topic_id, c.mine.value), (self.c.pk, 3))

    def test_instance_state(self):
        mine = self.topics().select_related("mine")[0].mine
        self.assertIs(mine._state.adding, False)
        self.assertEqual(mine._state.db, "default")
        self.assertEqual(mine.get_deferred_fields(), set())
        mine.value = 7
        mine.save()
        self.assertEqual(Record.objects.get(pk=mine.pk).value, 7)

    def test_not_selected(self):
        topic = self.topics()[0]
        with self.assertRaises(AttributeError):
            topic.mine

    def test_model_as_source(self):
        with self.assertNumQueries(1):
            topics = self.topics(Record).order_by("name", "mine__value")
            self.assertEqual(
                [
                    (topic.name, topic.mine.value)
                    for topic in topics.select_related("mine")
                ],
                [("A", 1), ("A", 4), ("B", 5), ("C", 3), ("C", 6)],
            )

    def test_relation_of_the_instance(self):
        with self.assertNumQueries(1):
            a, b, c = self.topics().select_related("mine__user", "mine__topic")
            self.assertEqual(a.mine.user, self.johnny)
            self.assertEqual(a.mine.topic.name, "A")
            self.assertIsNone(b.mine)

    def test_relation_that_is_not_selected(self):
        [a, *_] = self.topics().select_related("mine")
        with self.assertNumQueries(1):
            self.assertEqual(a.mine.user.name, "johnny")

    def test_deep_path(self):
        country = Country.objects.create(code="at", name="Austria")
        City.objects.create(name="Graz", country=country)
        City.objects.create(name="Nowhere")
        records = Record.objects.alias_join(home=City, on=Q(pk__isnull=False)).filter(
            topic=self.b
        )
        with self.assertNumQueries(1):
            graz, nowhere = records.select_related(
                "home__country", "topic", "user"
            ).order_by("home__name")
            self.assertEqual(graz.home.country.name, "Austria")
            self.assertIsNone(nowhere.home.country)
            self.assertEqual(nowhere.user.name, "may")

    def test_two_steps_beyond(self):
        boss = Employee.objects.create(name="boss")
        lead = Employee.objects.create(name="lead", boss=boss)
        Employee.objects.create(name="A", boss=lead)
        topics = Topic.objects.alias_join(
            owner=Employee, on=Q(owner__name=F("name"))
        ).order_by("name")
        with self.assertNumQueries(1):
            a, b, c = topics.select_related("owner__boss__boss")
            self.assertEqual(a.owner.boss.boss.name, "boss")
            self.assertIsNone(b.owner)

    def test_several_joins(self):
        topics = Topic.objects.alias_join(
            his=Record.objects.filter(user=self.johnny),
            hers=Record.objects.filter(user=self.may),
        ).order_by("name")
        with self.assertNumQueries(1):
            self.assertEqual(
                [
                    (topic.his and topic.his.value, topic.hers.value)
                    for topic in topics.select_related("his", "hers__user")
                ],
                [(1, 4), (None, 5), (3, 6)],
            )

    def test_matched_row_of_nulls(self):
        """Only the primary key tells a match."""
        Record.objects.update(value=None, note=None)
        with self.assertNumQueries(1):
            a, b, c = self.topics().select_related("mine")
            self.assertIsNone(a.mine.value)
            self.assertIsNone(b.mine)

    def test_annotations(self):
        source = Record.objects.filter(user=self.johnny).annotate(
            double=F("value") * 2, who=Lower("user__name")
        )
        with self.assertNumQueries(1):
            a, b, c = self.topics(source).select_related("mine")
            self.assertEqual((a.mine.value, a.mine.double), (1, 2))
            self.assertEqual(a.mine.who, "johnny")
            self.assertIsNone(b.mine)
            self.assertEqual((c.mine.value, c.mine.double), (3, 6))

    def test_aggregates_and_windows_of_the_source(self):
        for source, expected in [
            (User.objects.annotate(n=Count("record")), [2, 2, 3, 3, 3]),
            (
                User.objects.annotate(n=Window(RowNumber(), order_by=F("name").asc())),
                [1, 1, 2, 2, 2],
            ),
        ]:
            records = Record.objects.alias_join(who=source).order_by("value")
            with self.subTest(source=source), self.assertNumQueries(1):
                self.assertEqual(
                    [record.who.n for record in records.select_related("who")],
                    expected,
                )

    def test_hidden_annotations_are_not_attributes(self):
        source = Record.objects.filter(user=self.johnny).alias(double=F("value") * 2)
        mine = self.topics(source).select_related("mine")[0].mine
        with self.assertRaises(AttributeError):
            mine.double

    def test_proxy(self):
        records = Record.objects.alias_join(loud=ShoutingTopic).order_by("value")
        with self.assertNumQueries(1):
            topic = records.select_related("loud")[0].loud
            self.assertIs(type(topic), ShoutingTopic)
            self.assertEqual(str(topic), "A")

    def test_joined_instances_with_select_related_of_the_model(self):
        records = (
            Record.objects.select_related("topic")
            .alias_join(who=User)
            .select_related("user", "who")
            .order_by("value")
        )
        with self.assertNumQueries(1):
            record = records[0]
            self.assertEqual(
                (record.topic.name, record.user.name, record.who.name),
                ("A", "johnny", "johnny"),
            )

    def test_unknown_relation(self):
        with self.assertRaisesMessage(FieldError, "'nope'"):
            list(self.topics().select_related("mine__nope"))
        with self.assertRaisesMessage(FieldError, "'value'"):
            list(self.topics().select_related("mine__value"))

    def test_select_related_none(self):
        topic = self.topics().select_related("mine").select_related(None)[0]
        self.assertFalse(hasattr(topic, "mine"))

    def test_inner(self):
        topics = self.topics(join_type=JoinType.INNER).select_related("mine")
        self.assertEqual([topic.mine.value for topic in topics], [1, 3])

    def test_iterator_get_and_first(self):
        topics = self.topics().select_related("mine")
        self.assertEqual(
            [topic.mine and topic.mine.value for topic in topics.iterator()],
            [1, None, 3],
        )
        self.assertEqual(topics.get(mine__value=3).mine.value, 3)
        self.assertEqual(topics.first().mine.value, 1)
        self.assertEqual(topics.in_bulk()[self.a.pk].mine.value, 1)

    def test_slice_before_and_after(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        with self.assertNumQueries(1):
            a, b = topics.select_related("mine__user")
            self.assertEqual(a.mine.user, self.johnny)
            self.assertIsNone(b.mine)
        with self.assertNumQueries(1):
            a, b = (
                self.topics()
                .select_related("mine")[:2]
                .alias_join(any=User, on=Q(any__name="may"))
            )
            self.assertEqual(a.mine.value, 1)
            self.assertIsNone(b.mine)

    def test_nested(self):
        """A source's columns can be reached, its own joins can't."""
        source = Record.objects.alias_join(who=User).annotate(name=F("who__name"))
        topics = self.topics(source).order_by("mine__value").select_related("mine")
        with self.assertNumQueries(1):
            self.assertEqual(topics[0].mine.name, "johnny")


class InheritanceTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.c = C.objects.create(name="c")
        cls.none = C.objects.create(name="none")
        cls.b = B.objects.create(name="b", size=2, fk_field=cls.c)

    def test_child(self):
        for source in (B, B.objects.all(), B.objects.annotate(more=F("size") + 1)):
            cs = (
                C.objects.alias_join(child=source)
                .select_related("child")
                .order_by("name")
            )
            with self.subTest(source=source), self.assertNumQueries(1):
                c, none = cs
                self.assertIs(type(c.child), B)
                self.assertEqual(
                    (c.child.pk, c.child.id, c.child.name, c.child.size),
                    (self.b.pk, self.b.pk, "b", 2),
                )
                self.assertIsNone(none.child)

    def test_child_and_its_relation(self):
        cs = (
            C.objects.alias_join(child=B)
            .select_related("child__fk_field")
            .order_by("name")
        )
        with self.assertNumQueries(1):
            c, none = cs
            self.assertEqual(c.child.fk_field.name, "c")

    def test_parent(self):
        cs = C.objects.alias_join(a=A, on=Q(a__name="b")).select_related("a__b")
        with self.assertNumQueries(1):
            c = cs.get(name="c")
            self.assertIs(type(c.a), A)
            self.assertEqual(c.a.b.size, 2)

    def test_child_as_the_model(self):
        bs = B.objects.alias_join(c=C).select_related("c")
        with self.assertNumQueries(1):
            b = bs.get()
            self.assertEqual((b.name, b.size, b.c.name), ("b", 2, "c"))

    def test_only(self):
        for source, deferred in [
            (B.objects.only("name"), {"id", "size", "fk_field_id"}),
            (B.objects.defer("name"), {"name"}),
            (B.objects.only("size"), {"id", "name", "fk_field_id"}),
        ]:
            cs = C.objects.alias_join(child=source, on=Q(child__size=2)).select_related(
                "child"
            )
            with self.subTest(source=source), self.assertNumQueries(1):
                b = cs.get(name="c").child
                self.assertEqual(b.get_deferred_fields(), deferred)

    def test_composite_primary_key(self):
        seat = Seat.objects.create(row=1, place=2, window=True)
        Ticket.objects.create(seat=seat, price=5)
        Ticket.objects.create(price=6)
        tickets = Ticket.objects.alias_join(s=Seat).order_by("price")
        with self.assertNumQueries(1):
            sold, free = tickets.select_related("s")
            self.assertEqual(sold.s.pk, (1, 2))
            self.assertIs(sold.s.window, True)
            self.assertIsNone(free.s)
        seats = Seat.objects.alias_join(t=Ticket).select_related("t__seat")
        with self.assertNumQueries(1):
            self.assertEqual(seats.get().t.seat, seat)

    def test_composite_primary_key_of_a_queryset(self):
        seat = Seat.objects.create(row=1, place=2)
        Ticket.objects.create(seat=seat, price=5)
        for source in (
            Seat.objects.filter(row=1),
            Seat.objects.only("window"),
            Seat.objects.order_by("place")[:1],
        ):
            tickets = Ticket.objects.alias_join(s=source).select_related("s")
            with self.subTest(source=source), self.assertNumQueries(1):
                self.assertEqual(tickets.get().s.pk, (1, 2))


class NamedRowTests(TopicTestCase):
    def topics(self, source):
        return (
            Topic.objects.alias_join(s=source, on=Q(s__topic=F("pk")))
            .select_related("s")
            .order_by("name", "s__value")
        )

    def test_values(self):
        source = Record.objects.filter(user=self.johnny).values("topic", "value")
        with self.assertNumQueries(1):
            a, b, c = self.topics(source)
            self.assertEqual(a.s, (self.a.pk, 1))
            self.assertEqual(a.s._fields, ("topic", "value"))
            self.assertEqual((a.s.topic, a.s.value), (self.a.pk, 1))
            self.assertIsNone(b.s)

    def test_values_list(self):
        for source in (
            Record.objects.values_list("topic", "value"),
            Record.objects.values_list("topic", "value", named=True),
        ):
            with self.subTest(source=source):
                self.assertEqual(self.topics(source)[0].s, (self.a.pk, 1))

    def test_flat(self):
        source = Record.objects.filter(user=self.johnny).values_list("topic", flat=True)
        topics = Topic.objects.alias_join(s=source).select_related("s")
        self.assertEqual(topics.get(name="A").s, (self.a.pk,))

    def test_order_of_columns(self):
        source = Record.objects.values(
            "value", "topic", double=F("value") * 2
        ).annotate(who=F("user__name"))
        self.assertEqual(
            self.topics(source)[0].s._asdict(),
            {"value": 1, "topic": self.a.pk, "double": 2, "who": "johnny"},
        )

    def test_immutable(self):
        topic = self.topics(Record.objects.values("topic", "value"))[0]
        with self.assertRaises(AttributeError):
            topic.s.value = 2

    def test_matched_row_of_nulls(self):
        Record.objects.update(value=None, note=None)
        source = Record.objects.filter(user=self.johnny).values("value", "note")
        topics = Topic.objects.alias_join(s=source[:1], on=Q(name="A"))
        with self.assertNumQueries(1):
            a, b, c = topics.select_related("s").order_by("name")
            self.assertEqual(a.s, (None, None))
            self.assertIsNone(b.s)

    def test_groups(self):
        source = Record.objects.values("topic").annotate(
            value=Sum("value"), n=Count("pk")
        )
        self.assertEqual(
            [topic.s for topic in self.topics(source)],
            [(self.a.pk, 5, 2), (self.b.pk, 5, 1), (self.c.pk, 9, 2)],
        )

    def test_union(self):
        source = Record.objects.values("topic", "value").union(
            Topic.objects.values(t=F("pk"), v=F("pk"))
        )
        rows = [topic.s.value for topic in self.topics(source) if topic.name == "B"]
        self.assertEqual(rows, sorted({5, self.b.pk}))

    def test_beyond(self):
        msg = "The rows of the join 's' are values"
        source = Record.objects.values("topic", "value")
        with self.assertRaisesMessage(FieldError, msg):
            list(self.topics(source).select_related("s__topic"))

    def test_only_and_defer(self):
        msg = "The rows of the join 's' are values"
        topics = self.topics(Record.objects.values("topic", "value"))
        for topics in (topics.only("s__value"), topics.defer("s__value")):
            with self.assertRaisesMessage(FieldError, msg):
                list(topics)

    def test_only_of_the_model(self):
        topics = self.topics(Record.objects.values("topic", "value")).only("pk")
        with self.assertNumQueries(1):
            topic = topics[0]
            self.assertEqual(topic.get_deferred_fields(), {"name"})
            self.assertEqual(topic.s.value, 1)

    def test_pushed_down(self):
        source = Record.objects.values("topic", "value")
        topics = self.topics(source)[:2].alias_join(who=User, on=Q(who__name="may"))
        with self.assertNumQueries(1):
            self.assertEqual(
                [(t.s.value, t.who.name) for t in topics.select_related("s", "who")],
                [(1, "may"), (4, "may")],
            )


class DeferredTests(TopicTestCase):
    def topics(self, source=None):
        if source is None:
            source = Record.objects.filter(user=self.johnny)
        return (
            Topic.objects.alias_join(mine=source)
            .select_related("mine")
            .order_by("name")
        )

    def assertDeferred(self, topics, *, topic=(), mine=()):
        with self.assertNumQueries(1):
            found = topics[0]
            self.assertEqual(found.get_deferred_fields(), set(topic))
            self.assertEqual(found.mine.get_deferred_fields(), set(mine))

    def test_only(self):
        self.assertDeferred(
            self.topics().only("name", "mine__value"),
            mine={"note", "user_id", "topic_id"},
        )
        self.assertDeferred(
            self.topics().only("mine__value", "mine__note"),
            topic={"name"},
            mine={"user_id", "topic_id"},
        )

    def test_only_of_the_model(self):
        self.assertDeferred(self.topics().only("pk"), topic={"name"})

    def test_only_the_alias(self):
        self.assertDeferred(self.topics().only("mine"), topic={"name"})

    def test_defer(self):
        self.assertDeferred(self.topics().defer("mine__value"), mine={"value"})
        self.assertDeferred(
            self.topics().defer("name", "mine__value").defer("mine__note"),
            topic={"name"},
            mine={"value", "note"},
        )

    def test_beyond_the_alias(self):
        topics = self.topics().select_related("mine__user")
        with self.assertNumQueries(1):
            user = topics.only("mine__user__id")[0].mine.user
            self.assertEqual(user.get_deferred_fields(), {"name"})
        with self.assertNumQueries(1):
            user = topics.defer("mine__user__name")[0].mine.user
            self.assertEqual(user.get_deferred_fields(), {"name"})

    def test_deferred_field_is_loaded_when_used(self):
        mine = self.topics().only("mine__note")[0].mine
        with self.assertNumQueries(1):
            self.assertEqual(mine.value, 1)

    def test_of_the_source(self):
        self.assertDeferred(
            self.topics(Record.objects.only("value")),
            mine={"note", "user_id", "topic_id"},
        )
        self.assertDeferred(self.topics(Record.objects.defer("value")), mine={"value"})

    def test_of_the_source_does_not_hide_columns(self):
        for source in (Record.objects.only("note"), Record.objects.defer("value")):
            topics = self.topics(source).filter(mine__value__lt=4)
            self.assertRows(topics.values_list("mine__value"), [(1,), (3,)])

    def test_of_both(self):
        source = Record.objects.only("value")
        self.assertDeferred(
            self.topics(source).only("name", "mine__note"),
            mine={"value", "user_id", "topic_id"},
        )

    def test_annotations_stay(self):
        source = Record.objects.annotate(double=F("value") * 2).filter(user=self.johnny)
        with self.assertNumQueries(1):
            mine = self.topics(source).only("mine__note")[0].mine
            self.assertEqual(mine.double, 2)

    def test_relation_name(self):
        source = FilteredRelation("record", condition=Q(record__user=self.johnny))
        self.assertDeferred(
            self.topics(source).only("name", "mine__value"),
            mine={"note", "user_id", "topic_id"},
        )
        self.assertDeferred(self.topics(source).defer("mine__value"), mine={"value"})

    def test_pushed_down(self):
        topics = self.topics()[:2].alias_join(who=User, on=Q(who__name="may"))
        topics = topics.select_related("mine", "who")
        self.assertDeferred(
            topics.only("name", "mine__value", "who__id"),
            mine={"note", "user_id", "topic_id"},
        )
        self.assertDeferred(
            topics.defer("name", "mine__value"), topic={"name"}, mine={"value"}
        )

    def test_unknown_column(self):
        for topics in (
            self.topics().only("mine__nope"),
            self.topics().defer("mine__nope"),
        ):
            with self.assertRaisesMessage(FieldDoesNotExist, "'nope'"):
                list(topics)


class FetchModeTests(TopicTestCase):
    def topics(self):
        return (
            Topic.objects.alias_join(mine=Record.objects.filter(user=self.johnny))
            .select_related("mine")
            .order_by("name")
        )

    def test_peers(self):
        with self.assertNumQueries(1):
            a, b, c = self.topics().fetch_mode(FETCH_PEERS)
        with self.assertNumQueries(1):
            self.assertEqual(a.mine.user.name, "johnny")
            self.assertEqual(c.mine.user.name, "johnny")

    def test_deferred_field_of_peers(self):
        with self.assertNumQueries(1):
            topics = self.topics().fetch_mode(FETCH_PEERS).defer("mine__value", "name")
            a, b, c = topics
        with self.assertNumQueries(1):
            self.assertEqual((a.mine.value, c.mine.value), (1, 3))
        with self.assertNumQueries(1):
            self.assertEqual((a.name, b.name, c.name), ("A", "B", "C"))

    def test_raise(self):
        a, b, c = self.topics().fetch_mode(FETCH_RAISE)
        with self.assertRaises(FieldFetchBlocked):
            a.mine.user


class PrefetchTests(TopicTestCase):
    def test_of_the_joined_instances(self):
        topics = (
            Topic.objects.alias_join(mine=Record.objects.filter(user=self.johnny))
            .select_related("mine")
            .prefetch_related("mine__user", "mine__topic__record_set")
            .order_by("name")
        )
        with self.assertNumQueries(4):
            a, b, c = topics
            self.assertEqual(a.mine.user, self.johnny)
            self.assertEqual(len(c.mine.topic.record_set.all()), 2)

    def test_of_the_model(self):
        topics = (
            Topic.objects.alias_join(mine=Record.objects.filter(user=self.johnny))
            .select_related("mine")
            .prefetch_related("record_set__user")
            .order_by("name")
        )
        with self.assertNumQueries(3):
            a, b, c = topics
            self.assertEqual(
                sorted(record.user.name for record in a.record_set.all()),
                ["johnny", "may"],
            )
            self.assertIsNone(b.mine)

    def test_many_to_many_beyond_the_join(self):
        contact = Contact.objects.create(name="A")
        contact.phones.add(*[Phone.objects.create(number=n) for n in "12"])
        topics = (
            Topic.objects.alias_join(contact=Contact, on=Q(contact__name=F("name")))
            .select_related("contact")
            .prefetch_related("contact__phones")
            .order_by("name")
        )
        with self.assertNumQueries(2):
            a, b, c = topics
            self.assertEqual(
                [phone.number for phone in a.contact.phones.all()], ["2", "1"]
            )
            self.assertIsNone(b.contact)

    def test_with_a_joined_queryset(self):
        Remark.objects.create(topic=self.a, text="x")
        records = (
            Record.objects.alias_join(
                said=Remark.objects.all(), on=Q(said__topic=F("topic"))
            )
            .select_related("said")
            .order_by("value")
        )
        topics = Topic.objects.order_by("name").prefetch_related(
            Prefetch("record_set", records)
        )
        with self.assertNumQueries(2):
            a, b, c = topics
            self.assertEqual([r.said.text for r in a.record_set.all()], ["x", "x"])
            self.assertEqual([r.said for r in b.record_set.all()], [None])


@skipUnlessDBFeature("supports_right_join")
class OuterJoinTests(TopicTestCase):
    def test_refused_without_a_row_of_the_model(self):
        Topic.objects.create(name="D")
        records = Record.objects.alias_join(
            t=Topic, on=Q(t__pk=F("topic")), join_type=JoinType.RIGHT
        ).order_by("t__name", "value")
        with self.assertRaisesMessage(ValueError, "RIGHT or FULL"):
            list(records.select_related("t"))
        records = records.filter(pk__isnull=False).select_related("t")
        self.assertEqual([r.t.name for r in records], ["A", "A", "B", "C", "C"])
