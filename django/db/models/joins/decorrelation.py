"""
LATERAL on databases that don't have it.

A lateral source is rewritten to one that doesn't refer to the query it is
joined to, and conditions in ON that do, in one of three ways:

- by key: the rows are looked up by primary key, whatever they depend on:

      record last ON last.id = (SELECT id FROM record WHERE ... LIMIT 1)

- by condition: what refers outside moves from WHERE to ON. What is computed
  from several rows is computed for each value of the columns that move:

      (SELECT topic_id, COUNT(*) FROM record GROUP BY topic_id) n
      ON n.topic_id = topic.id

- by product: the rows are paired with all rows of the tables that they refer
  to, and computed for each primary key of these:

      (SELECT topic.id, COUNT(*) FROM record JOIN topic
      WHERE record.value > topic.value GROUP BY topic.id) n
      ON n.id = topic.id

  Aggregates without groups have a row for each of these, too:

      (SELECT topic.id, (SELECT COUNT(*) FROM record WHERE ...) FROM topic) n
      ON n.id = topic.id

The first that has exactly the same rows is taken, the cheapest one first.
"""

from django.db import NotSupportedError
from django.db.models.expressions import Col
from django.db.models.joins.aggregates import aggregates_all
from django.db.models.joins.correlation import (
    atoms,
    conjuncts,
    is_atom,
    outer_aliases,
    refers_to,
    split_equality,
)
from django.db.models.joins.keys import ByKey
from django.db.models.joins.partitions import (
    has_windows,
    partition,
    partition_slice,
    partition_windows,
)
from django.db.models.joins.product import ByProduct
from django.db.models.joins.resolution import get_join_expressions
from django.db.models.joins.rewriting import Inexact, Rewriting
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.structure import same_structure
from django.db.models.joins.substitution import substitute
from django.db.models.lookups import Exact
from django.db.models.sql.where import AND, WhereNode


def decorrelate(entry, compiler, connection):
    """
    Return a query that is as good as that of ``entry``, an entry of FROM, and
    conditions to join it on, if the query refers to what a derived table can't
    refer to on this database. Called by SourceJoin and DerivedTable.

    Raise NotSupportedError if there is none.
    """
    outer = outer_aliases(entry.query, compiler.query, connection.features)
    if not outer:
        return entry.query, []
    # Taking rows one at a time is cheaper than ranking all.
    ways = [ByKey, ByCondition] if entry.query.is_sliced else [ByCondition, ByKey]
    reasons = {}
    for way in [*ways, ByProduct]:
        try:
            return way(entry, outer, compiler.query, connection).rewrite()
        except Inexact as reason:
            reasons[way] = reason
    reasons = dict.fromkeys([str(reasons[ByProduct]), str(reasons[ByCondition])])
    raise NotSupportedError(
        f"{connection.display_name} has no LATERAL, which "
        f"{entry.description(compiler.query)} needs because its queryset uses "
        "OuterRef(), and the queryset can't be rewritten because "
        f"{', and '.join(reasons)}"
    )


class ByCondition(Rewriting):
    """
    Rewrite a source by moving the conditions that refer outside to ON.

    Conditions can move past anything that gives the same result whether the
    rows are there that the condition excludes. To make aggregates, windows,
    DISTINCT, and slices so, they are computed for each value of the expression
    that is equated to the outer one.
    """

    def check(self):
        super().check()
        query = self.query
        query.clear_ordering(force=True)
        if aggregates_all(query, self.connection):
            raise Inexact(
                "its aggregate isn't grouped and so has a row even if nothing matches. "
                "Group it with values()."
            )
        query.annotations = {
            name: annotation
            for name, annotation in query.annotations.items()
            if name in query.annotation_select or not refers_to(annotation, self.outer)
        }
        if refers_to(query.alias_map[query.base_table], self.outer):
            raise Inexact(
                "it was joined to after it was sliced, aggregated, or made distinct. "
                "Do that after joining."
            )
        inside = [self.terms, *get_join_expressions(query)]
        if isinstance(query.group_by, tuple):
            inside.extend(query.group_by)
        if any(refers_to(part, self.outer) for part in inside):
            raise Inexact(
                "it orders, groups, or joins by an OuterRef(). Use it in filter()."
            )
        self.has_windows = has_windows(query, self.terms)

    def rewrite(self):
        equalities, others = self.take_conditions()
        keys = [inner for inner, _ in equalities]
        conditions = [Exact(self.column(inner), outer) for inner, outer in equalities]
        terms = self.terms
        if self.has_windows:
            partition_windows(self.query, keys)
            terms, others = partition(terms, keys), partition(others, keys)
        conditions.extend(substitute(other, self.exchange) for other in others)
        if self.query.is_sliced:
            self.query = partition_slice(self.query, keys, terms)
        return self.query, conditions

    def take_conditions(self):
        """
        Remove the conditions that refer outside from the query. Return what
        they equate, and those that move to ON as they are.
        """
        moved, kept = [], []
        for condition in conjuncts(self.query.where):
            refers_outside = refers_to(condition, self.outer)
            (moved if refers_outside else kept).append(condition)
        self.query.where = WhereNode(kept, connector=AND)
        equalities, others = [], []
        for condition in moved:
            if self.can_move(condition):
                others.append(condition)
            elif equality := split_equality(condition, self.query, self.outer):
                equalities.append(equality)
            else:
                raise Inexact(
                    "it is sliced, distinct, or computed from several rows, and isn't "
                    "filtered by a column of the same type that equals the OuterRef(). "
                    "Filter by such a column, or take one row of the model by [:1]."
                )
        return equalities, others

    def can_move(self, condition):
        """
        Return whether applying a condition to the rows of the query is the
        same as applying it inside.
        """
        query = self.query
        if query.is_sliced:
            return False
        parts = atoms(condition, query)
        selected = all(
            isinstance(part, Col) and self.is_selected(part) for part in parts
        )
        if query.distinct:
            return selected and not self.has_windows
        if condition.contains_over_clause or (
            condition.contains_aggregate and not self.has_windows
        ):
            # It applies to what was computed.
            return query.group_by is None or all(
                not isinstance(part, Col) or self.is_selected(part) for part in parts
            )
        if self.has_windows:
            return False
        return query.group_by is None or selected

    def is_selected(self, column):
        return any(
            same_structure(selected, column)
            for _, selected in selected_expressions(self.query)
        )

    def exchange(self, part):
        """Return the column of the join for a part of a moved condition."""
        if is_atom(part, self.query.alias_map):
            return self.column(part)
