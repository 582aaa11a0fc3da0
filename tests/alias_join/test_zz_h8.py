from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.db.models import *
from django.db.models.functions import *
from .test_writes import WriteTestCase
from .models import *
class T(WriteTestCase):
    def test(self):
        topics = (
            Topic.objects.annotate(n=Count("record"), low=Lower("name"))
            .alias_join(mine=Record.objects.filter(user=self.johnny))
            .filter(mine__isnull=False)
        )
        inner = str(topics.order_by().values("pk").query)
        with connection.cursor() as c:
          for dml in ("update alias_join_topic set name='x'",):
            for w in (f"id in ({inner})", f"id in (select * from ({inner}) subquery)", f"id in (select * from ({inner.replace('SELECT','SELECT DISTINCT',1)}) subquery)", f"id in ({inner.replace('SELECT','SELECT DISTINCT',1)})"):
                c.execute("savepoint a")
                c.execute("select id from alias_join_topic where "+w); print(c.fetchall())
                c.execute(dml+" where "+w); print(c.rowcount)
                c.execute("rollback to savepoint a")
        # fast deletes
        records = Record.objects.annotate(n=Count("topic__record")).alias_join(t=Topic.objects.filter(name__gt="A")).filter(t__isnull=False)
        print(list(records.values_list("value")))
        with CaptureQueriesContext(connection) as q: print(records.delete())
        print(q.captured_queries)
