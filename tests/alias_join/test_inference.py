"""
An omitted ON is inferred when one foreign key links the two models.

It may point either way, and have several columns or another target than the
primary key.
"""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldError
from django.db.models import Count, F, FilteredRelation, JoinType, OuterRef, Q
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
    Event,
    Foo,
    Phone,
    Record,
    RecordTable,
    Seat,
    SecondModel,
    ShoutingTopic,
    Tag,
    Ticket,
    Topic,
    User,
    UserFoo,
)


class DirectionTests(TopicTestCase):
    def test_from_the_source(self):
        topics = Topic.objects.alias_join(r=Record)
        self.assertFrom(
            topics, "topic LEFT OUTER JOIN record r ON (r.topic_id = topic.id)"
        )
        self.assertRows(
            topics.order_by("r__value").values_list("name", "r__value"),
            [("A", 1), ("C", 3), ("A", 4), ("B", 5), ("C", 6)],
        )

    def test_from_the_model(self):
        records = Record.objects.alias_join(t=Topic)
        self.assertFrom(
            records, "record LEFT OUTER JOIN topic t ON (t.id = record.topic_id)"
        )
        self.assertRows(
            records.order_by("value").values_list("t__name"),
            [("A",), ("C",), ("A",), ("B",), ("C",)],
        )

    def test_queryset(self):
        topics = Topic.objects.alias_join(r=Record.objects.filter(value__gt=4))
        self.assertRows(
            topics.order_by("name").values_list("r__value"), [(None,), (5,), (6,)]
        )

    def test_forms_of_an_omitted_condition(self):
        shape = "topic LEFT OUTER JOIN record r ON (r.topic_id = topic.id)"
        for topics in (
            Topic.objects.alias_join(r=Record, on=None),
            Topic.objects.alias_join(r=Record, on=Q()),
            Topic.objects.alias_join(r=FilteredRelation(Record)),
            Topic.objects.alias_join(r=FilteredRelation(Record, condition=Q())),
            Topic.objects.alias(r=FilteredRelation(Record)),
            Topic.objects.annotate(r=FilteredRelation(Record)),
        ):
            self.assertFrom(topics, shape)

    def test_with_a_join_type(self):
        topics = Topic.objects.alias_join(r=Record, join_type=JoinType.INNER)
        self.assertFrom(topics, "topic INNER JOIN record r ON (r.topic_id = topic.id)")

    def test_unmanaged(self):
        topics = Topic.objects.alias_join(r=RecordTable)
        self.assertFrom(
            topics, "topic LEFT OUTER JOIN record r ON (r.topic_id = topic.id)"
        )

    def test_cross_has_no_condition(self):
        topics = Topic.objects.alias_join(r=Record, join_type=JoinType.CROSS)
        self.assertEqual(topics.count(), 15)

    @skipUnlessDBFeature("supports_lateral_joins")
    def test_lateral_has_no_condition(self):
        source = Record.objects.filter(topic__lte=OuterRef("pk")).order_by("value")[:1]
        topics = Topic.objects.alias_join(r=source).order_by("name")
        self.assertFrom(
            topics, "topic LEFT OUTER JOIN LATERAL (SELECT ...) r ON (1 = 1)"
        )
        self.assertRows(topics.values_list("r__value"), [(1,), (1,), (1,)])

    def test_several_joins_are_inferred_from_the_model(self):
        """Not from each other."""
        topics = Topic.objects.alias_join(x=Record).alias_join(y=Record)
        self.assertFrom(
            topics,
            "topic LEFT OUTER JOIN record x ON (x.topic_id = topic.id)",
            "LEFT OUTER JOIN record y ON (y.topic_id = topic.id)",
        )

    def test_onto_a_slice(self):
        topics = Topic.objects.order_by("name")[:1].alias_join(r=Record)
        self.assertRows(
            topics.order_by("r__value").values_list("r__value"), [(1,), (4,)]
        )


