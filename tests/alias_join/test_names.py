"""An alias is any identifier: the names that Django generates step aside."""

import keyword

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    Value,
    When,
)
from django.test import skipUnlessDBFeature

from .base import TopicTestCase, from_clause
from .models import (
    City,
    Contact,
    Country,
    Employee,
    Phone,
    Record,
    ShoutingTopic,
    Topic,
    User,
)

# Names of tables, in any case, and reserved words.
NAMES = [
    "alias_join_record",
    "alias_join_topic",
    "ALIAS_JOIN_TOPIC",
    "Alias_Join_User",
    "alias_join_user",
    "select",
    "SELECT",
    "from",
    "order",
    "group",
    "table",
    "join",
    "left",
    "lateral",
    "null",
    "default",
    "values",
    "outer",
    "exact",
    "isnull",
    "date",
    "year",
    "count",
    "filter",
    "annotate",
    "alias",
    "using",
    "names",
    "joins",
    "clone",
    "T",
    "U",
    "t",
    "x" * 63,
]
# Names that look like generated ones.
GENERATED = ["T1", "T2", "t3", "T4", "T5", "t6", "U0", "U1", "u0", "u2", "V0", "v1"]
GENERATED += ["a1", "t2", "W0", "AA0", "u", "T0", "t10", "U00"]
UNICODE = ["é", "名前", "été", "ß", "Straße", "ﬁ", "µ", "ı"]


