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
    locks_rows,
)
from django.db.models.joins.names import check_join_alias, free_alias
from django.db.models.joins.structure import name_tables, outer_references, walk
from django.db.models.joins.types import JoinType
from django.db.models.query_utils import FilteredRelation, Q


def add_join(query, filtered_relation, alias):
    """
    Join the source of ``filtered_relation`` to ``query`` under ``alias``.
    """
    # Avoid circular imports.
    from django.db.models.joins.relations import (
        HiddenRelation,
        JoinField,
        JoinRelation,
    )

    if isinstance(query._filtered_relations.get(alias), HiddenRelation):
        del query._filtered_relations[alias]
    check_join_alias(query, alias)
    source = filtered_relation.relation_name
    parts = [*walk(source.query)]
    references = outer_references(parts)
    lateral = any(isinstance(part, ResolvedOuterRef) for part in references)
    parent_alias = query.get_initial_alias()
    rows = source.get_rows(query, references)
    field = JoinField(query.model, alias, source, *source.project(rows, alias))
    condition = filtered_relation.condition
    join_type = filtered_relation.join_type or JoinType.LEFT
    _check_condition(alias, condition, join_type, lateral)
    if not (condition or lateral or join_type is JoinType.CROSS):
        condition = infer_condition(query.model, field)
    relation = JoinRelation(field, condition, join_type)
    # References of the source may have added entries with generated aliases.
    table_alias = free_alias(query, alias)
    join = SourceJoin(relation, rows, parent_alias, table_alias)
    join.lateral = lateral
    query.alias_map[table_alias] = join
    query.alias_refcount[table_alias] = 1
    # Clones share the lists of the table map.
    table_name = join.table_name
    query.table_map[table_name] = [*query.table_map.get(table_name, ()), table_alias]
    query._filtered_relations[alias] = relation
    query.has_joins = True
    if join_type is not JoinType.CROSS:
        condition = compare_columns(query, relation, table_alias)
        if condition is None:
            condition = resolve_condition(query, relation, table_alias)
            parts += walk(condition)
        # The join may have been promoted meanwhile.
        query.alias_map[table_alias].condition = condition
    name_tables(query, parts)


def _check_condition(alias, condition, join_type, lateral):
    if join_type is JoinType.CROSS and condition:
        raise ValueError(
            f"The CROSS join {alias!r} can't have an ON condition. Use "
            "JoinType.INNER."
        )
    if lateral and join_type.keeps_right:
        raise NotSupportedError(
            f"The queryset of the join {alias!r} uses OuterRef(), so it can't "
            f"be a {join_type.name} join. Use JoinType.LEFT or JoinType.INNER."
        )


def join(queryset, filtered_relation, alias):
    """
    Add the join ``alias`` to a queryset. It applies to the rows that there are
    so far, whether or not anything refers to it. Called by
    QuerySet.alias_join(), annotate(), and alias().
    """
    along_relation = isinstance(filtered_relation.relation_name, str)
    if along_relation:
        check_join_alias(queryset.query, alias)
    queryset._query = query = _prepare(queryset.query, filtered_relation.join_type)
    if along_relation:
        query.add_filtered_relation(filtered_relation, alias)
        # Joins of other aliases along the same relation are no use.
        query.setup_joins(
            [alias], query.get_meta(), query.get_initial_alias(), can_reuse=set()
        )
        query._filtered_relations[alias].joined = True
        query.has_joins = True
    else:
        add_join(query, filtered_relation, alias)
    queryset._for_write = queryset._for_write or locks_rows(query)


def _prepare(query, join_type):
    """
    Return a query that a join can be added to without changing what it has
    computed so far: ``query`` itself, or one that selects from it.
    """
    # Avoid circular imports.
    from django.db.models.joins.pushdown import must_push_down, push_down

    if must_push_down(query, join_type):
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


def follow_joins(query, joins, options, path, targets):
    """
    Follow the first steps of ``path`` from the last of ``joins`` if they lead
    to a join that was added already, counting the reference. Called by
    Query.setup_joins().

    Append the aliases of the entries of FROM to ``joins``. Return the alias
    and the Options arrived at, and the steps that are left.
    """
    alias = joins[-1]
    if isinstance(query.alias_map.get(alias), DerivedTable):
        check_base_columns(query, alias, path, targets)
    for position, step in enumerate(path, start=1):
        relation = step.filtered_relation
        if relation is not None and relation.joined:
            aliases = _find_aliases(query, relation, position)
            for alias in aliases:
                query.ref_alias(alias)
            joins.extend(aliases)
            return alias, step.to_opts, path[position:]
    return alias, options, path


def _find_aliases(query, relation, count):
    aliases = [_find_alias(query, relation)]
    while len(aliases) < count:
        aliases.insert(0, query.alias_map[aliases[0]].parent_alias)
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