class ValuesTests(TopicTestCase):
    def test_foreign_key_is_selected(self):
        records = Record.objects.filter(value__lt=4)
        for source, name in [
            (records.values("topic", "value"), "topic"),
            (records.values("topic_id", "value"), "topic_id"),
            (records.values("value", t=F("topic")), "t"),
            (records.values("value", t=F("topic_id")), "t"),
            (records.values_list("topic", "value"), "topic"),
            (records.values("topic", "value").distinct(), "topic"),
            (records.values("topic").annotate(value=Count("pk")), "topic"),
            (records.values("topic", "value").order_by("value")[:9], "topic"),
        ]:
            topics = Topic.objects.alias_join(r=source)
            with self.subTest(source=str(source.query)):
                self.assertFrom(
                    topics,
                    f"topic LEFT OUTER JOIN (SELECT ...) r ON (r.{name} = topic.id)",
                )
                self.assertRows(topics.filter(r__isnull=True), [self.b])

    def test_primary_key_is_selected(self):
        for source in (
            Topic.objects.values("pk", "name"),
            Topic.objects.values("id", "name"),
        ):
            records = Record.objects.alias_join(t=source).order_by("value")
            self.assertRows(records.values_list("t__name")[:2], [("A",), ("C",)])

    def test_column_beyond_a_relation_is_another_column(self):
        msg = (
            "The queryset of the join 't' of alias_join.Record doesn't select the "
            "columns of the foreign key that links it to alias_join.Topic: "
            "alias_join.Record.topic."
        )
        for source in (
            Record.objects.values("value"),
            Record.objects.values("value", topic_name=F("topic__name")),
            Record.objects.values("value", topic_again=F("topic") + 0),
        ):
            with self.assertRaisesMessage(FieldError, msg):
                Topic.objects.alias_join(t=source)

    def test_primary_key_of_the_related_model_is_the_foreign_key(self):
        source = Record.objects.values("value", t=F("topic__pk"))
        self.assertFrom(
            Topic.objects.alias_join(r=source),
            "topic LEFT OUTER JOIN (SELECT ...) r ON (r.t = topic.id)",
        )

    def test_the_same_field_of_another_join_of_the_source(self):
        """A column called like the foreign key isn't taken for it."""
        source = Record.objects.values(
            "value", topic_id_of_peers=F("user__record__topic")
        )
        with self.assertRaisesMessage(FieldError, "doesn't select the columns"):
            Topic.objects.alias_join(r=source)

    def test_beside_columns_of_other_tables(self):
        for source in (
            Topic.objects.values("pk", top=F("record__value")),
            Topic.objects.values("id", top=F("record__user__name")),
            Topic.objects.alias_join(
                u=User.objects.filter(name="may"), on=Q(name="A")
            ).values("pk", top=F("u__name")),
        ):
            records = Record.objects.alias_join(t=source)
            self.assertFrom(
                records,
                "record LEFT OUTER JOIN (SELECT ...) t ON (... = record.topic_id)",
            )

    def test_contrib(self):
        types = ContentType.objects.alias_join(
            p=Permission.objects.values("content_type").annotate(n=Count("pk"))
        )
        self.assertRows(
            types.filter(app_label="auth", model="group").values_list("p__n"), [(4,)]
        )


