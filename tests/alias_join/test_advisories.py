"""Django's advisories about names that became SQL, and the names of joins."""

from django.core.exceptions import FieldError
from django.db.models import F, FilteredRelation, Q
from django.test import skipUnlessDBFeature

from .base import TopicTestCase
from .models import Record, Sample, Topic

TABLE = "alias_join_record"
CRAFTED = (
    f'mine" FROM "{TABLE}"; --',
    f"mine` FROM `{TABLE}`; -- ",
    f'mine" ON 1 = 1 CROSS JOIN "{TABLE}" "x',
    "mine' OR '1",
    "mine]",
    "mine[0]",
    "mine;",
    "mine#",
    "mine--",
    "mine/**/",
    "mine*/",
    "mine value",
    "mine\tvalue",
    "mine\nvalue",
    "mine\u00a0value",
)
# Django takes these for columns, in quotes.
UNUSUAL = ("mine%s", "mine%(x)s", "mine)", "mine,value")


class AdvisoryTests(TopicTestCase):
    def joins(self, alias):
        """Yield each call that gives a join its alias."""
        on = Q((f"{alias}__topic", F("pk")))
        topics = Topic.objects.all()
        yield lambda: topics.alias_join(**{alias: Record}, on=on)
        yield lambda: topics.alias_join(**{alias: Record.objects.all()}, on=on)
        yield lambda: topics.alias_join(
            **{alias: Record.objects.values("topic", "value")}, on=on
        )
        yield lambda: topics[:2].alias_join(**{alias: Record}, on=on)
        for source in (Record, Record.objects.values("topic", "value")):
            joins = {alias: FilteredRelation(source, condition=on)}
            yield lambda joins=joins: topics.alias_join(**joins)
            yield lambda joins=joins: topics.alias(**joins)
            yield lambda joins=joins: topics.annotate(**joins)
        named = {alias: FilteredRelation("record", condition=Q(record__value=1))}
        yield lambda: topics.alias_join(**named)

    def columns(self, name):
        """Yield each call that names a column of a subquery in FROM."""
        records = Record.objects
        for project in (
            lambda: records.values("topic", **{name: F("value")}),
            lambda: records.values("topic").annotate(**{name: F("value")}),
            lambda: records.annotate(**{name: F("value")}),
            lambda: records.alias(**{name: F("value")}).values("topic", name),
        ):
            yield lambda project=project: Topic.objects.alias_join(
                mine=project(), on=Q(mine__topic=F("pk"))
            )
        yield lambda: Topic.objects.annotate(**{name: F("pk")})[:2].alias_join(
            mine=Record, on=Q(mine__topic=F("pk"))
        )

    def assertNoAlias(self, name):
        for number, join in enumerate(self.joins(name)):
            with self.subTest(alias=name, call=number):
                with self.assertRaisesMessage(ValueError, f"alias {name!r}"):
                    join()

    def assertNoColumn(self, name):
        for number, join in enumerate(self.columns(name)):
            with self.subTest(column=name, call=number):
                with self.assertRaises((ValueError, FieldError)):
                    join()

    def test_cve_2022_28346(self):
        """Quotes, comments and whitespace in the names of columns."""
        for name in CRAFTED:
            self.assertNoColumn(name)

    @skipUnlessDBFeature("supports_explaining_query_execution")
    def test_cve_2022_28347(self):
        """Options of explain()."""
        for option in ('x" y', "x; y", "x)", "x--", "x/**/"):
            with self.subTest(option):
                with self.assertRaisesMessage(
                    ValueError, f"Invalid option name: {option!r}"
                ):
                    Topic.objects.alias_join(mine=Record).explain(**{option: True})

    @skipUnlessDBFeature("supports_json_field")
    def test_cve_2024_42005(self):
        """Keys of a JSONField in values(), as a path and as a column."""
        rows = Sample.objects.alias_join(mine=Sample, on=Q(mine__pk=F("pk")))
        for name in CRAFTED:
            with self.subTest(name):
                with self.assertRaises((ValueError, FieldError)):
                    rows.values(f"mine__data__{name}")
                with self.assertRaises((ValueError, FieldError)):
                    rows.values_list(f"mine__data__{name}", "pk")
                with self.assertRaises((ValueError, FieldError)):
                    Sample.objects.alias_join(
                        mine=Sample.objects.values("pk", f"data__{name}"),
                        on=Q(mine__pk=F("pk")),
                    )

    def test_cve_2025_57833(self):
        """Aliases of a FilteredRelation."""
        for name in CRAFTED + UNUSUAL:
            self.assertNoAlias(name)

    def test_cve_2025_59681(self):
        """Comments that only MySQL knows."""
        for name in ("mine#", "mine-- ", "mine/*!1*/", "#", "mine`#"):
            self.assertNoAlias(name)
            self.assertNoColumn(name)

    def test_cve_2025_13372(self):
        """Aliases that PostgreSQL took unquoted."""
        for name in (
            "mine$a",
            "$$mine",
            "mine.value",
            '"mine"',
            "mine::text",
            "(mine)",
        ):
            self.assertNoAlias(name)

    def test_cve_2025_64459(self):
        """The connector of a Q(), from a crafted dictionary."""
        crafted = {"mine__value": 1, "_connector": ") OR 1 = 1 OR ("}
        negated = {"mine__value": 1, "_negated": True}
        msg = "connector must be one of 'AND', 'OR', 'XOR', or None."
        with self.assertRaisesMessage(ValueError, msg):
            Topic.objects.alias_join(mine=Record, on=Q(**crafted))
        topics = Topic.objects.alias_join(mine=Record)
        for filters in (crafted, negated):
            for call in (topics.filter, topics.exclude, topics.get):
                with self.subTest(call=call, filters=filters):
                    with self.assertRaisesMessage(
                        TypeError, "The following kwargs are invalid"
                    ):
                        call(**filters)

    def test_connector_as_an_alias(self):
        """Names of arguments of Q() are names as any other."""
        for name in ("_connector", "_negated"):
            with self.subTest(name):
                topics = Topic.objects.alias_join(**{name: Record})
                self.assertRows(
                    topics.filter(**{f"{name}__value": 1}).values_list("name"), [("A",)]
                )

    def test_cve_2026_1287(self):
        """Control characters in aliases."""
        for code in (*range(0x20), *range(0x7F, 0xA0)):
            self.assertNoAlias(f"mine{chr(code)}")
            self.assertNoColumn(f"mine{chr(code)}")

    def test_cve_2026_1312(self):
        """Aliases with periods, and the same text in order_by()."""
        for name in ("mine.value", f"{TABLE}.value", '"mine".value'):
            self.assertNoAlias(name)
            for path in (name, f"-{name}", f"mine__{name}"):
                with self.subTest(path), self.assertRaises(FieldError):
                    list(Topic.objects.alias_join(mine=Record).order_by(path))

    def test_join_types(self):
        """A join type is a JoinType, or the name of one."""
        for join_type in (
            "LEFT OUTER JOIN",
            "INNER JOIN x ON 1 = 1 LEFT",
            "left; --",
            "LOUTER",
            "",
        ):
            with self.subTest(join_type):
                with self.assertRaisesMessage(ValueError, repr(join_type)):
                    Topic.objects.alias_join(mine=Record, join_type=join_type)
                with self.assertRaisesMessage(ValueError, repr(join_type)):
                    FilteredRelation(Record, join_type=join_type)
