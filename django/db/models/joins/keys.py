"""
Rewriting the source of a join to lookups by primary key.
"""

from django.db.models.expressions import Col
from django.db.models.fields.tuple_lookups import TupleExact, TupleIn
from django.db.models.joins.correlation import atoms, refers_to
from django.db.models.joins.datastructures import DerivedTable, has_rows_of
from django.db.models.joins.ordering import (
    is_single_valued,
    set_ordering,
    used_aliases,
)
from django.db.models.joins.rewriting import Inexact, Rewriting, select_from
from django.db.models.joins.sources import clear_selection, selected_expressions
from django.db.models.lookups import Exact, In
from django.db.models.sql.where import WhereNode
from django.utils.functional import cached_property


class ByKey(Rewriting):
    """
    Rewrite a source whose rows have the primary key of its model, and columns
    that only depend on that.
    """

    def check(self):
        super().check()
        query = self.query
        if not self.entry.has_instances and (
            query.group_by is not None or query.distinct
        ):
            raise Inexact("its rows are groups or distinct values.")
        if not self.has_unique_rows():
            raise Inexact("its rows repeat.")
        self.check_slice()
        self.check_columns()
        self.check_base()

    def has_unique_rows(self):
        """Whether the rows stay the same if each is taken once."""
        query = self.query
        if query.group_by is not None or all(
            is_single_valued(query, alias) for alias in used_aliases(query)
        ):
            return True
        if not query.is_sliced:
            return query.distinct
        # Which row is the second depends on whether the first one repeats.
        return query.has_limit_one() and not (query.distinct and query.low_mark)

    def check_slice(self):
        if self.query.where.contains_over_clause or any(
            term.contains_over_clause for term in self.terms
        ):
            raise Inexact("it filters or orders by a window function.")
        if (
            self.query.is_sliced
            and not self.query.has_limit_one()
            and not self.connection.features.allow_sliced_subqueries_with_in
        ):
            raise Inexact("it is sliced to more than one row.")

    def check_columns(self):
        if self.is_table:
            return
        for _, expression in selected_expressions(self.query):
            if (
                expression.contains_aggregate
                or expression.contains_over_clause
                or getattr(expression, "set_returning", False)
                or not all(
                    is_single_valued(self.query, part.alias)
                    for part in atoms(expression, self.query)
                )
            ):
                raise Inexact("it selects what depends on several rows.")

    def check_base(self):
        base = self.query.alias_map[self.query.base_table]
        if not isinstance(base, DerivedTable):
            return
        if not self.is_table or not has_rows_of(base, self.query.model):
            raise Inexact("it selects more than the fields of a sliced queryset.")
        if (
            refers_to(base.query, self.outer)
            and not self.connection.features.supports_outer_references_in_derived_tables
        ):
            raise Inexact("it was sliced before something was joined to it.")

    @cached_property
    def is_table(self):
        """Whether the rows are those of the model's table and nothing else."""
        meta, alias = self.query.get_meta(), self.query.base_table
        fields = {field.column: field for field in meta.local_concrete_fields}
        return all(
            isinstance(expression, Col)
            and expression.alias == alias
            and expression.target is fields.get(name)
            for name, expression in selected_expressions(self.query)
        )

    def rewrite(self):
        keys = self.keys()
        pk_fields = self.query.get_meta().pk_fields
        if self.is_table:
            alias = self.entry.table_alias
            columns = [field.get_col(alias) for field in pk_fields]
            query = None
        else:
            self.strip()
            alias = self.query.base_table
            columns = [self.column(field.get_col(alias)) for field in pk_fields]
            query = self.query
        if len(columns) == 1:
            [operand] = columns
            lookup_class = Exact if keys.has_limit_one() else In
        else:
            operand = tuple(columns)
            lookup_class = TupleExact if keys.has_limit_one() else TupleIn
        return query, [lookup_class(operand, keys)]

    def keys(self):
        """Return the subquery for the primary keys of the rows."""
        keys = self.query if self.is_table else self.query.clone()
        terms, limits = self.terms, (keys.low_mark, keys.high_mark)
        columns = [
            field.get_col(keys.base_table) for field in keys.get_meta().pk_fields
        ]
        keys.distinct = False
        clear_selection(keys)
        features = self.connection.features
        if not features.supports_outer_references_in_order_by and refers_to(
            terms, self.outer
        ):
            keys.clear_limits()
            keys, columns, terms = select_from(keys, columns, terms)
            clear_selection(keys)
            keys.set_limits(*limits)
        for column in columns:
            keys.add_select_col(column, column.target.column)
        set_ordering(keys, terms)
        return keys

    def strip(self):
        """Leave nothing in the query but what it selects, for all rows."""
        query = self.query
        query.where = WhereNode()
        query.clear_limits()
        query.clear_ordering(force=True)
        query.distinct = False
        query.group_by = None
        query.select_for_update = False
        query.annotations = dict(query.annotation_select)
        query._annotation_select_cache = None
        needed = {query.base_table}
        for _, expression in selected_expressions(query):
            for part in atoms(expression, query):
                alias = part.alias
                while alias is not None:
                    needed.add(alias)
                    alias = query.alias_map[alias].parent_alias
        query.alias_refcount = {
            alias: int(alias in needed) for alias in query.alias_map
        }
