"""
Errors come when the join is written, name the alias, and say what to do.
"""

from django.core.exceptions import FieldError
from django.db import NotSupportedError
from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    JoinType,
    Max,
    OuterRef,
    Q,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import RowNumber
from django.test import skipIfDBFeature, skipUnlessDBFeature

from .base import JoinTestCase, TopicTestCase
from .models import (
    A,
    C,
    Car,
    City,
    Contact,
    Country,
    Employee,
    Event,
    Invoice,
    Phone,
    Rate,
    Record,
    SecondModel,
    Topic,
    User,
)


class ErrorTestCase(JoinTestCase):
    def assertJoinRaises(self, error, *messages, base=Topic, **kwargs):
        """Assert that writing a join raises an error, without a query."""
        with self.assertNumQueries(0), self.assertRaises(error) as raised:
            base._default_manager.alias_join(**kwargs)
        for message in messages:
            self.assertIn(message, str(raised.exception))


class AliasTests(ErrorTestCase):
    def test_not_an_identifier(self):
        for alias in [
            "",
            "my mine",
            "my-mine",
            "my.mine",
            'my"mine',
            "my'mine",
            "my`mine",
            "my[mine]",
            "my;mine",
            "my%mine",
            "my#mine",
            "my--mine",
            "my/*mine*/",
            "my(mine)",
            "my\nmine",
            "my\x00mine",
            "my\x9fmine",
            "1mine",
            "mine\\",
            "mine\u2028",
        ]:
            with self.subTest(alias=alias):
                self.assertJoinRaises(ValueError, repr(alias), **{alias: Record})

    def test_lookup_separator(self):
        for alias in ("my__mine", "__mine", "mine__", "mine_"):
            with self.subTest(alias=alias):
                self.assertJoinRaises(ValueError, repr(alias), **{alias: Record})

    def test_too_long(self):
        for alias in ("a" * 64, "é" * 32):
            with self.subTest(alias=alias):
                self.assertJoinRaises(ValueError, repr(alias), "63", **{alias: Record})

    def test_in_alias_and_annotate(self):
        for method in (Topic.objects.alias, Topic.objects.annotate):
            for alias in ("my mine", "my__mine", "name", "a" * 64):
                with self.subTest(method=method, alias=alias):
                    with self.assertRaises(ValueError):
                        method(**{alias: FilteredRelation(Record)})

    def test_field(self):
        for base, alias in [
            (Topic, "name"),
            (Topic, "id"),
            (Topic, "pk"),
            (Topic, "record"),
            (Record, "topic"),
            (Record, "topic_id"),
            (Contact, "phones"),
            (A, "b"),
        ]:
            with self.subTest(base=base, alias=alias):
                self.assertJoinRaises(
                    ValueError,
                    repr(alias),
                    "conflicts with a field",
                    base=base,
                    **{alias: FilteredRelation(User, condition=Q(pk=1))},
                )

    def test_annotation(self):
        msg = "'low'"
        for topics in (
            Topic.objects.annotate(low=F("name")),
            Topic.objects.alias(low=F("name")),
            Topic.objects.annotate(low=Count("record")),
            Topic.objects.annotate(low__x=F("name")),
        ):
            with self.assertRaisesMessage(ValueError, msg):
                topics.alias_join(low=Record)

    def test_join(self):
        for first in (Record, FilteredRelation("record")):
            topics = Topic.objects.alias_join(mine=first)
            with self.assertRaisesMessage(ValueError, "'mine'"):
                topics.alias_join(mine=Record)

    def test_annotation_over_a_join(self):
        topics = Topic.objects.alias_join(mine=Record)
        for method in (topics.annotate, topics.alias):
            for name in ("mine", "mine__value", "mine__x"):
                with self.subTest(name=name):
                    with self.assertRaisesMessage(ValueError, repr(name)):
                        method(**{name: Value(1)})

    def test_default_alias_of_an_aggregate_is_no_annotation_over_a_join(self):
        topics = Topic.objects.alias_join(mine=Record).annotate(Max("mine__value"))
        self.assertEqual(list(topics), [])


