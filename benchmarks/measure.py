"""
CPU time, of this process and of the server's thread that works for it.
"""

import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from django.db import connection
from django.db.models import QuerySet
from django.db.utils import NotSupportedError, OperationalError

from . import packages
from .workloads import Statement

SERVER_THREAD = {
    "mysql": (
        "SELECT tid FROM information_schema.processlist WHERE id = connection_id()"
    ),
    "postgresql": "SELECT pg_backend_pid()",
}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN"}
# A sample is as many repetitions as take this long, in seconds.
SAMPLE = 0.05
# What takes longer, in seconds, is measured in few rounds.
SLOW, FEW = 1, 2


class Timeout(Exception):
    pass


class Clock:
    """
    What has been used so far: by this process and by the server, in seconds. If the
    server isn't local, it is the time that passes.
    """

    def __init__(self):
        self.server = None
        if sql := SERVER_THREAD.get(connection.vendor):
            [[thread]] = execute(sql)
            # The first number is the time on a CPU, in nanoseconds.
            path = Path(f"/proc/{thread}/schedstat")
            self.server = path if path.exists() else None
        self.local = self.server is not None or connection.vendor == "sqlite"

    def __call__(self):
        if not self.local:
            return time.perf_counter(), 0
        server = self.server and int(self.server.read_text().split()[0])
        return time.process_time(), (server or 0) / 1e9


def fetch(result):
    """Return the rows that a form's result stands for."""
    if isinstance(result, Statement):
        return execute(*result)
    return list(result)


def execute(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def explain(result):
    """Return the statement of a form's result and its plan, if there is one."""
    if isinstance(result, QuerySet):
        result = Statement(*result.query.sql_with_params())
    if not isinstance(result, Statement):
        return None, None
    prefix = EXPLAIN.get(connection.vendor, "EXPLAIN")
    plan = [
        " ".join("" if value is None else str(value) for value in row)
        for row in execute(f"{prefix} {result.sql}", result.params)
    ]
    return result, plan


@contextmanager
def limit(seconds):
    """Stop a statement that takes longer."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        timer = Timer(seconds, connection.connection.interrupt)
        timer.start()
    else:
        set_timeout(seconds)
    try:
        yield
    except OperationalError as error:
        if any(
            word in str(error) for word in ["interrupt", "timeout", "max_statement"]
        ):
            raise Timeout from error
        raise
    finally:
        if connection.vendor == "sqlite":
            timer.cancel()
        else:
            set_timeout(0)


def set_timeout(seconds):
    if connection.vendor == "postgresql":
        execute(f"SET statement_timeout = {int(seconds * 1000)}")
    else:
        execute(f"SET max_statement_time = {seconds}")


class Cell:
    """A form of a workload, and what was measured of it."""

    def __init__(self, kind, name, form, clock, timeout):
        self.kind = kind
        self.name = name
        self.form = form
        self.clock = clock
        self.timeout = timeout
        self.problem = None
        self.statement = None
        self.plan = None
        self.samples = []

    @classmethod
    def of(cls, workload, clock, timeout):
        for kind, name, form in workload.forms(connection.vendor):
            if kind != "joins" or hasattr(QuerySet, "alias_join"):
                yield cls(kind, name, form, clock, timeout)
        for name, form in packages.forms(workload):
            yield cls("package", name, form, clock, timeout)

    def __str__(self):
        return f"{self.kind} {self.name}"

    def verify(self):
        """
        Return the rows, and note the plan and how often to repeat. Return None if it
        takes too long or the database can't.
        """
        try:
            with limit(self.timeout):
                start = sum(self.clock())
                rows = [tuple(row) for row in fetch(self.form())]
                duration = sum(self.clock()) - start
        except Timeout:
            self.problem = f"over {self.timeout:g} s"
            return None
        except NotSupportedError as error:
            self.problem = str(error)
            return None
        self.repetitions = max(1, int(SAMPLE / max(duration, 1e-6)))
        self.is_slow = duration > SLOW
        self.statement, self.plan = explain(self.form())
        return rows

    def measure(self):
        if self.is_slow and len(self.samples) == FEW:
            return
        total = sum(self.sample(lambda: fetch(self.form())))
        database = None
        if self.statement:
            # By itself: a server is slower after a pause, in which the client built
            # the query.
            client, server = self.sample(lambda: execute(*self.statement))
            # SQLite is a part of this process.
            database = server if self.clock.server else client
        self.samples.append((total, database))

    def sample(self, run):
        """Return the client's and the server's time of one repetition."""
        start = self.clock()
        for _ in range(self.repetitions):
            run()
        return [
            (end - begin) / self.repetitions for begin, end in zip(start, self.clock())
        ]

    def result(self):
        result = {"kind": self.kind, "name": self.name}
        if self.problem is not None:
            return result | {"problem": self.problem}
        if self.samples:
            total, database = zip(*self.samples)
            result["total"] = spread(total)
            if None not in database:
                result["database"] = spread(database)
        if self.statement:
            sql, params = self.statement
            result |= {"sql": " ".join(sql.split()), "params": list(params)}
        return result | {"plan": self.plan}


def spread(samples):
    """Return the median and the quartiles, in milliseconds."""
    samples = [1000 * seconds for seconds in samples]
    if len(samples) == 1:
        samples *= 2
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}
