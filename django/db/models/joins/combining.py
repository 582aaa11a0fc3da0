"""
The joins of two queries that & or | combine.
"""

from django.db.models.joins.datastructures import DerivedTable, has_unmatched_rows
from django.db.models.joins.paths import path_to
from django.db.models.joins.structure import name_tables, same_structure, walk
from django.db.models.joins.types import JoinType
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND


def merge_relations(query, other, connector):
    """
    Add the joins of ``other`` to what lookup paths of ``query`` can start
    with. Called by Query.combine().

    Raise ValueError if an alias has two meanings, if a join of one query would
    remove rows of the other or add rows to it, or if the queries select from
    different subqueries.
    """
    if not same_structure(_derived_base(query), _derived_base(other)):
        raise ValueError(
            "Querysets can't be combined if one of them was sliced, aggregated, or "
            "otherwise made a subquery before it was joined and the other wasn't "
            "made from an equal one. Use filter(pk__in=...) instead."
        )
    relations, others = query._filtered_relations, other._filtered_relations
    for alias in relations.keys() ^ others.keys():
        join_type = (relations.get(alias) or others[alias]).join_type
        if connector != AND and join_type not in {None, JoinType.LEFT}:
            raise ValueError(
                f"The join {alias!r} would remove rows of the queryset that doesn't "
                "have it. Join it to both, or use JoinType.LEFT."
            )
        if join_type is not None and join_type.keeps_right:
            raise ValueError(
                f"The join {alias!r} would add rows that the other queryset's "
                "conditions weren't made for. Join it to both."
            )
    for alias, relation in others.items():
        if not same_structure(relations.setdefault(alias, relation), relation):
            raise ValueError(
                f"The querysets have different joins called {alias!r}. Rename one of "
                "them."
            )
    if other.has_joins:
        query.has_joins = True


def _derived_base(query):
    base = query.alias_map[query.get_initial_alias()]
    return base.query if isinstance(base, DerivedTable) else None


def merge_join(query, other, alias, join):
    """
    Return the alias that ``join``, called ``alias`` in the other query, has in
    ``query`` if it is one that lookup paths don't add themselves, or don't add
    again. Add it if it isn't there yet. Called by Query.combine().
    """
    if has_unmatched_rows(query):
        # It may have been made before the other query had such rows.
        join.nullable = True
    if (relation := join.filtered_relation) and _leads_to_one_row(join):
        # Its condition would be resolved to the row that is there already.
        for own_alias, entry in query.alias_map.items():
            own = entry.filtered_relation
            if (
                own
                and own.alias == relation.alias
                and entry.parent_alias == join.parent_alias
                and entry.join_field == join.join_field
            ):
                query.ref_alias(own_alias)
                return own_alias
    if not other.has_joins:
        return None
    for relation in other._filtered_relations.values():
        if relation.joined and alias in (path := _get_path(other, relation)):
            break
    else:
        return None
    if own_path := _get_path(query, relation):
        table_alias = own_path[path.index(alias)]
        query.ref_alias(table_alias)
    elif relation.field:
        table_alias, _ = query.table_alias(join.table_name, True, relation)
        query.alias_map[table_alias] = join.relabeled_clone({alias: table_alias})
        name_tables(query, walk(join))
    else:
        table_alias = query.join(join, reuse=set())
    return table_alias


def _leads_to_one_row(join):
    field = join.join_field
    return isinstance(join, Join) and (field.many_to_one or field.one_to_one)


def _get_path(query, relation):
    """
    Return the aliases from the query's base to the join of ``relation``, or
    nothing if it isn't in FROM.
    """
    for alias, entry in query.alias_map.items():
        own = entry.filtered_relation
        if own and own.alias == relation.alias and same_structure(own, relation):
            return path_to(query, alias)
    return []
