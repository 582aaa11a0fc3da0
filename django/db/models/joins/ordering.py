"""
Orderings that leave no ties, so that every database takes the same rows.
"""

from itertools import pairwise

from django.db.models.expressions import Col, F, OrderBy, Ref
from django.db.models.functions.math import Random
from django.db.models.joins.aggregates import has_unknown_aggregate
from django.db.models.joins.datastructures import DerivedTable, has_base_column
from django.db.models.joins.nulls import may_be_null
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.structure import same_structure, walk


def total_ordering(query, connection):
    """
    Return the resolved terms that ``query`` is ordered by, followed by terms
    for what tells apart the rows that they leave tied. These go in the
    direction of the last one, or as an index goes on that has it.
    """
    terms = []
    # A model's ordering doesn't apply to groups.
    if query.order_by or query.group_by is None:
        compiler = query.get_compiler(connection=connection, elide_empty=False)
        if query.combinator:
            compiler.setup_query()
            terms.extend(_by_name(term) for term, _ in compiler.get_order_by())
        else:
            terms.extend(
                # Names are resolved already.
                (
                    term
                    if isinstance(term.expression, Col)
                    else term.resolve_expression(query, allow_joins=True)
                )
                for term, _ in compiler._order_by_pairs()
            )
    ordered = [term.expression for term in terms]
    descending = bool(terms) and (
        terms[-1].descending != _index_turns(query, terms[-1].expression)
    )
    for expression in _distinguishing_expressions(query):
        if not any(same_structure(expression, other) for other in ordered):
            ordered.append(expression)
            # Databases don't agree on where NULL sorts.
            nullable = query.combinator or may_be_null(query, expression)
            terms.append(
                OrderBy(
                    expression,
                    descending=descending,
                    nulls_first=(nullable and not descending) or None,
                    nulls_last=(nullable and descending) or None,
                )
            )
    return terms


def _index_turns(query, expression):
    """
    Return whether an index has the field that ``expression`` stands for in one
    direction and the primary key, which follows, in the other.
    """
    meta = query.get_meta()
    if not isinstance(expression, Col) or expression.alias != query.base_table:
        return False
    for index in meta.indexes:
        # Equal entries go by primary key.
        fields = [*index.fields_orders, (meta.pk_fields[0].name, "")]
        for (name, order), (next_name, next_order) in pairwise(fields):
            if (name, next_name) == (expression.target.name, meta.pk_fields[0].name):
                return order != next_order
    return False


def _by_name(term):
    """Return a term of a combination, which is ordered by what it selects."""
    term = term.copy()
    if isinstance(term.expression, Ref):
        term.expression = F(term.expression.refs)
    return term


def without_ties(query, connection):
    """
    Return ``query`` with a total ordering if it takes only some of its rows.
    Called by SourceJoin.source_as_sql() for a LATERAL subquery.
    """
    if not query.is_sliced or query.distinct_fields:
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


def has_unique_keys(query):
    """Return whether each row has another primary key of the query's model."""
    base = query.alias_map[query.base_table]
    return (
        not query.combinator
        and all(is_single_valued(query, alias) for alias in used_aliases(query))
        and all(has_base_column(query, field) for field in query.get_meta().pk_fields)
        and (not isinstance(base, DerivedTable) or has_unique_keys(base.query))
    )


def used_aliases(query):
    return [alias for alias in query.alias_map if query.alias_refcount[alias]]


def _distinguishing_expressions(query):
    """
    Yield the primary key if the rows of ``query`` have one, and what it
    selects or groups by unless that follows: rows that are alike are
    interchangeable.
    """
    if query.combinator:
        yield from (F(name) for name, _ in selected_expressions(query))
        return
    if has_unknown_aggregate(query):
        return
    if query.group_by is None and not query.distinct:
        for field in query.get_meta().pk_fields:
            if has_base_column(query, field):
                yield field.get_col(query.base_table)
        if has_unique_keys(query):
            return
    selected = [expression for _, expression in selected_expressions(query)]
    for expression in selected:
        if not expression.contains_aggregate and any(
            isinstance(part, Col) for part in walk(expression)
        ):
            yield expression
    if isinstance(query.group_by, tuple) and not query.distinct:
        for expression in query.group_by:
            if not any(same_structure(expression, other) for other in selected):
                yield expression
