"""
The expressions in the joins of a query: what Query resolves, relabels, and
asks for references to other queries along with its own.
"""

from django.db.models.expressions import Col
from django.db.models.joins.datastructures import OWN_ENTRIES
from django.db.models.joins.structure import refers_outside, walk


def resolve_joins(query, outer_query, *args, **kwargs):
    """
    Resolve references to ``outer_query`` in the joins and in the ordering of
    ``query``. Called by Query.resolve_expression().
    """
    if query.order_by:
        query.order_by = tuple(
            (
                term.resolve_expression(outer_query, *args, **kwargs)
                if not isinstance(term, str) and refers_outside(term)
                else term
            )
            for term in query.order_by
        )
    if not query._filtered_relations:
        return
    for alias, entry in query.alias_map.items():
        if isinstance(entry, OWN_ENTRIES):
            query.alias_map[alias] = entry.resolve_expression(
                outer_query, *args, **kwargs
            )
        elif condition := _filtering_condition(entry):
            query.alias_map[alias] = clone = entry.relabeled_clone({})
            clone.filtered_relation.resolved_condition = condition.resolve_expression(
                outer_query, *args, **kwargs
            )


def relabel_joins(query, change_map):
    """
    Relabel what the joins of ``query`` refer to, if they weren't relabeled
    themselves, and what of its ordering is resolved. Called by
    Query.change_aliases().
    """
    if query.order_by:
        query.order_by = tuple(
            (
                term.relabeled_clone(change_map)
                if not isinstance(term, str)
                and any(isinstance(part, Col) for part in walk(term))
                else term
            )
            for term in query.order_by
        )
    if not query._filtered_relations:
        return
    relabeled = set(change_map.values())
    for alias, entry in query.alias_map.items():
        if alias not in relabeled and (
            isinstance(entry, OWN_ENTRIES) or _filtering_condition(entry)
        ):
            query.alias_map[alias] = entry.relabeled_clone(change_map)


def get_join_expressions(query):
    """
    Yield the expressions in the joins of ``query``. Called by
    Query.get_external_cols().
    """
    if not query._filtered_relations:
        return
    for entry in query.alias_map.values():
        if isinstance(entry, OWN_ENTRIES):
            yield from entry.get_source_expressions()
        elif condition := _filtering_condition(entry):
            yield condition


def _filtering_condition(entry):
    """Return the resolved condition of a FilteredRelation along a relation."""
    return entry.filtered_relation and entry.filtered_relation.resolved_condition
