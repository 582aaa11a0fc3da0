"""
What a subquery says about the query around it.
"""

from functools import partial

from django.core.exceptions import FieldError
from django.db.models.aggregates import Aggregate
from django.db.models.expressions import Col, Window
from django.db.models.fields import CharField, TextField
from django.db.models.fields.related_lookups import RelatedExact
from django.db.models.functions.comparison import Collate
from django.db.models.joins.structure import walk
from django.db.models.joins.substitution import substitute
from django.db.models.lookups import Exact, IntegerFieldExact, YearExact
from django.db.models.sql.where import AND, WhereNode

# Lookups that compare with "=" and nothing else.
EQUALITIES = frozenset({Exact, IntegerFieldExact, RelatedExact, YearExact})


def outer_aliases(query, outer_query, features):
    """
    Return the aliases of the entries of FROM outside of ``query``, a derived
    table of ``outer_query``, that the database doesn't let it refer to.
    """
    from django.db.models.sql.query import Query

    parts = list(walk(query))
    aliases = {part.alias for part in parts if isinstance(part, Col)}
    if features.supports_outer_references_in_derived_tables:
        return aliases & outer_query.alias_map.keys()
    return aliases.difference(
        *(part.alias_map for part in parts if isinstance(part, Query))
    )


def refers_to(expression, aliases):
    """Return whether a resolved expression has a column of ``aliases``."""
    return any(
        isinstance(part, Col) and part.alias in aliases for part in walk(expression)
    )


def contains_subquery(expression):
    from django.db.models.sql.query import Query

    return any(isinstance(part, Query) for part in walk(expression))


def conjuncts(where):
    """Yield the conditions that ``where`` connects by AND."""
    if isinstance(where, WhereNode) and not where.negated and where.connector == AND:
        for child in where.children:
            yield from conjuncts(child)
    else:
        yield where


def split_equality(condition, query, outer):
    """
    Return the expression of ``query`` and the one of the ``outer`` aliases
    that ``condition`` equates, or None.

    Values of the former that equal the same value of the latter must equal
    each other, too, since the rows of the query will be grouped by it.
    """
    if (
        type(condition) not in EQUALITIES
        or condition.bilateral_transforms
        or contains_subquery(condition)
    ):
        return None
    for inner, other in [
        (condition.lhs, condition.rhs),
        (condition.rhs, condition.lhs),
    ]:
        if (
            refers_to(inner, query.alias_map)
            and not refers_to(inner, outer)
            and refers_to(other, outer)
            and not refers_to(other, query.alias_map)
            and not inner.contains_aggregate
            and not inner.contains_over_clause
            and _compare_alike(inner, other)
        ):
            return inner, other
    return None


def _compare_alike(left, right):
    return not any(
        isinstance(part, Collate) for side in (left, right) for part in walk(side)
    ) and _comparison_type(left) == _comparison_type(right)


def _comparison_type(expression):
    """Return what decides when two values of an expression are equal."""
    try:
        field = expression.output_field
    except FieldError:
        return object(), None
    while field.remote_field:
        field = field.target_field
    if isinstance(field, CharField | TextField):
        if _has_computed_collation(expression):
            return object(), None
        return "text", field.db_collation
    internal_type = field.get_internal_type()
    if internal_type.endswith(("IntegerField", "AutoField")):
        return "integer", None
    if internal_type == "JSONField":
        # JSON compares in a way of its own.
        return object(), None
    return internal_type, None


def _has_computed_collation(expression):
    """
    Return whether a text is computed from columns with a collation. Databases
    differ in whether it has that, too.
    """
    if isinstance(expression, Col) and expression.target.projected_from is None:
        return False
    return any(
        isinstance(part, Col) and getattr(part.output_field, "db_collation", None)
        for part in walk(expression)
    )


def atoms(condition, query):
    """
    Yield the columns of ``query`` in a condition, and its aggregates and
    window functions instead of the columns in them.
    """
    found = []
    substitute(condition, partial(_collect, found, query.alias_map))
    return found


def _collect(found, aliases, part):
    if is_atom(part, aliases):
        found.append(part)
        return part


def is_atom(part, aliases):
    return isinstance(part, Aggregate | Window) or (
        isinstance(part, Col) and part.alias in aliases
    )
