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
    CombinedExpression,
    Combinable,
    Exists,
    ExpressionWrapper,
    Ref,
    Value,
    When,
)
from django.db.models.fields import BooleanField
from django.db.models.functions.comparison import Coalesce
from django.db.models.joins.datastructures import has_unmatched_rows
from django.db.models.lookups import Exact, IsNull, Lookup
from django.db.models.sql.constants import LOUTER
from django.utils.tree import Node

# Operators whose result is NULL for a NULL operand only.
STRICT_CONNECTORS = frozenset({Combinable.ADD, Combinable.SUB, Combinable.MUL})


def is_true(condition):
    """Return a condition that is false where ``condition`` is NULL."""
    return Exact(
        Case(
            When(condition, then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        ),
        True,
    )


def negatable(query, condition):
    """
    Return ``condition``, or what is false where it would be NULL. Called by
    Query.build_filter() for a condition that will be negated.
    """
    return is_true(condition) if may_be_null(query, condition) else condition


def may_be_null(query, value):
    """
    Return whether a resolved expression of ``query``, a lookup, or a plain
    value can be NULL. An expression that isn't known can.
    """
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
            return not value.select or any(
                may_be_null(value, expression)
                for expression in [*value.select, *value.annotation_select.values()]
            )
        case Lookup():
            operands = [value.lhs, value.rhs]
        case Node():
            operands = value.children
        case CombinedExpression() | ExpressionWrapper() | Ref():
            operands = value.get_source_expressions()
        case list() | tuple() | set() | frozenset():
            operands = value
        case _:
            return hasattr(value, "resolve_expression")
    return any(may_be_null(query, operand) for operand in operands)


def is_nullable_column(query, column):
    """Return whether a column of a field or of an outer join can be NULL."""
    return query.is_nullable(column.target) or is_nullable_entry(query, column.alias)


def is_nullable_entry(query, alias):
    """
    Return whether the columns of an entry of the query's FROM clause can be
    NULL because no row matches, or could be if a later filter promotes a join.
    """
    if query._filtered_relations and has_unmatched_rows(query):
        return True
    while (entry := query.alias_map.get(alias)) is not None:
        if entry.join_type == LOUTER or getattr(entry, "nullable", False):
            return True
        alias = entry.parent_alias
    return False
