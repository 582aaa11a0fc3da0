"""Lateral sources drawn by chance, compared with Python."""

import random
from collections import Counter
from operator import attrgetter

from django.db import NotSupportedError, connection
from django.db.models import (
    Count,
    Exists,
    F,
    JoinType,
    Max,
    OuterRef,
    Q,
    Sum,
    Window,
)
from django.db.models.functions import RowNumber

from .base import JoinTestCase
from .models import Employee, Record, Topic, User


class Condition:
    """A condition of a lateral source, and what it means in Python."""

    def __init__(self, condition, matches, *, correlated=True):
        self.condition = condition
        self.matches = matches
        self.correlated = correlated


def equal(left, right):
    return left is not None and left == right


def later(left, right):
    return left is not None and right is not None and left > right


CONDITIONS = [
    Condition(Q(value=OuterRef("salary")), lambda r, e: equal(r.value, e.salary)),
    Condition(Q(note=OuterRef("name")), lambda r, e: r.note == e.name),
    Condition(Q(topic__name=OuterRef("name")), lambda r, e: r.topic.name == e.name),
    Condition(
        Q(user__name=OuterRef("boss__name")),
        lambda r, e: e.boss is not None and r.user.name == e.boss.name,
    ),
    Condition(
        Q(value=OuterRef("salary") + 1),
        lambda r, e: e.salary is not None and r.value == e.salary + 1,
    ),
    Condition(Q(value__lt=OuterRef("salary")), lambda r, e: later(e.salary, r.value)),
    Condition(
        Q(value=OuterRef("salary")) | Q(note=OuterRef("name")),
        lambda r, e: equal(r.value, e.salary) or r.note == e.name,
    ),
    Condition(~Q(value=OuterRef("salary")), lambda r, e: not equal(r.value, e.salary)),
    Condition(
        Exists(
            Topic.objects.filter(
                pk=OuterRef("topic"), name__gte=OuterRef(OuterRef("name"))
            )
        ),
        lambda r, e: r.topic.name >= e.name,
    ),
    Condition(
        Exists(Topic.objects.filter(pk=OuterRef("topic"), name__gte="b")),
        lambda r, e: r.topic.name >= "b",
        correlated=False,
    ),
    Condition(Q(value__gt=0), lambda r, e: later(r.value, 0), correlated=False),
    Condition(Q(note__isnull=False), lambda r, e: r.note is not None, correlated=False),
    Condition(Q(user__name="a"), lambda r, e: r.user.name == "a", correlated=False),
]


class Order:
    def __init__(self, term, key, *, reverse=False):
        self.term = term
        self.key = key
        self.reverse = reverse


def null_first(value):
    return (value is not None, value)


VALUE = Order(
    F("value").desc(nulls_last=True), lambda r: null_first(r.value), reverse=True
)
NOTE = Order(F("note").asc(nulls_first=True), lambda r: null_first(r.note))
USER = Order("user__name", lambda r: r.user.name)
PK = Order("-pk", lambda r: r.pk, reverse=True)


class Shape:
    """
    What a lateral source does with the rows that it filters: how to say it,
    what it results in, and which columns to look at.
    """

    orders = [VALUE, NOTE, USER, PK]
    columns = ("pk", "value", "note")

    def __init__(self, orders=None):
        self.ordering = orders or []

    def queryset(self, records):
        return records

    def rows(self, records, employee):
        """Return pairs of what orders a row and of the row."""
        return [(r, (r.pk, r.value, r.note)) for r in records]

    def tie(self, item):
        return item.pk


class Annotated(Shape):
    columns = ("pk", "double", "who")

    def queryset(self, records):
        return records.annotate(double=F("value") * 2, who=F("user__name"))

    def rows(self, records, employee):
        return [
            (r, (r.pk, None if r.value is None else 2 * r.value, r.user.name))
            for r in records
        ]


class Values(Shape):
    columns = ("note", "val")

    def queryset(self, records):
        return records.values("note", val=F("value"))

    def rows(self, records, employee):
        return [(r, (r.note, r.value)) for r in records]


