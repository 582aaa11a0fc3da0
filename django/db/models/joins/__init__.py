"""
Joins of arbitrary relations: a queryset or a model, under an alias.

QuerySet.alias_join() and FilteredRelation(queryset) end up here. The modules
build on each other, mostly in this order:

- types: JoinType, the kinds of join.
- names: the names that an alias may take, in Python and in SQL.
- structure: the parts of a query, and structural equality of queries.
- datastructures: the entries of Query.alias_map, that is, of FROM.
- paths: the entries on the way from the base to one of them.
- resolution, combining: what Query does with its joins along with the rest.
- jsonkeys, localtime: columns with conversions of their own.
- columns: the columns of a queryset as fields.
- sources, raw: what is joined, a model, a queryset, or raw SQL.
- relations: the virtual relation that lookup paths walk.
- conditions: the ON clause, given or inferred from a foreign key.
- pushdown: queries that have to be computed before they are joined onto.
- registration: adding a join to a query.
- hydration, masks: select_related(), only(), and defer() along a join.
- nulls, exclusion: negated conditions.
- renaming: conditions of a FilteredRelation along a relation of the model.
- writes: update() and delete() of a query with joins.
- affinity, shields: what single databases need to be fast, or right.
- decorrelation, and below it correlation, ordering, aggregates, rewriting,
  partitions, keys, and product: LATERAL on databases that don't have it.
- full, and below it repetition: FULL joins where the database has none.
"""

from django.db.models.joins.types import JoinType

__all__ = ["JoinType"]
