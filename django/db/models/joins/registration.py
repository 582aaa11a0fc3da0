"""
Adding a join to a query.
"""

from django.core.exceptions import FieldError
from django.db import NotSupportedError
from django.db.models.expressions import ResolvedOuterRef
from django.db.models.joins.conditions import (
    compare_columns,
    infer_condition,
    resolve_condition,
)
from django.db.models.joins.datastructures import (
    DerivedTable,
    SourceJoin,
    check_base_columns,
)
from django.db.models.joins.names import check_join_alias, free_alias
from django.db.models.joins.structure import outer_references
from django.db.models.joins.types import JoinType
from django.db.models.query_utils import FilteredRelation, Q


def add_join(query, filtered_relation, alias):
    """
    Join the source of ``filtered_relation`` to ``query`` under ``alias``.
    Called by Query.add_filtered_relation().
    """
    # Avoid circular imports.
    from django.db.models.joins.relations import HiddenRelation, JoinRelation

    if isinstance(query._filtered_relations.get(alias), HiddenRelation):
        del query._filtered_relations[alias]
    check_join_alias(query, alias)
    source = filtered_relation.relation_name
    relation = JoinRelation(
        query.model,
        alias,
        source,
        filtered_relation.condition,
        filtered_relation.join_type or JoinType.LEFT,
    )
    references = outer_references(source.query)
    lateral = any(isinstance(part, ResolvedOuterRef) for part in references)
    _check_condition(relation, lateral)
    if not (relation.condition or lateral or relation.join_type is JoinType.CROSS):
        relation.condition = infer_condition(query.model, relation)
    parent_alias = query.get_initial_alias()
    table_alias = free_alias(query, alias)
    join = SourceJoin(relation, parent_alias, table_alias)
    join.lateral = lateral
    if references:
        join.query = join.query.resolve_expression(query)
    elif join.query is not None:
        # There is nothing to resolve, but aliases must differ from the
        # query's.
        join.query = join.query.clone()
        join.query.bump_prefix(query)
    query.alias_map[table_alias] = join
    query.alias_refcount[table_alias] = 1
    # Clones share the lists of the table map.
    query.table_map[alias] = [*query.table_map.get(alias, ()), table_alias]
    query._filtered_relations[alias] = relation
    if relation.join_type is not JoinType.CROSS:
        condition = compare_columns(query, relation, table_alias)
        if condition is None:
            condition = resolve_condition(query, relation, table_alias)
        # The join may have been promoted meanwhile.
        query.alias_map[table_alias].condition = condition


def _check_condition(relation, lateral):
    if relation.join_type is JoinType.CROSS and relation.condition:
        raise ValueError(
            f"The CROSS join {relation.alias!r} can't have an ON condition. Use "
            "JoinType.INNER."
        )
    if lateral and relation.join_type.keeps_right:
        raise NotSupportedError(
            f"The queryset of the join {relation.alias!r} uses OuterRef(), so it can't "
            f"be a {relation.join_type.name} join. Use JoinType.LEFT or JoinType.INNER."
        )


def join(query, filtered_relation, alias):
    """
    Return ``query`` with the join ``alias``, which applies to the rows that
    the query has so far, whether or not anything refers to it. Called by
    QuerySet.alias_join().
    """
    if isinstance(filtered_relation.relation_name, str):
        check_join_alias(query, alias)
    query = prepare_join(query, filtered_relation)
    query.add_filtered_relation(filtered_relation, alias)
    if isinstance(filtered_relation.relation_name, str):
        # Joins of other aliases along the same relation are no use.
        query.setup_joins(
            [alias], query.get_meta(), query.get_initial_alias(), can_reuse=set()
        )
        query._filtered_relations[alias].joined = True
    return query


def prepare_join(query, filtered_relation):
    """
    Return a query that a join can be added to without changing what it has
    computed so far: ``query`` itself, or one that selects from it. Called by
    QuerySet.annotate() and alias().
    """
    # Avoid circular imports.
    from django.db.models.joins.pushdown import must_push_down, push_down

    if must_push_down(query, filtered_relation.join_type):
        return push_down(query)
    return query


def get_joins(joins, on, join_type):
    """
    Return a FilteredRelation for each alias of QuerySet.alias_join().

    Raise TypeError if ``on`` or ``join_type`` doesn't belong to one join, or
    for a value that can't be joined.
    """
    if on is None and join_type is None:
        return {
            alias: (
                value
                if isinstance(value, FilteredRelation)
                else FilteredRelation(_get_source(alias, value))
            )
            for alias, value in joins.items()
        }
    if len(joins) != 1:
        raise TypeError(
            "alias_join() takes on and join_type for a single join only. Use "
            "FilteredRelation(..., condition=..., join_type=...) for each of several."
        )
    [(alias, value)] = joins.items()
    if isinstance(value, FilteredRelation):
        raise TypeError(
            f"The join {alias!r} is a FilteredRelation. Give it condition and "
            "join_type instead of passing on and join_type to alias_join()."
        )
    return {
        alias: FilteredRelation(
            _get_source(alias, value),
            condition=Q() if on is None else on,
            join_type=join_type,
        )
    }


def _get_source(alias, value):
    if isinstance(value, str):
        raise TypeError(
            f"The join {alias!r} needs a model, a queryset, or a FilteredRelation, not "
            f"the string {value!r}. Use FilteredRelation({value!r}) for a relation of "
            "the model."
        )
    # Avoid circular imports.
    from django.db.models.joins.sources import JoinSource

    try:
        return JoinSource.create(value)
    except TypeError as error:
        raise TypeError(f"The join {alias!r} can't be made: {error}") from error


def reference_joined(query, alias, path, targets):
    """
    Return the aliases of the entries of FROM that the first steps of ``path``
    from ``alias`` lead to if they are a join that was added already, counting
    the reference. Called by Query.setup_joins().
    """
    if isinstance(query.alias_map.get(alias), DerivedTable):
        check_base_columns(query, alias, path, targets)
    for position, step in enumerate(path):
        relation = step.filtered_relation
        if relation is not None and relation.joined:
            break
    else:
        return []
    alias = _find_alias(query, relation)
    aliases = [alias]
    while len(aliases) <= position:
        aliases.insert(0, query.alias_map[aliases[0]].parent_alias)
    for alias in aliases:
        query.ref_alias(alias)
    return aliases


def _find_alias(query, relation):
    for alias, entry in query.alias_map.items():
        if entry.filtered_relation is not None and entry.filtered_relation == relation:
            return alias
    if isinstance(query.alias_map[query.base_table], DerivedTable):
        # A join inside of the subquery that is the base.
        return query.base_table
    raise FieldError(
        f"The join {relation.alias!r} can't be referred to from a subquery. Use "
        f"OuterRef({relation.alias!r})."
    )
