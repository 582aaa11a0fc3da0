"""
Joins of arbitrary relations: a queryset or a model, under an alias.

QuerySet.alias_join() and FilteredRelation(queryset) end up here. The modules
build on each other in this order:

- types: JoinType, the kinds of join.
- names: the names that an alias may take, in Python and in SQL.
- structure: structural equality of queries.
- columns: the columns of a queryset as fields.
- sources: what is joined, a model or a queryset.
- relations: the virtual relation that lookup paths walk.
- datastructures: the entries of Query.alias_map, that is, of FROM.
- conditions: the ON clause, given or inferred from a foreign key.
- registration: adding a join to a query.
"""

from django.db.models.joins.types import JoinType

__all__ = ["JoinType"]
