"""Lateral sources drawn by chance, compared with Python."""

import random
from collections import Counter
from operator import attrgetter

from django.db import NotSupportedError, connection
from django.db.models import (
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    JoinType,
    Max,
    OuterRef,
    Q,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import RowNumber

from .base import JoinTestCase
from .models import Employee, Record, Topic, User


class Condition:
    """
    A condition of a lateral source, and what it means in Python.

    ``near`` tells whether it refers to an earlier join.
    """

    def __init__(self, condition, matches, *, correlated=True, near=False):
        self.condition = condition
        self.matches = matches
        self.correlated = correlated
        self.near = near


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
        Q(value__gte=OuterRef("near__value")),
        lambda r, e: later(r.value, e.near and e.near.value - 1),
        near=True,
    ),
    Condition(
        Q(note=OuterRef("near__note")),
        lambda r, e: r.note is not None
        and e.near is not None
        and r.note == e.near.note,
        near=True,
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


class Totals(Shape):
    """Aggregates that aren't grouped have a row whatever matches."""

    orders = []
    columns = ("n", "rows", "total")

    def queryset(self, records):
        everything = records.order_by().annotate(every=Value(1)).values("every")
        totals = everything.annotate(n=Count("note"), total=Sum("value"))
        return totals.values("n", "total", rows=Count("*"))

    def rows(self, records, employee):
        group = Group(None, records)
        notes = sum(record.note is not None for record in records)
        row = group, (notes, group.n, group.total)
        return [row] if self.keeps(group, employee) else []

    def keeps(self, group, employee):
        return True

    def tie(self, item):
        return 0


class LargeTotals(Totals):
    def queryset(self, records):
        return super().queryset(records).filter(rows__gt=2)

    def keeps(self, group, employee):
        return group.n > 2


class CorrelatedTotals(Totals):
    """Django groups by the columns of a condition on an aggregate."""

    def queryset(self, records):
        return super().queryset(records).filter(rows__gte=OuterRef("salary"))

    def keeps(self, group, employee):
        return employee.salary is not None and group.n >= max(employee.salary, 1)


class PlainCount(Shape):
    """An aggregate that Django doesn't know of."""

    orders = []
    columns = ("n",)

    def queryset(self, records):
        return records.order_by().values(n=Func(F("pk"), function="COUNT"))

    def rows(self, records, employee):
        return [(employee, (len(records),))]


class OuterValues(Shape):
    """Columns of the outer query next to those of the source."""

    columns = ("id", "who", "sum")

    def queryset(self, records):
        return records.values(
            "id",
            who=ExpressionWrapper(OuterRef("name"), CharField()),
            sum=ExpressionWrapper(F("value") + OuterRef("salary"), IntegerField()),
        )

    def rows(self, records, employee):
        return [
            (r, (r.pk, employee.name, None if None in values else sum(values)))
            for r in records
            for values in [(r.value, employee.salary)]
        ]


class Union(Shape):
    orders = [VALUE, NOTE]
    columns = ("note", "value", "user")

    def queryset(self, records):
        high = records.filter(value__gte=OuterRef("salary"))
        other = records.filter(Q(value__gt=1) | Q(note__isnull=True))
        return self.combined(*map(self.branch, [high, other]))

    def branch(self, records):
        return records.values("note", "value", "user")

    def combined(self, high, other):
        return high.union(other)

    def rows(self, records, employee):
        high = [
            record
            for record in records
            if None not in (record.value, employee.salary)
            and record.value >= employee.salary
        ]
        other = [r for r in records if later(r.value, 1) or r.note is None]
        rows = self.combine(*map(self.branch_rows, [high, other]))
        return [(record, row) for row, record in rows.items()]

    def branch_rows(self, records):
        return {(r.note, r.value, r.user_id): r for r in records}

    def combine(self, high, other):
        return high | other

    def tie(self, item):
        return null_first(item.note), null_first(item.value), item.user_id


class UnionOfInstances(Union):
    columns = ("pk", "value", "note")

    def branch(self, records):
        return records

    def branch_rows(self, records):
        return {(r.pk, r.value, r.note): r for r in records}

    def tie(self, item):
        return item.pk


class UnionOfPages(UnionOfInstances):
    def branch(self, records):
        return records.order_by("-pk")[1:3]

    def branch_rows(self, records):
        return super().branch_rows(records[::-1][1:3])


class Intersection(Union):
    def combined(self, high, other):
        return high.intersection(other)

    def combine(self, high, other):
        return {row: record for row, record in high.items() if row in other}


class Difference(Union):
    def combined(self, high, other):
        return high.difference(other)

    def combine(self, high, other):
        return {row: record for row, record in high.items() if row not in other}


class JoinedPage(Shape):
    """What the source joins to is sliced for each outer row, too."""

    columns = ("id", "value", "n")

    def queryset(self, records):
        page = records.order_by("-pk")[:3]
        numbers = Record.objects.values("user").annotate(n=Count("pk"))
        page = page.alias_join(numbers=numbers, on=Q(numbers__user=F("user")))
        return page.values("id", "value", n=F("numbers__n"))

    def rows(self, records, employee):
        return [
            (r, (r.pk, r.value, len(r.user.record_set.all())))
            for r in records[::-1][:3]
        ]


class Nested(Shape):
    """The source has a lateral join that refers to both queries outside."""

    columns = ("id", "value", "last")

    def queryset(self, records):
        others = Record.objects.filter(
            topic=OuterRef("topic"), value__gte=OuterRef(OuterRef("salary"))
        )
        records = records.alias_join(other=others.order_by("-pk")[:1])
        return records.values("id", "value", last=F("other__pk"))

    def rows(self, records, employee):
        return [(r, (r.pk, r.value, self.last(r, employee))) for r in records]

    def last(self, record, employee):
        if employee.salary is None:
            return None
        return max(
            (
                other.pk
                for other in record.topic.record_set.all()
                if other.value is not None and other.value >= employee.salary
            ),
            default=None,
        )


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
    Totals,
    LargeTotals,
    CorrelatedTotals,
    PlainCount,
    OuterValues,
    Union,
    UnionOfInstances,
    UnionOfPages,
    Intersection,
    Difference,
    JoinedPage,
    Nested,
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
        orders = self.shape.orders
        self.ordering = draw.sample(orders, min(draw.choice([0, 1, 1, 2]), len(orders)))
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
        if any(condition.near for condition in self.conditions):
            same = Record.objects.filter(value=OuterRef("salary"))
            employees = employees.alias_join(near=same.order_by("pk")[:1])
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
            for order in reversed(self.ordering):
                items.sort(key=lambda item: order.key(item[0]), reverse=order.reverse)
            items = items[self.slice]
            if not items and self.join_type is JoinType.LEFT:
                yield employee.pk, *(None for _ in self.shape.columns)
            for _, row in items:
                yield employee.pk, *row


class RandomLateralTests(JoinTestCase):
    """Hundreds of sources have the rows that Python finds."""

    cases = 500
    seed = 26426

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
            .prefetch_related("topic__record_set", "user__record_set")
            .order_by("pk")
        )
        for employee in employees:
            same = [r for r in records if equal(r.value, employee.salary)]
            employee.near = same[0] if same else None
        draw = random.Random(self.seed)
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
