"""
Copies of expressions and queries with some of their parts exchanged.
"""

from functools import partial

from django.db.models.expressions import Col, ColPairs, OuterRef, ResolvedOuterRef
from django.db.models.joins.datastructures import DerivedTable, SourceJoin
from django.db.models.lookups import Lookup
from django.db.models.sql.where import WhereNode


def substitute(expression, replace):
    """
    Return a copy of a resolved expression with the parts exchanged for which
    ``replace`` returns something. In subqueries only columns are, and only
    those of other queries: an entry hides one around it that has its alias.
    """
    from django.db.models.sql.query import Query

    if (replacement := replace(expression)) is not None:
        return replacement
    recurse = partial(substitute, replace=replace)
    if isinstance(expression, Query):
        return map_query(
            expression,
            partial(
                _substitute_columns, replace=replace, hidden=expression.alias_map.keys()
            ),
        )
    return _map_parts(expression, recurse)


def _substitute_columns(expression, replace, hidden):
    def replace_column(part):
        if isinstance(part, Col) and part.alias not in hidden:
            return replace(part)

    return substitute(expression, replace_column)


def map_outer_references(expression, replace):
    """
    Return a copy of an expression or a query of which each reference to an
    outer query is what ``replace`` returns for it.
    """
    from django.db.models.sql.query import Query

    recurse = partial(map_outer_references, replace=replace)
    if isinstance(expression, Query):
        return map_query(expression, recurse)
    if isinstance(expression, OuterRef | ResolvedOuterRef):
        return replace(expression)
    return _map_parts(expression, recurse)


def map_query(query, recurse):
    """Return a clone of ``query`` with all that is in it mapped."""
    clone = query.clone()
    clone.where = recurse(clone.where)
    clone.select = recurse(clone.select)
    clone.order_by = recurse(clone.order_by)
    clone.combined_queries = recurse(clone.combined_queries)
    clone.annotations = {
        name: recurse(annotation) for name, annotation in clone.annotations.items()
    }
    clone._annotation_select_cache = None
    if isinstance(clone.group_by, tuple):
        clone.group_by = recurse(clone.group_by)
    clone.alias_map = {
        alias: map_entry(entry, recurse) for alias, entry in clone.alias_map.items()
    }
    return clone


def map_entry(entry, recurse):
    """Return an entry of FROM with all that is in it mapped."""
    if isinstance(entry, SourceJoin):
        return entry.copy(
            query=recurse(entry.query), condition=recurse(entry.condition)
        )
    if isinstance(entry, DerivedTable):
        return DerivedTable(recurse(entry.query), entry.table_name, entry.table_alias)
    if entry.filtered_relation:
        entry = entry.relabeled_clone({})
        relation = entry.filtered_relation
        relation.resolved_condition = recurse(relation.resolved_condition)
    return entry


def _map_parts(expression, recurse):
    if isinstance(expression, list | tuple):
        return type(expression)(map(recurse, expression))
    if isinstance(expression, WhereNode):
        return WhereNode(
            list(map(recurse, expression.children)),
            expression.connector,
            expression.negated,
        )
    if not hasattr(expression, "get_source_expressions"):
        return expression
    if isinstance(expression, ColPairs):
        columns = list(map(recurse, expression))
        return ColPairs(
            columns[0].alias,
            [column.target for column in columns],
            [column.field for column in columns],
            expression.field,
        )
    clone = expression.copy()
    if isinstance(clone, Lookup):
        clone.lhs, clone.rhs = recurse(clone.lhs), recurse(clone.rhs)
    elif sources := clone.get_source_expressions():
        clone.set_source_expressions(list(map(recurse, sources)))
    return clone
