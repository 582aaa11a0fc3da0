"""
SQL that databases optimize wrongly.

On SQLite, an INNER JOIN whose condition has a constant loses the rows that a
later join adds, since the constant becomes a part of WHERE:

    a INNER JOIN b ON (1 = 0) RIGHT OUTER JOIN c ON ...

and a subquery with UNION ALL next to such a join is merged into the query,
where others then "reference tables to its right".

MariaDB moves conditions on groups into their subquery. There it takes the name
of a column for that of another one that is selected, too:

    SELECT a.x AS x, b.x AS y, MAX(...) AS z ... GROUP BY a.x, b.x

and compares a UUID that the groups depend on with that of another row:

    SELECT a.id AS id, a.uuid AS uuid, MAX(...) AS z ... GROUP BY a.id

A subquery and a LIMIT keep what is inside from what is outside.

SQLite before 3.47 returns rows in ascending order of a column in spite of DESC
if it leaves out a LEFT JOIN before the column's table since nothing refers to
it. So ORDER BY refers to it last.
"""

from django.db.models.expressions import Col
from django.db.models.joins.correlation import conjuncts
from django.db.models.joins.datastructures import (
    NEVER,
    SourceJoin,
    has_unmatched_rows,
)
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.structure import walk
from django.db.models.sql.constants import INNER, LOUTER
from django.db.models.sql.query import Query


def shield_condition(sql, join, query, connection):
    """
    Return the SQL of the ON condition of ``join`` in ``query``. Called by
    SourceJoin.join_as_sql().
    """
    if (
        join.join_type == INNER
        and _needs_shields(query, connection)
        and (sql == NEVER or _has_constants(join.condition))
    ):
        return f"(SELECT {sql})"
    return sql


def get_shield(source, query, connection):
    """
    Return what the SQL of ``source``, a query that ``query`` selects from, has
    to end with. Called by SourceJoin and DerivedTable.
    """
    if source.is_sliced:
        return ""
    features = connection.features
    if (
        (features.confuses_columns_of_groups and _confuses_columns(source))
        or (features.confuses_uuids_of_groups and _selects_dependent_uuid(source))
        or (_needs_shields(query, connection) and _combines_everything(source))
    ):
        return f" LIMIT {connection.ops.no_limit_value()}"
    return ""


def reference_joins(compiler, order_by):
    """
    Return what the ORDER BY clause has to end with: a column of each LEFT JOIN
    that nothing may refer to. Called by SQLCompiler.as_sql().
    """
    query = compiler.query
    if (
        not compiler.connection.features.loses_order_after_unused_joins
        or query.combinator
        or not any(term.descending for term, _ in order_by)
    ):
        return []
    selected = {
        column.alias for column, _, _ in compiler.select if isinstance(column, Col)
    }
    joins = [
        entry for alias, entry in query.alias_map.items() if query.alias_refcount[alias]
    ]
    return [
        compiler.compile(field.get_col(join.table_alias))[0]
        for join in joins[:-1]
        if join.join_type == LOUTER and join.table_alias not in selected
        for field in _joined_fields(join)[:1]
    ]


def _joined_fields(join):
    if isinstance(join, SourceJoin):
        return join.join_field.row_marker
    return [field for _, field in join.join_fields]


def _confuses_columns(source):
    """
    Return whether the query has groups by a column that is called like another
    thing that it selects.
    """
    selected = dict(selected_expressions(source))
    return source.group_by is not None and any(
        isinstance(expression, Col)
        and expression.target.column != name
        and expression.target.column in selected
        for name, expression in selected.items()
    )


def _selects_dependent_uuid(source):
    """
    Return whether the query selects a UUID that isn't a part of GROUP BY since
    the primary key of its table is.
    """
    if not isinstance(source.group_by, tuple):
        return False
    grouped = {
        expression.alias
        for expression in source.group_by
        if isinstance(expression, Col) and expression.target.primary_key
    }
    return any(
        isinstance(expression, Col)
        and expression.alias in grouped
        and not expression.target.primary_key
        and _is_uuid(expression.target)
        for _, expression in selected_expressions(source)
    )


def _is_uuid(field):
    while field.remote_field:
        field = field.target_field
    return field.get_internal_type() == "UUIDField"


def _needs_shields(query, connection):
    return connection.features.optimizes_right_joins_wrongly and has_unmatched_rows(
        query
    )


def _combines_everything(source):
    """Return whether a part of the query is a UNION ALL."""
    return any(isinstance(part, Query) and part.combinator_all for part in walk(source))


def _has_constants(condition):
    """Return whether a part of the condition refers to no column."""
    return any(
        not any(isinstance(part, Col) for part in walk(conjunct))
        for conjunct in conjuncts(condition)
    )
