import inspect
from datetime import UTC, datetime
from decimal import Decimal
from itertools import zip_longest
from math import isclose
from pathlib import Path
from time import perf_counter

import sqlparse

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.timezone import is_aware, make_naive

from ... import reports


class Command(BaseCommand):
    help = "Runs the reports and compares their rows with those of the SQL by hand."

    def handle(self, **options):
        wrong = [
            report.__name__
            for number, report in enumerate(reports.REPORTS, 1)
            if not self.run_report(number, report)
        ]
        if wrong:
            raise CommandError(f"Not the rows of the SQL by hand: {', '.join(wrong)}.")

    def run_report(self, number, report):
        queryset = report()
        self.stdout.write(self.style.MIGRATE_HEADING(f"{number}. {report.__doc__}"))
        self.stdout.write(f"\n{inspect.getsource(report)}\n")
        self.stdout.write(sqlparse.format(str(queryset.query), reindent=True) + "\n\n")

        start = perf_counter()
        rows = list(queryset)
        seconds = perf_counter() - start
        start = perf_counter()
        columns, expected = rows_by_hand(report.__name__)
        seconds_by_hand = perf_counter() - start

        for line in table(columns, rows[:5]):
            self.stdout.write(line)
        self.stdout.write(f"\n{len(rows):,} rows in {seconds:.2f} s")
        for position, (row, other) in enumerate(zip_longest(rows, expected)):
            if not same(row, other):
                self.stdout.write(self.style.ERROR(f"Row {position} is {row}, but"))
                self.stdout.write(self.style.ERROR(f"by hand it is {other}\n\n"))
                return False
        self.stdout.write(
            self.style.SUCCESS(
                f"All are those of the SQL by hand, in {seconds_by_hand:.2f} s\n\n"
            )
        )
        return True


def rows_by_hand(name):
    path = Path(reports.__file__).parent / "sql" / f"{name}.sql"
    with connection.cursor() as cursor:
        cursor.execute(path.read_text(encoding="utf-8"))
        return [column[0] for column in cursor.description], cursor.fetchall()


def same(row, other):
    if row is None or other is None or len(row) != len(other):
        return False
    return all(map(same_value, row, other))


def same_value(value, other):
    value, other = plain(value), plain(other)
    # The order in which a server adds floats is not fixed.
    if isinstance(value, float) and isinstance(other, float):
        return isclose(value, other, rel_tol=1e-9, abs_tol=1e-9)
    return value == other


def plain(value):
    """What a cursor gives depends on the driver: naive datetimes, decimals."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime) and is_aware(value):
        return make_naive(value, UTC)
    return value


def table(columns, rows):
    cells = [columns] + [[text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def text(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)
