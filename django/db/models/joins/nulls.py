"""
Negation in two-valued logic.

exclude() returns the rows that filter() doesn't. In SQL a comparison with NULL
is neither true nor false and neither is its negation, so a negated condition
has to say what becomes of NULL.
"""

from django.db.models.aggregates import Count
from django.db.models.expressions import (
    Case,
    Col,
    Combinable,
    CombinedExpression,
    Exists,
    ExpressionWrapper,
    Ref,
    ResolvedOuterRef,
    Value,
    When,
)
from django.db.models.fields import BooleanField
from django.db.models.functions.comparison import Cast, Coalesce
from django.db.models.joins.datastructures import has_unmatched_rows
from django.db.models.joins.structure import walk
from django.db.models.lookups import Exact, In, IsNull, Lookup, Transform
from django.utils.tree import Node

# Operators whose result is NULL for a NULL operand only.
STRICT_CONNECTORS = frozenset({Combinable.ADD, Combinable.SUB, Combinable.MUL})


class NullSafeExact(Lookup):
    """Equality that NULL has with NULL."""

    operator = "IS NOT DISTINCT FROM"

    def as_sql(self, compiler, connection):
        lhs_sql, lhs_params = self.process_lhs(compiler, connection)
        rhs_sql, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs_sql} {self.operator} {rhs_sql}", (*lhs_params, *rhs_params)

    def as_mysql(self, compiler, connection):
        clone = self.copy()
        clone.operator = "<=>"
        return clone.as_sql(compiler, connection)

    def as_sqlite(self, compiler, connection):
        clone = self.copy()
        clone.operator = "IS"
        return clone.as_sql(compiler, connection)


class Decision(Case):
    """
    A Case() of conditions in HAVING, where MySQL doesn't recognize one that it
    groups by: its columns are what it groups by.
    """

    def get_group_by_cols(self):
        return [
            column
            for source in self.get_source_expressions()
            for column in source.get_group_by_cols()
        ]


def is_true(condition):
    """Return a condition that is false where ``condition`` is NULL."""
    # Case() casts a Value() that is all that is left, but MySQL has no such
    # type.
    true, false = [
        ExpressionWrapper(Value(value), output_field=BooleanField())
        for value in (True, False)
    ]
    return Exact(
        Decision(
            When(condition, then=true), default=false, output_field=BooleanField()
        ),
        True,
    )


def negatable(query, condition):
    """
    Return ``condition``, or what is false where it would be NULL. Called by
    Query.build_filter() for a condition that will be negated.
    """
    if concerns_joins(query, condition) and may_be_null(query, condition):
        return is_true(condition)
    return condition


def concerns_joins(query, expression):
    """
    Return whether an expression refers to another entry of FROM than the base
    or to an outer query, or may as it is one of a query that joins under an
    alias. Conditions that concern the base alone are left to Django.
    """
    return bool(query._filtered_relations) or any(
        isinstance(part, ResolvedOuterRef)
        or isinstance(part, Col)
        and part.alias in query.alias_map
        and part.alias != query.base_table
        for part in walk(expression)
    )


def needs_all_columns(value, lookups):
    """
    Return whether a comparison with ``value`` can only be true if none of the
    columns in it is NULL, so that a join for one may be an INNER JOIN. Called
    by Query.build_filter().
    """
    match value:
        case list() | tuple():
            return lookups[-1:] == ["range"] and all(
                needs_all_columns(item, ()) for item in value
            )
        case Col() | Value():
            return True
        case CombinedExpression() | ExpressionWrapper() | Cast() | Transform():
            return all(
                needs_all_columns(source, ())
                for source in value.get_source_expressions()
            )
        case _:
            return not hasattr(value, "resolve_expression")


def may_be_null(query, value):
    """
    Return whether a resolved expression of ``query``, a lookup, or a plain
    value can be NULL. An expression that isn't known can.
    """
    if isinstance(value, str | int):
        return False
    from django.db.models.sql.query import Query

    match value:
        case Col():
            return is_nullable_column(query, value)
        case IsNull() | Exists() | Count():
            return False
        case Value():
            return value.value is None
        case Coalesce():
            return all(
                may_be_null(query, source) for source in value.get_source_expressions()
            )
        case Case():
            return any(
                may_be_null(query, result)
                for result in [*(case.result for case in value.cases), value.default]
            )
        case CombinedExpression() if value.connector not in STRICT_CONNECTORS:
            return True
        case Query():
            # As a scalar, a query without rows is NULL.
            return True
        case Lookup():
            return may_be_null(query, value.lhs) or compares_with_null(query, value)
        case Node():
            operands = value.children
        case CombinedExpression() | ExpressionWrapper() | Ref():
            operands = value.get_source_expressions()
        case list() | tuple() | set() | frozenset():
            operands = value
        case _:
            return hasattr(value, "resolve_expression")
    return any(may_be_null(query, operand) for operand in operands)


def compares_with_null(query, lookup):
    """
    Return whether the right-hand side of a lookup can be, or have, NULL.
    Called by Query.build_filter().
    """
    from django.db.models.sql.query import Query

    if isinstance(lookup, In) and isinstance(lookup.rhs, Query):
        return _may_select_null(lookup.rhs)
    return may_be_null(query, lookup.rhs)


def _may_select_null(query):
    if query.combined_queries:
        return any(map(_may_select_null, query.combined_queries))
    if query.extra_select or not query.has_select_fields:
        return True
    return any(
        may_be_null(query, expression)
        for expression in [*query.select, *query.annotation_select.values()]
    )


def is_nullable_column(query, column):
    """Return whether a column of a field or of an outer join can be NULL."""
    return query.is_nullable(column.target) or is_nullable_entry(query, column.alias)


def is_nullable_entry(query, alias):
    """
    Return whether the columns of an entry of the query's FROM clause can be
    NULL because no row matches, or could be if a later filter promotes a join.
    """
    if has_unmatched_rows(query):
        return True
    while (entry := query.alias_map.get(alias)) is not None:
        if getattr(entry, "nullable", False):
            return True
        alias = entry.parent_alias
    return False
