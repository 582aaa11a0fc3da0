"""
Rewriting the source of a join: what all ways of it share.
"""

from django.db.models.aggregates import Aggregate
from django.db.models.expressions import Func
from django.db.models.joins.columns import project_expression
from django.db.models.joins.correlation import refers_to
from django.db.models.joins.datastructures import DerivedTable
from django.db.models.joins.ordering import is_random, total_ordering
from django.db.models.joins.sources import select_annotation, selected_expressions
from django.db.models.joins.structure import same_structure
from django.db.models.joins.types import JoinType
from django.db.models.sql.constants import INNER
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, WhereNode

# Func(function="COUNT") and the like: aggregates that the ORM doesn't know of.
AGGREGATE_FUNCTIONS = frozenset(
    {"AVG", "COUNT", "GROUP_CONCAT", "MAX", "MIN", "SUM", "TOTAL"}
)

# The alias of what is selected from once more. No other alias is like it.
ROWS = "__rows"


class Inexact(Exception):
    """
    A way of rewriting a source wouldn't have exactly the same rows. The
    message is the reason and the remedy.
    """


class Rewriting:
    """A way of rewriting a lateral join. Subclasses implement rewrite()."""

    def __init__(self, join, outer, outer_query, connection):
        self.join = join
        self.outer = outer
        self.outer_query = outer_query
        self.connection = connection
        self.query = join.query.clone()
        self.check()

    def check(self):
        query = self.query
        if query.combinator:
            raise Inexact(
                "it is a combination such as union(). Join each of its querysets."
            )
        if query.distinct_fields:
            raise Inexact(
                "it uses distinct() with fields. Order it and take one row by [:1]."
            )
        self.terms = total_ordering(query, self.connection) if query.is_sliced else []
        if is_random(self.terms):
            raise Inexact("its order is random. Order it by a column.")
        for expression in query.annotation_select.values():
            if refers_to(expression, self.outer):
                raise Inexact(
                    "it selects an OuterRef(). Compute with it in the outer queryset."
                )
            if any(map(_is_unknown_aggregate, expression.flatten())):
                raise Inexact(
                    "it selects an aggregate that is a plain Func(). Use an Aggregate."
                )

    def joined(self, query, conditions):
        """Return the join of ``query``, or of the table if it is None."""
        if self.join.condition is not None:
            conditions = [*conditions, self.join.condition]
        is_cross = self.join.filtered_relation.join_type is JoinType.CROSS
        return self.join.copy(
            query=query,
            condition=WhereNode(conditions, connector=AND),
            join_type=INNER if is_cross else self.join.join_type,
            lateral=False,
        )

    def column(self, expression, prefix="__key"):
        """
        Return the column of the join that ``expression`` is selected as,
        selecting it if it isn't yet.
        """
        name = select(self.query, expression, prefix)
        field = project_expression(expression, name, self.join.join_field.options.model)
        return field.get_col(self.join.table_alias)


def select_from(inner, expressions, terms):
    """
    Return a query that selects what ``inner`` does from it, and the columns
    that stand for ``expressions`` and for the terms of an ordering.
    """
    outer = Query(inner.model)
    outer.subquery = True
    outer.join(DerivedTable(inner, ROWS, ROWS))
    outer.default_cols = False

    def column(expression, prefix):
        name = select(inner, expression, prefix)
        return project_expression(expression, name, inner.model).get_col(ROWS)

    columns = [column(expression, "__key") for expression in expressions]
    ordering = []
    for term in terms:
        term = term.copy()
        term.expression = column(term.expression, "__order")
        ordering.append(term)
    inner.clear_ordering(force=True)
    outer.annotations = {
        name: column(expression, "") for name, expression in selected_expressions(inner)
    }
    outer.selected = {name: name for name in outer.annotations}
    return outer, columns, ordering


def select(query, expression, prefix):
    """
    Return the name that ``query`` selects ``expression`` as, selecting it if
    it doesn't yet.
    """
    count = 0
    for name, selected in selected_expressions(query):
        if same_structure(selected, expression):
            return name
        count += name.startswith(prefix)
    name = f"{prefix}{count}"
    select_annotation(query, name, expression)
    return name


def _is_unknown_aggregate(expression):
    return (
        isinstance(expression, Func)
        and not isinstance(expression, Aggregate)
        and (expression.extra.get("function") or expression.function or "").upper()
        in AGGREGATE_FUNCTIONS
    )
