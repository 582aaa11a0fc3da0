"""
FULL joins, also where a database rewrites them because it has none at all, or
none for the condition.
"""

import pickle
from unittest import mock

from django.db import NotSupportedError, connection
from django.db.models import (
    BooleanField,
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
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Ord, Random, RowNumber
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import JoinTestCase
from .models import City, Country, Employee, Seat, Ticket, Topic

FULL, RIGHT = JoinType.FULL, JoinType.RIGHT


def full_join(left, right, matches):
    """The rows of a FULL join, in Python."""
    pairs = [(a, b) for a in left for b in right if matches(a, b)]
    alone = [(a, None) for a in left if not any(a is other for other, _ in pairs)]
    alone += [(None, b) for b in right if not any(b is other for _, other in pairs)]
    return pairs + alone


def name(row):
    return row and row.name


@skipUnlessDBFeature("supports_right_join")
class FullJoinTests(JoinTestCase):
    """
    | city    | country |  | country    |  | employee | boss |
    |---------|---------|  |------------|  |----------|------|
    | Graz    | at      |  | at Austria |  | Graz     |      |
    | Linz    | at      |  | de Germany |  | Linz     | Graz |
    | Linz    | de      |  | fr France  |  | France   | Graz |
    | Nowhere |         |                  | nobody   |      |
    """

    @classmethod
    def setUpTestData(cls):
        for code, name in [("at", "Austria"), ("de", "Germany"), ("fr", "France")]:
            setattr(cls, code, Country.objects.create(code=code, name=name))
        cls.graz, cls.linz, cls.other_linz, cls.nowhere = [
            City.objects.create(name=name, country=country)
            for name, country in [
                ("Graz", cls.at),
                ("Linz", cls.at),
                ("Linz", cls.de),
                ("Nowhere", None),
            ]
        ]
        boss = Employee.objects.create(name="Graz", salary=1)
        Employee.objects.create(name="Linz", salary=2, boss=boss)
        Employee.objects.create(name="France", salary=2, boss=boss)
        Employee.objects.create(name="nobody")

    def cities(self, base=None, on=None):
        base = City.objects.all() if base is None else base
        return base.alias_join(c=Country, on=on, join_type=FULL)

    def assertSameRows(self, queryset, rows):
        with self.assertNumQueries(1):
            found = list(queryset.all())
        self.assertCountEqual(found, rows)

    def assertJoined(self, queryset, rows):
        self.assertSameRows(queryset.values_list("name", "c__name"), rows)

    ROWS = [
        ("Graz", "Austria"),
        ("Linz", "Austria"),
        ("Linz", "Germany"),
        ("Nowhere", None),
        (None, "France"),
    ]

    def test_rows(self):
        self.assertJoined(self.cities(), self.ROWS)

    def test_conditions(self):
        def code(city):
            return city.country_id

        for on, matches in [
            (Q(c__code=F("country")), lambda a, b: b.code == code(a)),
            (Q(c__name=F("name")), lambda a, b: b.name == a.name),
            (Q(c__name__gt=F("name")), lambda a, b: b.name > a.name),
            (
                Q(c__code=F("country")) | Q(name="Nowhere", c__code="fr"),
                lambda a, b: b.code == code(a)
                or a.name == "Nowhere"
                and b.code == "fr",
            ),
            (
                Q(c__code=F("country"), name="Linz"),
                lambda a, b: b.code == code(a) and a.name == "Linz",
            ),
            (~Q(c__code=F("country")), lambda a, b: b.code != code(a)),
            (Q(c__code="at"), lambda a, b: b.code == "at"),
            (Q(name="Linz"), lambda a, b: a.name == "Linz"),
            (Q(country=None), lambda a, b: code(a) is None),
            (Q(Value(True)), lambda a, b: True),
            (Q(pk__in=[]), lambda a, b: False),
            (Q(c__pk__in=[]), lambda a, b: False),
            (
                Q(c__name__gt=F("country__name")),
                lambda a, b: a.country is not None and b.name > a.country.name,
            ),
            (
                Q(c__code=F("country"))
                & Exists(Employee.objects.filter(name=OuterRef("name"))),
                lambda a, b: b.code == code(a) and a.name in ("Graz", "Linz"),
            ),
            (
                Exists(City.objects.filter(country=OuterRef("c__code"))),
                lambda a, b: b.code != "fr",
            ),
            (
                Q(c__code=Coalesce("country", Value("fr"))),
                lambda a, b: b.code == (code(a) or "fr"),
            ),
        ]:
            with self.subTest(on=on):
                rows = full_join(City.objects.all(), Country.objects.all(), matches)
                self.assertJoined(
                    self.cities(on=on), [(name(city), name(c)) for city, c in rows]
                )

    def test_empty(self):
        Employee.objects.all().delete()
        everybody = Employee.objects.alias_join(
            c=Country, on=Q(c__name__gte=F("name")), join_type=FULL
        )
        self.assertJoined(
            everybody, [(None, "Austria"), (None, "Germany"), (None, "France")]
        )
        self.assertJoined(
            self.cities(City.objects.none(), on=Q(c__name__gte=F("name"))),
            [(None, "Austria"), (None, "Germany"), (None, "France")],
        )
        countries = Country.objects.alias_join(
            c=Employee, on=Q(c__name__gte=F("name")), join_type=FULL
        )
        self.assertJoined(
            countries, [("Austria", None), ("Germany", None), ("France", None)]
        )

    def test_filters_on_either_side(self):
        for on in (None, Q(c__code__gte=F("country"), c__code__lte=F("country"))):
            for condition, rows in [
                (Q(c__name="Austria"), self.ROWS[:2]),
                (Q(name="Linz"), self.ROWS[1:3]),
                (Q(c__isnull=True), self.ROWS[3:4]),
                (Q(c__isnull=False), self.ROWS[:3] + self.ROWS[4:]),
                (Q(pk__isnull=True), self.ROWS[4:]),
                (Q(pk__isnull=False), self.ROWS[:4]),
                (~Q(c__name="Austria"), self.ROWS[2:]),
                (~Q(name="Linz"), self.ROWS[:1] + self.ROWS[3:]),
                (
                    Q(country__name="Austria") | Q(c__code="fr"),
                    self.ROWS[:2] + self.ROWS[4:],
                ),
                (~(Q(country__name="Austria") & Q(c__code="at")), self.ROWS[2:]),
                (Q(c__name=F("country__name")), self.ROWS[:3]),
                (Q(c__city__name="Linz"), [self.ROWS[i] for i in (0, 1, 2)]),
            ]:
                with self.subTest(on=on, condition=condition):
                    cities = self.cities(on=on).filter(condition).distinct()
                    self.assertJoined(cities, rows)

    def test_aggregation(self):
        cities = self.cities(on=Q(c__code__lte=F("country"), c__code__gte=F("country")))
        with self.assertNumQueries(2):
            self.assertEqual(cities.count(), 5)
            self.assertEqual(
                cities.aggregate(
                    n=Count("pk"),
                    m=Count("c"),
                    d=Count("c", distinct=True),
                    x=Max("name"),
                ),
                {"n": 4, "m": 4, "d": 3, "x": "Nowhere"},
            )
        self.assertSameRows(
            cities.values("c__name")
            .annotate(n=Count("pk"))
            .values_list("c__name", "n"),
            [("Austria", 2), ("Germany", 1), ("France", 0), (None, 1)],
        )
        self.assertSameRows(
            cities.filter(c__isnull=False)
            .values("c")
            .annotate(n=Count("pk"))
            .values_list("c__name", "n"),
            [("Austria", 2), ("Germany", 1), ("France", 0)],
        )

    def test_instances(self):
        cities = self.cities(on=Q(c__code__lte=F("country"), c__code__gte=F("country")))
        with self.assertRaisesMessage(ValueError, "RIGHT or FULL"):
            list(cities)
        cities = cities.filter(pk__isnull=False).select_related("c").order_by("pk")
        with self.assertNumQueries(1):
            self.assertEqual(
                [(city, city.c) for city in cities],
                [
                    (self.graz, self.at),
                    (self.linz, self.at),
                    (self.other_linz, self.de),
                    (self.nowhere, None),
                ],
            )

    def test_order_and_slice(self):
        cities = self.cities().order_by(
            F("c__name").desc(nulls_last=True), F("name").asc(nulls_first=True)
        )
        rows = cities.values_list("name", "c__name")
        ordered = [self.ROWS[i] for i in (2, 4, 0, 1, 3)]
        self.assertRows(rows, ordered)
        self.assertRows(rows[1:4], ordered[1:4])
        self.assertEqual(rows[4], ordered[4])

    def test_union(self):
        self.assertSameRows(
            self.cities()
            .values_list("name", "c__name")
            .union(
                self.cities(on=Q(c__name__lt=F("name"), c__code="at")).values_list(
                    "name", "c__name"
                )
            ),
            {
                *self.ROWS,
                ("Nowhere", "Austria"),
                (None, "Germany"),
            },
        )

    def test_subqueries(self):
        unused = self.cities().filter(pk=None)
        for countries in (
            Country.objects.filter(code__in=unused.values("c__code")),
            Country.objects.filter(Exists(unused.filter(c__code=OuterRef("code")))),
            Country.objects.annotate(
                n=Coalesce(
                    Subquery(
                        self.cities()
                        .filter(c__code=OuterRef("code"))
                        .order_by()
                        .values("c__code")
                        .annotate(n=Count("pk"))
                        .values("n")
                    ),
                    -1,
                )
            ).filter(n=0),
        ):
            with self.subTest(str(countries.query)):
                self.assertSameRows(countries, [self.fr])

    def test_source(self):
        rows = self.cities().values("name", country_name=F("c__name"))
        countries = Country.objects.alias_join(
            r=rows, on=Q(r__country_name=F("name")), join_type=FULL
        )
        self.assertSameRows(
            countries.values_list("name", "r__name"),
            [
                ("Austria", "Graz"),
                ("Austria", "Linz"),
                ("Germany", "Linz"),
                ("France", None),
                (None, "Nowhere"),
            ],
        )
        self.assertSameRows(
            countries.filter(r__isnull=True).values_list("name", "r__name"), []
        )
        self.assertSameRows(
            countries.filter(r__name=None).values_list("name"), [("France",)]
        )

    def test_right_after_full(self):
        cities = self.cities().alias_join(
            e=Employee, on=Q(e__name=Coalesce("name", "c__name")), join_type=RIGHT
        )
        self.assertSameRows(
            cities.values_list("name", "c__name", "e__name"),
            [
                ("Graz", "Austria", "Graz"),
                ("Linz", "Austria", "Linz"),
                ("Linz", "Germany", "Linz"),
                (None, "France", "France"),
                (None, None, "nobody"),
            ],
        )

    def test_full_after_left_and_right(self):
        for join_type, expected in [
            (JoinType.LEFT, [("Linz", "Austria", "Linz"), ("Linz", "Germany", "Linz")]),
            (
                JoinType.INNER,
                [("Linz", "Austria", "Linz"), ("Linz", "Germany", "Linz")],
            ),
            (RIGHT, [(None, "France", "France")]),
            (FULL, [("Linz", "Austria", "Linz"), (None, "France", "France")]),
        ]:
            cities = City.objects.alias_join(
                c=Country, on=Q(c__code=F("country")), join_type=join_type
            ).alias_join(
                e=Employee.objects.filter(boss__isnull=False),
                on=(
                    Q(e__name=Coalesce("name", "c__name"))
                    & (Q(e__name="France") | Q(c__code="at"))
                    if join_type in (RIGHT, FULL)
                    else Q(e__name=F("name"))
                ),
                join_type=FULL,
            )
            left = full_join(
                City.objects.all(),
                Country.objects.all(),
                lambda city, c: city.country_id == c.code,
            )
            keep = {
                JoinType.LEFT: lambda city, c: city,
                JoinType.INNER: lambda city, c: city and c,
                RIGHT: lambda city, c: c,
                FULL: lambda city, c: True,
            }[join_type]
            left = [(city, c) for city, c in left if keep(city, c)]

            def matches(pair, employee):
                city, c = pair
                if join_type in (RIGHT, FULL):
                    return employee.name == (name(city) or name(c)) and (
                        employee.name == "France" or c is not None and c.code == "at"
                    )
                return city is not None and employee.name == city.name

            rows = [
                (*(map(name, pair) if pair else (None, None)), name(employee))
                for pair, employee in full_join(
                    left, Employee.objects.filter(boss__isnull=False), matches
                )
            ]
            with self.subTest(join_type):
                self.assertLess(set(expected), set(rows))
                self.assertSameRows(
                    cities.values_list("name", "c__name", "e__name"), rows
                )

    def test_three(self):
        for on in (Q(f__pk=F("boss")), Q(f__salary__gt=F("salary"))):
            employees = (
                Employee.objects.alias_join(
                    e=Employee, on=Q(e__pk=F("boss")), join_type=FULL
                )
                .alias_join(f=Employee, on=on, join_type=FULL)
                .alias_join(c=City, on=Q(c__name=F("f__name")), join_type=FULL)
            )
            everybody = list(Employee.objects.all())
            first = full_join(everybody, everybody, lambda a, e: a.boss_id == e.pk)

            def matches(pair, f):
                a = pair[0]
                if on.children[0][0] == "f__pk":
                    return a is not None and a.boss_id == f.pk
                return None not in (a and a.salary, f.salary) and f.salary > a.salary

            second = [
                (*(pair or (None, None)), f)
                for pair, f in full_join(first, everybody, matches)
            ]
            third = full_join(
                second,
                City.objects.all(),
                lambda row, c: row[2] is not None and row[2].name == c.name,
            )
            rows = [
                tuple(map(name, (*(row or (None, None, None)), c))) for row, c in third
            ]
            with self.subTest(on=on):
                self.assertSameRows(
                    employees.values_list("name", "e__name", "f__name", "c__name"), rows
                )

    def test_after_pushdown(self):
        on = Q(c__code=F("country"))
        page = City.objects.order_by("name")[1:3]
        with self.subTest("slice"):
            self.assertJoined(
                self.cities(page, on),
                [
                    ("Linz", "Austria"),
                    ("Linz", "Germany"),
                    (None, "France"),
                ],
            )
        with self.subTest("filter"):
            self.assertJoined(
                self.cities(City.objects.filter(name="Nowhere"), on),
                [
                    ("Nowhere", None),
                    (None, "Austria"),
                    (None, "Germany"),
                    (None, "France"),
                ],
            )
        with self.subTest("groups"):
            groups = (
                City.objects.values("country")
                .annotate(n=Count("pk"))
                .alias_join(c=Country, on=on, join_type=FULL)
            )
            self.assertSameRows(
                groups.values_list("country", "n", "c__name"),
                [
                    ("at", 2, "Austria"),
                    ("de", 1, "Germany"),
                    (None, 1, None),
                    (None, None, "France"),
                ],
            )
            self.assertSameRows(
                groups.filter(n__isnull=True).values_list("c__name"), [("France",)]
            )
        with self.subTest("values that repeat"):
            names = City.objects.values("name").order_by("name")[:4]
            self.assertSameRows(
                names.alias_join(
                    e=Employee,
                    on=Q(e__name__gte=F("name"), e__salary=2),
                    join_type=FULL,
                ).values_list("name", "e__name"),
                [
                    ("Graz", "Linz"),
                    ("Linz", "Linz"),
                    ("Linz", "Linz"),
                    ("Nowhere", None),
                    (None, "France"),
                    (None, "Graz"),
                    (None, "nobody"),
                ],
            )

    def test_slice_with_ties(self):
        """Which of the rows is in the slice is the same all over the query."""
        for number in range(20):
            City.objects.create(name="Linz", country=(self.at, self.de)[number % 2])
        for base in (
            City.objects.order_by("name")[:5],
            City.objects.filter(name="Linz").values("country_id")[:5],
        ):
            cities = base.alias_join(
                c=Country.objects.order_by("code")[:2],
                on=Q(c__code=F("country_id"), c__pk__gt=0),
                join_type=FULL,
            )
            with self.subTest(str(cities.query)):
                with self.assertNumQueries(1):
                    rows = list(cities.values_list("country_id", "c__code"))
                matched = [row for row in rows if row[0]]
                self.assertEqual(len(matched), 5)
                self.assertEqual([c for _, c in matched], [c for c, _ in matched])
                self.assertEqual(
                    {c for c, _ in matched} | {c for _, c in rows}, {"at", "de"}
                )

    def test_slice_of_what_was_joined_to_a_subquery(self):
        """Its rows may have no primary key, or the same one several times."""
        for base in (
            City.objects.values("name").distinct(),
            City.objects.alias_join(
                x=Employee, on=Q(x__salary__gt=1, x__name__lte=F("name"))
            )[:9],
        ):
            cities = base.alias_join(e=Employee, on=Q(e__name=F("name")))[:9]
            names = list(cities.values_list("name", flat=True))
            cities = cities.alias_join(
                c=Country, on=Q(c__name=F("name")), join_type=FULL
            )
            with self.subTest(str(cities.query)):
                self.assertJoined(
                    cities,
                    [(name, None) for name in names]
                    + [(None, "Austria"), (None, "Germany"), (None, "France")],
                )

    def test_slice_of_a_condition(self):
        """A Case() is among what tells the rows of the slice apart."""
        kinds = Employee.objects.values(
            kind=Case(When(salary__gt=1, then=Value("rich")), default=Value("poor"))
        )
        kinds = kinds.annotate(n=Count("pk")).order_by("n", "kind")[:1]
        cities = City.objects.alias_join(
            k=kinds, on=Q(k__n=F("pk") - self.graz.pk + 2), join_type=FULL
        )
        self.assertSameRows(
            cities.values_list("name", "k__kind"),
            [("Graz", "poor"), ("Linz", None), ("Linz", None), ("Nowhere", None)],
        )

    def test_ordered_slice_in_a_subquery(self):
        """Its ordering joins a table that is on the left side, too."""
        first = City.objects.order_by(F("country__name").asc(nulls_last=True), "pk")[:1]
        cities = City.objects.alias_join(
            p=first, on=Q(p__pk=F("pk")), join_type=JoinType.INNER
        )
        sources = [cities.values("pk")]
        if connection.features.allow_sliced_subqueries_with_in:
            sources.append(first)
        for source in sources:
            joined = City.objects.alias_join(
                e=Employee,
                on=Q(e__name=F("country__name")) | Q(pk__in=source),
                join_type=FULL,
            )
            with self.subTest(source=str(source.query)):
                self.assertSameRows(
                    joined.values_list("name", "e__name"),
                    [
                        *(("Graz", x) for x in ["Graz", "Linz", "France", "nobody"]),
                        *(("Linz", None), ("Linz", None), ("Nowhere", None)),
                    ],
                )

    def test_before_pushdown(self):
        cities = self.cities().order_by(
            F("c__name").desc(nulls_last=True), F("name").asc(nulls_first=True)
        )[:3]
        cities = cities.values("name", cname=F("c__name")).alias_join(
            e=Employee, on=Q(e__name=Coalesce("name", "cname")), join_type=FULL
        )
        self.assertSameRows(
            cities.values_list("name", "cname", "e__name"),
            [
                ("Linz", "Germany", "Linz"),
                (None, "France", "France"),
                ("Graz", "Austria", "Graz"),
                (None, None, "nobody"),
            ],
        )

    def test_named_rows(self):
        """A row of values isn't taken for an unmatched one for its NULLs."""
        salaries = Employee.objects.values("name").annotate(total=Sum("salary"))
        cities = City.objects.alias_join(
            e=salaries,
            on=Q(e__name__gte=F("name"), e__name__lte=F("name")),
            join_type=FULL,
        )
        self.assertSameRows(
            cities.filter(e__total=None).values_list("name", "e__name"),
            [("Nowhere", None), (None, "nobody")],
        )
        self.assertSameRows(
            cities.filter(e__isnull=True).values_list("name"), [("Nowhere",)]
        )
        self.assertSameRows(
            cities.filter(e__isnull=False, pk=None).values_list("e__name", "e__total"),
            [("France", 2), ("nobody", None)],
        )
        found = cities.filter(pk__isnull=False).select_related("e").order_by("pk")
        with self.assertNumQueries(1):
            self.assertEqual(
                [city.e and city.e.total for city in found], [1, 2, 2, None]
            )

    def test_texts_that_a_collation_takes_for_equal(self):
        Topic.objects.bulk_create([Topic(name=name) for name in ("a", "A", "A", "b")])
        numbers = Employee.objects.filter(salary__gt=9)
        Employee.objects.create(name="upper", salary=ord("A"))
        Employee.objects.create(name="lower", salary=ord("a"))
        Employee.objects.create(name="none", salary=ord("c"))
        for topics in (Topic.objects.values("name")[:9], Topic.objects.all()):
            topics = topics.alias_join(
                e=numbers, on=Q(e__salary=Ord("name"), e__pk__gt=0), join_type=FULL
            )
            with self.subTest(str(topics.query)):
                self.assertSameRows(
                    topics.values_list("name", "e__name"),
                    [
                        ("a", "lower"),
                        ("A", "upper"),
                        ("A", "upper"),
                        ("b", None),
                        (None, "none"),
                    ],
                )

    def test_composite_primary_key(self):
        for row, place in [(1, 1), (1, 2), (2, 1)]:
            Seat.objects.create(row=row, place=place)
        for row, place, price in [(1, 1, 5), (1, 1, 6), (1, None, 7), (2, 1, 8)]:
            Ticket.objects.create(row=row, place=place, price=price)
        seats = Seat.objects.alias_join(
            t=Ticket.objects.filter(price__lt=8), join_type=FULL
        )
        self.assertSameRows(
            seats.values_list("row", "place", "t__price"),
            [(1, 1, 5), (1, 1, 6), (1, 2, None), (2, 1, None), (None, None, 7)],
        )
        tickets = Ticket.objects.alias_join(
            s=Seat, on=Q(s__row=F("row"), s__place__gt=F("place")), join_type=FULL
        )
        self.assertSameRows(
            tickets.values_list("price", "s__row", "s__place"),
            [(5, 1, 2), (6, 1, 2), (7, None, None), (8, None, None)]
            + [(None, 1, 1), (None, 2, 1)],
        )

    def test_parameters(self):
        """Those of each part are where the part is."""
        employees = Employee.objects.filter(salary__gt=1).annotate(x=Value("x"))
        cities = (
            City.objects.filter(name__gt="H")
            .alias_join(
                e=FilteredRelation(
                    employees.filter(name__lt="Q"),
                    condition=Q(e__name=F("name"), e__salary=2),
                )
            )
            .alias_join(
                c=FilteredRelation(
                    Country.objects.filter(name__lt="G").annotate(y=Value("y")),
                    condition=Q(c__code__gte=F("country"), c__code__lt="b"),
                    join_type=FULL,
                )
            )
            .annotate(z=Value("z"))
            .exclude(name="Nowhere")
        )
        self.assertSameRows(
            cities.values_list("name", "e__name", "e__x", "c__name", "c__y", "z"),
            [
                ("Linz", "Linz", "x", "Austria", "y", "z"),
                ("Linz", "Linz", "x", None, None, "z"),
                (None, None, None, "France", "y", "z"),
            ],
        )

    def test_pickle(self):
        cities = City.objects.all()
        cities.query = pickle.loads(pickle.dumps(self.cities().query))
        self.assertJoined(cities, self.ROWS)

    def test_writes(self):
        cities = self.cities(on=Q(c__code__lt=F("country"))).filter(c__isnull=True)
        self.assertEqual(cities.update(name="x"), 3)
        self.assertSameRows(
            City.objects.values_list("name"), [("x",), ("x",), ("Linz",), ("x",)]
        )
        self.assertEqual(cities.delete(), (3, {"alias_join.City": 3}))
        self.assertSameRows(City.objects.all(), [self.other_linz])


class RewrittenMixin:
    def setUp(self):
        rewrite = mock.patch.object(connection.features, "supports_full_join", False)
        rewrite.start()
        self.addCleanup(rewrite.stop)


class RewrittenFullJoinTests(RewrittenMixin, FullJoinTests):
    """The same rows, on any database."""


@skipUnlessDBFeature("supports_right_join")
class RewritingTests(RewrittenMixin, JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        for name in ("Linz", "Linz", "Graz"):
            City.objects.create(name=name)
        Employee.objects.create(name="Linz", salary=1)

    def cities(self, base=None, on=None, **kwargs):
        base = City.objects.all() if base is None else base
        on = Q(e__name=F("name")) if on is None else on
        return base.alias_join(e=Employee, on=on, join_type=FULL).values("e__salary")

    def test_subquery_of_the_same_table(self):
        """Its columns aren't those of the left side."""
        base = City.objects.values("name").annotate(n=Count("pk"))
        cities = self.cities(base, Q(Exists(City.objects.order_by("name")[:1])))
        self.assertCountEqual(cities.values_list("e__salary", flat=True), [1, 1])

    def assertRefused(self, cities, reason):
        msg = f"The FULL join 'e' has to be rewritten for {connection.display_name}, "
        with self.assertRaisesMessage(
            NotSupportedError, f"{msg}and can't be because {reason}"
        ):
            list(cities)

    def test_sql(self):
        self.assertFrom(
            self.cities(on=Q(e__salary=F("pk"))),
            "city RIGHT OUTER JOIN (SELECT __left.*, e.* FROM",
            "(SELECT 1 AS __matched, city.id AS __left0 FROM city) __left",
            "LEFT OUTER JOIN employee e ON (e.salary = __left.__left0)",
            "UNION ALL SELECT NULL, NULL, e.* FROM employee e WHERE NOT EXISTS",
            "(SELECT 1 FROM",
            "(SELECT 1 AS __matched, city.id AS __left0 FROM city) __left",
            "WHERE (e.salary = __left.__left0)))",
            "e ON (e.__matched = 1 AND city.id = e.__left0)",
        )

    def test_keys_of_several_entries(self):
        """Of each that the condition refers to."""
        cities = City.objects.alias_join(
            c=Country, t=FilteredRelation(Topic, condition=Q(t__name=F("name")))
        )
        self.assertShape(
            self.sql(self.cities(cities, Q(e__salary=F("t__pk")))),
            "SELECT ... (SELECT DISTINCT 1 AS __matched, t.id AS __left0 FROM city ..."
            ") e ON (e.__matched = 1 AND t.id ... e.__left0)",
        )

    def test_raw_condition(self):
        on = Q(RawSQL("e.salary = 1", (), output_field=BooleanField()))
        self.assertRefused(self.cities(on=on), "its condition contains RawSQL().")

    @skipIfDBFeature("supports_outer_references_in_derived_tables")
    def test_outer_references(self):
        for number, cities in enumerate(
            (
                self.cities(on=Q(e__name=OuterRef("name"))),
                self.cities(City.objects.filter(name=OuterRef("name"))),
                self.cities(
                    City.objects.alias_join(
                        x=Topic, on=Q(x__name=OuterRef("name"), x__pk=F("pk"))
                    )
                ),
            )
        ):
            with self.subTest(number):
                self.assertRefused(
                    Topic.objects.filter(Exists(cities)),
                    "it, or what is joined before it, refers to an outer query.",
                )

    @skipUnlessDBFeature("supports_outer_references_in_derived_tables")
    def test_outer_reference(self):
        Topic.objects.bulk_create([Topic(name="Linz"), Topic(name="Graz")])
        topics = Topic.objects.filter(
            Exists(
                City.objects.alias_join(
                    e=Employee,
                    on=Q(e__name=OuterRef("name"), name=OuterRef("name")),
                    join_type=FULL,
                ).filter(e__salary=1, pk__isnull=False)
            )
        )
        self.assertRows(topics.values_list("name"), [("Linz",)])

    def test_random(self):
        self.assertRefused(
            self.cities(City.objects.order_by("?")[:2]),
            "it joins a slice in random order.",
        )
        self.assertRefused(
            self.cities(City.objects.annotate(x=Random()).filter(x__lt=1)),
            "it joins random values.",
        )

    def test_slice_of_a_union(self):
        cities = City.objects.values("name")
        cities = cities.union(cities.filter(pk=None)).order_by("name")[:2]
        self.assertRefused(
            self.cities(cities), "it joins a slice of a combination such as union()."
        )

    @skipUnlessDBFeature("can_distinct_on_fields")
    def test_distinct_fields(self):
        self.assertRefused(
            self.cities(City.objects.order_by("name").distinct("name")),
            "it joins a queryset that uses distinct() with fields.",
        )

    @skipUnlessDBFeature("supports_over_clause")
    def test_window_functions(self):
        def numbered(*order_by):
            window = Window(RowNumber(), order_by=order_by)
            return City.objects.annotate(x=window).filter(x__lt=3)

        self.assertRefused(
            self.cities(numbered("name")),
            "a window function in what it joins depends on the order of rows that "
            "sort alike.",
        )
        for order_by in (("name", "pk"), ("pk",)):
            with self.assertNumQueries(1):
                self.assertCountEqual(
                    self.cities(numbered(*order_by)),
                    [{"e__salary": 1}] * (len(order_by) == 1)
                    + [{"e__salary": 1}]
                    + [{"e__salary": None}] * (len(order_by) == 2),
                )

    def test_slice_of_groups(self):
        """What they are grouped by orders them, too."""
        salaries = Employee.objects.values("name").annotate(
            n=Count("pk"), total=Sum("salary")
        )
        salaries = salaries.order_by("n").values("total")[:1]
        cities = City.objects.alias_join(
            e=salaries, on=Q(e__total=F("pk")), join_type=FULL
        )
        self.assertShape(
            self.sql(cities.values("name")),
            "SELECT ...GROUP BY ... ORDER BY COUNT(U0.id) ASC, U0.name ASC LIMIT 1...",
        )

    def test_slice_in_the_condition_of_a_relation(self):
        first = Country.objects.order_by("name").values("code")[:1]
        cities = City.objects.alias_join(
            c=FilteredRelation("country", condition=Q(country__code=Subquery(first)))
        )
        self.assertRefused(
            self.cities(cities), "a FilteredRelation() along a relation has a slice"
        )

    def test_slice_in_a_condition(self):
        """It is ordered by the primary key, too."""
        first = Employee.objects.order_by("salary").values("name")[:1]
        cities = self.cities(on=Q(name=Subquery(first), e__salary__gt=0))
        self.assertShape(
            self.sql(cities),
            "SELECT ...ORDER BY U0.salary ASC, U0.id ASC LIMIT 1...UNION ALL ..."
            "ORDER BY U0.salary ASC, U0.id ASC LIMIT 1...",
        )
        self.assertCountEqual(
            cities, [{"e__salary": 1}, {"e__salary": 1}, {"e__salary": None}]
        )


@skipUnlessDBFeature("supports_full_join")
class NativeTests(JoinTestCase):
    def cities(self, on):
        return City.objects.alias_join(e=Employee, on=on, join_type=FULL)

    def test_equality(self):
        for on in (
            Q(e__name=F("name")),
            Q(e__name=F("name"), e__salary__gt=F("pk")),
            Q(Q(e__salary=F("pk") + 1) & Q(e__salary__gt=1)),
            Q(e__name=F("country__name")),
        ):
            with self.subTest(on=on):
                self.assertFrom(
                    self.cities(on), "city ...FULL OUTER JOIN employee e ON (...)"
                )

    @skipIfDBFeature("supports_full_join_without_equality")
    def test_other_conditions(self):
        for on in (
            Q(e__name__gt=F("name")),
            Q(e__name=F("name")) | Q(e__salary=1),
            ~Q(e__name=F("name")),
            Q(e__name="x", name="x"),
            Q(e__salary=F("pk") + F("e__pk")),
        ):
            with self.subTest(on=on):
                self.assertNotIn("FULL", self.sql(self.cities(on)))
                self.assertFalse(self.cities(on).exists())
