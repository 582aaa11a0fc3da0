"""How to make each database fail: the one place that knows."""

import contextlib
from unittest import SkipTest

from django.db import connection


class Faults:
    """What a database has no way to do skips the test."""

    # Whether iterator() fetches rows while it is being consumed.
    fetches_in_chunks = False
    session = kill = isolate = None
    limit = "", ""

    def statement(self, name):
        statement = getattr(self, name)
        if statement is None:
            raise SkipTest(f"{connection.display_name} has no way to {name}.")
        return statement

    def kill_session(self):
        """End the session of the connection, from another one."""
        with connection.cursor() as cursor:
            cursor.execute(self.statement("session"))
            (session,) = cursor.fetchone()
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute(self.statement("kill"), [session])
        finally:
            other.close()

    def isolate_transaction(self):
        """Have the transaction refuse to write what changed since it began."""
        with connection.cursor() as cursor:
            cursor.execute(self.statement("isolate"))

    @contextlib.contextmanager
    def time_limit(self):
        """Have statements fail that take longer than a fifth of a second."""
        begin, end = self.limit
        with connection.cursor() as cursor:
            cursor.execute(begin)
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute(end)


class PostgreSQLFaults(Faults):
    fetches_in_chunks = True
    session = "SELECT pg_backend_pid()"
    kill = "SELECT pg_terminate_backend(%s)"
    isolate = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    limit = "SET statement_timeout = 200", "SET statement_timeout = DEFAULT"


class MySQLFaults(Faults):
    session = "SELECT CONNECTION_ID()"
    kill = "KILL %s"

    @property
    def limit(self):
        if connection.mysql_is_mariadb:
            return "SET max_statement_time = 0.2", "SET max_statement_time = DEFAULT"
        raise SkipTest("MySQL limits the time of SELECT only.")


class SQLiteFaults(Faults):
    @contextlib.contextmanager
    def time_limit(self):
        """Interrupt statements by their steps, however long those take."""
        connection.ensure_connection()
        interrupt = connection.connection.set_progress_handler
        interrupt(lambda: True, 1_000_000)
        try:
            yield
        finally:
            interrupt(None, 0)


def get_faults():
    return {
        "postgresql": PostgreSQLFaults,
        "mysql": MySQLFaults,
        "sqlite": SQLiteFaults,
    }.get(connection.vendor, Faults)()
