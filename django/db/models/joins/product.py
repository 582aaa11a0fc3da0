"""
Rewriting the source of a join to one for all rows that it may be joined to.
"""

from django.db.models.aggregates import Count
from django.db.models.expressions import Col, F, Star
from django.db.models.joins.aggregates import (
    Aggregated,
    aggregates_all,
    has_unknown_aggregate,
    is_unknown_aggregate,
)
from django.db.models.joins.correlation import conjuncts, contains_subquery, refers_to
from django.db.models.joins.datastructures import (
    DerivedTable,
    SourceJoin,
    has_rows_of,
)
from django.db.models.joins.nulls import NullSafeExact, is_nullable_entry
from django.db.models.joins.partitions import (
    has_windows,
    partition,
    partition_slice,
    partition_windows,
)
from django.db.models.joins.resolution import get_join_expressions
from django.db.models.joins.rewriting import (
    UNKNOWN_AGGREGATE,
    Inexact,
    Rewriting,
    column,
    slice_ordering,
)
from django.db.models.joins.sources import select_annotation, selected_expressions
from django.db.models.joins.structure import walk
from django.db.models.lookups import Exact, IsNull
from django.db.models.sql.constants import INNER
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, NothingNode


class ByProduct(Rewriting):
    """
    Rewrite a source by joining it to the tables that it refers to, which have
    the same alias in it as outside of it.
    """

    def check(self):
        self.tables = [self.table(alias) for alias in sorted(self.outer)]
        keys = [key for table in self.tables for key in table.keys]
        self.keys = {f"__key{position}": key for position, key in enumerate(keys)}

    def table(self, alias):
        """Return the rows of the outer query's entry that has the alias."""
        targets = {
            part.target
            for part in walk(self.query)
            if isinstance(part, Col) and part.alias == alias
        }
        model = next(iter(targets)).model
        entry = self.outer_query.alias_map.get(alias)
        if (
            entry is None
            or any(target.projected_from or target.model != model for target in targets)
            or not has_rows_of(entry, model)
        ):
            raise Inexact(
                "an OuterRef() isn't a column of a table in the query around it"
            )
        fields = sorted({*targets, *model._meta.pk_fields})
        nullable = is_nullable_entry(self.outer_query, alias)
        return OuterTable(model, alias, fields, nullable)

    def rewrite(self):
        query = self.product(self.query)
        return query, self.conditions(query, self.entry.table_alias)

    def conditions(self, query, alias):
        """Return what joins ``query``, as ``alias``, to the tables."""
        nullable = {table.table_alias for table in self.tables if table.nullable}
        return [
            (NullSafeExact if key.alias in nullable else Exact)(
                column(query, F(name), alias=alias), key
            )
            for name, key in self.keys.items()
        ]

    def product(self, query):
        """
        Return a query of the rows that ``query`` has for each row of the
        tables, with their keys.
        """
        query = query.clone()
        terms = slice_ordering(query, self.connection)
        if query.combinator:
            keys = [F(name) for name in self.keys]
            query.combined_queries = tuple(map(self.product, query.combined_queries))
        elif aggregates_all(query, self.connection):
            return self.aggregates(query)
        else:
            keys = [*self.keys.values()]
            self.check_conditions(query)
            self.add_tables(query)
            if has_windows(query, terms):
                partition_windows(query, keys)
                terms = partition(terms, keys)
        query.clear_ordering(force=True)
        self.select_keys(query)
        if query.is_sliced:
            query = partition_slice(query, keys, terms)
        return query

    def check_conditions(self, query):
        if has_unknown_aggregate(query):
            raise Inexact(UNKNOWN_AGGREGATE)
        features = self.connection.features
        if not features.supports_correlated_conditions_in_derived_tables and any(
            refers_to(condition, self.outer) and contains_subquery(condition)
            for condition in conjuncts(query.where)
        ):
            raise Inexact("a subquery in filter() refers to the outer query")

    def add_tables(self, query):
        """Join the tables, before what may refer to them."""
        entries = list(query.alias_map.items())
        tables = [(table.table_alias, table) for table in self.tables]
        position = self.position(query)
        query.alias_map = dict([*entries[:position], *tables, *entries[position:]])
        for alias, _ in tables:
            query.alias_refcount[alias] = 1
        if not entries:
            return
        alias, base = entries[0]
        if refers_to(base, self.outer):
            rows = self.product(base.query)
            query.alias_map[alias] = DerivedTable(rows, base.table_name, alias)
            for condition in self.conditions(rows, alias):
                query.where.add(condition, AND)

    def position(self, query):
        """Return where rows without a match have a row of the tables, too."""
        entries = list(query.alias_map.items())
        for position in range(len(entries), 1, -1):
            _, entry = entries[position - 1]
            if isinstance(entry, SourceJoin) and entry.has_unmatched_rows:
                before = query.clone()
                before.alias_map = dict(entries[:position])
                if refers_to(list(get_join_expressions(before)), self.outer):
                    raise Inexact(
                        "its RIGHT or FULL join comes after an OuterRef(). Filter by "
                        "that after the join."
                    )
                return position
        return 1

    def select_keys(self, query):
        for name, key in self.keys.items():
            select_annotation(query, name, key)

    def aggregates(self, query):
        """
        Return a query of the one row that ``query``, whose aggregates have no
        groups, has for each row of the tables.
        """
        rows = Query(query.model)
        rows.subquery = True
        rows.default_cols = False
        self.add_tables(rows)
        rows.annotations = {
            name: self.aggregate(query, expression)
            for name, expression in selected_expressions(query)
        }
        rows.selected = {name: name for name in rows.annotations}
        self.select_keys(rows)
        if query.low_mark:
            rows.where.add(NothingNode(), AND)
        elif query.where.contains_aggregate:
            count = Aggregated(query, Count(Star()))
            rows.where.add(IsNull(count, False), AND)
        return rows

    def aggregate(self, query, expression):
        if expression.contains_aggregate or is_unknown_aggregate(expression):
            return Aggregated(query, expression)
        if refers_to(expression, query.alias_map):
            raise Inexact(UNKNOWN_AGGREGATE)
        return expression


class OuterTable(BaseTable):
    """
    A table that the outer query selects from. ``nullable`` tells whether some
    row of that may have none of the table's.
    """

    def __init__(self, model, alias, fields, nullable):
        super().__init__(model._meta.db_table, alias)
        self.model = model
        self.fields = fields
        self.nullable = nullable

    @property
    def keys(self):
        return [field.get_col(self.table_alias) for field in self.model._meta.pk_fields]

    def relabeled_clone(self, change_map):
        alias = change_map.get(self.table_alias, self.table_alias)
        return self.__class__(self.model, alias, self.fields, self.nullable)

    def as_sql(self, compiler, connection):
        sql, params = super().as_sql(compiler, connection)
        if self.nullable:
            qn = compiler.quote_name
            columns = ", ".join(qn(field.column) for field in self.fields)
            nulls = ", ".join("NULL" for _ in self.fields)
            suffix = connection.features.bare_select_suffix
            sql = (
                f"(SELECT {columns} FROM {qn(self.table_name)} UNION ALL "
                f"SELECT {nulls}{suffix}) {qn(self.table_alias)}"
            )
        if self.table_alias != compiler.query.base_table:
            sql = f"{INNER} {sql}"
        return sql, params
