"""
The workloads, each in forms that return the same rows. The kind of a form is what its
name starts with:

- sql: written by hand; one that is called as one of joins has the same shape;
- joins: with alias_join();
- stock: what Django offers without alias_join();
- package: with a package that users would pick instead, see packages.py.
"""

import datetime
from collections import namedtuple
from functools import partial

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    When,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber

from .models import Account, Car, Event, Item, Main, Record, Through, Topic, Transfer

Statement = namedtuple("Statement", ["sql", "params"])
KINDS = ["sql", "joins", "stock", "package"]
WORKLOADS = {}


class Workload:
    """
    Rows to fetch. ``sql`` has statements by name, all of which take ``params``;
    methods called kind_name return a queryset or rows.
    """

    tables = ()
    sql = {}
    params = []
    # Whether the order of the rows is a part of the result.
    ordered = False
    # Whether the time should depend on the number of rows of a page only.
    page = False

    def __init_subclass__(cls):
        WORKLOADS[cls.__name__] = cls

    def forms(self, vendor):
        """Yield the kind, the name, and the function of each form."""
        for name, sql in self.sql.items():
            yield "sql", name, partial(Statement, sql, self.params)
        for name in dir(self):
            kind, _, name_of_form = name.partition("_")
            method = getattr(self, name)
            if kind in KINDS and name_of_form:
                if vendor in getattr(method, "vendors", [vendor]):
                    yield kind, name_of_form, method


def only(*vendors):
    """Leave a form to some databases."""

    def decorate(method):
        method.vendors = vendors
        return method

    return decorate


AUTHOR = 7


class W1(Workload):
    """One user's record beside every topic"""

    tables = Topic, Record
    sql = {
        "queryset": """
            SELECT t.id, t.name, mine.value FROM benchmarks_topic t LEFT JOIN (
                SELECT id, topic_id, author, value, created FROM benchmarks_record
                WHERE author = %s
            ) mine ON mine.topic_id = t.id
        """,
        "table": """
            SELECT t.id, t.name, mine.value FROM benchmarks_topic t
            LEFT JOIN benchmarks_record mine
            ON mine.topic_id = t.id AND mine.author = %s
        """,
    }
    params = [AUTHOR]
    records = Record.objects.filter(author=AUTHOR)

    def joins_queryset(self):
        return Topic.objects.alias_join(mine=self.records.all()).values_list(
            "pk", "name", "mine__value"
        )

    def joins_table(self):
        mine = Q(mine__topic=F("pk"), mine__author=AUTHOR)
        return Topic.objects.alias_join(mine=Record, on=mine).values_list(
            "pk", "name", "mine__value"
        )

    def stock_filtered_relation(self):
        mine = FilteredRelation("records", condition=Q(records__author=AUTHOR))
        return Topic.objects.annotate(mine=mine).values_list(
            "pk", "name", "mine__value"
        )

    def stock_subquery(self):
        value = self.records.filter(topic=OuterRef("pk")).values("value")
        return Topic.objects.values_list("pk", "name", Subquery(value))

    def stock_prefetch_related(self):
        mine = Prefetch("records", self.records.all(), to_attr="mine")
        return [
            (topic.pk, topic.name, topic.mine[0].value if topic.mine else None)
            for topic in Topic.objects.prefetch_related(mine)
        ]

    def stock_raw(self):
        topics = Topic.objects.raw(self.sql["table"], self.params)
        return [(topic.pk, topic.name, topic.value) for topic in topics]

    @only("postgresql")
    def stock_case_distinct_on(self):
        value = Case(When(records__author=AUTHOR, then="records__value"))
        topics = Topic.objects.annotate(value=value).order_by("pk", "value")
        return topics.distinct("pk").values_list("pk", "name", "value")


DAYS = datetime.date(2024, 6, 1), datetime.date(2024, 6, 30)


class W2(Workload):
    """Per car, the count of its events of one kind between two dates"""

    tables = Car, Event
    sql = {
        "grouped": """
            SELECT c.id, COALESCE(seen.n, 0) FROM benchmarks_car c LEFT JOIN (
                SELECT car_id, COUNT(id) AS n FROM benchmarks_event
                WHERE kind = %s AND day BETWEEN %s AND %s GROUP BY car_id
            ) seen ON seen.car_id = c.id
        """,
        "flat": """
            SELECT c.id, COUNT(seen.id) FROM benchmarks_car c
            LEFT JOIN benchmarks_event seen
            ON seen.car_id = c.id AND seen.kind = %s
            AND seen.day BETWEEN %s AND %s
            GROUP BY c.id
        """,
    }
    params = [3, *DAYS]
    events = Event.objects.filter(kind=3, day__range=DAYS)
    per_car = events.values("car").annotate(n=Count("pk"))
    condition = Q(events__kind=3, events__day__range=DAYS)

    def joins_grouped(self):
        return Car.objects.alias_join(seen=self.per_car.all()).values_list(
            "pk", Coalesce("seen__n", 0)
        )

    def joins_flat(self):
        seen = Q(seen__car=F("pk"), seen__kind=3, seen__day__range=DAYS)
        cars = Car.objects.alias_join(seen=Event, on=seen)
        return cars.values_list("pk").annotate(n=Count("seen"))

    def stock_count_filter(self):
        n = Count("events", filter=self.condition, distinct=True)
        return Car.objects.values_list("pk").annotate(n=n)

    def stock_filtered_relation(self):
        seen = FilteredRelation("events", condition=self.condition)
        return Car.objects.alias(seen=seen).values_list("pk").annotate(n=Count("seen"))

    def stock_subquery(self):
        n = self.per_car.filter(car=OuterRef("pk")).values("n")
        return Car.objects.values_list("pk", Coalesce(Subquery(n), 0))


