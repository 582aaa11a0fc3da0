"""
The entries of FROM on the way from the base of a query to one of them.
"""

from django.db.models.joins.types import JoinType


def path_to(query, alias):
    """
    Return the aliases from the base of the query, which isn't one of them, to
    ``alias``. Called by Query.join().
    """
    path = []
    while (parent_alias := query.alias_map[alias].parent_alias) is not None:
        path.insert(0, alias)
        alias = parent_alias
    return path


def keep_inner(query, alias):
    """
    Keep the join for a FilteredRelation an INNER one if that was asked for:
    the tables on the way to it, which other lookup paths may have joined
    before, must be joined alike. Called by Query.join().
    """
    if query.alias_map[alias].filtered_relation.join_type is JoinType.INNER:
        for step in path_to(query, alias):
            query.alias_map[step] = entry = query.alias_map[step].demote()
            entry.nullable = False
