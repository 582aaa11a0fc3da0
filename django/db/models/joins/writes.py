"""
Writing to the rows of a query with joins.

UPDATE names one table. The joins go to a subquery that selects which of its
rows to write to and, for values that refer to a join, what to write:

    UPDATE topic SET x = (
        SELECT value FROM (SELECT DISTINCT id AS key, mine.y AS value FROM ...)
        WHERE key = topic.id
    ) WHERE id IN (SELECT key FROM (SELECT DISTINCT id AS key FROM ...))

The innermost queries don't depend on the row that is written to, nor can they
be merged into the outer ones. So MySQL accepts that they read the table, and
they read it as it was before: databases do so anyway, except for SQLite. The
subquery that Django writes for DELETE with joins needs none of this.
"""

from itertools import chain

from django.core.exceptions import FieldError, MultipleObjectsReturned
from django.db import connections
from django.db.models.aggregates import Count
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import ColPairs, F, OuterRef, Subquery
from django.db.models.joins.datastructures import DerivedTable, has_unmatched_rows
from django.db.models.joins.sources import select_annotation
from django.db.models.lookups import Exact, IsNull
from django.db.models.query_utils import Q


class JoinedValue(Subquery):
    """
    The value that the joined rows have for the row that is written to.

    ``rows`` is a query of the values of all fields, by ``keys`` that refer to
    the row.
    """

    def __init__(self, rows, name, keys):
        query = rows.clone()
        query.set_annotation_mask([name])
        for key, attname in keys.items():
            query.add_q(Q(Exact(F(key), OuterRef(attname))))
        super().__init__(query)
        self.rows = rows
        self.keys = keys


class ValuesTable(DerivedTable):
    """
    The values for all rows, from before the first of them is written.
    """

    def as_sqlite(self, compiler, connection):
        # SQLite may evaluate a subquery anew for each row, which would read
        # the rows that have been written already.
        sql, params = self.as_sql(compiler, connection)
        rows = compiler.quote_name(f"{LOOKUP_SEP}rows")
        alias = compiler.quote_name(self.table_alias)
        return (
            f"(WITH {rows} AS MATERIALIZED (SELECT * FROM {sql}) "
            f"SELECT * FROM {rows}) {alias}",
            params,
        )


def locked_relations(query, using):
    """
    Return what update_or_create() locks: of a query with joins only the rows
    of the model, since PostgreSQL can't lock what an outer join returns.
    Called by QuerySet.update_or_create().
    """
    if query.has_joins and connections[using].features.has_select_for_update_of:
        return ("self",)
    return ()


def select_keys(query):
    """
    Return a query of the primary keys of the rows to write to. Called by
    SQLUpdateCompiler.pre_sql_setup().
    """
    if not query.has_joins:
        return query
    names = [field.attname for field in query.get_meta().pk_fields]
    keys = _columns("key", names)
    rows = _select_distinct(query, dict(zip(keys, map(F, names))))
    rows.set_annotation_mask(keys)
    return rows


def get_update_values(query, values):
    """
    Return ``values`` by field name with a subquery in place of each that
    refers to a join. Called by UpdateQuery.add_update_values().

    Raise FieldError for a value that rows can't be updated with.
    """
    if not query.has_joins:
        return values
    # UPDATE ... ORDER BY doesn't know the joins.
    query.clear_ordering(force=True)
    scratch = query.clone()
    expressions = {}
    for name, value in values.items():
        if hasattr(value, "resolve_expression"):
            resolved = value.resolve_expression(scratch, allow_joins=True)
            if _refers_to_join(scratch, resolved):
                _check_value(query, name, resolved)
                expressions[name] = value
    if not expressions:
        return values
    target = _get_target(query, values)
    keys, rows = _select_values(query, target, expressions)
    return values | {
        name: JoinedValue(rows, column, keys)
        for name, column in zip(expressions, _columns("value", expressions))
    }


