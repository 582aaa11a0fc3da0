"""
Projected columns that hold a value from inside of a JSON document.

They are JSONFields with lookups of their own, not a subclass: packages look at
each subclass of Field.
"""

from functools import partial

from django.db.models.expressions import Func
from django.db.models.fields import TextField
from django.db.models.fields.json import JSONField, JSONIn, KeyTransform
from django.db.models.lookups import In

JSON_LOOKUPS = frozenset({"exact", "lt", "lte", "gt", "gte"})
TEXT_LOOKUPS = KeyTransform.get_class_lookups().keys() - JSON_LOOKUPS - {"in", "isnull"}


class JSONText(Func):
    """The text of a string that is a JSON document on its own."""

    output_field = TextField()

    def as_postgresql(self, compiler, connection):
        return self.as_sql(compiler, connection, template="(%(expressions)s #>> '{}')")

    def as_mysql(self, compiler, connection):
        # JSON has a collation that doesn't ignore case.
        return self.as_sql(
            compiler,
            connection,
            template="CAST(JSON_UNQUOTE(%(expressions)s) AS CHAR)",
        )

    def as_oracle(self, compiler, connection):
        return self.as_sql(
            compiler, connection, template="JSON_VALUE(%(expressions)s, '$')"
        )

    def as_sqlite(self, compiler, connection):
        return self.as_sql(compiler, connection, template="%(expressions)s")


def text_lookup(lookup_name, lhs, rhs):
    return TextField().get_lookup(lookup_name)(JSONText(lhs), rhs)


class JSONKeyIn(JSONIn):
    def process_lhs(self, compiler, connection):
        # SQLite has extracted the value already.
        return In.process_lhs(self, compiler, connection)


def get_key_lookup(lookup_name):
    """
    Field.get_lookup() for a column that selects a KeyTransform(): the lookups
    of that.

    Databases return a string with or without quotes.
    """
    if lookup_name in TEXT_LOOKUPS:
        return partial(text_lookup, lookup_name)
    if lookup_name in JSON_LOOKUPS:
        return KeyTransform.get_class_lookups()[lookup_name]
    if lookup_name == "in":
        return JSONKeyIn
    return JSONField().get_lookup(lookup_name)


def json_key_field(encoder):
    field = JSONField(encoder=encoder)
    field.get_lookup = get_key_lookup
    return field
