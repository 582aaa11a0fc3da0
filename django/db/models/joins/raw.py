"""
Raw SQL as the source of a join.
"""

import re
from collections.abc import Mapping

from django.db.models.joins.columns import (
    ModelRowOptions,
    project_field,
    project_primary_key,
)
from django.db.models.joins.sources import JoinSource
from django.db.models.sql.query import Query

# An escaped percent sign, which stays, or a placeholder with a name.
NAMED_PLACEHOLDER = re.compile(r"%%|%\((\w+)\)s")


class RawRows(Query):
    """The SQL of Model.objects.raw() as a query."""

    def __init__(self, model, sql, params):
        super().__init__(model)
        self.sql = sql
        self.params = params

    def get_compiler(self, using=None, connection=None, elide_empty=True):
        return RawCompiler(self, connection)


class RawCompiler:
    def __init__(self, query, connection):
        self.query = query
        self.connection = connection

    def as_sql(self):
        # The type that a parameter will be compared with is unknown.
        adapt = self.connection.ops.adapt_unknown_value
        return self.query.sql, [adapt(param) for param in self.query.params]


class RawSource(JoinSource):
    """
    The rows of a raw queryset. ``columns`` maps the model's columns to those
    that have another name in the SQL.
    """

    def __init__(self, model, query, columns, db):
        super().__init__(model, query, db=db)
        self.columns = columns

    @classmethod
    def create(cls, raw):
        sql, params = _positional(raw.raw_query, raw.params)
        # A semicolon would end the statement.
        query = RawRows(raw.model, sql.rstrip().rstrip(";"), params)
        columns = {name: column for column, name in raw.translations.items()}
        return cls(raw.model, query, columns, raw._db)

    def __eq__(self, other):
        if not isinstance(other, RawSource):
            return NotImplemented
        return super().__eq__(other) and self.columns == other.columns

    __hash__ = JoinSource.__hash__

    def project(self, rows, alias):
        meta = self.model._meta
        options = ModelRowOptions(alias, meta)
        for field in meta.concrete_fields:
            column = self.columns.get(field.name, field.column)
            projected = project_field(
                field, field.name, meta.concrete_model, column, field.attname
            )
            options.add_column(projected, field.name, field.attname)
        return options, [project_primary_key(options, meta.concrete_model)]


def _positional(sql, params):
    """Return SQL with placeholders without names and a list of parameters."""
    if params is None:
        return sql.replace("%", "%%"), []
    if not isinstance(params, Mapping):
        return sql, list(params)
    positional = []

    def replace(match):
        if match[1] is None:
            return match[0]
        positional.append(params[match[1]])
        return "%s"

    return NAMED_PLACEHOLDER.sub(replace, sql), positional