class SourceTests(ErrorTestCase):
    def test_wrong_type(self):
        for value in (
            None,
            5,
            [],
            [1],
            (),
            {},
            object(),
            int,
            "record",
            "mine",
            Q(pk=1),
            F("record"),
            Value(1),
            Count("record"),
            Record(),
        ):
            with self.subTest(value=value):
                self.assertJoinRaises(TypeError, mine=value)

    def test_evaluated_list(self):
        self.assertJoinRaises(TypeError, "queryset", mine=list(Record.objects.none()))

    def test_abstract_model(self):
        from django.contrib.auth.base_user import AbstractBaseUser

        self.assertJoinRaises(TypeError, "AbstractBaseUser", mine=AbstractBaseUser)

    def test_extra(self):
        for source in (
            Record.objects.extra(select={"x": "1"}),
            Record.objects.extra(where=["1 = 1"]),
            Record.objects.extra(tables=["alias_join_user"]),
        ):
            self.assertJoinRaises(
                (TypeError, NotSupportedError), "extra()", mine=source
            )

    def test_extra_of_the_base(self):
        for topics in (
            Topic.objects.extra(select={"x": "1"})[:2],
            Topic.objects.extra(where=["1 = 1"])[:2],
        ):
            with self.assertRaisesMessage((TypeError, NotSupportedError), "extra()"):
                topics.alias_join(mine=Record)

    def test_column_named_like_a_path(self):
        for source in (
            Record.objects.values("topic", "user__name"),
            Record.objects.values("topic").annotate(Sum("value")),
        ):
            self.assertJoinRaises(ValueError, "'mine'", "__", mine=source)
        self.assertJoinRaises(
            ValueError,
            "values(user_name=F('user__name'))",
            mine=Record.objects.values("topic", "user__name"),
        )

    def test_column_that_is_no_identifier(self):
        for name in ("my-value", "é" * 32, "x" * 64):
            with self.subTest(name=name):
                self.assertJoinRaises(
                    ValueError,
                    "'mine'",
                    repr(name),
                    mine=Record.objects.values("topic", **{name: F("value")}),
                )


class ArgumentTests(ErrorTestCase):
    def test_on_and_join_type_are_for_a_single_join(self):
        for kwargs in ({"on": Q(x__topic=F("pk"))}, {"join_type": JoinType.INNER}):
            with self.subTest(kwargs):
                self.assertJoinRaises(
                    (TypeError, ValueError), x=Record, y=Record, **kwargs
                )
                self.assertJoinRaises((TypeError, ValueError), **kwargs)
                self.assertJoinRaises(
                    (TypeError, ValueError),
                    "'x'",
                    x=FilteredRelation(Record),
                    **kwargs,
                )

    def test_join_type(self):
        for join_type in ("outer", "LEFT OUTER JOIN", "", 1, object()):
            with self.subTest(join_type):
                self.assertJoinRaises(
                    (TypeError, ValueError),
                    repr(join_type),
                    "left",
                    mine=Record,
                    join_type=join_type,
                )
                with self.assertRaises((TypeError, ValueError)):
                    FilteredRelation(Record, join_type=join_type)

    def test_on_is_not_a_condition(self):
        for on in (5, "x", F("name"), Value(1), Count("pk"), {"pk": 1}, True):
            with self.subTest(on):
                self.assertJoinRaises(TypeError, mine=Record, on=on)
                with self.assertRaises(TypeError):
                    FilteredRelation(Record, condition=on)

    def test_positional_arguments(self):
        for args in [(Record,), (Q(),), (JoinType.LEFT,)]:
            with self.assertRaises(TypeError):
                Topic.objects.alias_join(*args)

    def test_cross_with_on(self):
        self.assertJoinRaises(
            ValueError,
            "'mine'",
            mine=Record,
            on=Q(mine__topic=F("pk")),
            join_type=JoinType.CROSS,
        )

    def test_empty_relation_name(self):
        with self.assertRaisesMessage(ValueError, "relation_name cannot be empty."):
            FilteredRelation("")

    def test_unknown_relation_name(self):
        with self.assertRaises((FieldError, ValueError)):
            Topic.objects.alias_join(mine=FilteredRelation("nope"))