class Related(Shape):
    """Several rows for one: the other records of the same topic."""

    columns = ("pk", "value", "note")

    def queryset(self, records):
        return records.filter(topic__record__value=OuterRef("salary"))

    def rows(self, records, employee):
        return [
            (r, (r.pk, r.value, r.note))
            for r in records
            for other in r.topic.record_set.all()
            if equal(other.value, employee.salary)
        ]


class DistinctRelated(Related):
    def queryset(self, records):
        return super().queryset(records).distinct()

    def rows(self, records, employee):
        return list(dict.fromkeys(super().rows(records, employee)))


class Counted(Shape):
    columns = ("pk", "n")

    def queryset(self, records):
        return records.annotate(n=Count("topic__record"))

    def rows(self, records, employee):
        return [(r, (r.pk, len(r.topic.record_set.all()))) for r in records]


class Group:
    def __init__(self, user, records):
        self.user = user
        self.n = len(records)
        values = [r.value for r in records if r.value is not None]
        self.total = sum(values) if values else None


class Groups(Shape):
    orders = [
        Order("-n", attrgetter("n"), reverse=True),
        Order(F("total").asc(nulls_first=True), lambda g: null_first(g.total)),
    ]
    columns = ("user", "n", "total")

    def queryset(self, records):
        return records.values("user").annotate(n=Count("pk"), total=Sum("value"))

    def rows(self, records, employee):
        users = {r.user for r in records}
        groups = [Group(u, [r for r in records if r.user == u]) for u in users]
        return [
            (group, (group.user.pk, group.n, group.total))
            for group in groups
            if self.keeps(group, employee)
        ]

    def keeps(self, group, employee):
        return True

    def tie(self, item):
        return item.user.pk


class LargeGroups(Groups):
    def queryset(self, records):
        return super().queryset(records).filter(n__gt=1)

    def keeps(self, group, employee):
        return group.n > 1


class CorrelatedGroups(Groups):
    def queryset(self, records):
        return super().queryset(records).filter(n__gte=OuterRef("salary"))

    def keeps(self, group, employee):
        return employee.salary is not None and group.n >= employee.salary


class DistinctValues(Shape):
    orders = [NOTE]
    columns = ("note", "user")

    def queryset(self, records):
        return records.values("note", "user").distinct()

    def rows(self, records, employee):
        unique = {(r.note, r.user_id): r for r in records}
        return [(r, row) for row, r in unique.items()]

    def tie(self, item):
        return null_first(item.note), item.user_id


class Windows(Shape):
    columns = ("pk", "r", "most")

    def queryset(self, records):
        return records.annotate(
            r=Window(RowNumber(), partition_by="user", order_by="pk"),
            most=Window(Max("value")),
        )

    def rows(self, records, employee):
        most = max((r.value for r in records if r.value is not None), default=None)
        result = []
        for record in records:
            rank = [r.pk for r in records if r.user == record.user].index(record.pk)
            result.append((record, (record.pk, rank + 1, most)))
        return [row for row in result if self.keeps(row[1][1], employee)]

    def keeps(self, rank, employee):
        return True


class FirstOfWindows(Windows):
    def queryset(self, records):
        return super().queryset(records).filter(r__lte=2)

    def keeps(self, rank, employee):
        return rank <= 2


class CorrelatedWindows(Windows):
    def queryset(self, records):
        return super().queryset(records).filter(r=OuterRef("salary"))

    def keeps(self, rank, employee):
        return rank == employee.salary


SHAPES = [
    Shape,
    Annotated,
    Values,
    Related,
    DistinctRelated,
    Counted,
    Groups,
    LargeGroups,
    CorrelatedGroups,
    DistinctValues,
    Windows,
    FirstOfWindows,
    CorrelatedWindows,
]
SLICES = [
    slice(1),
    slice(2),
    slice(1, 2),
    slice(1, 3),
    slice(1, None),
    slice(None),
    slice(None),
    slice(None),
]


