"""A projected column keeps the type and lookups of what it selects."""

import datetime
import uuid
import zoneinfo
from decimal import Decimal

from django.core.exceptions import FieldError
from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    DateField,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    StdDev,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT, KeyTextTransform
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    ExtractDay,
    ExtractHour,
    ExtractYear,
    Length,
    Lower,
    Trunc,
    TruncDate,
    TruncDay,
    TruncMonth,
    Upper,
)
from django.test import override_settings, skipUnlessDBFeature
from django.utils import timezone

from .base import JoinTestCase
from .models import Label, Money, Sample, Tag

VALUES = {
    "amount": Decimal("1234.50"),
    "money": Money("0.10"),
    "ratio": 0.1,
    "flag": True,
    "day": datetime.date(2020, 2, 29),
    "time": datetime.time(23, 59, 58, 123456),
    "at": datetime.datetime(2020, 2, 29, 23, 30, 15, 123456),
    "span": datetime.timedelta(days=1, microseconds=1),
    "data": {"a": [1, {"b": None}], "n": 1.5, "s": "x%"},
    "uid": uuid.UUID("12345678-90ab-4def-8234-567890abcdef"),
    "blob": b"\x00\xff'",
    "color": Sample.Color.RED,
}


def plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


def through_two(source, *names):
    """Return a projection of the projection of ``source``."""
    names = ["tag", *names]
    for _ in range(2):
        source = Tag.objects.alias_join(inner=source, on=Q(inner__tag=F("pk"))).values(
            **{name: F(f"inner__{name}") for name in names}
        )
    return source


