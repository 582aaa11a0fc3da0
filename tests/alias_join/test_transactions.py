"""
Connections: cursors, locks, routers, threads.
"""

import threading

from django.db import connection, connections, transaction
from django.db.models import F, FilteredRelation, JoinType, Q, Value
from django.db.models.functions import Coalesce
from django.test import (
    TransactionTestCase,
    override_settings,
    skipUnlessDBFeature,
)
from django.test.utils import CaptureQueriesContext

from .base import TopicTestCase
from .models import Record, Topic, User


class Router:
    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *args, **hints):
        return True


class CursorTests(TopicTestCase):
    def querysets(self):
        topics = Topic.objects.order_by("name")
        mine = Record.objects.filter(user=self.johnny)
        yield topics.alias_join(x=mine), "ABC"
        yield topics.alias_join(x=Record), "AABCC"
        yield topics[:2].alias_join(x=Record), "AAB"
        yield topics.alias_join(x=mine.values("topic", "value")), "ABC"
        yield topics.alias_join(x=mine).select_related("x__user"), "ABC"

    def test_iterator(self):
        for topics, names in self.querysets():
            for chunk_size in (1, 2, 100):
                with self.assertNumQueries(1):
                    self.assertEqual(
                        "".join(t.name for t in topics.iterator(chunk_size=chunk_size)),
                        names,
                    )

    def test_explain(self):
        for topics, _ in self.querysets():
            with CaptureQueriesContext(connection) as queries:
                self.assertIsInstance(topics.explain(), str)
            self.assertIs(
                queries[0]["sql"].startswith(
                    connection.ops.explain_query_prefix(format=None)
                ),
                True,
            )


class ReuseTests(TopicTestCase):
    def test_reuse_after_evaluation(self):
        topics = Topic.objects.order_by("name").alias_join(any=Record)
        list(topics)
        with self.assertNumQueries(0):
            self.assertEqual(topics[1], self.a)
            self.assertEqual(len(topics), 5)
            self.assertEqual(topics.count(), 5)
        with self.assertNumQueries(1):
            self.assertEqual(list(topics.filter(any__value=3)), [self.c])
        with self.assertNumQueries(1):
            self.assertEqual(
                list(
                    topics.alias_join(
                        x=User, on=Q(x=F("any__user"), x__name="may")
                    ).filter(x__isnull=False)
                ),
                [self.a, self.b, self.c],
            )
        with self.assertNumQueries(1):
            self.assertEqual(len(topics.all()), 5)

    def test_branches_of_a_chain_are_independent(self):
        base = Topic.objects.alias_join(any=Record)
        first = base.filter(any__user__name="may")
        second = base.filter(any__value=3).alias_join(x=User, on=Q(x=F("any__user")))
        third = base.alias_join(x=Record)
        self.assertEqual(second.values_list("x__name").get(), ("johnny",))
        self.assertEqual(first.count(), 3)
        self.assertEqual(third.count(), 9)
        self.assertEqual(base.count(), 5)

    def test_related_manager(self):
        records = self.johnny.record_set.alias_join(
            other=Record, on=Q(other__topic=F("topic"), other__user=self.may.pk)
        )
        self.assertRows(
            records.order_by("value").values_list("value", "other__value"),
            [(1, 4), (3, 6)],
        )

    def test_manager(self):
        self.assertEqual(Topic.objects.alias_join(any=Record.objects).count(), 5)