class OtherTargetTests(JoinTestCase):
    def test_to_field(self):
        country = Country.objects.create(code="at", name="Austria")
        graz = City.objects.create(name="Graz", country=country)
        self.assertFrom(
            City.objects.alias_join(c=Country),
            "city LEFT OUTER JOIN country c ON (c.code = city.country_id)",
        )
        self.assertRows(City.objects.alias_join(c=Country).filter(c=country), [graz])
        self.assertFrom(
            Country.objects.alias_join(town=City),
            "country LEFT OUTER JOIN city town ON (town.country_id = country.code)",
        )
        self.assertRows(
            Country.objects.alias_join(town=City).filter(town=graz), [country]
        )

    def test_to_field_of_values(self):
        self.assertFrom(
            City.objects.alias_join(c=Country.objects.values("code")),
            "city LEFT OUTER JOIN (SELECT ...) c ON (c.code = city.country_id)",
        )
        with self.assertRaisesMessage(FieldError, "doesn't select the columns"):
            City.objects.alias_join(c=Country.objects.values("pk"))

    def test_several_columns(self):
        seat = Seat.objects.create(row=1, place=2)
        Seat.objects.create(row=2, place=1)
        ticket = Ticket.objects.create(seat=seat, price=5)
        other = Ticket.objects.create(price=6)
        for source in (
            Seat,
            Seat.objects.all(),
            Seat.objects.values("row", "place"),
            Seat.objects.values("place", "row").distinct(),
        ):
            tickets = Ticket.objects.alias_join(s=source).order_by("price")
            with self.subTest(source=source):
                self.assertRows(tickets, [ticket, other])
                self.assertRows(tickets.filter(s__isnull=True), [other])
                self.assertFrom(
                    tickets,
                    "ticket LEFT OUTER JOIN ... s",
                    "ON (s.row = ticket.row AND s.place = ticket.place)",
                )
        for source in (Ticket, Ticket.objects.values("row", "place", "price")):
            seats = Seat.objects.alias_join(t=source).order_by("row")
            with self.subTest(source=source):
                self.assertRows(seats.values_list("t__price"), [(5,), (None,)])

    def test_part_of_several_columns(self):
        with self.assertRaisesMessage(FieldError, "alias_join.Ticket.seat"):
            Ticket.objects.alias_join(s=Seat.objects.values("row"))


class ModelKindTests(JoinTestCase):
    def test_proxy(self):
        self.assertFrom(
            ShoutingTopic.objects.alias_join(r=Record),
            "topic LEFT OUTER JOIN record r ON (r.topic_id = topic.id)",
        )
        self.assertFrom(
            Record.objects.alias_join(t=ShoutingTopic),
            "record LEFT OUTER JOIN topic t ON (t.id = record.topic_id)",
        )

    def test_foreign_key_of_a_child(self):
        c = C.objects.create(name="c")
        b = B.objects.create(name="b", fk_field=c)
        self.assertFrom(
            B.objects.alias_join(link=C),
            "b LEFT OUTER JOIN c link ON (link.id = b.fk_field_id)",
            "INNER JOIN a ON (...)",
        )
        self.assertRows(B.objects.alias_join(c=C).filter(c=c), [b])
        self.assertFrom(
            C.objects.alias_join(child=B),
            "c LEFT OUTER JOIN (SELECT ...) child ON (child.fk_field_id = c.id)",
        )
        self.assertRows(C.objects.alias_join(child=B).filter(child__name="b"), [c])

    def test_inherited_column_of_values(self):
        b = B.objects.create(name="b", fk_field=C.objects.create(name="c"))
        for source in (
            B.objects.values("name", "fk_field"),
            B.objects.values("fk_field"),
        ):
            cs = C.objects.alias_join(child=source)
            self.assertRows(cs.values_list("child__fk_field"), [(b.fk_field_id,)])

    def test_link_of_a_child_to_its_parent_is_no_candidate(self):
        for model, source in [(A, B), (B, A)]:
            with self.assertRaisesMessage(FieldError, "No foreign key links"):
                model.objects.alias_join(x=source)

    def test_many_to_many(self):
        """The through model has the foreign keys."""
        contact = Contact.objects.create(name="ann")
        phone = Phone.objects.create(number="1")
        contact.phones.add(phone)
        contacts = Contact.objects.alias_join(link=Contact.phones.through)
        self.assertRows(contacts.values_list("link__phone__number"), [("1",)])
        with self.assertRaisesMessage(FieldError, "No foreign key links"):
            Contact.objects.alias_join(phone=Phone)


