"""Joins of what only PostgreSQL has: arrays, ranges, hstore, DISTINCT ON."""

import datetime
import pickle
import uuid
from decimal import Decimal

from django.db.models import (
    Count,
    F,
    Func,
    IntegerField,
    JoinType,
    OuterRef,
    Q,
    StringAgg,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, JSONObject
from django.test import modify_settings

from . import PostgreSQLTestCase
from .fields import ArrayField
from .models import (
    AggregateTestModel,
    Character,
    HStoreModel,
    Line,
    NullableIntegerArrayModel,
    OtherTypesArrayModel,
    RangeLookupsModel,
    RangesModel,
    Room,
    Scene,
    Tag,
)

try:
    from django.contrib.postgres.aggregates import ArrayAgg
    from django.contrib.postgres.search import SearchVector
    from django.db.backends.postgresql.psycopg_any import (
        DateRange,
        DateTimeTZRange,
        NumericRange,
    )
except ImportError:
    pass  # psycopg isn't installed.


class Series(Func):
    function = "generate_series"
    set_returning = True
    output_field = IntegerField()


def through_two(model, source, *names):
    """Return a projection of the projection of ``source``."""
    for _ in range(2):
        source = model.objects.alias_join(
            inner=source, on=Q(inner__number=F("number"))
        ).values("number", **{name: F(f"inner__{name}") for name in names})
    return source


class ColumnTests(PostgreSQLTestCase):
    """Columns of ``model``, joined to room 1, and none to room 2."""

    @classmethod
    def setUpTestData(cls):
        cls.one, cls.two = [Room.objects.create(number=number) for number in (1, 2)]

    def sources(self, model, name):
        values = model.objects.values(name, number=Value(1))
        yield values
        yield values.order_by("pk")[:1]
        yield values.distinct()
        yield through_two(Room, values, name)

    def assertColumn(self, model, name, value, lookups=()):
        for source in self.sources(model, name):
            rooms = Room.objects.alias_join(s=source, on=Q(s__number=F("number")))
            with self.subTest(name=name, source=str(source.query)):
                with self.assertNumQueries(1):
                    self.assertEqual(
                        list(rooms.order_by("number").values_list(f"s__{name}")),
                        [(value,), (None,)],
                    )
                for lookup, operand in [("", value), *lookups]:
                    with self.subTest(lookup=lookup):
                        rooms_ = rooms.filter(**{f"s__{name}{lookup}": operand})
                        self.assertSequenceEqual(rooms_, [self.one])
                        rooms_ = rooms.exclude(**{f"s__{name}{lookup}": operand})
                        self.assertSequenceEqual(rooms_, [self.two])

    def test_arrays(self):
        NullableIntegerArrayModel.objects.create(
            field=[1, 2, 3], field_nested=[[1, None], [3, 4]]
        )
        self.assertColumn(
            NullableIntegerArrayModel,
            "field",
            [1, 2, 3],
            [
                ("__contains", [2]),
                ("__overlap", [3, 9]),
                ("__contained_by", [1, 2, 3, 4]),
                ("__len", 3),
                ("__0", 1),
                ("__2__gt", 2),
                ("__0_2", [1, 2]),
            ],
        )
        self.assertColumn(
            NullableIntegerArrayModel,
            "field_nested",
            [[1, None], [3, 4]],
            [("__1__0", 3), ("__len", 2)],
        )

    def test_field_of_the_model_stays_as_it_is(self):
        for model, name in [
            (NullableIntegerArrayModel, "field"),
            (RangesModel, "ints"),
        ]:
            field = model._meta.get_field(name)
            Room.objects.alias_join(s=model.objects.values(name), on=Q(number=1))
            self.assertIs(field.model, model)
            self.assertIs(field.base_field.model, model)

    def test_arrays_of_other_types(self):
        values = {
            "ips": ["192.168.0.1", "::1"],
            "uuids": [uuid.UUID(int=5)],
            "decimals": [Decimal("1.25"), Decimal("2.00")],
            "tags": [Tag(1), Tag(2)],
            "int_ranges": [NumericRange(1, 3)],
        }
        OtherTypesArrayModel.objects.create(**values)
        for name, value in values.items():
            self.assertColumn(OtherTypesArrayModel, name, value)

    def test_ranges(self):
        moment = datetime.datetime(2020, 1, 1, 12)
        values = {
            "ints": NumericRange(1, 5),
            "decimals": NumericRange(Decimal("1.5"), Decimal("2.5")),
            "dates": DateRange(datetime.date(2020, 1, 1), datetime.date(2020, 2, 1)),
            "timestamps": DateTimeTZRange(moment, moment + datetime.timedelta(1)),
        }
        RangesModel.objects.create(**values)
        for name, value in values.items():
            self.assertColumn(
                RangesModel,
                name,
                value,
                [
                    ("__contains", value.lower),
                    ("__contained_by", value),
                    ("__overlap", value),
                    ("__startswith", value.lower),
                    ("__endswith", value.upper),
                    ("__isempty", False),
                ],
            )

    def test_hstore(self):
        HStoreModel.objects.create(field={"a": "b", "c": None})
        self.assertColumn(
            HStoreModel,
            "field",
            {"a": "b", "c": None},
            [
                ("__a", "b"),
                ("__has_key", "c"),
                ("__contains", {"a": "b"}),
                ("__keys", ["a", "c"]),
            ],
        )

    def test_empty_and_null(self):
        NullableIntegerArrayModel.objects.create(field=[])
        NullableIntegerArrayModel.objects.create(field=None)
        rooms = Room.objects.alias_join(
            s=NullableIntegerArrayModel.objects.values("field"), on=Q(number=1)
        )
        self.assertCountEqual(
            rooms.filter(number=1).values_list("s__field"), [([],), (None,)]
        )
        self.assertEqual(rooms.filter(s__isnull=True).get(), self.two)
        self.assertEqual(rooms.filter(s__field__len=0).get(), self.one)

    def test_instances(self):
        RangesModel.objects.create(ints=NumericRange(1, 5))
        rooms = Room.objects.alias_join(
            r=RangesModel, on=Q(r__ints__contains=F("number") * 4)
        ).select_related("r")
        with self.assertNumQueries(1):
            one, two = rooms.order_by("number")
            self.assertEqual(one.r.ints, NumericRange(1, 5))
            self.assertIsNone(two.r)


class RangeConditionTests(PostgreSQLTestCase):
    """A value that lies within a range of the other table."""

    def test_contains(self):
        RangesModel.objects.create(ints=NumericRange(1, 5))
        RangesModel.objects.create(ints=NumericRange(5, 9))
        for integer in (4, 5, 20):
            RangeLookupsModel.objects.create(integer=integer)
        lookups = RangeLookupsModel.objects.alias_join(
            r=RangesModel, on=Q(r__ints__contains=F("integer"))
        ).order_by("integer")
        with self.assertNumQueries(1):
            self.assertEqual(
                list(lookups.values_list("integer", "r__ints")),
                [
                    (4, NumericRange(1, 5)),
                    (5, NumericRange(5, 9)),
                    (20, None),
                ],
            )

    def test_overlap_of_two_rows(self):
        for lower, upper in [(1, 5), (4, 6), (7, 9)]:
            RangesModel.objects.create(ints=NumericRange(lower, upper))
        ranges = RangesModel.objects.alias_join(
            other=RangesModel,
            on=Q(other__ints__overlap=F("ints"), other__pk__gt=F("pk")),
            join_type=JoinType.INNER,
        )
        self.assertEqual(
            list(ranges.values_list("ints", "other__ints")),
            [(NumericRange(1, 5), NumericRange(4, 6))],
        )


class AggregateTests(PostgreSQLTestCase):
    @classmethod
    def setUpTestData(cls):
        for number in (1, 2, 3):
            Room.objects.create(number=number)
        for number, text in [(1, "b"), (1, "a"), (2, "c")]:
            AggregateTestModel.objects.create(integer_field=number, char_field=text)

    def rooms(self, source):
        return Room.objects.alias_join(
            s=source, on=Q(s__integer_field=F("number"))
        ).order_by("number")

    def test_array_agg_in_the_source(self):
        source = AggregateTestModel.objects.values("integer_field").annotate(
            texts=ArrayAgg("char_field", order_by="char_field")
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                list(self.rooms(source).values_list("number", "s__texts")),
                [(1, ["a", "b"]), (2, ["c"]), (3, None)],
            )
        for lookup, value, numbers in [
            ("contains", ["a"], [1]),
            ("len", 1, [2]),
            ("0", "c", [2]),
            ("overlap", ["b", "c"], [1, 2]),
        ]:
            with self.subTest(lookup=lookup):
                rooms = self.rooms(source).filter(**{f"s__texts__{lookup}": value})
                self.assertEqual(list(rooms.values_list("number", flat=True)), numbers)

    def test_array_agg_over_the_join(self):
        rooms = self.rooms(AggregateTestModel).annotate(
            texts=ArrayAgg(
                "s__char_field", order_by="s__char_field", filter=Q(s__isnull=False)
            ),
            text=StringAgg("s__char_field", Value("-"), order_by="s__char_field"),
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                list(rooms.values_list("number", "texts", "text")),
                [(1, ["a", "b"], "a-b"), (2, ["c"], "c"), (3, None, None)],
            )

    def test_pairs_joined_again(self):
        """Pairs as an array beside one of the aggregated rows."""
        pairs = (
            AggregateTestModel.objects.values("integer_field")
            .annotate(
                pairs=ArrayAgg(
                    JSONObject(text="char_field", id="pk"), order_by="char_field"
                )
            )
            .alias_join(
                a=AggregateTestModel,
                on=Q(a__integer_field=F("integer_field"), a__char_field="a"),
            )
            .order_by("a__char_field")
        )
        with self.assertNumQueries(1):
            self.assertEqual(
                [
                    (number, [pair["text"] for pair in pairs], text)
                    for number, pairs, text in pairs.values_list(
                        "integer_field", "pairs", "a__char_field"
                    )
                ],
                [(1, ["a", "b"], "a"), (2, ["c"], None)],
            )

    def test_array_of_a_subquery(self):
        source = Room.objects.values(
            integer_field=F("number"),
            texts=Func(
                Subquery(
                    AggregateTestModel.objects.filter(integer_field=OuterRef("number"))
                    .order_by("char_field")
                    .values("char_field")
                ),
                function="ARRAY",
                output_field=ArrayField(
                    AggregateTestModel._meta.get_field("char_field")
                ),
            ),
        )
        self.assertEqual(
            list(self.rooms(source).values_list("s__texts")),
            [(["a", "b"],), (["c"],), ([],)],
        )

    def test_distinct_on_in_the_source(self):
        source = AggregateTestModel.objects.order_by(
            "integer_field", "char_field"
        ).distinct("integer_field")
        for source in (source, source.values("integer_field", "char_field")):
            with self.subTest(source=str(source.query)), self.assertNumQueries(1):
                self.assertEqual(
                    list(self.rooms(source).values_list("number", "s__char_field")),
                    [(1, "a"), (2, "c"), (3, None)],
                )

    def test_distinct_on_a_joined_column(self):
        rooms = self.rooms(AggregateTestModel)
        rooms = rooms.order_by("number", "-s__char_field").distinct("number")
        self.assertEqual(
            list(rooms.values_list("number", "s__char_field")),
            [(1, "b"), (2, "c"), (3, None)],
        )
        rooms = self.rooms(AggregateTestModel).order_by("s__integer_field", "number")
        self.assertEqual(
            list(rooms.distinct("s__integer_field").values_list("number")),
            [(1,), (2,), (3,)],
        )

    def test_joined_onto_distinct_on(self):
        texts = (
            AggregateTestModel.objects.order_by("integer_field", "char_field")
            .distinct("integer_field")
            .alias_join(r=Room, on=Q(r__number=F("integer_field")))
        )
        self.assertEqual(
            list(texts.values_list("char_field", "r__number")), [("a", 1), ("c", 2)]
        )
        self.assertEqual(texts.count(), 2)

    def test_set_returning_function(self):
        """It makes rows, which a join onto them doesn't repeat."""
        rooms = (
            Room.objects.filter(number=1)
            .annotate(n=Series(Value(1), Value(3)))
            .alias_join(again=Room, on=Q(again__number=F("n")))
            .order_by("n")
        )
        self.assertEqual(
            list(rooms.values_list("n", "again__number")), [(1, 1), (2, 2), (3, 3)]
        )

    def test_set_returning_function_in_the_source(self):
        source = Room.objects.filter(number=1).values(
            integer_field=Series(Value(2), Value(4))
        )
        self.assertEqual(
            list(self.rooms(source).values_list("number", "s__integer_field")),
            [(1, None), (2, 2), (3, 3)],
        )

    def test_cast_to_an_array(self):
        source = Room.objects.values(
            integer_field=F("number"),
            numbers=Cast(
                Func(F("number"), template="ARRAY[%(expressions)s]"),
                ArrayField(Room._meta.get_field("number")),
            ),
        )
        rooms = self.rooms(source).filter(s__numbers__contains=[2])
        self.assertEqual(list(rooms.values_list("number")), [(2,)])

    def test_full_join_of_two_grouped_querysets(self):
        texts = (
            AggregateTestModel.objects.values("integer_field")
            .annotate(n=Count("pk"))
            .alias_join(
                r=Room.objects.filter(number__gt=1).values("number"),
                on=Q(r__number=F("integer_field")),
                join_type=JoinType.FULL,
            )
        )
        with self.assertNumQueries(1):
            self.assertCountEqual(
                texts.values_list("integer_field", "n", "r__number"),
                [(1, 2, None), (2, 1, 2), (None, None, 3)],
            )

    def test_pickle(self):
        source = AggregateTestModel.objects.values("integer_field").annotate(
            texts=ArrayAgg("char_field", order_by="char_field")
        )
        rooms = self.rooms(source)
        restored = Room.objects.all()
        restored.query = pickle.loads(pickle.dumps(rooms.query))
        self.assertIs(
            AggregateTestModel._meta.get_field("char_field").model, AggregateTestModel
        )
        self.assertEqual(
            list(restored.filter(s__texts__len=2).values_list("s__texts")),
            [(["a", "b"],)],
        )


@modify_settings(INSTALLED_APPS={"append": "django.contrib.postgres"})
class SearchTests(PostgreSQLTestCase):
    def test_search_beyond_and_in_the_source(self):
        scene = Scene.objects.create(scene="Scene 10", setting="The dark forest")
        minstrel = Character.objects.create(name="Minstrel")
        Line.objects.create(
            scene=scene, character=minstrel, dialogue="Bravely bold Sir Robin"
        )
        scenes = Scene.objects.alias_join(
            said=Line.objects.annotate(vector=SearchVector("dialogue"))
        )
        self.assertEqual(scenes.filter(said__vector="robin").get(), scene)
        self.assertEqual(scenes.filter(said__dialogue__search="bold").get(), scene)
        self.assertFalse(scenes.filter(said__dialogue__search="coward"))
        self.assertEqual(
            scenes.filter(said__character__name__search="minstrel").get(), scene
        )