class LateralCase:
    """A lateral source drawn by chance, and its rows by Python."""

    def __init__(self, draw):
        self.conditions = draw.sample(
            [condition for condition in CONDITIONS if condition.correlated],
            draw.choice([1, 1, 1, 2]),
        ) + draw.sample(
            [condition for condition in CONDITIONS if not condition.correlated],
            draw.choice([0, 0, 1]),
        )
        draw.shuffle(self.conditions)
        self.shape = draw.choice(SHAPES)()
        self.ordering = draw.sample(self.shape.orders, draw.randint(0, 2) and 1)
        self.slice = draw.choice(SLICES)
        self.join_type = draw.choice([JoinType.LEFT, JoinType.LEFT, JoinType.INNER])
        self.page = draw.choice([slice(None), slice(None), slice(2, 5)])

    def __str__(self):
        return (
            f"{type(self.shape).__name__} of "
            f"{' and '.join(str(c.condition) for c in self.conditions)} ordered by "
            f"{[order.term for order in self.ordering]} {self.slice}"
        )

    def source(self):
        records = Record.objects.all()
        for condition in self.conditions:
            records = records.filter(condition.condition)
        records = self.shape.queryset(records)
        records = records.order_by(*(order.term for order in self.ordering))
        return records if self.slice == slice(None) else records[self.slice]

    def queryset(self):
        employees = Employee.objects.order_by("pk")
        if self.page != slice(None):
            employees = employees[self.page]
        return employees.alias_join(
            src=self.source(), join_type=self.join_type
        ).values_list("pk", *(f"src__{column}" for column in self.shape.columns))

    def rows(self, employees, records):
        for employee in employees[self.page]:
            matches = [
                record
                for record in records
                if all(c.matches(record, employee) for c in self.conditions)
            ]
            items = self.shape.rows(matches, employee)
            # Ties go in the direction of the last term.
            descending = bool(self.ordering) and self.ordering[-1].reverse
            items.sort(key=lambda item: self.shape.tie(item[0]), reverse=descending)
            for order in self.ordering:
                items.sort(key=lambda item: order.key(item[0]), reverse=order.reverse)
            items = items[self.slice]
            if not items and self.join_type is JoinType.LEFT:
                yield employee.pk, *(None for _ in self.shape.columns)
            for _, row in items:
                yield employee.pk, *row


class RandomLateralTests(JoinTestCase):
    """Hundreds of sources have the rows that Python finds."""

    cases = 400

    @classmethod
    def setUpTestData(cls):
        draw = random.Random(29262)
        users = [User.objects.create(name=name) for name in "abc"]
        topics = [Topic.objects.create(name=name) for name in "abde"]
        boss = None
        for name, salary in zip("abcdef", [1, None, 2, 3, 2, 0]):
            boss = Employee.objects.create(
                name=name, salary=salary, boss=draw.choice([boss, None])
            )
        for _ in range(36):
            Record.objects.create(
                user=draw.choice(users),
                topic=draw.choice(topics),
                value=draw.choice([None, 0, 1, 2, 2, 3]),
                note=draw.choice([None, *"aabbcf"]),
            )

    def test_rows(self):
        employees = list(Employee.objects.select_related("boss").order_by("pk"))
        records = list(
            Record.objects.select_related("user", "topic")
            .prefetch_related("topic__record_set")
            .order_by("pk")
        )
        draw = random.Random(26426)
        refused = 0
        for number in range(self.cases):
            case = LateralCase(draw)
            with self.subTest(number=number, case=str(case)):
                try:
                    rows = list(case.queryset())
                except NotSupportedError:
                    refused += 1
                else:
                    self.assertEqual(
                        Counter(rows), Counter(case.rows(employees, records))
                    )
        if connection.features.supports_lateral_joins:
            self.assertEqual(refused, 0)
        else:
            self.assertLess(refused, self.cases / 5)
