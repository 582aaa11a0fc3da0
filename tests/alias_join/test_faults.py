"""
Lost connections, timeouts, deadlocks, and serialization failures: the error is
Django's, the transaction is as documented, and a second attempt succeeds.
"""

import threading

from django.db import (
    DatabaseError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.models import F, JoinType
from django.test import TransactionTestCase, skipUnlessDBFeature

from .faults import get_faults
from .models import Record, Topic, User

BROKEN = "An error occurred in the current transaction."


class FaultTestCase(TransactionTestCase):
    available_apps = ["django.contrib.contenttypes", "alias_join"]

    def setUp(self):
        self.faults = get_faults()
        self.a, self.b, self.c = (Topic.objects.create(name=name) for name in "ABC")
        user = User.objects.create(name="x")
        for topic, value in ((self.a, 1), (self.b, 2)):
            Record.objects.create(user=user, topic=topic, value=value)
        self.joined = Topic.objects.alias_join(any=Record).order_by("name")

    def names(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM alias_join_topic ORDER BY id")
            return "".join(name for (name,) in cursor.fetchall())

    def assertWorks(self):
        """Joins read and write, in a transaction that is a new one."""
        self.assertIs(connection.in_atomic_block, False)
        self.assertEqual(
            list(self.joined.values_list("name", "any__value")),
            [("A", 1), ("B", 2), ("C", None)],
        )
        with transaction.atomic():
            self.assertEqual(self.joined.filter(any__value=2).update(name="Z"), 1)
            self.assertEqual(self.names(), "AZC")
            transaction.set_rollback(True)
        self.assertEqual(self.names(), "ABC")

    def assertBroken(self):
        """No query runs until the end of the atomic block."""
        with self.assertRaisesMessage(transaction.TransactionManagementError, BROKEN):
            self.joined.count()


@skipUnlessDBFeature("test_db_allows_multiple_connections")
class LostConnectionTests(FaultTestCase):
    def tearDown(self):
        connection.close_if_unusable_or_obsolete()

    def test_iterator(self):
        rows = self.joined.select_related("any").iterator(chunk_size=1)
        self.assertEqual(next(rows), self.a)
        self.faults.kill_session()
        if self.faults.fetches_in_chunks:
            with self.assertRaises(OperationalError):
                next(rows)
            self.assertEqual(list(rows), [])
        else:
            self.assertEqual(list(rows), [self.b, self.c])
            with self.assertRaises(OperationalError):
                self.joined.count()
        # As between two requests.
        connection.close_if_unusable_or_obsolete()
        rows = self.joined.select_related("any").iterator(chunk_size=1)
        self.assertEqual(
            [topic.any and topic.any.value for topic in rows], [1, 2, None]
        )
        self.assertWorks()

    def test_iterator_in_a_transaction(self):
        with self.assertRaises(OperationalError):
            with transaction.atomic():
                self.joined.filter(any__value=1).update(name="X")
                rows = self.joined.iterator(chunk_size=1)
                self.assertEqual(next(rows), self.b)
                self.faults.kill_session()
                list(rows)
                self.joined.count()
        self.assertWorks()

    def test_update(self):
        with self.assertRaises(OperationalError):
            with transaction.atomic():
                self.joined.filter(any__value=1).update(name="X")
                self.faults.kill_session()
                self.joined.filter(any__value=2).update(name="Y")
        self.assertWorks()

    def test_error_is_caught_inside(self):
        with transaction.atomic():
            self.joined.filter(any__value=1).update(name="X")
            self.faults.kill_session()
            with self.assertRaises(OperationalError):
                self.joined.filter(any__value=2).update(name="Y")
            # The driver refuses, or Django does.
            with self.assertRaises(DatabaseError):
                self.joined.count()
        self.assertWorks()


class TimeoutTests(FaultTestCase):
    def setUp(self):
        super().setUp()
        User.objects.bulk_create(User(name=f"{number}") for number in range(60))
        # Nothing matches, as no index tells: 61 ** 5 rows are compared.
        users, total = User.objects.all(), F("pk")
        for alias in "abcd":
            users = users.alias_join(**{alias: User}, join_type=JoinType.CROSS)
            total += F(f"{alias}__pk")
        self.slow = users.annotate(total=total).filter(total__lt=0)

    def test_read(self):
        for read in (lambda: list(self.slow), self.slow.count):
            with self.subTest(read):
                with self.faults.time_limit(), self.assertRaises(OperationalError):
                    read()
                self.assertWorks()

    @transaction.atomic
    def test_iterator(self):
        with self.faults.time_limit():
            with self.assertRaises(OperationalError), transaction.atomic():
                next(self.slow.iterator(chunk_size=1))
        self.assertEqual(
            [topic.name for topic in self.joined.iterator(chunk_size=1)],
            ["A", "B", "C"],
        )

    def test_savepoint(self):
        with self.faults.time_limit(), transaction.atomic():
            self.joined.filter(any__value=1).update(name="X")
            with self.assertRaises(OperationalError), transaction.atomic():
                self.joined.filter(any__value=2).update(name="Y")
                list(self.slow)
            self.assertEqual(self.names(), "XBC")
            transaction.set_rollback(True)
        self.assertWorks()

    def test_write(self):
        for write in (lambda: self.slow.update(name="X"), self.slow.delete):
            with self.subTest(write):
                with self.faults.time_limit(), self.assertRaises(OperationalError):
                    with transaction.atomic():
                        self.joined.filter(any__value=1).update(name="X")
                        write()
                self.assertEqual(User.objects.count(), 61)
                self.assertWorks()

    def test_error_is_caught_inside(self):
        with self.faults.time_limit(), transaction.atomic():
            self.joined.filter(any__value=1).update(name="X")
            with self.assertRaises(OperationalError):
                self.slow.update(name="X")
            self.assertBroken()
        self.assertWorks()


@skipUnlessDBFeature("test_db_allows_multiple_connections")
class ConcurrencyTests(FaultTestCase):
    def run_threads(self, *functions):
        """Run the functions in a thread each; return what they raise."""
        errors = []

        def run(function):
            try:
                function()
            except Exception as error:
                errors.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=[f]) for f in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def test_deadlock(self):
        barrier = threading.Barrier(2, timeout=30)
        victims = []

        def swap(name, mine, value):
            """Lock a row, then update the other's row through a join."""

            def attempt():
                Topic.objects.filter(pk=mine.pk).update(name=name)
                barrier.wait()
                self.joined.filter(any__value=value).update(name=name)

            def run():
                try:
                    with transaction.atomic():
                        attempt()
                except OperationalError:
                    victims.append(name)
                    barrier.abort()

            return run

        errors = self.run_threads(swap("X", self.a, 2), swap("Y", self.b, 1))
        self.assertEqual(errors, [])
        (victim,) = victims
        winner = {"X": "Y", "Y": "X"}[victim]
        self.assertEqual(self.names(), f"{winner}{winner}C")
        self.assertEqual(self.joined.filter(any__isnull=False).update(name=victim), 2)
        self.assertEqual(self.names(), f"{victim}{victim}C")

    def test_serialization_failure(self):
        def interfere():
            self.joined.filter(any__value=1).update(name="Y")

        def attempt():
            return self.joined.filter(any__isnull=False).update(name="X")

        with transaction.atomic():
            self.faults.isolate_transaction()
            self.assertEqual(self.names(), "ABC")
            self.assertEqual(self.run_threads(interfere), [])
            self.assertEqual(self.joined.first().name, "A")
            with self.assertRaises(OperationalError):
                attempt()
            self.assertBroken()
        self.assertEqual(self.names(), "YBC")
        with transaction.atomic():
            self.faults.isolate_transaction()
            self.assertEqual(attempt(), 2)
        self.assertEqual(self.names(), "XXC")