class AliasTests(TopicTestCase):
    def assertJohnnys(self, name, topics):
        """Assert the rows of the join ``name``, in all that refers to it."""
        topics = topics.order_by("name")
        self.assertRows(
            topics.values_list("name", f"{name}__value"),
            [("A", 1), ("B", None), ("C", 3)],
        )
        self.assertRows(topics.filter(**{f"{name}__value": 1}), [self.a])
        self.assertRows(topics.filter(**{f"{name}__user__name": "may"}), [])
        self.assertRows(
            topics.exclude(**{f"{name}__user__name": "may"}), [self.a, self.b, self.c]
        )
        self.assertRows(topics.filter(**{f"{name}__isnull": True}), [self.b])
        self.assertRows(topics.filter(**{f"{name}__topic__record__value": 6}), [self.c])
        self.assertRows(
            topics.filter(record__value=4, **{f"{name}__value": 1}), [self.a]
        )
        self.assertRows(
            topics.exclude(record__value=4).filter(**{f"{name}__isnull": False}),
            [self.c],
        )
        self.assertEqual(
            topics.aggregate(n=Count(name), m=Max(f"{name}__value")), {"n": 2, "m": 3}
        )
        with self.assertNumQueries(1):
            a, b, c = topics.select_related(f"{name}__user")
            self.assertEqual(getattr(a, name).user, self.johnny)
            self.assertIsNone(getattr(b, name))
        self.assertRows(
            Topic.objects.filter(pk__in=topics.filter(**{f"{name}__value": 3})),
            [self.c],
        )
        self.assertRows(
            Topic.objects.filter(
                Exists(topics.filter(**{f"{name}__value": 3}, pk=OuterRef("pk")))
            ),
            [self.c],
        )
        self.assertRows(
            topics[:2]
            .alias_join(again=Record)
            .filter(**{f"{name}__value": 1})
            .order_by("again__value")
            .values_list("again__value"),
            [(1,), (4,)],
        )
        source = topics.filter(**{f"{name}__value": 3})
        records = Record.objects.alias_join(**{f"{name}": source}).order_by("value")
        self.assertRows(
            records.filter(**{f"{name}__name": "C"}).values_list("value"), [(3,), (6,)]
        )

    def assertName(self, name):
        records = Record.objects.filter(user=self.johnny)
        condition = Q(**{f"{name}__topic": F("pk"), f"{name}__user": self.johnny})
        for source in (
            records,
            FilteredRelation(Record, condition=condition),
            FilteredRelation("record", condition=Q(record__user=self.johnny)),
        ):
            self.assertJohnnys(name, Topic.objects.alias_join(**{name: source}))
        topics = Topic.objects.alias_join(**{name: records.values("topic", "value")})
        self.assertRows(
            topics.order_by("name").values_list("name", f"{name}__value"),
            [("A", 1), ("B", None), ("C", 3)],
        )

    def test_tables_and_reserved_words(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.assertName(name)

    def test_generated_names(self):
        for name in GENERATED:
            with self.subTest(name=name):
                self.assertName(name)

    def test_unicode(self):
        for name in UNICODE:
            with self.subTest(name=name):
                self.assertName(name)

    def test_attribute_of_the_model(self):
        topics = Topic.objects.alias_join(save=Record.objects.filter(user=self.johnny))
        self.assertRows(topics.filter(save__value=1), [self.a])

    def test_length(self):
        long = "é" * 31 + "x"
        self.assertEqual(len(long.encode()), 63)
        self.assertName(long)
        twin = "x" * 62
        topics = Topic.objects.alias_join(
            **{f"{twin}y": Record.objects.filter(user=self.johnny)}
        ).alias_join(**{f"{twin}z": Record.objects.filter(user=self.may)})
        self.assertRows(
            topics.order_by("name").values_list(f"{twin}y__value", f"{twin}z__value"),
            [(1, 4), (None, 5), (3, 6)],
        )

    def test_quoted(self):
        for name in ("select", "Mixed", "T4"):
            sql = str(Topic.objects.alias_join(**{name: Record}).query)
            self.assertIn(connection.ops.quote_name(name), sql)
            self.assertNotIn(f" {name} ", sql)


class TwinTests(TopicTestCase):
    """Several joins whose names databases may not tell apart."""

    def assertTwins(self, first, second):
        for x, y in [(first, second), (second, first)]:
            topics = Topic.objects.alias_join(
                **{x: Record.objects.filter(user=self.johnny)}
            ).alias_join(**{y: Record.objects.filter(user=self.may)})
            with self.subTest(x=x, y=y):
                self.assertRows(
                    topics.order_by("name").values_list(f"{x}__value", f"{y}__value"),
                    [(1, 4), (None, 5), (3, 6)],
                )
                self.assertRows(
                    topics.filter(**{f"{x}__value": 1, f"{y}__value": 4}), [self.a]
                )
                self.assertRows(topics.filter(**{f"{x}__value": 4}), [])
                self.assertRows(
                    topics.filter(**{f"{x}__user__name": "johnny"})
                    .filter(**{f"{y}__user__name": "may"})
                    .order_by("name"),
                    [self.a, self.c],
                )
                with self.assertNumQueries(1):
                    topic = topics.select_related(x, y).get(name="A")
                    self.assertEqual(getattr(topic, x).value, 1)
                    self.assertEqual(getattr(topic, y).value, 4)

    def test_case(self):
        self.assertTwins("mine", "MINE")
        self.assertTwins("Mine", "mINE")
        self.assertTwins("été", "ÉTÉ")

    def test_generated_names(self):
        self.assertTwins("T3", "t3")
        self.assertTwins("T4", "u4")
        self.assertTwins("T2", "T3")
        self.assertTwins("U0", "u1")

    def test_tables(self):
        self.assertTwins("alias_join_record", "ALIAS_JOIN_RECORD")
        self.assertTwins("alias_join_topic", "alias_join_user")

    def test_relation_name(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny),
            MINE=FilteredRelation("record", condition=Q(record__user=self.may)),
        )
        self.assertRows(
            topics.order_by("name").values_list("mine__value", "MINE__value"),
            [(1, 4), (None, 5), (3, 6)],
        )

    def test_many(self):
        names = [f"t{number}" for number in range(8)]
        topics = Topic.objects.filter(record__value=1).alias_join(
            **{name: Record.objects.filter(user=self.johnny) for name in names}
        )
        self.assertRows(
            topics.values_list(*(f"{name}__value" for name in names)), [(1,) * 8]
        )


