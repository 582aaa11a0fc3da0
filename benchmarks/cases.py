"""
What overhead.py counts: python -m benchmarks.cases CASE REPETITIONS [MODE]

Each case builds a query and compiles it, except where its name says otherwise. In
the mode "callgrind", valgrind counts the repetitions only. In the mode "memory", the
memory is printed that all queries keep together, in bytes.
"""

import gc
import os
import subprocess
import sys
import tracemalloc
from functools import cache

from django.db import connection
from django.db.models import (
    Count,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    Subquery,
    Sum,
)

from . import connect

connect.configure("sqlite", ":memory:")

from .models import Car, Record, Topic  # NOQA: E402
from .workloads import W1, W2, W5  # NOQA: E402

ROWS = 100_000
w1, w2, w5 = W1(), W2(), W5()


def compiled(form):
    def case():
        queryset = form()
        queryset.query.sql_with_params()
        return queryset

    return case


def foreign_key():
    records = Record.objects.filter(topic__name="a").exclude(value=1)
    return records.select_related("topic")


def subquery():
    mine = Record.objects.filter(topic=OuterRef("pk"), author=7)
    return Topic.objects.filter(Exists(mine)).annotate(n=Count("records"))


def grouped():
    records = Record.objects.values("topic__name").annotate(total=Sum("value"))
    return records.filter(total__gt=1).order_by("topic__name")


def aggregate():
    Record.objects.filter(topic__name="a").aggregate(n=Count("topic", distinct=True))


def update():
    Record.objects.filter(topic__name="a", author=7).update(value=F("value") + 1)


def delete():
    Record.objects.filter(topic__name="a", author=7).delete()


def unexecuted(use):
    """Wrap a case that runs queries so that the database doesn't see them."""

    def case():
        with connection.execute_wrapper(lambda *args: None):
            use()

    return case


def filtered_grouped():
    seen = FilteredRelation("events", condition=w2.condition)
    return Car.objects.annotate(seen=seen).values_list("pk").annotate(n=Count("seen"))


def filtered_latest():
    last = Record.objects.filter(topic=OuterRef("pk")).order_by("-created")
    latest = FilteredRelation("records", condition=Q(records__pk=F("latest")))
    topics = Topic.objects.annotate(latest=Subquery(last.values("pk")[:1]))
    return topics.annotate(last=latest).values_list(
        "pk", "last__value", "last__author", "last__created"
    )


def sqlalchemy():
    from sqlalchemy import select
    from sqlalchemy.dialects import sqlite

    topic, record = sqlalchemy_tables()
    mine = select(record).where(record.c.author == 7).subquery()
    joined = topic.outerjoin(mine, mine.c.topic_id == topic.c.id)
    query = select(topic.c.id, topic.c.name, mine.c.value).select_from(joined)
    str(query.compile(dialect=sqlite.dialect()))
    return query


@cache
def sqlalchemy_tables():
    from sqlalchemy import Column, Integer, MetaData, String, Table

    metadata = MetaData()
    return (
        Table("topic", metadata, Column("id", Integer), Column("name", String)),
        Table(
            "record",
            metadata,
            *(
                Column(name, Integer)
                for name in ["id", "topic_id", "author", "value", "created"]
            ),
        ),
    )


def peewee():
    topic, record = peewee_models()
    mine = record.select().where(record.author == 7).alias("mine")
    query = topic.select(topic.id, topic.name, mine.c.value)
    query = query.join(mine, "LEFT JOIN", on=mine.c.topic_id == topic.id)
    query.sql()
    return query


@cache
def peewee_models():
    from peewee import CharField, IntegerField, Model, SqliteDatabase

    bound = type("Meta", (), {"database": SqliteDatabase(":memory:")})
    numbers = ["topic_id", "author", "value", "created"]
    return (
        type("Topic", (Model,), {"Meta": bound, "name": CharField()}),
        type(
            "Record", (Model,), {"Meta": bound} | {n: IntegerField() for n in numbers}
        ),
    )


@cache
def rows():
    """Make the rows to hydrate, one topic for each record."""
    connect.setup_tables()
    Topic.objects.bulk_create(Topic(name=f"topic {n}") for n in range(ROWS))
    Record.objects.bulk_create(
        Record(topic_id=n + 1, author=7, value=n, created=n) for n in range(ROWS)
    )


def hydrate_foreign_key():
    rows()
    return len(Record.objects.select_related("topic"))


def hydrate_join():
    rows()
    joined = Record.objects.alias_join(t=Topic, on=Q(t__pk=F("topic")))
    return len(joined.select_related("t"))


CASES = {
    "plain": compiled(lambda: Topic.objects.filter(name="a").order_by("-pk")[:10]),
    "foreign key": compiled(foreign_key),
    "subquery": compiled(subquery),
    "values": compiled(grouped),
    "aggregate": unexecuted(aggregate),
    "update": unexecuted(update),
    "delete": unexecuted(delete),
    "FilteredRelation": compiled(w1.stock_filtered_relation),
    "FilteredRelation, grouped": compiled(filtered_grouped),
    "FilteredRelation, latest": compiled(filtered_latest),
    "join of a model": compiled(w1.joins_table),
    "join of a queryset": compiled(w1.joins_queryset),
    "join of groups": compiled(w2.joins_grouped),
    "lateral join": compiled(w5.joins_lateral),
    "SQLAlchemy": sqlalchemy,
    "peewee": peewee,
    "clone": Topic.objects.filter(name="a").all,
    "clone with FilteredRelation": lambda: FILTERED.all(),
    "clone with a join": lambda: JOINED.all(),
    "hydrate a foreign key": hydrate_foreign_key,
    "hydrate a join": hydrate_join,
}
FILTERED = w1.stock_filtered_relation()
JOINED = w1.joins_queryset() if hasattr(Topic.objects, "alias_join") else FILTERED

# Before anything is counted: what is cached, and what the interpreter specializes.
WARM_UP = 20


def repeat(case, repetitions):
    for _ in range(repetitions):
        case()


def switch_callgrind(state):
    subprocess.run(
        ["callgrind_control", f"--instr={state}", str(os.getpid())],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def retained(case, repetitions):
    """Return the memory that as many results of ``case`` take, in bytes."""
    tracemalloc.start()
    kept = [case() for _ in range(repetitions)]
    size, _ = tracemalloc.get_traced_memory()
    assert len(kept) == repetitions
    return size


def main(name, repetitions, mode=None):
    case, repetitions = CASES[name], int(repetitions)
    connection.ensure_connection()
    # What the collector does depends on all else that is loaded.
    gc.disable()
    repeat(case, 1 if name.startswith("hydrate") else WARM_UP)
    if mode == "memory":
        print(retained(case, repetitions))
    elif mode == "callgrind":
        switch_callgrind("on")
        repeat(case, repetitions)
        switch_callgrind("off")
    else:
        repeat(case, repetitions)


if __name__ == "__main__":
    main(*sys.argv[1:])