class ConditionTests(ErrorTestCase):
    def test_unknown_column(self):
        self.assertJoinRaises(
            FieldError,
            "'mine'",
            "'nope'",
            "Choices are: id, note, topic, topic_id, user, user_id, value",
            mine=Record,
            on=Q(mine__nope=1),
        )

    def test_column_that_is_not_selected(self):
        self.assertJoinRaises(
            FieldError,
            "'mine'",
            "'user'",
            "Choices are: n, topic",
            mine=Record.objects.values("topic", n=F("value")),
            on=Q(mine__user=1),
        )

    def test_unknown_field_of_the_model(self):
        self.assertJoinRaises(
            FieldError, "'mine'", "'nope'", mine=Record, on=Q(mine__topic=F("nope"))
        )
        self.assertJoinRaises(FieldError, "'mine'", "'nope'", mine=Record, on=Q(nope=1))

    def test_unknown_lookup(self):
        self.assertJoinRaises(
            FieldError, "'mine'", mine=Record, on=Q(mine__value__nope=1)
        )

    def test_aggregate(self):
        for on in (
            Q(mine__topic=F("pk"), mine__value=Max("mine__value")),
            Q(mine__topic=F("pk"), mine__value__lt=Count("record")),
        ):
            self.assertJoinRaises(FieldError, "'mine'", "aggregate", mine=Record, on=on)

    def test_window(self):
        self.assertJoinRaises(
            FieldError,
            "'mine'",
            "window",
            mine=Record,
            on=Q(mine__value=Window(RowNumber(), order_by="name")),
        )

    def test_relation_of_the_alias(self):
        for on in (
            Q(mine__user__name="may"),
            Q(mine__topic=F("pk"), mine__user__name=F("name")),
            Q(mine__topic__record__value=1),
        ):
            with self.subTest(on):
                self.assertJoinRaises(FieldError, "'mine'", mine=Record, on=on)

    def test_forward_reference(self):
        self.assertJoinRaises(
            FieldError,
            "'x'",
            "'y'",
            x=FilteredRelation(Record, condition=Q(x__topic=F("y__topic"))),
            y=FilteredRelation(Record, condition=Q(y__topic=F("pk"))),
        )

    def test_a_failed_join_leaves_the_queryset_as_it_was(self):
        topics = Topic.objects.all()
        sql = str(topics.query)
        with self.assertRaises(FieldError):
            topics.alias_join(mine=Record, on=Q(mine__nope=1))
        self.assertEqual(str(topics.query), sql)
        self.assertEqual(topics.alias_join(mine=Record).count(), 0)

    def test_beyond_a_relation_name(self):
        """A column of a parent's table is beyond the table of the relation."""
        for condition in [Q(b__name="x"), ~Q(b__name="x")]:
            with self.subTest(condition):
                self.assertJoinRaises(
                    FieldError,
                    "'small'",
                    base=C,
                    small=FilteredRelation("b", condition=condition),
                )


class InferenceTests(ErrorTestCase):
    def test_no_foreign_key(self):
        self.assertJoinRaises(
            FieldError, "'rate'", "Rate", "Invoice", "on=", base=Invoice, rate=Rate
        )
        self.assertJoinRaises(FieldError, "'phone'", base=Contact, phone=Phone)
        self.assertJoinRaises(FieldError, "'again'", base=Topic, again=Topic)

    def test_an_empty_condition_is_a_forgotten_one(self):
        for on in (None, Q()):
            self.assertJoinRaises(FieldError, "'rate'", base=Invoice, rate=Rate, on=on)

    def test_several_foreign_keys(self):
        for kwargs in ({}, {"join_type": JoinType.INNER}):
            self.assertJoinRaises(
                FieldError,
                "'second'",
                "SecondModel.from_member",
                "SecondModel.to_member",
                base=User,
                second=SecondModel,
                **kwargs,
            )
        self.assertJoinRaises(
            FieldError,
            "SecondModel.from_member",
            "SecondModel.to_member",
            base=SecondModel,
            member=User,
        )

    def test_foreign_key_to_self(self):
        """
        A foreign key to the same model can be followed in two directions.
        """
        self.assertJoinRaises(
            FieldError, "'other'", "boss", base=Employee, other=Employee
        )

    def test_foreign_key_that_is_not_selected(self):
        self.assertJoinRaises(
            FieldError,
            "'mine'",
            "Record.topic",
            mine=Record.objects.values("value"),
        )
        self.assertJoinRaises(
            FieldError,
            "'land'",
            "City.country",
            base=City,
            land=Country.objects.values("id", "name"),
        )


class DatabaseTests(TopicTestCase):
    databases = {"default", "other"}

    def test_source_of_another_database(self):
        msg = "'mine'"
        source = Record.objects.using("other")
        with self.assertRaisesMessage(ValueError, msg):
            list(Topic.objects.using("default").alias_join(mine=source))
        with self.assertRaisesMessage(ValueError, msg):
            list(Topic.objects.alias_join(mine=source))
        with self.assertRaisesMessage(ValueError, msg):
            list(
                Topic.objects.using("other").alias_join(
                    mine=Record.objects.using("default")
                )
            )

    def test_count_with_a_source_of_another_database(self):
        topics = Topic.objects.all()
        with self.assertRaisesMessage(ValueError, "'mine'"):
            topics.alias_join(mine=Record.objects.using("other")).count()

    def test_source_of_the_same_database(self):
        for db, n in [("default", 5), ("other", 0)]:
            topics = Topic.objects.using(db).alias_join(mine=Record.objects.using(db))
            self.assertEqual(topics.count(), n)
            topics = Topic.objects.alias_join(mine=Record.objects.using(db)).using(db)
            self.assertEqual(topics.count(), n)

    def test_unbound_source_follows(self):
        Topic.objects.using("other").create(name="Z")
        topics = Topic.objects.alias_join(mine=Record.objects.all()).using("other")
        self.assertEqual([topic.name for topic in topics], ["Z"])


