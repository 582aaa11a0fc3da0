"""
Subqueries that are a part of a statement more than once.

They must have the same rows each time. A database may answer what a query
leaves open, like which of the rows that sort alike are in a slice, in another
way each time.
"""

from functools import partial

from django.db.models.expressions import Func, OrderBy, Window
from django.db.models.functions import (
    FirstValue,
    Lag,
    LastValue,
    Lead,
    NthValue,
    Ntile,
    RowNumber,
)
from django.db.models.functions.math import Random
from django.db.models.joins.datastructures import OWN_ENTRIES
from django.db.models.joins.ordering import (
    has_unique_keys,
    is_random,
    is_single_valued,
    set_ordering,
    total_ordering,
    used_aliases,
)
from django.db.models.joins.rewriting import Inexact
from django.db.models.joins.structure import same_structure
from django.db.models.joins.substitution import map_entry, map_query, substitute
from django.db.models.sql.query import Query

# Functions whose results depend on the order of rows that sort alike.
ORDERED_FUNCTIONS = (FirstValue, Lag, LastValue, Lead, NthValue, Ntile, RowNumber)


class Verbatim(Func):
    """A text that equals no other, whatever its collation says."""

    template = '(%(expressions)s) COLLATE "C"'

    def as_mysql(self, compiler, connection):
        template = "CAST(%(expressions)s AS BINARY)"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler, connection):
        template = "(%(expressions)s) COLLATE BINARY"
        return self.as_sql(compiler, connection, template=template)


def is_text(expression, connection):
    """Return whether a collation decides what the expression equals."""
    db_type = expression.output_field.db_type(connection) or ""
    return "char" in db_type or "text" in db_type


def merges_texts(query):
    """
    Return whether ``query`` makes one of values that a collation takes for
    equal. It may take any of them.
    """
    return bool(
        query.distinct
        or query.combinator
        or query.group_by is not None
        or any(
            isinstance(entry, OWN_ENTRIES) and entry.query and merges_texts(entry.query)
            for entry in query.alias_map.values()
        )
    )


def repeatable(entry, connection):
    """
    Return an entry of FROM that leaves nothing open, or raise Inexact.
    """
    return map_entry(entry, partial(_settle, None, connection))


def _settle(query, connection, expression):
    """Return an expression of ``query`` without what it leaves open."""
    return substitute(expression, partial(_settle_part, query, connection))


def _settle_part(query, connection, part):
    if isinstance(part, Query):
        return _settle_query(part, connection)
    if isinstance(part, Random):
        raise Inexact("it joins random values. Compute them in the outer queryset.")
    if isinstance(part, Window) and not _is_settled(part, query):
        raise Inexact(
            "a window function in what it joins depends on the order of rows that "
            "sort alike. Order it by the primary key, too."
        )


def _settle_query(query, connection):
    if query.distinct_fields:
        raise Inexact("it joins a queryset that uses distinct() with fields.")
    if query.is_sliced and query.combinator:
        raise Inexact(
            "it joins a slice of a combination such as union(). Slice its querysets."
        )
    query = map_query(query, partial(_settle, query, connection))
    if query.is_sliced:
        query.get_initial_alias()
        terms = total_ordering(query, connection)
        if is_random(terms):
            raise Inexact("it joins a slice in random order. Order it by a column.")
        if not has_unique_keys(query) and not merges_texts(query):
            terms.extend(
                OrderBy(Verbatim(term.expression))
                for term in terms[:]
                if is_text(term.expression, connection)
            )
        set_ordering(query, terms)
    return query


def _is_settled(window, query):
    """Return whether the result of a window function is the same each time."""
    if not isinstance(window.source_expression, ORDERED_FUNCTIONS):
        return True
    terms = window.order_by.get_source_expressions() if window.order_by else ()
    ordered = [term.expression if isinstance(term, OrderBy) else term for term in terms]
    return all(
        any(same_structure(field.get_col(query.base_table), part) for part in ordered)
        for field in query.get_meta().pk_fields
    ) and all(is_single_valued(query, alias) for alias in used_aliases(query))
