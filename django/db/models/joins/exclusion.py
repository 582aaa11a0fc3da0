"""
exclude() along a relation to many of the joined rows.
"""

from django.db import NotSupportedError, models
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import (
    Combinable,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    ResolvedOuterRef,
)
from django.db.models.joins.substitution import map_outer_references
from django.db.models.lookups import Lookup
from django.db.models.query_utils import Q


def is_beyond_join(names_with_path):
    """
    Return whether a lookup path starts with a join that is part of the query.
    Called by Query.split_exclude().
    """
    return any(
        step.filtered_relation and step.filtered_relation.joined
        for _, path in names_with_path
        for step in path
    )


def exclude_beyond_join(query, filter_expr, names_with_path):
    """
    Build the negated condition that no row related to the joined row matches.

    The joined row is a row of the query, so only what is beyond it goes to the
    subquery, which starts at the last model before the relation to many:

        NOT EXISTS(SELECT 1 FROM b WHERE b.id = alias.b_id AND b.to_many...)
    """
    lookup, value = filter_expr
    prefix = [name for name, _ in names_with_path[:-1]]
    path = LOOKUP_SEP.join(prefix)
    model = names_with_path[-2][1][-1].to_opts.model
    rest = lookup.split(LOOKUP_SEP)[len(prefix) :]
    related = model._base_manager.filter(
        **{LOOKUP_SEP.join(rest): outer_references(query, value)},
        pk=OuterRef(f"{path}{LOOKUP_SEP}pk"),
    )
    condition = Q(Exists(related))
    if value is None or (rest[-1] == "isnull" and value):
        # Nothing is related to nothing.
        condition |= Q((f"{path}{LOOKUP_SEP}isnull", True))
    return query.build_filter(condition)


def outer_references(query, value):
    """
    Return ``value`` with its references to ``query`` one query further out.
    """
    if isinstance(value, OuterRef):
        return OuterRef(value)
    if isinstance(value, F):
        return OuterRef(value.name)
    if isinstance(value, models.QuerySet | models.sql.Query):
        return _map_subquery(value, _one_query_further_out)
    if isinstance(value, list | tuple):
        return type(value)(outer_references(query, item) for item in value)
    if isinstance(value, Q):
        raise NotSupportedError(
            "exclude() can't compare what is related to a joined row with a value that "
            "depends on a condition. annotate() the value and compare with the "
            "annotation."
        )
    if isinstance(value, Lookup):
        value = value.copy()
        value.lhs = _typed(query, value.lhs, outer_references(query, value.lhs))
        value.rhs = _typed(query, value.rhs, outer_references(query, value.rhs))
    elif hasattr(value, "get_source_expressions"):
        value = value.copy()
        value.set_source_expressions(
            [
                _typed(query, source, outer_references(query, source))
                for source in value.get_source_expressions()
            ]
        )
    return value


def _typed(query, value, reference):
    """Return ``reference`` with the type of ``value`` if functions need it."""
    if isinstance(value, F) and not isinstance(value, OuterRef):
        field = value.resolve_expression(query.clone()).output_field
        return ExpressionWrapper(reference, output_field=field)
    return reference


def outer_joined_references(query, value):
    """
    Return ``value`` with its references to joins of ``query`` one query
    further out: a subquery has none of them. Called by Query.split_exclude().
    """
    if not query.has_joins:
        return value
    if isinstance(value, F) and not isinstance(value, OuterRef):
        return OuterRef(value.name) if _is_along_join(query, value) else value
    if isinstance(value, models.QuerySet | models.sql.Query):

        def replace(reference):
            if isinstance(reference, OuterRef) or not _is_along_join(query, reference):
                return reference
            return _one_query_further_out(reference)

        return _map_subquery(value, replace)
    if isinstance(value, list | tuple):
        return type(value)(outer_joined_references(query, item) for item in value)
    if isinstance(value, Combinable | Lookup):
        value = value.copy()
        value.set_source_expressions(
            [
                outer_joined_references(query, source)
                for source in value.get_source_expressions()
            ]
        )
    return value


def _is_along_join(query, reference):
    relation = query._filtered_relations.get(reference.name.split(LOOKUP_SEP)[0])
    return relation is not None and relation.joined


def _one_query_further_out(reference):
    if isinstance(reference, ResolvedOuterRef):
        return OuterRef(reference.name)
    return OuterRef(reference)


def _map_subquery(value, replace):
    """Return a queryset or a query with other references to outer queries."""
    if isinstance(value, models.sql.Query):
        return map_outer_references(value, replace)
    clone = value.all()
    clone.query = map_outer_references(value.query, replace)
    return clone