HUB = 1
TARGET = Case(When(sender=HUB, then="receiver"), default="sender")


class W3(Workload):
    """Per account, two sums over its transfers from and to another one"""

    tables = Account, Transfer
    params = [HUB, HUB, HUB, *DAYS]
    transfers = Transfer.objects.filter(
        Q(sender=HUB) | Q(receiver=HUB), day__range=DAYS
    )

    def sql_grouped(self, typed=True):
        target = "CASE WHEN sender_id = %s THEN receiver_id ELSE sender_id END"
        if connection.vendor == "sqlite" and typed:
            # An index is no use to what has no type.
            target = f"CAST({target} AS NUMERIC)"
        sql = f"""
            SELECT a.id, a.name, flow.s1, flow.s2 FROM benchmarks_account a LEFT JOIN (
                SELECT {target} AS target, SUM(first) AS s1, SUM(second) AS s2
                FROM benchmarks_transfer
                WHERE (sender_id = %s OR receiver_id = %s) AND day BETWEEN %s AND %s
                GROUP BY 1
            ) flow ON flow.target = a.id
        """
        return Statement(sql, self.params)

    @only("sqlite")
    def sql_untyped(self):
        return self.sql_grouped(typed=False)

    def joins_grouped(self):
        flow = self.transfers.values(target=TARGET).annotate(
            s1=Sum("first"), s2=Sum("second")
        )
        return Account.objects.alias_join(
            flow=flow, on=Q(flow__target=F("pk"))
        ).values_list("pk", "name", "flow__s1", "flow__s2")

    def stock_case_subqueries(self):
        transfers = self.transfers.annotate(target=TARGET)
        transfers = transfers.filter(target=OuterRef("pk")).values("target")
        return Account.objects.values_list(
            "pk",
            "name",
            *(
                Subquery(transfers.annotate(total=Sum(column)).values("total"))
                for column in ["first", "second"]
            ),
        )

    def stock_subqueries_per_direction(self):
        def total(column, **transfers):
            transfers = Transfer.objects.filter(day__range=DAYS, **transfers)
            totals = transfers.values("day__year").annotate(total=Sum(column))
            return Subquery(totals.values("total"))

        def both(column):
            sent = total(column, sender=HUB, receiver=OuterRef("pk"))
            received = total(column, receiver=HUB, sender=OuterRef("pk"))
            return Coalesce(sent + received, sent, received)

        return Account.objects.values_list("pk", "name", both("first"), both("second"))


class W4(Workload):
    """The newest 25 that have a row with a common value elsewhere"""

    tables = Main, Through
    ordered = page = True
    other = 14

    def __init__(self):
        newest = "ORDER BY m.id DESC LIMIT 25"
        self.sql = {
            "distinct": f"""
                SELECT m.id, m.name FROM benchmarks_main m INNER JOIN (
                    SELECT DISTINCT main_id FROM benchmarks_through
                    WHERE other = %s
                ) hit ON hit.main_id = m.id {newest}
            """,
            "exists": f"""
                SELECT m.id, m.name FROM benchmarks_main m WHERE EXISTS (
                    SELECT 1 FROM benchmarks_through t
                    WHERE t.main_id = m.id AND t.other = %s
                ) {newest}
            """,
            "in": f"""
                SELECT m.id, m.name FROM benchmarks_main m WHERE m.id IN (
                    SELECT t.main_id FROM benchmarks_through t
                    WHERE t.other = %s
                ) {newest}
            """,
        }
        self.params = [self.other]
        self.through = Through.objects.filter(other=self.other)

    def _page(self, mains):
        return mains.order_by("-pk").values_list("pk", "name")[:25]

    def joins_distinct(self):
        hit = self.through.values("main").distinct()
        return self._page(Main.objects.alias_join(hit=hit, join_type="inner"))

    def joins_lateral(self):
        hit = self.through.filter(main=OuterRef("pk")).order_by("pk")[:1]
        return self._page(Main.objects.alias_join(hit=hit, join_type="inner"))

    def sql_lateral(self):
        lateral = """
            LATERAL (
                SELECT * FROM benchmarks_through t
                WHERE t.main_id = m.id AND t.other = %s ORDER BY t.id LIMIT 1
            ) hit ON true
        """
        key = """
            benchmarks_through hit ON hit.id = (
                SELECT t.id FROM benchmarks_through t
                WHERE t.main_id = m.id AND t.other = %s ORDER BY t.id LIMIT 1
            )
        """
        sql = f"""
            SELECT m.id, m.name FROM benchmarks_main m
            INNER JOIN {lateral if connection.vendor == "postgresql" else key}
            ORDER BY m.id DESC LIMIT 25
        """
        return Statement(sql, self.params)

    def stock_exists(self):
        return self._page(
            Main.objects.filter(Exists(self.through.filter(main=OuterRef("pk"))))
        )

    def stock_distinct(self):
        return self._page(Main.objects.filter(throughs__other=self.other).distinct())


