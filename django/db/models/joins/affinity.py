"""
Types for computed columns of derived tables on databases that forget them.

On SQLite a computed column has no affinity. Comparing it with a column that
has one can't use an index of either, not even an automatic one.
"""

from django.db.models.expressions import Col, Func
from django.db.models.fields import CharField, TextField
from django.db.models.joins.sources import selected_expressions
from django.db.models.joins.structure import walk

NUMERIC_TYPES = frozenset({"BooleanField", "DecimalField", "FloatField"})


class TypedKey(Func):
    template = "CAST(%(expressions)s AS %(db_type)s)"

    def get_group_by_cols(self):
        # Grouping by a value loses the row that stands for no rows.
        [expression] = self.get_source_expressions()
        return super().get_group_by_cols() if expression.get_group_by_cols() else []


def type_keys(query, alias, condition):
    """
    Return ``query`` with a type for the computed columns that ``condition``
    compares with columns of others than ``alias``, which stands for the query.
    Called by SourceJoin.source_as_sql().
    """
    if not query.annotation_select:
        # The columns of tables have types.
        return query
    compared = _compared_names(alias, condition)
    typed = {
        name: TypedKey(
            expression, db_type=db_type, output_field=expression.output_field
        )
        for name, expression in selected_expressions(query)
        if not isinstance(expression, Col)
        and name in compared
        and (db_type := _db_type(expression.output_field))
    }
    if typed:
        query = query.clone()
        query.annotations = {**query.annotations, **typed}
        query._annotation_select_cache = None
    return query


def _compared_names(alias, condition):
    names = set()
    for lookup in condition.leaves():
        columns = [part for part in walk(lookup) if isinstance(part, Col)]
        if any(column.alias != alias for column in columns):
            names.update(
                column.target.column for column in columns if column.alias == alias
            )
    return names


def _db_type(field):
    """
    Return what a value of the field can be cast to without changing it. There
    is nothing of that kind for dates and times.
    """
    while field.remote_field:
        field = field.target_field
    internal_type = field.get_internal_type()
    if isinstance(field, CharField | TextField) or internal_type == "UUIDField":
        return "text"
    if internal_type in NUMERIC_TYPES or internal_type.endswith(
        ("IntegerField", "AutoField")
    ):
        return "numeric"