class OrderOfCreationTests(TopicTestCase):
    """A generated alias comes before or after the join that looks like it."""

    def test_before(self):
        # Two more joins of the same tables get generated aliases.
        topics = Topic.objects.filter(record__value=1).filter(record__value=4)
        generated = [alias for alias in topics.query.alias_map if alias[1:].isdigit()]
        self.assertTrue(generated)
        for name in [*generated, *map(str.lower, generated), "T5", "t6"]:
            joined = topics.alias_join(**{name: Record.objects.filter(user=self.may)})
            with self.subTest(name=name):
                self.assertRows(joined.values_list(f"{name}__value"), [(4,)])
                self.assertRows(
                    joined.filter(record__value=1).values_list(f"{name}__value"), [(4,)]
                )

    def test_generated_for_the_source(self):
        boss = Employee.objects.create(name="boss", salary=4)
        worker = Employee.objects.create(
            name="worker", boss=Employee.objects.create(name="middle", boss=boss)
        )
        workers = Employee.objects.filter(boss__name="middle")
        values = Record.objects.filter(value=OuterRef("boss__boss__salary"))
        for name in ("T2", "T3", "T4", "t2", "t3", "t4"):
            with self.subTest(name=name):
                self.assertRows(
                    workers.alias_join(**{name: values}).values_list(
                        "pk", f"{name}__value"
                    ),
                    [(worker.pk, 4)],
                )

    def test_after(self):
        for name in ("T2", "T3", "T4", "t3", "t4", "T5", "t5", "T6"):
            topics = Topic.objects.alias_join(
                **{name: Record.objects.filter(user=self.may)}
            )
            topics = topics.filter(record__value=1).filter(record__value=4)
            topics = topics.filter(record__user__name="may", record__value__gt=0)
            with self.subTest(name=name):
                self.assertRows(topics.values_list(f"{name}__value"), [(4,)])

    def test_many_subqueries(self):
        users = Exists(User.objects.all())
        topics = Topic.objects.alias_join(T4=Record, on=Q(T4__topic=F("pk")))
        topics = topics.filter(*[users] * 8)
        topics = topics.exclude(name__gt=Case(When(users, then=F("name"))))
        self.assertRows(
            topics.values_list("name", "T4__value").order_by("T4__value"),
            [("A", 1), ("C", 3), ("A", 4), ("B", 5), ("C", 6)],
        )

    def test_in_subqueries(self):
        for name in ("U0", "u0", "U1", "u1", "V0", "U2", "T3"):
            inner = Topic.objects.alias_join(
                **{name: Record.objects.filter(user=self.johnny)}
            ).filter(**{f"{name}__value__gt": 0})
            outer = Topic.objects.alias_join(
                **{name: Record.objects.filter(user=self.may)}
            )
            with self.subTest(name=name):
                self.assertRows(
                    outer.filter(pk__in=inner.filter(record__value__gt=3).values("pk"))
                    .order_by("name")
                    .values_list(f"{name}__value"),
                    [(4,), (6,)],
                )
                self.assertRows(
                    outer.filter(
                        Exists(
                            inner.filter(
                                **{f"{name}__value__lt": OuterRef(f"{name}__value")},
                                pk=OuterRef("pk"),
                            )
                        )
                    )
                    .order_by("name")
                    .values_list(f"{name}__value"),
                    [(4,), (6,)],
                )
                self.assertRows(
                    outer.exclude(pk__in=inner.values("pk")).values_list(
                        f"{name}__value"
                    ),
                    [(5,)],
                )

    def test_like_tables_of_the_source(self):
        """The aliases of the source and of its subqueries stay its own."""
        records = Record.objects.filter(
            Exists(User.objects.filter(record=OuterRef("pk"), record__topic__name="A")),
            user__name="johnny",
        )
        for name in ("U0", "U1", "V0", "V1"):
            topics = Topic.objects.alias_join(**{name: records})
            with self.subTest(name=name):
                self.assertRows(
                    Topic.objects.filter(pk__in=topics.filter(**{f"{name}__value": 1})),
                    [self.a],
                )

    def test_in_nested_sources(self):
        for name in ("U0", "u1", "V0", "T3", "mine"):
            source = Record.objects.filter(user=self.johnny)
            for _ in range(3):
                source = Record.objects.alias_join(
                    **{name: source}, on=Q(**{f"{name}__pk": F("pk")})
                ).filter(**{f"{name}__isnull": False})
            topics = Topic.objects.alias_join(**{name: source}).order_by("name")
            with self.subTest(name=name):
                self.assertRows(
                    topics.values_list(f"{name}__value"), [(1,), (None,), (3,)]
                )

    def test_combined(self):
        for name in ("T3", "t4", "U0"):
            topics = Topic.objects.alias_join(
                **{name: Record.objects.filter(user=self.may)}
            )
            first = topics.filter(record__value=1)
            second = topics.filter(record__value=4, **{f"{name}__value": 4})
            with self.subTest(name=name):
                self.assertRows((first & second).values_list(f"{name}__value"), [(4,)])
                self.assertRows(
                    (first | second).distinct().values_list(f"{name}__value"), [(4,)]
                )
                self.assertEqual(first.union(second).count(), 1)

    def test_conflict_of_generated_aliases_is_no_error(self):
        """Not before, not after, not both."""
        topics = Topic.objects.filter(record__value=1).filter(record__value=4)
        topics = topics.alias_join(T3=Record.objects.filter(user=self.may))
        topics = topics.filter(record__value=1).filter(record__value=4)
        self.assertRows(topics.values_list("T3__value"), [(4,)])


