"""
Orderings that leave no ties, so that every database takes the same rows.
"""

from django.db.models.expressions import OrderBy
from django.db.models.functions.math import Random
from django.db.models.joins.nulls import may_be_null
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.structure import walk


def total_ordering(query, connection):
    """
    Return the resolved terms that ``query`` is ordered by, followed by terms
    for what tells apart the rows that they leave tied. These go in the same
    direction as the last one, so that an index may serve all.
    """
    terms = []
    # A model's ordering doesn't apply to groups.
    if query.order_by or query.group_by is None:
        compiler = query.get_compiler(connection=connection)
        terms.extend(term for term, _ in compiler.get_order_by())
    ordered = {term.expression for term in terms}
    descending = bool(terms) and terms[-1].descending
    for expression in _distinguishing_expressions(query):
        if expression not in ordered:
            ordered.add(expression)
            # Databases don't agree on where NULL sorts.
            nullable = may_be_null(query, expression)
            terms.append(
                OrderBy(
                    expression,
                    descending=descending,
                    nulls_first=(nullable and not descending) or None,
                    nulls_last=(nullable and descending) or None,
                )
            )
    return terms


def without_ties(query, connection):
    """
    Return ``query`` with a total ordering if it takes only some of its rows.
    Called by SourceJoin.source_as_sql() for a LATERAL subquery.
    """
    if not query.is_sliced or query.combinator or query.distinct_fields:
        return query
    query = query.clone()
    set_ordering(query, total_ordering(query, connection))
    return query


def set_ordering(query, terms):
    """Order ``query`` by resolved terms and nothing else."""
    query.clear_ordering(force=True)
    query.order_by = tuple(terms)
    query.standard_ordering = True


def is_random(terms):
    return any(isinstance(part, Random) for term in terms for part in walk(term))


def is_single_valued(query, alias):
    """
    Return whether an entry of FROM adds at most one row to each row of the
    base table.
    """
    if alias == query.base_table:
        return True
    entry = query.alias_map[alias]
    if entry.filtered_relation and entry.filtered_relation.field:
        return False
    field = entry.join_field
    # The reverse of a generic relation claims to be many-to-one.
    to_one = field.one_to_one or (field.many_to_one and field.concrete)
    return to_one and is_single_valued(query, entry.parent_alias)


def used_aliases(query):
    return [alias for alias in query.alias_map if query.alias_refcount[alias]]


def _distinguishing_expressions(query):
    """
    Yield the primary key if the rows of ``query`` have one, and what it
    selects unless that follows: rows that are alike are interchangeable.
    """
    if query.group_by is None and not query.distinct:
        for field in query.get_meta().pk_fields:
            yield field.get_col(query.base_table)
        if all(is_single_valued(query, alias) for alias in used_aliases(query)):
            return
    for _, expression in selected_expressions(query):
        if expression.contains_column_references and not expression.contains_aggregate:
            yield expression
