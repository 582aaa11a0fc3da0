"""
Structural equality of queries and expressions.

Two joins mean the same if they were asked for in the same way: a builder
called twice, an unpickled copy. Expressions compare by their constructor's
arguments and queries by identity, so neither answers that.
"""

import copy
from collections.abc import Mapping

from django.db import models
from django.db.models.expressions import (
    BaseExpression,
    Col,
    F,
    OuterRef,
    ResolvedOuterRef,
)
from django.db.models.fields import Field
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.lookups import Lookup
from django.db.models.query_utils import FilteredRelation
from django.db.models.sql.datastructures import BaseTable, Join
from django.utils.tree import Node

# State that grows by using a query or holds cached values.
VOLATILE = frozenset(
    {
        "_annotation_select_cache",
        "_constructor_args",
        "_extra_select_cache",
        "_lookup_joins",
        "alias_refcount",
        "base_table",
        "contains_aggregate",
        "contains_column_references",
        "contains_over_clause",
        "contains_subquery",
        "convert_value",
        "external_aliases",
        "identity",
        "output_field",
        "subq_aliases",
        "table_map",
        "used_aliases",
    }
)


# The types of what has nothing in it: most of what there is.
LEAVES = frozenset({Col, bool, int, str, type(None)})


def same_structure(left, right):
    """Return whether two values, expressions or queries were built alike."""
    # Avoid circular imports.
    from django.db.models.query import QuerySet

    if left is right:
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, QuerySet):
        return same_structure(left.query, right.query)
    if isinstance(left, Field | ForeignObjectRel):
        # Columns of one join have models of their own, called like the join.
        labels = [field.model._meta.label for field in (left, right)]
        return left.name == right.name and labels[0] == labels[1]
    if isinstance(left, Col):
        return left.alias == right.alias and same_structure(left.target, right.target)
    if type(left) is FilteredRelation:
        return left.relation_name == right.relation_name and same_structure(
            left.condition, right.condition
        )
    if isinstance(left, BaseExpression | F | Node | BaseTable | Join):
        return same_structure(_state(left), _state(right))
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(
            same_structure(value, right[key]) for key, value in left.items()
        )
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same_structure, left, right))
    return bool(left == right)


def outer_references(parts):
    """Return the references to outer queries among what walk() yielded."""
    return [part for part in parts if isinstance(part, (OuterRef, ResolvedOuterRef))]


def refers_outside(expression):
    """
    Return whether an expression or a query, or a subquery in it, refers to the
    query that it will be a part of.
    """
    return any(isinstance(part, ResolvedOuterRef) for part in walk(expression))


def walk(expression):
    """Yield an expression or a query and everything in it."""
    stack = [expression]
    while stack:
        expression = stack.pop()
        yield expression
        if type(expression) in LEAVES:
            continue
        if isinstance(expression, models.sql.Query):
            children = [
                *expression.select,
                *expression.annotations.values(),
                expression.where,
                *expression.order_by,
                *expression.combined_queries,
            ]
            for entry in expression.alias_map.values():
                if type(entry) is BaseTable:
                    continue
                children.append(entry)
                if entry.filtered_relation:
                    children.append(entry.filtered_relation.resolved_condition)
        elif isinstance(expression, Lookup):
            children = [expression.lhs, expression.rhs]
        elif hasattr(expression, "get_source_expressions"):
            children = expression.get_source_expressions()
        elif isinstance(expression, (list, tuple)):
            children = expression
        elif isinstance(expression, Node):
            # A Q() that isn't resolved yet.
            children = expression.children
        elif isinstance(expression, models.QuerySet):
            children = [expression.query]
        else:
            continue
        stack.extend(reversed(children))


def name_tables(query, parts):
    """
    Add the tables of the queries among what walk() yielded to the table map of
    ``query``, without an alias: packages that cache rows look there for the
    tables to watch.
    """
    for part in parts:
        if not isinstance(part, models.sql.Query):
            continue
        if part.model:
            query.table_map.setdefault(part.get_meta().db_table, [])
        for alias, entry in part.alias_map.items():
            if part.alias_refcount.get(alias):
                query.table_map.setdefault(entry.table_name, [])


def unshare_lookups(where):
    """
    Replace the lookups of a WhereNode that resolving would change by copies.
    Called by Query.resolve_expression().
    """
    for position, child in enumerate(where.children):
        if isinstance(child, Lookup):
            if type(child.lhs) is not Col or not isinstance(child.rhs, (str, int, Col)):
                where.children[position] = copy.copy(child)
        elif isinstance(child, Node):
            unshare_lookups(child)


def _state(obj):
    return {key: value for key, value in vars(obj).items() if key not in VOLATILE}
