"""
Queries of aggregates without groups: one row, even if nothing matches.
"""

from django.db.models.aggregates import Aggregate
from django.db.models.expressions import Func, Subquery
from django.db.models.joins.sources import clear_selection

# Func(function="COUNT") and the like: aggregates that the ORM doesn't know of.
AGGREGATE_FUNCTIONS = frozenset(
    {"AVG", "COUNT", "GROUP_CONCAT", "MAX", "MIN", "SUM", "TOTAL"}
)


def aggregates_all(query, connection):
    """Return whether the query has aggregates of all of its rows."""
    if query.group_by is None:
        return has_unknown_aggregate(query)
    *_, group_by = query.clone().get_compiler(connection=connection).pre_sql_setup()
    return not group_by


def has_unknown_aggregate(query):
    return any(map(is_unknown_aggregate, query.annotation_select.values()))


def is_unknown_aggregate(expression):
    return any(
        isinstance(part, Func)
        and not isinstance(part, Aggregate)
        and (part.extra.get("function") or part.function or "").upper()
        in AGGREGATE_FUNCTIONS
        for part in expression.flatten()
    )


class Aggregated(Subquery):
    """The value that an aggregate has over the rows of a query."""

    def __init__(self, query, aggregate):
        query = query.clone()
        query.clear_ordering(force=True)
        query.clear_limits()
        clear_selection(query)
        query.annotations = {**query.annotations, "value": aggregate}
        query.set_annotation_mask({"value"})
        query.selected = {"value": "value"}
        super().__init__(query, output_field=aggregate.output_field)

    def as_sql(self, compiler, connection):
        # It has a value even if nothing can match.
        compiler = self.query.get_compiler(connection=connection, elide_empty=False)
        sql, params = compiler.as_sql()
        return f"({sql})", params
