"""
Computing what depends on several rows for each value of some keys.
"""

from functools import partial

from django.db.models.expressions import ExpressionList, Window
from django.db.models.functions import RowNumber
from django.db.models.joins.rewriting import ROWS, column, select_from
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.substitution import substitute
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.db.models.sql.where import AND


def has_windows(query, terms):
    return any(
        part.contains_over_clause
        for part in [
            query.where,
            *terms,
            *(expression for _, expression in selected_expressions(query)),
        ]
    )


def partition_windows(query, keys):
    """Make ``query`` compute its window functions for each value of keys."""
    query.where = partition(query.where, keys)
    query.annotations = {
        name: partition(annotation, keys)
        for name, annotation in query.annotations.items()
    }
    query._annotation_select_cache = None


def partition(expression, keys):
    return substitute(expression, partial(_partition_window, keys=keys))


def _partition_window(part, keys):
    if isinstance(part, Window):
        window = part.copy()
        partition_by = window.partition_by
        window.partition_by = ExpressionList(
            *(partition_by.get_source_expressions() if partition_by else ()), *keys
        )
        return window


def partition_slice(query, keys, terms):
    """
    Return a query of the rows that ``query``, which selects the keys and is
    ordered by terms, would have if it were sliced for each value of the keys.
    """
    low, high = query.low_mark, query.high_mark
    query.clear_limits()
    if (
        query.combinator
        or query.group_by is not None
        or query.distinct
        or has_windows(query, terms)
    ):
        query, keys, terms = select_from(query, keys, terms)
    rank = Window(RowNumber(), partition_by=keys, order_by=terms or None)
    rows, *_ = select_from(query, [], [])
    rank = column(query, rank, "__rank", alias=ROWS)
    if low:
        rows.where.add(GreaterThan(rank, low), AND)
    if high is not None:
        rows.where.add(LessThanOrEqual(rank, high), AND)
    return rows
