"""
What the generator covers, and the decisions that are not SQL's or the
documentation's alone.

Decisions:

* ``filter(x)`` returns the rows where x is true; ``exclude(x)`` and ``~`` are
  two-valued at any depth: a comparison with NULL is false and its negation is
  true. A ``Q`` means the same in ON, in ``When()`` and in an aggregate's
  ``filter``.
* A query without an alias is Django's own: there a negated comparison with a
  column that may be NULL is the complement, and one with an expression, of an
  expression, of an annotation, or below ``^`` may be neither.
* A row of an alias join is a row of the query: conditions on its columns never
  become subqueries, and ``distinct()`` or grouping are the only ways to merge
  rows.
* A path over an ordinary to-many relation is existential under ``exclude()``;
  such paths are only generated inside aggregates and as the relation of a
  ``FilteredRelation``, there without negation unless the join is eager.
* Never generated, since Django documents other results: ``None`` inside
  ``__in``, and negated lookups of JSON keys.
* ``distinct()`` is only ordered by selected columns: others would be
  compared, but not by ``count()``.
* The ordering of a queryset that a join pushes down stays what it was: one by
  ``order_by()`` is also among the columns that a later
  ``values().annotate()`` groups by. The last ordering decides; groups are
  generated without one.
* MySQL's HAVING knows what is selected under its own name: nothing else is
  referenced after an aggregate. It doesn't know a key of JSON, nor what is
  selected in an expression, too, with or without a join: see is_limit().
* Trunc() in another time zone is a local time, which databases take for one of
  the connection's time zone where it is compared, as they do without a join.
  Only the column of a source that it became is compared, and with no others.
* count() leaves the ordering out, and with it what only that refers to: a path
  beyond an alias is ordered by where it is selected, too.
* SQLite can't parse an expression that is nested too deep: see is_limit().
* FilteredRelation() refuses querysets on the right of ``__in``, and update()
  columns of one that isn't joined by alias_join().
* A FilteredRelation along a many-to-many relation has a row of NULLs for each
  link that its condition rejects.
* After an aggregate only group keys and aggregates are referenced: a filter on
  anything else would be applied before grouping.
"""

import os
import re
from dataclasses import dataclass, fields, replace

from django.db.models import QuerySet

UNKNOWN_IN_HAVING = re.compile(r"Unknown column '(\w+)\.(\w+)' in 'HAVING'")


def is_limit(message, sql):
    """Whether an error is that of a database which should know better."""
    if unknown := UNKNOWN_IN_HAVING.search(message):
        # It knows the column up to there.
        return "`%s`.`%s`" % unknown.groups() in sql.partition(" HAVING ")[0]
    return message == "parser stack overflow"


@dataclass(frozen=True)
class Areas:
    """
    What to generate. Off is what Django leaves to NULL for the columns of the
    model itself, which are the same with and without joins, and known limits.
    """

    alias_join: bool = hasattr(QuerySet, "alias_join")
    inner: bool = True
    right: bool = True
    full: bool = True
    cross: bool = True
    # Rather than each type as often.
    mostly_left: bool = True
    # Sources that refer to the query around them.
    lateral: bool = True
    # Joins onto sliced, distinct or grouped querysets.
    pushdown: bool = True
    # And once more, onto what such a join made.
    pushed_twice: bool = True
    # Aliases stay in scope after a later join pushed their queryset down.
    pushed_aliases: bool = True
    # Paths beyond a foreign key that a projection selects.
    projected_fk_paths: bool = True
    # ON refers to columns behind foreign keys of what is before the join.
    on_outer_paths: bool = True
    # Case(When()) in ON.
    case_in_on: bool = True
    # Count() of an alias whose primary key has several columns.
    composite_counts: bool = True

    # Negations that mind NULL: in ON, and in When() or an aggregate's filter,
    negated_on: bool = True
    negated_when: bool = True
    # of a lookup on an annotation,
    negated_annotations: bool = True
    # of a comparison with an expression or with a joined column,
    negated_operands: bool = True
    # of a lookup whose left side is an expression,
    negated_lookups: bool = True
    # of a joined column, deep in a tree that promotes and demotes its join.
    negated_paths: bool = True
    # Joins below XOR are promoted as they are below OR.
    xor: bool = True
    # Functions and lists on the right side keep rows whose join is NULL.
    joined_operands: bool = True
    # Aggregates with a filter that can never hold. Django thinks that what
    # compares them doesn't, either: with Count("pk", filter=Q(pk__in=[])), no
    # group has 0.
    empty_aggregates: bool = False

    # FilteredRelation that names a relation, and one to many rows.
    relations: bool = True
    to_many: bool = True
    # alias_join() with one.
    eager_relations: bool = True
    # A NOT NULL foreign key keeps rows that its condition rejects.
    required_relations: bool = True
    # A many-to-many relation has no NULL row for each rejected link.
    many_relations: bool = False
    # Conditions that can never hold,
    empty_relations: bool = True
    # and where F() means the alias's own row.
    relation_operands: bool = True
    # Paths through the alias to other tables.
    paths_beyond_relations: bool = True
    combine_relations: bool = True

    # Ordering a DISTINCT query with NULLs first or last where it's emulated.
    distinct_nulls: bool = True
    # Uses of a query.
    writes: bool = True
    # Deletes without alias_join(), with any subquery.
    plain_deletes: bool = True
    hydrate: bool = True
    pickle: bool = True
    combine: bool = True
    unions: bool = True

    def supported(self, features):
        """These areas without those that a database doesn't have."""
        return replace(
            self,
            right=self.right and features.supports_right_join,
            full=self.full and features.supports_right_join,
            # MySQL can't delete from a table and select from it.
            plain_deletes=features.delete_can_self_reference_subquery,
            distinct_nulls=features.supports_order_by_nulls_modifier,
        )

    @classmethod
    def from_environment(cls):
        """ORACLE_AREAS="all,-unions" switches areas on and off."""
        names = [field.name for field in fields(cls)]
        chosen = {}
        for word in filter(None, os.environ.get("ORACLE_AREAS", "").split(",")):
            if word == "all":
                chosen |= dict.fromkeys(names, True)
            elif word.removeprefix("-") in names:
                chosen[word.removeprefix("-")] = not word.startswith("-")
            else:
                raise ValueError(f"Unknown area {word!r}.")
        return replace(cls(), **chosen)