class ProjectedNameTests(TopicTestCase):
    def test_names(self):
        for name in [*NAMES, *GENERATED, *UNICODE]:
            source = Record.objects.filter(user=self.johnny).values(
                "topic", **{name: F("value")}
            )
            topics = Topic.objects.alias_join(s=source).order_by("name")
            with self.subTest(name=name):
                self.assertRows(topics.values_list(f"s__{name}"), [(1,), (None,), (3,)])
                self.assertRows(topics.filter(**{f"s__{name}": 1}), [self.a])
                self.assertRows(
                    topics.annotate(x=F(f"s__{name}")).filter(x=3), [self.c]
                )
                if not keyword.iskeyword(name):
                    with self.assertNumQueries(1):
                        self.assertEqual(topics.select_related("s")[0].s[1], 1)

    def test_annotations(self):
        for name in ("T3", "select", "Values", "é"):
            source = Record.objects.filter(user=self.johnny).annotate(
                **{name: F("value") * 2}
            )
            topics = Topic.objects.alias_join(s=source).order_by("name")
            with self.subTest(name=name):
                self.assertRows(topics.values_list(f"s__{name}"), [(2,), (None,), (6,)])

    def test_columns_that_databases_do_not_tell_apart(self):
        msg = "selects the columns"
        for source in (
            Record.objects.annotate(VALUE=F("value") * 2),
            Record.objects.annotate(X=F("value"), x=F("value") * 2),
            Record.objects.values("value", VALUE=F("value") * 2),
            Record.objects.values("topic", X=F("value"), x=F("value") * 2),
        ):
            with self.assertRaisesMessage(ValueError, msg):
                Topic.objects.alias_join(s=source)
            with self.assertRaisesMessage(ValueError, msg):
                source.order_by("pk")[:2].alias_join(t=Topic, on=Q(name="A"))

    def test_hidden_twin_of_a_column(self):
        """Only what is selected needs a name of its own."""
        records = Record.objects.order_by("value").values(VALUE=F("value") * 2)[:2]
        records = records.alias_join(t=Topic, on=Q(t__name="A"))
        self.assertRows(records.values_list("VALUE", "t__name"), [(2, "A"), (6, "A")])

    def test_refused(self):
        for name, column in [
            ("a__b", "a__b"),
            ("a_", "a_"),
            ("x" * 64, "x" * 64),
            ("é" * 32, "é" * 32),
            ("a.b", "a.b"),
            ("\U00010a60", "doesn't accept in names"),
        ]:
            source = Record.objects.values("topic", **{name: F("value")})
            with self.subTest(name=name), self.assertRaisesMessage(ValueError, column):
                Topic.objects.alias_join(s=source)

    def test_refused_by_django(self):
        for name in ('a"b', "a b", "a;b", "a--b", "a#b"):
            with self.subTest(name=name), self.assertRaises(ValueError):
                Record.objects.values("topic", **{name: F("value")})

    def test_lookup_name(self):
        """A column wins over a lookup of its name."""
        source = Record.objects.filter(user=self.johnny).values(
            "topic", exact=F("value")
        )
        topics = Topic.objects.alias_join(s=source)
        self.assertRows(topics.filter(s__exact=1), [self.a])