class LaterReferenceTests(TopicTestCase):
    """A name that is wrong after the join is one of the alias's columns."""

    def sources(self):
        return [
            Record,
            Record.objects.all(),
            Record.objects.values("topic", "value"),
        ]

    def test_unknown_column(self):
        for source in self.sources():
            topics = Topic.objects.alias_join(mine=source)
            for use in (
                lambda: topics.filter(mine__nope=1),
                lambda: topics.exclude(mine__nope=1),
                lambda: topics.order_by("mine__nope"),
                lambda: topics.values("mine__nope"),
                lambda: topics.annotate(x=F("mine__nope")),
                lambda: topics.aggregate(Count("mine__nope")),
            ):
                with self.assertRaises(FieldError) as raised:
                    use()
                self.assertIn("nope", str(raised.exception))
                self.assertIn("value", str(raised.exception))

    def test_count_of_distinct_rows_of_values(self):
        topics = Topic.objects.alias_join(mine=Record.objects.values("topic", "value"))
        msg = (
            "Count('mine', distinct=True) can't tell the rows of the join 'mine' "
            "apart, since they are values without a primary key. Count a column of "
            "the join."
        )
        for queryset, n in (
            (topics, 5),
            (topics.order_by("pk")[:9].alias_join(user=User, join_type="cross"), 10),
        ):
            with self.assertRaisesMessage(FieldError, msg):
                queryset.annotate(n=Count("mine", distinct=True))
            self.assertEqual(
                queryset.aggregate(
                    n=Count("mine"), distinct=Count("mine__topic", distinct=True)
                ),
                {"n": n, "distinct": 3},
            )

    def test_unknown_relation_in_select_related(self):
        topics = Topic.objects.alias_join(mine=Record)
        for name in ("nope", "mine__nope", "mine__value"):
            with self.subTest(name), self.assertRaises(FieldError):
                list(topics.select_related(name))

    def test_instance_of_another_model(self):
        topics = Topic.objects.alias_join(mine=Record)
        with self.assertRaises(ValueError):
            topics.filter(mine=self.a)

    def test_instance_for_a_row_of_values(self):
        topics = Topic.objects.alias_join(mine=Record.objects.values("topic", "value"))
        with self.assertRaisesMessage((TypeError, ValueError, FieldError), "mine"):
            topics.filter(mine=Record.objects.first())
        with self.assertRaisesMessage((TypeError, ValueError, FieldError), "pk"):
            topics.filter(mine__pk=1)


class OuterJoinTests(TopicTestCase):
    def join(self, join_type):
        return Topic.objects.alias_join(
            mine=FilteredRelation(
                Record,
                condition=Q(mine__topic=F("pk")),
                join_type=join_type,
            )
        )

    @skipUnlessDBFeature("supports_right_join")
    def test_instances_without_a_row_of_the_base(self):
        Topic.objects.filter(name="A").update(name="Z")
        topics = Topic.objects.alias_join(
            mine=Record,
            on=Q(mine__topic=F("pk"), name__lt="Z"),
            join_type=JoinType.RIGHT,
        )
        self.assertEqual(len(topics.values_list("name")), 5)
        with self.assertRaisesMessage((ValueError, NotSupportedError), "values()"):
            list(topics)

    @skipIfDBFeature("supports_right_join")
    def test_right_and_full_joins_are_not_supported(self):
        for join_type in (JoinType.RIGHT, JoinType.FULL):
            with self.assertRaisesMessage(NotSupportedError, "'mine'"):
                list(self.join(join_type).values_list("name"))


class LateralTests(ErrorTestCase):
    def test_right_and_full(self):
        for join_type in (JoinType.RIGHT, JoinType.FULL):
            with self.subTest(join_type):
                self.assertJoinRaises(
                    (ValueError, NotSupportedError),
                    "'last'",
                    base=Car,
                    last=Event.objects.filter(car=OuterRef("pk"))[:1],
                    join_type=join_type,
                )

    def test_unknown_outer_column(self):
        self.assertJoinRaises(
            FieldError,
            "'nope'",
            base=Car,
            last=Event.objects.filter(car=OuterRef("nope"))[:1],
        )

    def test_own_alias(self):
        self.assertJoinRaises(
            FieldError,
            "'last'",
            base=Car,
            last=Event.objects.filter(at=OuterRef("last__at"))[:1],
        )

    def test_outer_reference_in_on(self):
        """Without an outer query there is nothing to refer to."""
        cars = Car.objects.alias_join(
            last=Event, on=Q(last__car=F("pk"), last__kind=OuterRef("plate"))
        )
        with self.assertRaises(ValueError):
            list(cars)
        self.assertEqual(list(Car.objects.filter(Exists(cars))), [])
