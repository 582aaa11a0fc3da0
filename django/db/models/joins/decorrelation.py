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

The first that has exactly the same rows is taken, the cheapest one first.
"""

from django.db import NotSupportedError
from django.db.models.expressions import Col, ExpressionList, Window
from django.db.models.functions import RowNumber
from django.db.models.joins.correlation import (
    atoms,
    conjuncts,
    contains_subquery,
    is_atom,
    outer_aliases,
    refers_to,
    split_equality,
    substitute,
)
from django.db.models.joins.datastructures import DerivedTable, get_join_expressions
from django.db.models.joins.keys import ByKey
from django.db.models.joins.nulls import is_nullable_entry
from django.db.models.joins.rewriting import Inexact, Rewriting, select_from
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.structure import same_structure, walk
from django.db.models.lookups import Exact, GreaterThan, LessThanOrEqual
from django.db.models.sql.constants import INNER
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import AND, WhereNode


def decorrelate(join, compiler, connection):
    """
    Return ``join``, or one that is as good as it if its source refers to what
    a derived table can't refer to on this database. Called by
    SourceJoin.as_sql().

    Raise NotSupportedError if there is none.
    """
    features = connection.features
    outer = outer_aliases(join.query, compiler.query, features)
    if not outer:
        return join.copy(lateral=False)
    # Taking rows one at a time is cheaper than ranking all.
    ways = [ByKey, ByCondition] if join.query.is_sliced else [ByCondition, ByKey]
    reasons = {}
    for way in [*ways, ByProduct]:
        try:
            return way(join, outer, compiler.query, connection).rewrite()
        except Inexact as reason:
            reasons[way] = reason
    raise NotSupportedError(
        f"{connection.display_name} has no LATERAL, which the join "
        f"{join.filtered_relation.alias!r} needs because its queryset uses OuterRef(), "
        f"and the queryset can't be rewritten because {reasons[ByCondition]}"
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
        if query.group_by is not None and not self.group_by():
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
        self.has_windows = any(
            part.contains_over_clause
            for part in [
                query.where,
                *self.terms,
                *(expression for _, expression in selected_expressions(query)),
            ]
        )

    def group_by(self):
        compiler = self.query.clone().get_compiler(connection=self.connection)
        *_, group_by = compiler.pre_sql_setup()
        return group_by

    def rewrite(self):
        equalities, others = self.take_conditions()
        self.keys = [inner for inner, _ in equalities]
        conditions = [Exact(self.column(inner), outer) for inner, outer in equalities]
        if self.has_windows:
            self.partition_windows()
            others = [substitute(other, self.partition) for other in others]
        conditions.extend(substitute(other, self.exchange) for other in others)
        if self.query.is_sliced:
            conditions.extend(self.rank())
        return self.joined(self.query, conditions)

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

    def partition_windows(self):
        """Compute window functions for each value of the keys."""
        query = self.query
        query.where = substitute(query.where, self.partition)
        query.annotations = {
            name: substitute(annotation, self.partition)
            for name, annotation in query.annotations.items()
        }
        query._annotation_select_cache = None

    def partition(self, part):
        if isinstance(part, Window):
            window = part.copy()
            partition_by = window.partition_by
            window.partition_by = ExpressionList(
                *(partition_by.get_source_expressions() if partition_by else ()),
                *self.keys,
            )
            return window

    def rank(self):
        """
        Number the rows for each value of the keys instead of slicing them.
        Return the conditions that take those of the slice.
        """
        query = self.query
        low, high = query.low_mark, query.high_mark
        query.clear_limits()
        keys, terms = self.keys, self.terms
        if query.group_by is not None or query.distinct or self.has_windows:
            terms = [substitute(term, self.partition) for term in terms]
            self.query, keys, terms = select_from(query, keys, terms)
        rank = Window(RowNumber(), partition_by=keys, order_by=terms or None)
        column = self.column(rank, "__rank")
        conditions = []
        if low:
            conditions.append(GreaterThan(column, low))
        if high is not None:
            conditions.append(LessThanOrEqual(column, high))
        return conditions


class OuterRows(BaseTable):
    """A table of the outer query that the source is joined to."""

    def as_sql(self, compiler, connection):
        sql, params = super().as_sql(compiler, connection)
        return f"{INNER} {sql}", params


class ByProduct(ByCondition):
    """
    Rewrite a source by joining it to the tables that it refers to, which have
    the same alias in it as outside of it.
    """

    def check(self):
        if not (
            self.connection.features.supports_correlated_conditions_in_derived_tables
        ) and any(
            refers_to(condition, self.outer) and contains_subquery(condition)
            for condition in conjuncts(self.query.where)
        ):
            raise Inexact("a subquery in filter() refers to the outer query.")
        self.tables, self.outer = self.outer, frozenset()
        super().check()
        if refers_to(self.query.alias_map[self.query.base_table], self.tables):
            raise Inexact("it was joined to after it was sliced.")
        self.models = {alias: self.model(alias) for alias in sorted(self.tables)}
        self.add_tables()

    def model(self, alias):
        """Return the model whose table the outer alias stands for."""
        targets = {
            part.target
            for part in walk([self.query, self.terms])
            if isinstance(part, Col) and part.alias == alias
        }
        model = next(iter(targets)).model
        entry = self.outer_query.alias_map.get(alias)
        if (
            entry is None
            or entry.table_name != model._meta.db_table
            or not all(
                target in model._meta.local_concrete_fields for target in targets
            )
            or is_nullable_entry(self.outer_query, alias)
            or (isinstance(entry, DerivedTable) and not has_rows_of(entry.query, model))
        ):
            raise Inexact("an OuterRef() isn't a column of a table.")
        return model

    def add_tables(self):
        """Join the tables, before what may refer to them."""
        query = self.query
        entries = dict(query.alias_map)
        query.alias_map = {query.base_table: entries.pop(query.base_table)}
        for alias, model in self.models.items():
            query.alias_map[alias] = OuterRows(model._meta.db_table, alias)
            query.alias_refcount[alias] = 1
        query.alias_map.update(entries)

    def take_conditions(self):
        keys = [
            field.get_col(alias)
            for alias, model in self.models.items()
            for field in model._meta.pk_fields
        ]
        return [(key, key) for key in keys], []


def has_rows_of(query, model):
    """
    Return whether ``query`` selects rows of the model with their primary key.
    """
    names = {name for name, _ in selected_expressions(query)}
    return not query.combinator and names.issuperset(
        field.column for field in model._meta.pk_fields
    )
