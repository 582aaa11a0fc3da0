import re

from django.db import connection
from django.test import TestCase

from .models import Record, Topic, User

CLAUSES = re.compile(r"\b(?:WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|OFFSET|FETCH)\b")


def plain_sql(sql):
    """
    Return ``sql`` without what differs between databases or says nothing:
    quotes, the app's table prefix, and parentheses that nothing needs.
    """
    quote = re.escape(connection.ops.quote_name("x").strip("x")[0])
    sql = re.sub(rf"{quote}([^{quote}]*){quote}", r"\1", sql)
    sql = sql.replace("alias_join_", "")
    sql = re.sub(r"(?<!\w)\((\w+\.\w+)\)", r"\1", sql)
    sql = re.sub(r"\((\([^()]*\))\)", r"\1", sql)
    return " ".join(sql.split())


def from_clause(sql):
    """Return what the outermost FROM of ``sql`` holds."""
    depth, start = 0, None
    for token in re.finditer(r"[()]|\bFROM\b|" + CLAUSES.pattern, sql):
        if token[0] in "()":
            depth += 1 if token[0] == "(" else -1
        elif depth == 0:
            if token[0] == "FROM":
                start = token.end()
            elif start is not None:
                return sql[start : token.start()].strip()
    return sql[start:].strip()


class JoinTestCase(TestCase):
    """
    Assertions about rows and about the shape of SQL.

    In an expected shape "..." stands for any text, and values are %s.
    """

    maxDiff = None

    def sql(self, queryset):
        """Return the SQL of a queryset, without quotes and prefixes."""
        return plain_sql(queryset.query.sql_with_params()[0])

    def assertShape(self, sql, shape):
        pattern = ".*?".join(re.escape(part) for part in shape.split("..."))
        if not re.fullmatch(pattern, sql, re.DOTALL):
            self.fail(f"Unexpected SQL.\nExpected: {shape}\nGot:      {sql}")

    def assertFrom(self, queryset, *lines):
        """Assert what the FROM clause holds. Long ones take several lines."""
        self.assertShape(from_clause(self.sql(queryset)), " ".join(lines))

    def assertRows(self, queryset, rows, queries=1):
        """Assert the exact rows, in the order given, in one query."""
        with self.assertNumQueries(queries):
            self.assertEqual(list(queryset.all()), rows)

    def assertSameAsSQL(self, queryset, sql, params=()):
        """Assert that a queryset has the rows of a handwritten statement."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows = [tuple(row) for row in cursor.fetchall()]
        self.assertRows(queryset, rows)


class TopicTestCase(JoinTestCase):
    """
    Topics A, B and C, and what two users recorded on them.

    | topic | johnny | may |
    |-------|--------|-----|
    | A     | 1      | 4   |
    | B     |        | 5   |
    | C     | 3      | 6   |
    """

    @classmethod
    def setUpTestData(cls):
        cls.johnny = User.objects.create(name="johnny")
        cls.may = User.objects.create(name="may")
        cls.a, cls.b, cls.c = [Topic.objects.create(name=name) for name in "ABC"]
        for user, topic, value in [
            (cls.johnny, cls.a, 1),
            (cls.johnny, cls.c, 3),
            (cls.may, cls.a, 4),
            (cls.may, cls.b, 5),
            (cls.may, cls.c, 6),
        ]:
            Record.objects.create(user=user, topic=topic, value=value)