def check_update_values(queryset, query):
    """
    Raise MultipleObjectsReturned if several joined rows have different values
    for one row that ``query`` updates. Called by QuerySet.update(), before
    anything is written.

    The values of a row are compared all at once, for a mixture of several
    joined rows would be nobody's.
    """
    if not query.has_joins:
        return
    # Avoid circular imports.
    from django.db.models.query import QuerySet

    updates = chain(query.values, *query.related_updates.values())
    values = (value for *_, value in updates if isinstance(value, JoinedValue))
    if (value := next(values, None)) is None:
        return
    ambiguous = (
        QuerySet(value.rows.model, query=value.rows.clone(), using=queryset.db)
        .values_list(*value.keys)
        .alias(__rows=Count("*"))
        .filter(__rows__gt=1)
    )
    for key in ambiguous[:1]:
        raise MultipleObjectsReturned(
            f"update() can't tell which of several joined rows to take the values for "
            f"the {query.get_meta().label} {', '.join(map(str, key))} from. Join one "
            "row at most, for example an aggregate or the first by some order."
        )


def delete_base_rows_only(query):
    """
    Leave out the rows that only a RIGHT or a FULL join returns. Called by
    QuerySet.delete().
    """
    if has_unmatched_rows(query):
        query.add_filter(f"{query.get_meta().pk_fields[0].attname}__isnull", False)


def _refers_to_join(query, expression):
    """
    Return whether an expression is computed from joined rows, or by a subquery
    in place of the table.
    """
    return any(
        _is_joined_column(query, column)
        for column in query._gen_cols([expression], include_external=True)
    )


def _is_joined_column(query, column):
    alias = column.alias
    while (entry := query.alias_map.get(alias)) is not None:
        if isinstance(entry, DerivedTable):
            return column.target not in query.get_meta().concrete_fields
        if entry.filtered_relation:
            return query._filtered_relations[entry.filtered_relation.alias].joined
        alias = entry.parent_alias
    return False


def _check_value(query, name, value):
    if value.contains_aggregate or value.contains_over_clause:
        raise FieldError(
            f"{name!r} can't be updated with an aggregate or a window function over "
            "joined rows. Join a queryset that selects it as a column instead."
        )
    if isinstance(value, ColPairs):
        raise FieldError(
            f"{name!r} can't be updated with a composite primary key. Refer to one of "
            "its fields."
        )
    if query.group_by is not None:
        raise FieldError(
            f"{name!r} can't be updated with a value of joined rows that are grouped. "
            "Join a queryset that selects the aggregates as columns instead."
        )


def _get_target(query, values):
    """Return the model whose table is updated."""
    meta = query.get_meta()
    models = {meta.get_field(name).model._meta.concrete_model for name in values}
    if len(models) > 1:
        labels = ", ".join(sorted(model._meta.label for model in models))
        raise FieldError(
            "update() can't take values from a join for the fields of several models "
            f"at once, as they are in several tables: {labels}. Update each by itself."
        )
    return models.pop()


def _select_values(query, target, expressions):
    """
    Return the columns that refer to a row of ``target``, each with the name of
    the field, and a query that selects them and the values of ``expressions``.
    """
    meta = query.get_meta()
    path = []
    if target is not meta.concrete_model:
        path = [step.join_field.name for step in meta.get_path_to_parent(target)]
    names = [field.attname for field in target._meta.pk_fields]
    keys = dict(zip(_columns("key", names), names))
    columns = {key: F(LOOKUP_SEP.join([*path, name])) for key, name in keys.items()}
    columns |= zip(_columns("value", expressions), expressions.values())
    rows = _select_distinct(query, columns)
    base = rows.alias_map[rows.base_table]
    rows.alias_map[base.table_alias] = ValuesTable(
        base.query, base.table_name, base.table_alias
    )
    for key in keys:
        rows.add_q(Q(IsNull(F(key), False)))
    return keys, rows


def _select_distinct(query, columns):
    """
    Return a query of the distinct values that ``query`` has for ``columns``,
    expressions by name, in a subquery.
    """
    # Avoid circular imports.
    from django.db.models.joins.pushdown import push_down
    from django.db.models.sql.query import Query

    inner = query.chain(klass=Query)
    inner.clear_ordering(force=True)
    inner.clear_select_clause()
    inner.select_for_update = False
    inner.distinct = True
    inner.selected = {}
    for name, expression in columns.items():
        select_annotation(inner, name, expression)
    return push_down(inner)


def _columns(name, items):
    """Return a name for each item that no field or annotation has."""
    return [f"{LOOKUP_SEP}{name}{number}" for number in range(len(items))]