class ShadowTests(TopicTestCase):
    def test_annotation_with_the_name_of_a_joined_column(self):
        topics = Topic.objects.annotate(value=Value(9)).alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        self.assertRows(
            topics.order_by("name").values_list("value", "mine__value"),
            [(9, 1), (9, None), (9, 3)],
        )
        self.assertRows(topics.filter(value=9, mine__value=1), [self.a])

    def test_source_annotation_with_the_name_of_an_outer_field(self):
        source = Record.objects.annotate(name=F("user__name"))
        topics = Topic.objects.alias_join(s=source).filter(name="A", s__name="may")
        self.assertRows(topics.values_list("s__value"), [(4,)])

    def test_alias_with_the_name_of_an_outer_annotation_elsewhere(self):
        source = Record.objects.alias_join(x=User).filter(x__name="may")
        topics = Topic.objects.annotate(x=Value(1)).alias_join(s=source)
        self.assertRows(topics.filter(x=1, s__value=4), [self.a])

    def test_annotation_that_starts_like_the_alias(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        ).annotate(mine_value=F("mine__value"), minevalue=F("mine__value"))
        self.assertRows(topics.filter(mine_value=1, minevalue=1), [self.a])

    def test_alias_that_starts_like_another(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny),
            mine_too=Record.objects.filter(user=self.may),
        )
        self.assertRows(topics.filter(mine__value=1, mine_too__value=4), [self.a])
        with self.assertRaises(ValueError):
            Topic.objects.alias_join(mine__too=Record)

    def test_alias_with_the_name_of_a_joined_field(self):
        topics = Topic.objects.alias_join(value=Record.objects.filter(user=self.johnny))
        self.assertRows(topics.filter(value__value=1), [self.a])

    def test_aggregate_default_alias(self):
        topics = Topic.objects.alias_join(mine=Record).aggregate(Max("mine__value"))
        self.assertEqual(topics, {"mine__value__max": 6})

    def test_base_table_named_as_an_alias(self):
        """The base steps into a derived table under its own name."""
        topics = Topic.objects.order_by("name")[:2].alias_join(
            alias_join_topic=Record.objects.filter(user=self.johnny)
        )
        self.assertRows(
            topics.values_list("name", "alias_join_topic__value"),
            [("A", 1), ("B", None)],
        )

    def test_implicit_joins_of_the_same_table(self):
        country = Country.objects.create(code="at", name="Austria")
        City.objects.create(name="Graz", country=country)
        cities = City.objects.alias_join(alias_join_country=Country)
        self.assertRows(
            cities.filter(country__name="Austria").values_list(
                "alias_join_country__name", "country__name"
            ),
            [("Austria", "Austria")],
        )

    def test_many_to_many_table(self):
        contact = Contact.objects.create(name="ann")
        contact.phones.add(Phone.objects.create(number="1"))
        contacts = Contact.objects.alias_join(
            alias_join_contact_phones=Contact.phones.through
        )
        self.assertRows(
            contacts.filter(phones__number="1").values_list(
                "alias_join_contact_phones__phone__number"
            ),
            [("1",)],
        )

    def test_proxies_share_a_table(self):
        records = Record.objects.alias_join(alias_join_topic=ShoutingTopic)
        self.assertRows(
            records.filter(topic__name="B").values_list("alias_join_topic__name"),
            [("B",)],
        )

    @skipUnlessDBFeature("has_select_for_update", "has_select_for_update_of")
    def test_select_for_update_of(self):
        topics = Topic.objects.alias_join(T3=Record, join_type="inner")
        topics = topics.filter(record__value=1).filter(record__value=4)
        self.assertRows(topics.select_for_update(of=("self",)), [self.a, self.a])

    def test_entries_of_from_name_their_tables(self):
        """Caches, for example, read there what a query depends on."""
        topics = Topic.objects.alias_join(
            table=Record, rows=Record.objects.filter(user=self.johnny)
        )
        self.assertEqual(
            [entry.table_name for entry in topics.query.alias_map.values()],
            ["alias_join_topic", "alias_join_record", "alias_join_record"],
        )
        self.assertEqual(
            topics.query.table_map,
            {
                "alias_join_topic": ["alias_join_topic"],
                "alias_join_record": ["table", "rows"],
            },
        )

    def test_from_clause_has_no_name_twice(self):
        for name in [*GENERATED, "alias_join_topic", "ALIAS_JOIN_USER", "mine"]:
            topics = (
                Topic.objects.filter(record__value=1)
                .filter(record__value=4)
                .alias_join(**{name: Record})
                .filter(record__user__name="may", **{f"{name}__user__name": "may"})
            )
            with self.subTest(name=name):
                aliases = [alias.casefold() for alias in topics.query.alias_map]
                self.assertEqual(len(aliases), len(set(aliases)))
                self.assertTrue(from_clause(self.sql(topics)))
                self.assertRows(topics.values_list(f"{name}__value"), [(4,)])
