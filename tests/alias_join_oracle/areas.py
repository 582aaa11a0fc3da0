"""
What the generator covers, and the decisions that are not SQL's or the
documentation's alone.

Decisions:

* ``filter(x)`` returns the rows where x is true; ``exclude(x)`` and ``~`` are
  two-valued at any depth: a comparison with NULL is false and its negation is
  true. A ``Q`` means the same in ON, in ``When()`` and in an aggregate's
  ``filter``.
* A row of an alias join is a row of the query: conditions on its columns never
  become subqueries, and ``distinct()`` or grouping are the only ways to merge
  rows.
* A path over an ordinary to-many relation is existential under ``exclude()``;
  such paths are only generated inside aggregates and as the relation of a
  ``FilteredRelation``, there without negation unless the join is eager.
* Never generated, since Django documents other results: ``None`` inside
  ``__in``, a subquery that may return NULL on the right of ``__in``, ``^``
  where the database has a native one, JSON key lookups.
* ``distinct()`` is only ordered by selected columns: others would be
  compared, but not by ``count()``.
* The ordering of a queryset that a join pushes down stays what it was: one by
  ``order_by()`` is also among the columns that a later
  ``values().annotate()`` groups by.
* After an aggregate only group keys and aggregates are referenced: a filter on
  anything else would be applied before grouping.
"""

import os
from dataclasses import dataclass, fields, replace

from django.db.models import QuerySet


@dataclass(frozen=True)
class Areas:
    """Each flag that is off by default names bugs or features yet to come."""

    # Sources and shapes of joins.
    alias_join: bool = hasattr(QuerySet, "alias_join")
    inner: bool = True
    right: bool = False
    full: bool = False
    cross: bool = False
    lateral: bool = False
    pushdown: bool = True
    relations: bool = True
    to_many: bool = True
    projected_fk_paths: bool = True
    # Aliases stay in scope after a later join pushed their queryset down.
    pushed_aliases: bool = False
    # Conditions. Negations that have to mind NULL:
    negated_on: bool = True
    negated_when: bool = True
    negated_annotations: bool = True
    # of a comparison with an expression or with a joined column,
    negated_operands: bool = True
    # of a lookup whose left side is an expression,
    negated_lookups: bool = True
    # of a joined column, deep in a tree that promotes and demotes its join.
    negated_paths: bool = True
    xor: bool = True
    # Functions and lists on the right side keep rows whose join is NULL.
    joined_operands: bool = True
    on_outer_paths: bool = True
    # FilteredRelation over a NOT NULL foreign key keeps unmatched rows.
    required_relations: bool = True
    # A condition of a FilteredRelation on a relation that can never hold.
    empty_relations: bool = True
    # Case(When()) in ON.
    case_in_on: bool = True
    # alias_join() with a FilteredRelation that names a relation.
    eager_relations: bool = True
    pickle: bool = True
    # One over a many-to-many relation has no NULL row for each link that
    # its condition rejects.
    many_relations: bool = True
    # F() in such a condition means the alias's own row.
    relation_operands: bool = True
    # Several relations or a path through one of them in a condition.
    paths_beyond_relations: bool = True
    combine_relations: bool = True
    # Ordering a DISTINCT query with NULLs first or last where it's emulated.
    distinct_nulls: bool = True
    # What is done with a query.
    writes: bool = True
    hydrate: bool = True
    combine: bool = True
    unions: bool = True

    @classmethod
    def from_environment(cls):
        """ORACLE_AREAS="lateral,-unions" switches areas on and off."""
        areas = cls()
        names = {field.name for field in fields(cls)}
        for word in filter(None, os.environ.get("ORACLE_AREAS", "").split(",")):
            name = word.lstrip("-")
            if name not in names:
                raise ValueError(f"Unknown area {name!r}.")
            areas = replace(areas, **{name: not word.startswith("-")})
        return areas
