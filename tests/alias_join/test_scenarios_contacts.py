"""Rows through a many-to-many relation, joined on purpose."""

from django.db.models import Count, F, FilteredRelation, JoinType, Q
from django.db.models.functions import Concat, Upper
from django.test import skipUnlessDBFeature

from .base import JoinTestCase
from .models import Address, Contact, Phone

ContactPhone = Contact.phones.through
ContactAddress = Contact.addresses.through


class ContactTests(JoinTestCase):
    """
    | contact | phones  | addresses     |
    |---------|---------|---------------|
    | ann     | 1a, 2b  | First, Third  |
    | bob     | 2b      | Second        |
    | cid     |         | Third         |
    |         | 9z      |               |
    """

    @classmethod
    def setUpTestData(cls):
        cls.ann, cls.bob, cls.cid = [
            Contact.objects.create(name=name) for name in ("ann", "bob", "cid")
        ]
        cls.one, cls.two, cls.nine = [
            Phone.objects.create(number=number) for number in ("1a", "2b", "9z")
        ]
        cls.first, cls.second, cls.third = [
            Address.objects.create(street=street)
            for street in ("First", "Second", "Third")
        ]
        cls.ann.phones.set([cls.one, cls.two])
        cls.bob.phones.set([cls.two])
        cls.ann.addresses.set([cls.first, cls.third])
        cls.bob.addresses.set([cls.second])
        cls.cid.addresses.set([cls.third])

    def contacts(self):
        return Contact.objects.alias_join(phone=FilteredRelation("phones"))

    def linked(self, join_type=JoinType.LEFT):
        return Contact.objects.alias_join(
            link=ContactPhone,
            phone=FilteredRelation(
                Phone,
                condition=Q(phone__pk=F("link__phone")),
                join_type=join_type,
            ),
        )

    def test_every_contact_with_every_phone(self):
        contacts = self.contacts().order_by("name", "phone__number")
        self.assertRows(
            contacts.values_list("name", "phone__number"),
            [("ann", "1a"), ("ann", "2b"), ("bob", "2b"), ("cid", None)],
        )
        self.assertFrom(
            contacts,
            "contact LEFT OUTER JOIN contact_phones",
            "ON (contact.id = contact_phones.contact_id)",
            "LEFT OUTER JOIN phone phone ON (contact_phones.phone_id = phone.id)",
        )

    def test_every_contact_with_every_phone_by_tables(self):
        contacts = self.linked().order_by("name", "phone__number")
        self.assertRows(
            contacts.values_list("name", "phone__number"),
            [("ann", "1a"), ("ann", "2b"), ("bob", "2b"), ("cid", None)],
        )
        self.assertFrom(
            contacts,
            "contact LEFT OUTER JOIN contact_phones link",
            "ON (link.contact_id = contact.id)",
            "LEFT OUTER JOIN phone phone ON (phone.id = link.phone_id)",
        )

    def test_unreferenced_join_multiplies_rows(self):
        for contacts in (self.contacts(), self.linked()):
            contacts = contacts.order_by("name")
            self.assertRows(contacts, [self.ann, self.ann, self.bob, self.cid])
            self.assertEqual(contacts.count(), 4)

    def test_later_filter_uses_the_join(self):
        for contacts in (self.contacts(), self.linked()):
            contacts = contacts.filter(phone__number__endswith="b")
            contacts = contacts.filter(phone__number__startswith="2").order_by("name")
            self.assertRows(contacts, [self.ann, self.bob])
            self.assertEqual(self.sql(contacts).count(" JOIN "), 2)

    def test_filter_of_the_relation_is_another_join(self):
        contacts = self.contacts().filter(phones__number="2b")
        self.assertRows(
            contacts.order_by("name", "phone__number").values_list(
                "name", "phone__number"
            ),
            [("ann", "1a"), ("ann", "2b"), ("bob", "2b")],
        )

    def test_same_table_under_two_aliases(self):
        contacts = Contact.objects.alias_join(
            a1=FilteredRelation(Address, condition=Q(a1__pk=self.first.pk)),
            a2=FilteredRelation(Address, condition=Q(a2__pk=self.third.pk)),
        ).order_by("name")
        self.assertRows(
            contacts.values_list("name", "a1__street", "a2__street"),
            [(name, "First", "Third") for name in ("ann", "bob", "cid")],
        )
        self.assertFrom(
            contacts,
            "contact LEFT OUTER JOIN address a1 ON (a1.id = %s)",
            "LEFT OUTER JOIN address a2 ON (a2.id = %s)",
        )

    def test_same_through_table_under_two_aliases(self):
        contacts = Contact.objects.alias_join(
            a1=ContactAddress.objects.filter(address=self.first),
            a2=ContactAddress.objects.filter(address=self.third),
        ).order_by("name")
        self.assertRows(
            contacts.values_list("name", "a1__address__street", "a2__address__street"),
            [("ann", "First", "Third"), ("bob", None, None), ("cid", None, "Third")],
        )

    def test_same_relation_under_two_aliases(self):
        """A relation through a table keeps that table's rows."""
        contacts = Contact.objects.alias_join(
            a1=FilteredRelation("addresses", condition=Q(addresses=self.first)),
            a2=FilteredRelation("addresses", condition=Q(addresses=self.third)),
        ).filter(a1__isnull=False, a2__isnull=False)
        self.assertRows(
            contacts.values_list("name", "a1__street", "a2__street"),
            [("ann", "First", "Third")],
        )

    @skipUnlessDBFeature("supports_right_join")
    def test_right(self):
        contacts = self.linked(JoinType.RIGHT).order_by("phone__number", "name")
        self.assertRows(
            contacts.values_list("name", "phone__number"),
            [("ann", "1a"), ("ann", "2b"), ("bob", "2b"), (None, "9z")],
        )
        self.assertFrom(contacts, "contact ... RIGHT OUTER JOIN phone phone ON (...)")

    @skipUnlessDBFeature("supports_right_join")
    def test_full(self):
        contacts = self.linked(JoinType.FULL).order_by(
            F("phone__number").asc(nulls_last=True), "name"
        )
        self.assertRows(
            contacts.values_list("name", "phone__number"),
            [("ann", "1a"), ("ann", "2b"), ("bob", "2b"), (None, "9z"), ("cid", None)],
        )

    @skipUnlessDBFeature("supports_full_join")
    def test_full_sql(self):
        contacts = self.linked(JoinType.FULL)
        self.assertFrom(contacts, "contact ... FULL OUTER JOIN phone phone ON (...)")

    def test_chain_of_many_to_many_relations(self):
        """The addresses of those who share a phone."""
        contacts = (
            self.contacts()
            .filter(phone__contact__addresses__isnull=False)
            .order_by("name", "phone__contact__addresses__street")
            .values_list("name", "phone__contact__addresses__street")
        )
        ann, bob = ("First", "Third"), ("Second",)
        self.assertRows(
            contacts.distinct(),
            [(name, street) for name in ("ann", "bob") for street in sorted(ann + bob)],
        )

    def test_chain_of_aliases(self):
        contacts = (
            self.linked()
            .alias_join(
                sharing=FilteredRelation(
                    ContactPhone,
                    condition=Q(sharing__phone=F("phone__pk"))
                    & ~Q(sharing__contact=F("pk")),
                ),
                home=FilteredRelation(
                    ContactAddress,
                    condition=Q(home__contact=F("sharing__contact")),
                ),
            )
            .order_by("name", "phone__number", "home__address__street")
        )
        self.assertRows(
            contacts.values_list("name", "phone__number", "home__address__street"),
            [
                ("ann", "1a", None),
                ("ann", "2b", "Second"),
                ("bob", "2b", "First"),
                ("bob", "2b", "Third"),
                ("cid", None, None),
            ],
        )

    def test_function_of_a_joined_column(self):
        contacts = self.contacts().annotate(
            upper=Upper("phone__number"),
            card=Concat("name", "phone__number"),
        )
        self.assertRows(
            contacts.filter(upper="2B").order_by("name").values_list("upper", "card"),
            [("2B", "ann2b"), ("2B", "bob2b")],
        )

    def test_columns_of_the_through_table(self):
        ann_one = ContactPhone.objects.get(contact=self.ann, phone=self.one)
        self.assertRows(
            self.linked()
            .filter(name="ann", phone__number="1a")
            .values_list("link__id", "link__contact_id", "link__phone"),
            [(ann_one.pk, self.ann.pk, self.one.pk)],
        )

    def test_count_per_contact(self):
        self.assertRows(
            self.linked()
            .annotate(n=Count("phone"))
            .order_by("name")
            .values_list("name", "n"),
            [("ann", 2), ("bob", 1), ("cid", 0)],
        )
