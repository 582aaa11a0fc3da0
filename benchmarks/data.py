"""
The rows: computed by the database from a table of numbers, so that they are the same
on every machine and quick to make.
"""

from django.db import connection, transaction

from .connect import SCALES
from .models import (
    Account,
    Car,
    Event,
    Item,
    Main,
    Number,
    Record,
    Through,
    Topic,
    Transfer,
)

PRIME = 4294967291
FACTORS = [2654435761, 2246822519, 3266489917, 668265263]


def scatter(salt, modulus=PRIME):
    """Return SQL for a number below modulus, without repetition below PRIME."""
    return f"((n + 1) * {FACTORS[salt]} % {PRIME} % {modulus})"


def name(kind):
    return {
        "mysql": f"CONCAT('{kind} ', n)",
    }.get(connection.vendor, f"'{kind} ' || n")


def day(offset):
    """Return SQL for a day of 2024."""
    return {
        "mysql": f"DATE_ADD('2024-01-01', INTERVAL {offset} DAY)",
        "postgresql": f"DATE '2024-01-01' + {offset}::integer",
        "sqlite": f"date('2024-01-01', {offset} || ' days')",
    }[connection.vendor]


def rows(model, scale):
    """Return the number of rows of a table, and SQL for its columns."""
    # PostgreSQL is the one to take a table of the size that the ticket had.
    cars = int((4500 if connection.vendor == "postgresql" else 450) * scale)
    topics, accounts = int(1000 * scale), int(200 * scale)
    mains, items = int(5000 * scale), int(4900 * scale)
    # One of ten of the pairs of a topic and an author.
    pair = f"(n * 10 + {scatter(0, 10)})"
    counterparty = f"({scatter(0, accounts - 1)} + 2)"
    return {
        Topic: (topics, {"name": name("topic")}),
        Record: (
            19 * topics,
            {
                "topic_id": f"{pair} % {topics} + 1",
                "author": f"({pair} - {pair} % {topics}) / {topics} + 1",
                "value": scatter(1, 100),
                "created": scatter(2),
            },
        ),
        Car: (cars, {"name": name("car")}),
        Event: (
            cars * 100 // 3,
            {
                "car_id": f"{scatter(0, cars)} + 1",
                "kind": scatter(1, 10),
                "day": day(scatter(2, 365)),
            },
        ),
        Account: (accounts, {"name": name("account")}),
        # The first account has a part in half of the transfers.
        Transfer: (
            20 * accounts,
            {
                "sender_id": f"CASE WHEN n % 4 = 0 THEN 1 ELSE {counterparty} END",
                "receiver_id": (
                    f"CASE WHEN n % 4 = 1 THEN 1 WHEN n % 4 = 0 THEN {counterparty} "
                    f"ELSE {scatter(1, accounts - 1)} + 2 END"
                ),
                "day": day(scatter(2, 365)),
                "first": scatter(1, 1000),
                "second": scatter(3, 1000),
            },
        ),
        Main: (mains, {"name": name("main")}),
        # One value is common, each of the others is rare.
        Through: (
            3 * mains,
            {
                "main_id": f"{scatter(0, mains)} + 1",
                "other": (
                    "CASE WHEN n % 10 < 3 THEN 14 " f"ELSE {scatter(1, 1000)} + 15 END"
                ),
            },
        ),
        # Five kinds each, of which some are absent.
        Item: (
            items,
            {
                "related": "(n - n % 5) / 5",
                "kind": f"CASE WHEN {scatter(0, 10)} = 0 THEN 6 ELSE n % 5 + 1 END",
                "value": scatter(1, 1000),
            },
        ),
    }[model]


def load(models, size):
    """Fill the tables of the models unless they are."""
    counts = {model: rows(model, SCALES[size]) for model in models}
    needed = [
        model for model, (count, _) in counts.items() if model.objects.count() != count
    ]
    if not needed:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        fill_numbers(cursor, max(counts[model][0] for model in needed))
        for model in reversed(needed):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        for model in needed:
            count, columns = counts[model]
            print(f"  {count:,} rows of {model.__name__}", flush=True)
            names = map(connection.ops.quote_name, columns)
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} (id, {', '.join(names)}) "
                f"SELECT n + 1, {', '.join(columns.values())} "
                f"FROM {Number._meta.db_table} WHERE n < {count} ORDER BY n"
            )
    analyze(needed)


def fill_numbers(cursor, count):
    table = Number._meta.db_table
    if not (filled := Number.objects.count()):
        filled = 1
        cursor.execute(f"INSERT INTO {table} (n) VALUES (0)")
    while filled < count:
        cursor.execute(f"INSERT INTO {table} (n) SELECT n + {filled} FROM {table}")
        filled *= 2


def analyze(models):
    with connection.cursor() as cursor:
        for model in models:
            table = model._meta.db_table
            cursor.execute(
                {
                    "mysql": f"ANALYZE TABLE {table}",
                    "postgresql": f"VACUUM ANALYZE {table}",
                    "sqlite": f"ANALYZE {table}",
                }[connection.vendor]
            )
