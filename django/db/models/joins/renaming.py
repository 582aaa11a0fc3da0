"""
Renaming of the paths in the condition of a FilteredRelation.

The condition is written along the relation, Q(book__title="A"), and resolved
along the alias that the join has.
"""

import copy

from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import F, OuterRef, ResolvedOuterRef
from django.db.models.joins.substitution import map_outer_references


def rename_path(prefix, replacement, path):
    """Return ``path`` with ``replacement`` if it starts with ``prefix``."""
    if path == prefix:
        return replacement
    if path.startswith(prefix + LOOKUP_SEP):
        return replacement + path.removeprefix(prefix)
    return path


def is_own_reference(expression):
    """
    Return whether an expression refers to a path of the query that the
    condition is a part of. Called by get_paths_from_expression().
    """
    return isinstance(expression, F) and not isinstance(expression, OuterRef)


def rename_reference(prefix, replacement, reference):
    """
    Return an F() along ``replacement`` if it is along ``prefix``; an outer
    query has neither. Called by get_child_with_renamed_prefix().
    """
    if not is_own_reference(reference):
        return reference
    reference = reference.copy()
    reference.name = rename_path(prefix, replacement, reference.name)
    return reference


def rename_value(rename, value):
    """
    Return the right side of a lookup with ``rename`` applied to the
    expressions in it. Called by get_child_with_renamed_prefix().
    """
    if hasattr(value, "resolve_expression"):
        return rename(value)
    if isinstance(value, list | tuple) and any(
        hasattr(item, "resolve_expression") for item in value
    ):
        return [rename_value(rename, item) for item in value]
    return value


def rename_lookup(rename, lookup):
    """
    Return a copy of a lookup that is an expression with ``rename`` applied to
    both sides. Called by get_child_with_renamed_prefix().
    """
    lookup = copy.copy(lookup)
    lookup.lhs, lookup.rhs = [
        rename_value(rename, side) for side in (lookup.lhs, lookup.rhs)
    ]
    return lookup


def rename_outer_references(prefix, replacement, query):
    """
    Return a clone of a subquery whose references to the outer query along
    ``prefix`` are along ``replacement``. Called by
    get_child_with_renamed_prefix().
    """

    def rename(reference):
        if isinstance(reference, ResolvedOuterRef):
            return ResolvedOuterRef(rename_path(prefix, replacement, reference.name))
        return reference

    return map_outer_references(query, rename)
