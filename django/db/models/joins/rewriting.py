"""
Rewriting the source of a join: what all ways of it share.
"""

from django.db.models.expressions import F, Ref
from django.db.models.joins.aggregates import has_unknown_aggregate
from django.db.models.joins.columns import project_expression
from django.db.models.joins.correlation import refers_to
from django.db.models.joins.datastructures import DerivedTable
from django.db.models.joins.ordering import is_random, total_ordering
from django.db.models.joins.sources import select_annotation, selected_expressions
from django.db.models.joins.structure import same_structure
from django.db.models.sql.query import Query

# The alias of what is selected from once more. No other alias is like it.
ROWS = "__rows"

UNKNOWN_AGGREGATE = "it selects an aggregate that is a plain Func(). Use an Aggregate."


class Inexact(Exception):
    """
    A way of rewriting a source wouldn't have exactly the same rows. The
    message is the reason and the remedy.
    """


class Rewriting:
    """
    A way of rewriting an entry of FROM whose query refers to the ``outer``
    aliases. Subclasses implement rewrite(), which returns a query that
    doesn't, or None for the table of its model, and conditions to join it on.
    """

    def __init__(self, entry, outer, outer_query, connection):
        self.entry = entry
        self.outer = outer
        self.outer_query = outer_query
        self.connection = connection
        self.query = entry.query.clone()
        self.check()

    def check(self):
        query = self.query
        if query.combinator:
            raise Inexact(
                "it is a combination such as union(). Join each of its querysets."
            )
        self.terms = slice_ordering(query, self.connection)
        for expression in query.annotation_select.values():
            if refers_to(expression, self.outer):
                raise Inexact(
                    "it selects an OuterRef(). Compute with it in the outer queryset."
                )
        if has_unknown_aggregate(query):
            raise Inexact(UNKNOWN_AGGREGATE)

    def column(self, expression, prefix="__key"):
        """
        Return the column of the entry that ``expression`` is selected as,
        selecting it if it isn't yet.
        """
        return column(self.query, expression, prefix, alias=self.entry.table_alias)


def slice_ordering(query, connection):
    """
    Return terms that leave no ties if the query is sliced.

    Raise Inexact if the rows that it takes can't be told by expressions.
    """
    if query.distinct_fields:
        raise Inexact(
            "it uses distinct() with fields. Order it and take one row by [:1]."
        )
    terms = total_ordering(query, connection) if query.is_sliced else []
    if is_random(terms):
        raise Inexact("its order is random. Order it by a column.")
    return terms


def column(query, expression, prefix="__key", *, alias):
    """
    Return the column of ``query``, called ``alias`` in FROM, that
    ``expression`` is selected as, selecting it if it isn't yet.
    """
    name = select(query, expression, prefix)
    expression = dict(selected_expressions(query))[name]
    return project_expression(expression, name, query.model).get_col(alias)


def select(query, expression, prefix):
    """
    Return the name that ``query`` selects ``expression`` as, selecting it if
    it doesn't yet.
    """
    if isinstance(expression, F):
        return expression.name
    if isinstance(expression, Ref):
        return expression.refs
    count = 0
    for name, selected in selected_expressions(query):
        if same_structure(selected, expression):
            return name
        count += name.startswith(prefix)
    name = f"{prefix}{count}"
    select_annotation(query, name, expression)
    return name


def select_from(inner, expressions, terms):
    """
    Return a query that selects what ``inner`` does from it, and the columns
    that stand for ``expressions`` and for the terms of an ordering.
    """
    outer = Query(inner.model)
    outer.subquery = True
    outer.clear_ordering(force=True)
    outer.join(DerivedTable(inner, ROWS, ROWS))
    outer.default_cols = False
    outer.annotations = {
        name: project_expression(expression, name, inner.model).get_col(ROWS)
        for name, expression in selected_expressions(inner)
    }
    outer.selected = {name: name for name in outer.annotations}
    columns = [column(inner, expression, alias=ROWS) for expression in expressions]
    ordering = []
    for term in terms:
        term = term.copy()
        term.expression = column(inner, term.expression, "__order", alias=ROWS)
        ordering.append(term)
    inner.clear_ordering(force=True)
    return outer, columns, ordering
