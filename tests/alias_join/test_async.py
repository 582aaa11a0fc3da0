"""Asynchronous methods of querysets with joins."""

from django.core.exceptions import MultipleObjectsReturned
from django.db.models import Count, F, JoinType, Sum

from .base import TopicTestCase
from .models import Record, Topic


class AsyncTests(TopicTestCase):
    def mine(self, **kwargs):
        mine = Record.objects.filter(user=self.johnny)
        return Topic.objects.alias_join(mine=mine, **kwargs)

    async def test_iteration(self):
        topics = self.mine().order_by("name")
        self.assertEqual([topic async for topic in topics], [self.a, self.b, self.c])
        self.assertEqual(
            [row async for row in topics.values_list("name", "mine__value")],
            [("A", 1), ("B", None), ("C", 3)],
        )

    async def test_iterator(self):
        topics = self.mine().select_related("mine__user").order_by("name")
        self.assertEqual(
            [
                topic.mine and topic.mine.user.name
                async for topic in topics.aiterator(chunk_size=2)
            ],
            ["johnny", None, "johnny"],
        )

    async def test_iterator_with_prefetch(self):
        topics = self.mine().order_by("name").prefetch_related("record_set")
        self.assertEqual(
            [
                len(topic.record_set.all())
                async for topic in topics.aiterator(chunk_size=2)
            ],
            [2, 1, 2],
        )

    async def test_single_rows(self):
        topics = self.mine()
        self.assertEqual(await topics.aget(mine__value=3), self.c)
        self.assertEqual(await topics.order_by("-name").afirst(), self.c)
        self.assertEqual(await topics.order_by("-name").alast(), self.a)
        inner = self.mine(join_type=JoinType.INNER)
        self.assertEqual(await inner.aearliest("mine__value"), self.a)
        self.assertEqual(await inner.alatest("mine__value"), self.c)
        with self.assertRaises(Topic.DoesNotExist):
            await topics.aget(mine__value=9)

    async def test_counts(self):
        topics = self.mine()
        self.assertEqual(await topics.acount(), 3)
        self.assertIs(await topics.filter(mine=None).aexists(), True)
        self.assertIs(await topics.filter(mine=None).acontains(self.a), False)
        self.assertEqual(
            await topics.aaggregate(n=Count("mine"), total=Sum("mine__value")),
            {"n": 2, "total": 4},
        )
        self.assertEqual(await topics.filter(mine=None).ain_bulk(), {self.b.pk: self.b})

    async def test_writes(self):
        topics = self.mine()
        self.assertEqual(await topics.filter(mine__value=1).aupdate(name="X"), 1)
        self.assertEqual(
            await topics.filter(mine__value=3).aupdate(name=F("mine__user__name")), 1
        )
        deleted, _ = await topics.filter(mine=None).adelete()
        self.assertEqual(deleted, 2)
        self.assertCountEqual(
            [name async for name in Topic.objects.values_list("name", flat=True)],
            ["X", "johnny"],
        )
        with self.assertRaises(MultipleObjectsReturned):
            await Topic.objects.alias_join(x=Record).aupdate(name=F("x__user__name"))

    async def test_creation(self):
        topics = self.mine()
        self.assertEqual(await topics.aget_or_create(mine__value=3), (self.c, False))
        topic, created = await topics.aupdate_or_create(
            mine__value=3, defaults={"name": "X"}
        )
        self.assertEqual((topic.name, created), ("X", False))
        topic = await topics.acreate(name="Y")
        topic.name = "Z"
        self.assertEqual(await topics.abulk_update([topic], ["name"]), 1)

    async def test_explain(self):
        self.assertIsInstance(await self.mine().aexplain(), str)