class ErrorTests(JoinTestCase):
    def assertNotInferred(self, model, source, *parts):
        with self.assertNumQueries(0), self.assertRaises(FieldError) as raised:
            model.objects.alias_join(s=source)
        for part in ("the join 's'", "Give the ON condition", "on=Q(s__", *parts):
            self.assertIn(part, str(raised.exception))

    def test_none(self):
        for model, source in [(Topic, User), (Foo, Tag), (Country, Topic)]:
            self.assertNotInferred(
                model,
                source,
                "No foreign key links",
                model._meta.label,
                source._meta.label,
            )

    def test_several(self):
        self.assertNotInferred(
            User,
            SecondModel,
            "More than one foreign key",
            "alias_join.SecondModel.from_member, alias_join.SecondModel.to_member",
        )
        self.assertNotInferred(
            SecondModel,
            User.objects.all(),
            "alias_join.SecondModel.from_member, alias_join.SecondModel.to_member",
        )

    def test_several_of_which_values_select_one(self):
        """What isn't selected is no candidate."""
        users = User.objects.alias_join(s=SecondModel.objects.values("from_member"))
        self.assertFrom(
            users, "user LEFT OUTER JOIN (SELECT ...) s ON (s.from_member = user.id)"
        )
        self.assertNotInferred(
            User,
            SecondModel.objects.values("from_member", "to_member"),
            "More than one foreign key",
        )
        self.assertNotInferred(
            User, SecondModel.objects.values("date"), "doesn't select the columns"
        )

    def test_foreign_key_to_itself(self):
        """The boss of an employee, or those whose boss an employee is."""
        self.assertNotInferred(
            Employee,
            Employee,
            "More than one foreign key",
            "alias_join.Employee.boss, alias_join.Employee.boss (reverse)",
        )

    def test_foreign_key_to_itself_of_which_values_select_one_side(self):
        boss = Employee.objects.create(name="boss")
        Employee.objects.create(name="worker", boss=boss)
        workers = Employee.objects.values("boss").annotate(n=Count("pk"))
        self.assertRows(
            Employee.objects.alias_join(s=workers).order_by("name").values_list("s__n"),
            [(1,), (None,)],
        )
        bosses = Employee.objects.values("pk", "name")
        self.assertRows(
            Employee.objects.alias_join(s=bosses)
            .order_by("name")
            .values_list("s__name"),
            [(None,), ("boss",)],
        )

    def test_right_and_full(self):
        for join_type in (JoinType.RIGHT, JoinType.FULL, JoinType.LEFT, JoinType.INNER):
            with self.assertRaisesMessage(FieldError, "No foreign key links"):
                Topic.objects.alias_join(s=User, join_type=join_type)

    def test_reverse_of_a_generic_or_hidden_relation(self):
        self.assertNotInferred(Event, UserFoo, "No foreign key links")

    def test_pushed_down_base_without_the_column(self):
        Topic.objects.create(name="A")
        names = Topic.objects.values("name").distinct()
        msg = (
            "The ON condition of the join 's' can't be resolved: Cannot resolve "
            "keyword 'id' into a column of the queryset, which was joined as the "
            "rows that it selects. Choices are: name."
        )
        with self.assertRaisesMessage(FieldError, msg):
            names.alias_join(s=Record)
        joined = names.alias_join(s=Topic, on=Q(s__name=F("name")))
        self.assertRows(joined.values_list("name"), [("A",)])
        for lookup in ("pk", "record", "record__value", "id__gt"):
            with (
                self.subTest(lookup=lookup),
                self.assertRaisesMessage(FieldError, "Choices are: name."),
            ):
                joined.filter(**{lookup: 1})
        with self.assertRaisesMessage(FieldError, "Choices are: name."):
            joined.annotate(x=F("pk"))

    def test_pushed_down_groups_without_the_column(self):
        groups = Record.objects.values("topic").annotate(n=Count("pk"))
        msg = "Choices are: topic_id, n."
        joined = groups.alias_join(s=Topic)
        for lookup in ("value", "user__name", "pk"):
            with (
                self.subTest(lookup=lookup),
                self.assertRaisesMessage(FieldError, msg),
            ):
                joined.filter(**{lookup: 1})
        self.assertRows(joined.filter(n=1, topic=1, topic__name="A"), [])