class W4Rare(W4):
    """The newest 25 that have a row with a rare value elsewhere"""

    other = 15


class W5(Workload):
    """The latest record of every topic, three columns"""

    tables = Topic, Record
    topics = "benchmarks_topic"
    columns = "last.value, last.author, last.created"

    def __init__(self):
        select = f"SELECT t.id, {self.columns} FROM {self.topics} t LEFT JOIN"
        self.sql = {
            "window": f"""
                {select} (
                    SELECT * FROM (
                        SELECT id, topic_id, author, value, created, ROW_NUMBER() OVER (
                            PARTITION BY topic_id ORDER BY created DESC
                        ) AS place FROM benchmarks_record
                    ) ranked WHERE place = 1
                ) last ON last.topic_id = t.id
            """,
        }
        self.select = select

    def sql_lateral(self):
        if connection.vendor != "postgresql":
            return self.sql_key()
        sql = f"""
            {self.select} LATERAL (
                SELECT * FROM benchmarks_record r WHERE r.topic_id = t.id
                ORDER BY r.created DESC LIMIT 1
            ) last ON true
        """
        return Statement(sql, self.params)

    @only("postgresql")
    def sql_key(self):
        sql = f"""
            {self.select} benchmarks_record last ON last.id = (
                SELECT r.id FROM benchmarks_record r WHERE r.topic_id = t.id
                ORDER BY r.created DESC LIMIT 1
            )
        """
        return Statement(sql, self.params)

    @only("postgresql")
    def sql_distinct_on(self):
        sql = f"""
            {self.select} (
                SELECT DISTINCT ON (topic_id) * FROM benchmarks_record
                ORDER BY topic_id, created DESC
            ) last ON last.topic_id = t.id
        """
        return Statement(sql, self.params)

    def _topics(self):
        return Topic.objects.all()

    def _join(self, last):
        return (
            self._topics()
            .alias_join(last=last)
            .values_list("pk", "last__value", "last__author", "last__created")
        )

    def joins_lateral(self):
        records = Record.objects.filter(topic=OuterRef("pk"))
        return self._join(records.order_by("-created")[:1])

    def joins_window(self):
        place = Window(RowNumber(), partition_by="topic", order_by="-created")
        return self._join(Record.objects.annotate(place=place).filter(place=1))

    @only("postgresql")
    def joins_distinct_on(self):
        records = Record.objects.order_by("topic", "-created")
        return self._join(records.distinct("topic"))

    def stock_three_subqueries(self):
        last = Record.objects.filter(topic=OuterRef("pk")).order_by("-created")
        return self._topics().values_list(
            "pk",
            *(
                Subquery(last.values(column)[:1])
                for column in ["value", "author", "created"]
            ),
        )


class W5Page(W5):
    """The latest record of the topics of a page, three columns"""

    page = True
    topics = "(SELECT id FROM benchmarks_topic ORDER BY id DESC LIMIT 25)"

    def _topics(self):
        return Topic.objects.order_by("-pk")[:25]


class W6(Workload):
    """Groups beside the row of one kind in each"""

    tables = (Item,)
    sql = {
        "grouped": """
            SELECT g.related, g.n, g.top, mine.value FROM (
                SELECT related, COUNT(id) AS n, MAX(value) AS top
                FROM benchmarks_item GROUP BY related
            ) g LEFT JOIN benchmarks_item mine
            ON mine.related = g.related AND mine.kind = %s
        """,
        "max": """
            SELECT related, COUNT(id), MAX(value),
                MAX(CASE WHEN kind = %s THEN value END)
            FROM benchmarks_item GROUP BY related
        """,
    }

    params = [2]

    def _groups(self):
        return Item.objects.values("related").annotate(n=Count("pk"), top=Max("value"))

    def joins_grouped(self):
        mine = Q(mine__related=F("related"), mine__kind=2)
        return (
            self._groups()
            .alias_join(mine=Item, on=mine)
            .values_list("related", "n", "top", "mine__value")
        )

    def stock_max_filter(self):
        value = Max("value", filter=Q(kind=2))
        return (
            self._groups()
            .annotate(value=value)
            .values_list("related", "n", "top", "value")
        )

    def stock_subquery(self):
        mine = Item.objects.filter(related=OuterRef("related"), kind=2)
        return self._groups().values_list(
            "related", "n", "top", Subquery(mine.values("value"))
        )