class LockTests(TopicTestCase):
    databases = {"default", "other"}

    @skipUnlessDBFeature("has_select_for_update")
    def test_lock_of_a_source(self):
        records = Record.objects.filter(user=self.johnny).select_for_update()
        topics = Topic.objects.alias_join(mine=records, join_type=JoinType.INNER)
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            self.assertEqual(len(topics), 2)
        self.assertIn("FOR UPDATE)", queries[0]["sql"])

    @override_settings(DATABASE_ROUTERS=[Router()])
    def test_lock_of_a_source_routes_to_the_write_database(self):
        records = Record.objects.filter(user=self.johnny)
        topics = Topic.objects.alias_join(mine=records)
        self.assertEqual(topics.db, "other")
        topics = Topic.objects.alias_join(mine=records.select_for_update())
        self.assertEqual(topics.db, "default")
        self.assertEqual(topics.filter(mine__value=1).order_by("name").db, "default")
        topics = Topic.objects.order_by("name")[:2].alias_join(
            mine=records.select_for_update()
        )
        self.assertEqual(topics.db, "default")
        relation = FilteredRelation(
            records.select_for_update(), condition=Q(mine__topic=F("pk"))
        )
        self.assertEqual(Topic.objects.alias(mine=relation).db, "default")
        self.assertEqual(Topic.objects.annotate(mine=relation).db, "default")
        topics = Topic.objects.select_for_update()
        self.assertEqual(topics.alias_join(mine=records).db, "default")
        relation = FilteredRelation(records, condition=Q(mine__topic=F("pk")))
        self.assertEqual(topics.alias(mine=relation).db, "default")

    @override_settings(DATABASE_ROUTERS=[Router()])
    def test_router(self):
        """The query runs on one database, the source's model has no say."""
        topics = Topic.objects.alias_join(any=Record)
        with self.assertNumQueries(1, using="other"):
            self.assertEqual(list(topics), [])
        with self.assertNumQueries(1, using="default"):
            self.assertEqual(topics.update(name="X"), 3)

    def test_using(self):
        other = Topic.objects.using("other").create(name="other")
        topics = Topic.objects.alias_join(any=Record).using("other")
        self.assertEqual(topics.get(), other)
        with self.assertRaisesMessage(ValueError, "is bound to the database 'other'"):
            list(Topic.objects.alias_join(any=Record.objects.using("other")))
        topics = Topic.objects.using("other").alias_join(
            any=Record.objects.using("other")
        )
        self.assertEqual(topics.get(), other)

    def test_write_with_using(self):
        Topic.objects.using("other").create(name="other")
        topics = Topic.objects.using("other").alias_join(any=Record)
        self.assertEqual(topics.update(name="X"), 1)
        self.assertEqual(topics.update(name=Coalesce("any__note", Value("Y"))), 1)
        self.assertEqual(Topic.objects.using("other").get().name, "Y")
        self.assertEqual(topics.delete()[0], 1)
        self.assertEqual(Topic.objects.count(), 3)


class ThreadTests(TransactionTestCase):
    available_apps = ["django.contrib.contenttypes", "alias_join"]

    @skipUnlessDBFeature("test_db_allows_multiple_connections")
    def test_shared_queryset(self):
        """Threads may run and extend a queryset at the same time."""
        user = User.objects.create(name="x")
        for number in range(5):
            topic = Topic.objects.create(name=str(number))
            Record.objects.create(user=user, topic=topic, value=number)
        topics = Topic.objects.alias_join(
            any=Record.objects.annotate(v=F("value") + 1)
        ).order_by("name")
        sql = str(topics.query)
        results, errors = [], []
        barrier = threading.Barrier(8)

        def run():
            try:
                barrier.wait()
                for number in range(10):
                    more = topics.filter(any__v__gt=number % 5).alias_join(
                        again=Record, on=Q(again__pk=F("any__pk"))
                    )
                    more = more.exclude(again__user__name="y")
                    results.append(
                        (number % 5, list(more.values_list("again__value", flat=True)))
                    )
                    results.append(
                        (0, [t.any.value for t in topics.select_related("any")])
                    )
            except Exception as error:
                errors.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(results), 160)
        for number, values in results:
            self.assertEqual(values, list(range(number, 5)))
        self.assertEqual(str(topics.query), sql)

    def test_building_in_threads(self):
        """Building needs no connection."""
        topics = Topic.objects.alias_join(any=Record)
        queries, errors = [], []

        def build(number):
            try:
                for _ in range(20):
                    queries.append(
                        topics.filter(any__user__name=str(number))
                        .alias_join(again=Record)
                        .exclude(again__topic__record__value=number)
                        .query
                    )
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=build, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(len({query.sql_with_params() for query in queries}), 8)


class ServerSideCursorTests(TransactionTestCase):
    available_apps = ["django.contrib.contenttypes", "alias_join"]

    def test_iterator_outside_of_a_transaction(self):
        topics = [Topic.objects.create(name=name) for name in "ABC"]
        user = User.objects.create(name="x")
        Record.objects.create(user=user, topic=topics[1], value=1)
        joined = Topic.objects.order_by("name").alias_join(any=Record)
        rows = []
        for topic in joined.select_related("any").iterator(chunk_size=1):
            rows.append((topic.name, topic.any and topic.any.value))
        self.assertEqual(rows, [("A", None), ("B", 1), ("C", None)])

    @skipUnlessDBFeature("has_select_for_update")
    def test_lock_of_a_source_needs_a_transaction(self):
        records = Record.objects.select_for_update()
        topics = Topic.objects.alias_join(any=records, join_type=JoinType.INNER)
        with self.assertRaisesMessage(
            transaction.TransactionManagementError,
            "select_for_update cannot be used outside of a transaction.",
        ):
            list(topics)