class TypeTestCase(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.tag = Tag.objects.create(name="full")
        cls.empty = Tag.objects.create(name="empty")
        cls.sample = Sample.objects.create(tag=cls.tag, **VALUES)

    def sources(self, name):
        yield Sample
        yield Sample.objects.all()
        yield Sample.objects.values("tag", name)
        yield Sample.objects.values("tag", name).distinct()
        yield Sample.objects.values_list("tag", name).order_by(name)[:5]
        yield Sample.objects.values("tag", name).union(
            Sample.objects.values("tag", name), all=True
        )[:1]
        yield through_two(Sample.objects.values("tag", name), name)

    def assertColumn(self, source, name, value):
        """Assert the value of a column in the row of each of the tags."""
        tags = Tag.objects.alias_join(s=source, on=Q(s__tag=F("pk"))).order_by("-name")
        with self.assertNumQueries(1):
            [[full], [empty]] = tags.values_list(f"s__{name}")
        self.assertEqual(plain(full), value)
        self.assertIs(type(plain(full)), type(value))
        self.assertIsNone(empty)


@skipUnlessDBFeature("supports_json_field")
class FieldTests(TypeTestCase):
    def test_value(self):
        for name, value in VALUES.items():
            value = str(value) if name == "color" else value
            # Databases have no order or equality of JSON to remove duplicates.
            for source in [Sample, *self.sources(name)] if name != "data" else [Sample]:
                with self.subTest(name=name, source=source):
                    self.assertColumn(source, name, value)

    def test_json_value(self):
        for source in (
            Sample.objects.all(),
            Sample.objects.values("tag", "data"),
            through_two(Sample.objects.values("tag", "data"), "data"),
        ):
            self.assertColumn(source, "data", VALUES["data"])

    def test_renamed(self):
        for name, value in VALUES.items():
            value = str(value) if name == "color" else value
            source = Sample.objects.values("tag", x=F(name))
            with self.subTest(name=name):
                self.assertColumn(source, "x", value)
                self.assertColumn(through_two(source, "x"), "x", value)

    def test_annotation(self):
        for name, value in VALUES.items():
            value = str(value) if name == "color" else value
            source = Sample.objects.annotate(x=F(name))
            with self.subTest(name=name):
                self.assertColumn(source, "x", value)

    def test_outer_annotation(self):
        for name, value in VALUES.items():
            value = str(value) if name == "color" else value
            tags = Tag.objects.alias_join(
                s=Sample.objects.values("tag", name)
            ).annotate(x=F(f"s__{name}"))
            with self.subTest(name=name):
                with self.assertNumQueries(1):
                    full, empty = tags.order_by("-name")
                self.assertEqual(plain(full.x), value)
                self.assertIs(type(plain(full.x)), type(value))
                self.assertIsNone(empty.x)

    def test_instance(self):
        tags = Tag.objects.alias_join(s=Sample.objects.all()).select_related("s")
        with self.assertNumQueries(1):
            sample = tags.get(name="full").s
        for name, value in VALUES.items():
            with self.subTest(name=name):
                self.assertEqual(plain(getattr(sample, name)), value)
        self.assertIs(type(sample.money), Money)
        self.assertEqual(sample.get_color_display(), "Red")

    def test_named_row(self):
        tags = Tag.objects.alias_join(s=Sample.objects.values("tag", *VALUES))
        with self.assertNumQueries(1):
            row = tags.select_related("s").get(name="full").s
        for name, value in VALUES.items():
            with self.subTest(name=name):
                self.assertEqual(plain(getattr(row, name)), value)
        self.assertIs(type(row.money), Money)

    def test_exact(self):
        for name, value in VALUES.items():
            for source in (Sample, Sample.objects.values("tag", name)):
                tags = Tag.objects.alias_join(s=source)
                with self.subTest(name=name, source=source):
                    self.assertRows(tags.filter(**{f"s__{name}": value}), [self.tag])
                    self.assertRows(tags.exclude(**{f"s__{name}": value}), [self.empty])

    def test_in(self):
        for name in ("amount", "day", "at", "span", "uid", "color"):
            tags = Tag.objects.alias_join(s=Sample.objects.values("tag", name))
            with self.subTest(name=name):
                self.assertRows(
                    tags.filter(**{f"s__{name}__in": [VALUES[name]]}), [self.tag]
                )

    def test_compared_in_on(self):
        for name in VALUES.keys() - {"data", "ratio"}:
            source = Sample.objects.values("tag", x=F(name))
            samples = Sample.objects.alias_join(
                s=source, on=Q(s__x=F(name), s__tag=F("tag"))
            )
            with self.subTest(name=name):
                self.assertRows(
                    samples.filter(s__isnull=False).values_list("s__tag"),
                    [(self.tag.pk,)],
                )

    def test_foreign_key(self):
        for source in (
            Sample.objects.values("tag"),
            Sample.objects.values("tag_id"),
            Sample.objects.values(owner=F("tag")),
        ):
            with self.subTest(source=source):
                tags = Tag.objects.alias_join(s=source, on=Q(s__isnull=False))
                [name] = source[0]
                self.assertRows(
                    tags.order_by("pk").values_list(f"s__{name}"),
                    [(self.tag.pk,), (self.tag.pk,)],
                )

    def test_foreign_key_to_follow(self):
        tags = Tag.objects.alias_join(s=Sample.objects.values("tag"))
        self.assertRows(
            tags.order_by("-name").values_list("s__tag__name"), [("full",), (None,)]
        )
        self.assertRows(tags.filter(s__tag=self.tag), [self.tag])
        self.assertRows(tags.filter(s__tag__name="full"), [self.tag])

    def test_aggregates_over_columns(self):
        tags = Tag.objects.alias_join(s=Sample.objects.values("tag", *VALUES))
        for name in ("amount", "money", "ratio", "day", "time", "at", "span"):
            with self.subTest(name=name):
                value = tags.aggregate(x=Max(f"s__{name}"))["x"]
                self.assertEqual(value, VALUES[name])

    def test_columns_that_groups_depend_on(self):
        other = VALUES | {"uid": uuid.UUID("87654321-90ab-4def-8234-567890abcdef")}
        Sample.objects.create(tag=self.tag, **other)
        grouped = Sample.objects.annotate(n=Count("pk"))
        for source in (grouped, grouped.values("pk", "tag", "uid", "n")):
            tags = Tag.objects.alias_join(s=source, on=Q(s__tag=F("pk")))
            for uid in (VALUES["uid"], other["uid"]):
                with self.subTest(source=source, uid=uid):
                    self.assertRows(
                        tags.filter(s__uid=uid).values_list("s__uid", "s__n"),
                        [(uid, 1)],
                    )
        samples = grouped.alias_join(t=Tag, on=Q(t__pk=F("tag")))
        self.assertRows(samples.filter(uid=VALUES["uid"]), [self.sample])


@skipUnlessDBFeature("supports_json_field")
class TransformTests(TypeTestCase):
    def assertTransforms(self, source):
        tags = Tag.objects.alias_join(s=source, on=Q(s__tag=F("pk")))
        for path, value in [
            ("day__year", 2020),
            ("day__month", 2),
            ("day__week_day", 7),
            ("time__hour", 23),
            ("time__second", 58),
            ("at__date", datetime.date(2020, 2, 29)),
            ("at__time__hour", 23),
            ("at__minute", 30),
            ("at__year", 2020),
            ("data__n", 1.5),
            ("data__s", "x%"),
            ("data__a__0", 1),
            ("data__a__1", {"b": None}),
        ]:
            with self.subTest(path=path):
                if path != "data__a__1":
                    self.assertRows(tags.filter(**{f"s__{path}": value}), [self.tag])
                self.assertRows(
                    tags.order_by("-name").values_list(f"s__{path}"),
                    [(value,), (None,)],
                )
                self.assertRows(
                    tags.order_by("-name").annotate(x=F(f"s__{path}")).values_list("x"),
                    [(value,), (None,)],
                )

    def test_of_a_model(self):
        self.assertTransforms(Sample)

    def test_of_values(self):
        self.assertTransforms(Sample.objects.values("tag", "day", "time", "at", "data"))

    def test_of_two_projections(self):
        names = ("day", "time", "at", "data")
        self.assertTransforms(through_two(Sample.objects.values("tag", *names), *names))

    def test_lookups(self):
        for source in (
            Sample,
            Sample.objects.values("tag", *VALUES),
            through_two(Sample.objects.values("tag", *VALUES), *VALUES),
        ):
            tags = Tag.objects.alias_join(s=source, on=Q(s__tag=F("pk")))
            for lookup, value in [
                ("amount__gt", 1234),
                ("amount__range", (Decimal("1234.50"), Decimal("1234.50"))),
                ("ratio__lt", 0.2),
                ("day__year__gte", 2020),
                ("day__year__lt", 2021),
                ("at__date__gte", datetime.date(2020, 2, 29)),
                ("span__gt", datetime.timedelta(days=1)),
                ("data__has_key", "a"),
                ("data__a__1__b__isnull", False),
                ("data__n__gte", 1.5),
                ("data__s__startswith", "x"),
                ("data__s__endswith", "%"),
                ("uid__startswith", "12345678"),
                ("color__iexact", "R"),
            ]:
                with self.subTest(source=source, lookup=lookup):
                    self.assertRows(tags.filter(**{f"s__{lookup}": value}), [self.tag])
                    self.assertRows(
                        tags.exclude(**{f"s__{lookup}": value}), [self.empty]
                    )

    @skipUnlessDBFeature("supports_json_field_contains")
    def test_json_contains(self):
        tags = Tag.objects.alias_join(s=Sample.objects.values("tag", "data"))
        self.assertRows(tags.filter(s__data__contains={"n": 1.5}), [self.tag])

    def test_json_beside_another_condition(self):
        """MariaDB moves both of them into the subquery."""
        source = Sample.objects.values("tag", "day", s=F("data__s")).distinct()
        union = Sample.objects.values("tag", "day", "data").union(
            Sample.objects.filter(tag=self.empty).values("tag", "day", "data"), all=True
        )
        with_union = Tag.objects.alias_join(j=union, on=Q(j__tag=F("pk")))
        for tags, path in [
            (Tag.objects.alias_join(j=source, on=Q(j__tag=F("pk"))), "j__s"),
            (with_union, "j__data__s"),
        ]:
            tags = tags.filter(j__day__isnull=False)
            with self.subTest(path):
                self.assertRows(tags.filter(**{path: "x%"}), [self.tag])
                self.assertRows(tags.filter(**{f"{path}__in": ["x%"]}), [self.tag])
                self.assertRows(tags.exclude(**{path: "x"}), [self.tag])

    def test_functions(self):
        tags = Tag.objects.alias_join(s=Sample.objects.values("tag", *VALUES))
        for expression, value in [
            (TruncDate("s__at"), datetime.date(2020, 2, 29)),
            (TruncMonth("s__day"), datetime.date(2020, 2, 1)),
            (TruncDay("s__at"), datetime.datetime(2020, 2, 29)),
            (ExtractYear("s__day"), 2020),
            (F("s__amount") * 2, Decimal("2469.00")),
            (
                F("s__at") + F("s__span"),
                datetime.datetime(2020, 3, 1, 23, 30, 15, 123457),
            ),
            (Upper("s__color"), "R"),
            (KeyTextTransform("s", "s__data"), "x%"),
            (Cast("s__ratio", IntegerField()), 0),
            (Coalesce("s__money", Value(Money(0))), Money("0.10")),
        ]:
            with self.subTest(expression=expression):
                self.assertRows(
                    tags.filter(name="full").values_list(expression), [(value,)]
                )


@skipUnlessDBFeature("supports_json_field")
class ExpressionTests(JoinTestCase):
    """The types of computed columns."""

    @classmethod
    def setUpTestData(cls):
        cls.tag = Tag.objects.create(name="full")
        cls.empty = Tag.objects.create(name="empty")
        for amount, ratio, day, seconds in [
            (Decimal("1.25"), 0.5, 1, 10),
            (Decimal("2.50"), 1.5, 3, 20),
        ]:
            Sample.objects.create(
                tag=cls.tag,
                amount=amount,
                money=amount,
                ratio=ratio,
                flag=day == 1,
                day=datetime.date(2020, 1, day),
                at=datetime.datetime(2020, 1, day, 12),
                span=datetime.timedelta(seconds=seconds),
                data={"n": day, "f": ratio, "s": "x", "o": {"k": [day]}, "z": None},
            )

    def assertComputed(self, samples, **columns):
        """
        Assert the value and the type of columns that ``samples``, grouped by
        tag, compute. ``columns`` are (expression, value) pairs.
        """
        source = samples.annotate(**{name: x for name, (x, _) in columns.items()})
        for nested in (source, through_two(source, *columns)):
            tags = Tag.objects.alias_join(s=nested, on=Q(s__tag=F("pk")))
            for name, (_, value) in columns.items():
                with self.subTest(name=name, nested=nested is not source):
                    with self.assertNumQueries(1):
                        [[found], [none]] = tags.order_by("-name").values_list(
                            f"s__{name}"
                        )
                    self.assertEqual(found, value)
                    self.assertIs(type(found), type(value))
                    self.assertIsNone(none)
                    self.assertRows(tags.filter(**{f"s__{name}": value}), [self.tag])
                    self.assertRows(tags.exclude(**{f"s__{name}": value}), [self.empty])

    def test_aggregates(self):
        self.assertComputed(
            Sample.objects.values("tag"),
            count=(Count("pk"), 2),
            sum_decimal=(Sum("amount"), Decimal("3.75")),
            avg_decimal=(Avg("amount"), Decimal("1.875")),
            max_decimal=(Max("amount"), Decimal("2.50")),
            sum_money=(Sum("money"), Money("3.75")),
            min_money=(Min("money"), Money("1.25")),
            sum_float=(Sum("ratio"), 2.0),
            avg_float=(Avg("ratio"), 1.0),
            avg_int=(Avg(ExtractYear("day")), 2020.0),
            sum_int=(Sum(ExtractYear("day")), 4040),
            max_day=(Max("day"), datetime.date(2020, 1, 3)),
            min_at=(Min("at"), datetime.datetime(2020, 1, 1, 12)),
            sum_span=(Sum("span"), datetime.timedelta(seconds=30)),
            avg_span=(Avg("span"), datetime.timedelta(seconds=15)),
            deviation=(StdDev("ratio"), 0.5),
            filtered=(Sum("amount", filter=Q(flag=True)), Decimal("1.25")),
            product=(Sum(F("amount") * F("amount")), Decimal("7.8125")),
            defaulted=(Sum("amount", default=Decimal(0)), Decimal("3.75")),
        )

    def test_expressions(self):
        self.assertComputed(
            Sample.objects.filter(flag=True).values("tag"),
            doubled=(F("amount") * 2, Decimal("2.50")),
            halved=(
                ExpressionWrapper(
                    F("amount") / 2, DecimalField(max_digits=8, decimal_places=3)
                ),
                Decimal("0.625"),
            ),
            integer=(ExtractYear("day") + 1, 2021),
            floated=(Cast("amount", FloatField()), 1.25),
            truth=(Q(ratio__gt=0), True),
            exists=(Exists(Tag.objects.filter(pk=OuterRef("tag"))), True),
            constant=(Value(Decimal("0.5")), Decimal("0.5")),
            chosen=(
                Case(When(flag=True, then="amount"), default=Value(Decimal(0))),
                Decimal("1.25"),
            ),
            either=(Coalesce("money", Value(Money(0))), Money("1.25")),
            text=(Concat(Lower("tag__name"), Value("%")), "full%"),
            length=(Length("tag__name"), 4),
            later=(F("at") + F("span"), datetime.datetime(2020, 1, 1, 12, 0, 10)),
            elapsed=(
                ExpressionWrapper(F("at") - F("at"), DurationField()),
                datetime.timedelta(0),
            ),
            month=(TruncMonth("day"), datetime.date(2020, 1, 1)),
            on=(TruncDate("at"), datetime.date(2020, 1, 1)),
            cast=(Cast(Value("2020-01-05"), DateField()), datetime.date(2020, 1, 5)),
            scalar=(
                Subquery(
                    Sample.objects.filter(tag=OuterRef("tag"), flag=False).values(
                        "amount"
                    )
                ),
                Decimal("2.50"),
            ),
        )

    def test_relation_paths(self):
        self.assertComputed(
            Tag.objects.filter(name="full", sample__flag=True).values(tag=F("pk")),
            amount=(F("sample__amount"), Decimal("1.25")),
            money=(F("sample__money"), Money("1.25")),
            span=(F("sample__span"), datetime.timedelta(seconds=10)),
            at=(F("sample__at"), datetime.datetime(2020, 1, 1, 12)),
        )

    def test_json_keys(self):
        source = Sample.objects.filter(flag=True).values(
            "tag",
            n=F("data__n"),
            s=F("data__s"),
            o=F("data__o"),
            f=F("data__f"),
            z=F("data__z"),
            missing=F("data__missing"),
            text=KT("data__s"),
        )
        names = ("n", "s", "o", "f", "z", "missing", "text")
        row = (1, "x", {"k": [1]}, 0.5, None, None, "x")
        for nested in (source, through_two(source, *names)):
            tags = Tag.objects.alias_join(s=nested, on=Q(s__tag=F("pk")))
            with self.subTest(nested=nested is not source):
                self.assertRows(
                    tags.order_by("-name").values_list(*(f"s__{x}" for x in names)),
                    [row, (None,) * len(row)],
                )
                self.assertRows(
                    tags.filter(s__isnull=False).values_list("s__o__k", "s__o__k__0"),
                    [([1], 1)],
                )
                self.assertRows(tags.filter(s__n=1), [self.tag])
                self.assertRows(tags.filter(s__s="x"), [self.tag])
                self.assertRows(tags.filter(s__o__k__0=1), [self.tag])
                self.assertRows(tags.filter(s__o={"k": [1]}), [self.tag])
                self.assertRows(tags.filter(s__text="x"), [self.tag])
                self.assertRows(tags.exclude(s__n=1), [self.empty])
                for lookup, value in [
                    ("n__in", [1, "x"]),
                    ("s__in", [1, "x"]),
                    ("n__gte", 1),
                    ("f__lt", 0.75),
                    ("s__startswith", "x"),
                    ("s__iexact", "X"),
                    ("s__icontains", "X"),
                    ("s__regex", "^x$"),
                    ("o__has_key", "k"),
                    ("missing__isnull", True),
                    ("n__isnull", False),
                ]:
                    with self.subTest(lookup=lookup):
                        self.assertRows(
                            tags.filter(**{f"s__{lookup}": value}, s__isnull=False),
                            [self.tag],
                        )

    def test_outer_aggregates(self):
        source = Sample.objects.values("tag", x=F("amount") * 2, y=F("money"))
        tags = Tag.objects.alias_join(s=source, on=Q(s__tag=F("pk")))
        self.assertEqual(
            tags.aggregate(a=Sum("s__x"), b=Avg("s__x"), c=Max("s__y"), d=Count("s")),
            {"a": Decimal("7.50"), "b": Decimal("3.75"), "c": Money("2.50"), "d": 2},
        )

    def test_unknown_type(self):
        msg = "The join 's' can't have the column 'x'"
        source = Sample.objects.values("tag", x=F("amount") + F("day"))
        with self.assertRaisesMessage(FieldError, msg):
            Tag.objects.alias_join(s=source)

    def test_computed_key_in_on(self):
        """A computed column is compared as its type, whatever the database."""
        source = Sample.objects.values(
            "amount", key=Cast(KT("data__n"), IntegerField())
        ).order_by()
        keys = Sample.objects.alias_join(
            s=source, on=Q(s__key=ExtractDay("day"))
        ).order_by("day")
        self.assertRows(
            keys.values_list("s__key", "s__amount"),
            [(1, Decimal("1.25")), (3, Decimal("2.50"))],
        )


@skipUnlessDBFeature("supports_stored_generated_columns")
class GeneratedFieldTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.tag = Tag.objects.create(name="t")
        cls.empty = Tag.objects.create(name="empty")
        Label.objects.create(tag=cls.tag, text="abc")

    def test_generated_field(self):
        for source in (
            Label,
            Label.objects.all(),
            Label.objects.values("tag", "upper"),
            Label.objects.annotate(x=F("upper")),
            through_two(Label.objects.values("tag", "upper"), "upper"),
        ):
            tags = Tag.objects.alias_join(s=source, on=Q(s__tag=F("pk")))
            with self.subTest(source=source):
                self.assertRows(
                    tags.order_by("-name").values_list("s__upper"), [("ABC",), (None,)]
                )
                self.assertRows(tags.filter(s__upper="ABC"), [self.tag])
                self.assertRows(tags.exclude(s__upper__startswith="A"), [self.empty])

    def test_instance(self):
        tags = Tag.objects.alias_join(s=Label.objects.all()).select_related("s")
        with self.assertNumQueries(1):
            self.assertEqual(tags.get(name="t").s.upper, "ABC")


@override_settings(USE_TZ=True, TIME_ZONE="UTC")
@skipUnlessDBFeature("supports_json_field", "has_zoneinfo_database")
class TimeZoneTests(JoinTestCase):
    """
    The end of the year in UTC is another day, month and year elsewhere.

    | UTC              | Tokyo            | New York         |
    |------------------|------------------|------------------|
    | 2019-12-31 23:30 | 2020-01-01 08:30 | 2019-12-31 18:30 |
    | 2020-01-01 01:30 | 2020-01-01 10:30 | 2019-12-31 20:30 |
    """

    tokyo = zoneinfo.ZoneInfo("Asia/Tokyo")
    new_york = zoneinfo.ZoneInfo("America/New_York")

    @classmethod
    def setUpTestData(cls):
        cls.tag = Tag.objects.create(name="t")
        cls.early = datetime.datetime(2019, 12, 31, 23, 30, tzinfo=datetime.UTC)
        cls.late = datetime.datetime(2020, 1, 1, 1, 30, tzinfo=datetime.UTC)
        for at in (cls.early, cls.late):
            Sample.objects.create(tag=cls.tag, at=at)

    def tags(self, **columns):
        source = Sample.objects.values("tag", "at", **columns)
        return Tag.objects.alias_join(s=source).order_by("s__at")

    def test_value(self):
        with timezone.override(self.tokyo):
            self.assertRows(
                self.tags().values_list("s__at"), [(self.early,), (self.late,)]
            )
            self.assertRows(self.tags().filter(s__at=self.late), [self.tag])

    def test_transforms(self):
        for zone, rows in [
            (self.tokyo, [(2020, 1, 1, 8), (2020, 1, 1, 10)]),
            (self.new_york, [(2019, 12, 31, 18), (2019, 12, 31, 20)]),
        ]:
            paths = [f"s__at__{part}" for part in ("year", "month", "day", "hour")]
            with self.subTest(zone=zone), timezone.override(zone):
                self.assertRows(self.tags().values_list(*paths), rows)
                self.assertRows(
                    self.tags().values_list("s__at__date"),
                    [(datetime.date(*rows[0][:3]),)] * 2,
                )
                self.assertRows(
                    self.tags().filter(s__at__year=2020),
                    [self.tag for year, *_ in rows if year == 2020],
                )

    def test_functions_with_a_time_zone(self):
        self.assertRows(
            self.tags().values_list(
                ExtractHour("s__at", tzinfo=self.tokyo),
                TruncDate("s__at", tzinfo=self.new_york),
                TruncDay("s__at", tzinfo=self.tokyo),
            ),
            [
                (
                    hour,
                    datetime.date(2019, 12, 31),
                    datetime.datetime(2020, 1, 1, tzinfo=self.tokyo),
                )
                for hour in (8, 10)
            ],
        )

    def assertTruncated(self, expression, day):
        """
        Assert that ``expression`` is a column of both rows that is ``day``, at
        midnight there, whatever reads it.
        """
        source = Sample.objects.values("tag", d=expression)
        for nested in (source, through_two(source, "d")):
            tags = Tag.objects.alias_join(s=nested, on=Q(s__tag=F("pk")))
            with self.subTest(nested=nested is not source):
                self.assertRows(
                    tags.values_list("s__d", "s__d__day", "s__d__hour", "s__d__date"),
                    [(day, day.day, 0, day.date())] * len(tags),
                )
                self.assertRows(
                    tags.values_list(ExtractHour("s__d"), TruncDate("s__d"))[:1],
                    [(0, day.date())],
                )
                self.assertRows(tags.filter(s__d=day)[:1], [self.tag])
                self.assertRows(tags.filter(s__d__year=day.year)[:1], [self.tag])
                self.assertRows(tags.filter(s__d__year__gt=day.year), [])
                self.assertRows(tags.filter(s__d__lt=day), [])
                self.assertRows(tags.exclude(s__d__date=day.date()), [])
                self.assertEqual(tags.aggregate(x=Max("s__d"))["x"], day)

    def test_truncated_in_the_current_time_zone(self):
        with timezone.override(self.tokyo):
            self.assertTruncated(
                TruncDay("at"), datetime.datetime(2020, 1, 1, tzinfo=self.tokyo)
            )
        with timezone.override(self.new_york):
            self.assertTruncated(
                Trunc("at", "day"),
                datetime.datetime(2019, 12, 31, tzinfo=self.new_york),
            )

    def test_truncated_in_another_time_zone(self):
        with timezone.override(self.new_york):
            self.assertTruncated(
                TruncDay("at", tzinfo=self.tokyo),
                datetime.datetime(2020, 1, 1, tzinfo=self.tokyo),
            )

    def test_joined_by_the_truncated_day(self):
        source = (
            Sample.objects.annotate(d=TruncDay("at"))
            .values("d")
            .annotate(n=Count("pk"))
        )
        with timezone.override(self.tokyo):
            samples = Sample.objects.alias_join(s=source, on=Q(s__d=TruncDay("at")))
            day = datetime.datetime(2020, 1, 1, tzinfo=self.tokyo)
            self.assertRows(samples.values_list("s__n", "s__d"), [(2, day), (2, day)])

    def test_instance(self):
        tags = Tag.objects.alias_join(s=Sample.objects.annotate(d=TruncDay("at")))
        with timezone.override(self.tokyo):
            sample = tags.select_related("s").order_by("s__at")[0].s
            self.assertEqual(sample.at, self.early)
            self.assertEqual(sample.d, datetime.datetime(2020, 1, 1, tzinfo=self.tokyo))


class ShoutedField(CharField):
    """Selects another form than it stores, as geometries do."""

    def select_format(self, compiler, sql, params):
        if compiler.query.subquery:
            return sql, params
        return f"UPPER({sql})", params


class SelectFormatTests(JoinTestCase):
    @classmethod
    def setUpTestData(cls):
        tag = Tag.objects.create(name="wood")
        Sample.objects.create(tag=tag)

    def tags(self):
        text = ExpressionWrapper(F("name"), output_field=ShoutedField())
        tags = Tag.objects.values("id", text=text)
        return tags, tags.distinct(), tags.union(tags), tags.union(tags).union(tags)

    def test_source(self):
        for tags in self.tags():
            samples = Sample.objects.alias_join(tags=tags, on=Q(tags__id=F("tag")))
            samples = samples.filter(tags__text="wood")
            with self.subTest(sql=self.sql(tags)):
                self.assertRows(samples.values_list("tags__text"), [("WOOD",)])
                self.assertEqual(
                    self.sql(samples.values("tags__text")).count("UPPER"), 1
                )

    def test_base(self):
        for tags in self.tags()[1:]:
            tags = tags.alias_join(any=Sample, on=Q(any__tag=F("id")))
            tags = tags.filter(text="wood")
            with self.subTest(sql=self.sql(tags)):
                self.assertRows(tags.values_list("text"), [("WOOD",)])
                self.assertEqual(self.sql(tags).count("UPPER"), 1)
