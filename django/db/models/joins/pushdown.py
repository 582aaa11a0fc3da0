"""
A join applies to the rows of a queryset. A query that slices, aggregates,
removes duplicates, or combines others is pushed down into FROM before it is
joined, so that the join can't change its rows.
"""

from django.db import DEFAULT_DB_ALIAS
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col, F, OrderBy
from django.db.models.joins.columns import (
    ROW_MARKER,
    EmbeddedInstanceOptions,
    SourceOptions,
    ValueRowOptions,
    project_expression,
    project_field,
)
from django.db.models.joins.datastructures import DerivedTable
from django.db.models.joins.relations import EmbeddedRelation, VirtualField
from django.db.models.joins.sources import (
    project_instances,
    rename_selection,
    select_annotation,
    selected_expressions,
    uses_extra,
)


def must_push_down(query, join_type):
    """
    Return whether a join onto ``query`` would change what it computes.

    The filters of a query apply before a RIGHT or a FULL join, but WHERE is
    evaluated after all joins.
    """
    return bool(
        (join_type and join_type.keeps_right and query.where)
        or query.is_sliced
        or query.distinct
        or query.combinator
        or query.group_by is not None
        or any(
            annotation.contains_over_clause
            or getattr(annotation, "set_returning", False)
            for annotation in query.annotations.values()
        )
    )


def push_down(query):
    """
    Return a query that selects the same as ``query`` from a subquery.

    Raise TypeError if the query uses extra().
    """
    from django.db.models.sql.query import Query

    if uses_extra(query):
        raise TypeError(
            "A queryset with extra() can't be joined onto. Use annotate() and filter()."
        )
    inner = query.clone()
    inner.subquery = True
    inner.select_related = False
    outer = Query(query.model)
    table_name = query.get_meta().db_table
    alias = table_name
    if query.default_cols:
        annotations = _project_instances(inner)
        outer.annotation_select_mask = query.annotation_select_mask
        outer.select_related = query.select_related
        outer.deferred_loading = query.deferred_loading
    else:
        fields, annotations = _project_values(inner)
        outer.set_select(field.get_col(alias) for field in fields.values())
        outer.values_select = tuple(fields)
        outer.selected = {
            name: list(fields).index(name) if name in fields else name
            for name in _selected_names(query)
        }
    outer.annotations = {
        name: project_expression(expression, name, query.model).get_col(alias)
        for name, expression in annotations.items()
    }
    outer._filtered_relations = _carry_relations(query, inner)
    outer.order_by = _project_ordering(inner, alias)
    outer.default_ordering = False
    outer.standard_ordering = query.standard_ordering
    inner.bump_prefix(outer)
    outer.join(DerivedTable(inner.clone(), table_name, table_name))
    return outer


def _selected_names(query):
    return [name for name, _ in selected_expressions(query)]


def _can_widen(inner):
    """Return whether selecting more in ``inner`` leaves its rows as they are."""
    return not (inner.distinct or inner.combinator or inner.group_by is not None)


def _project_values(inner):
    """
    Name what ``inner`` selects: own columns of the model as the model does.

    Return the fields of these by name and the other expressions by name.
    """
    fields, annotations, columns = {}, {}, []
    for name, expression in selected_expressions(inner):
        field = expression.target if isinstance(expression, Col) else None
        if (
            field is not None
            and name in (field.name, field.attname)
            and expression.alias == inner.base_table
            and not inner.combinator
        ):
            fields[name] = field
            columns.append(field.column)
        else:
            annotations[name] = expression
            columns.append(name)
    rename_selection(inner, columns)
    if _can_widen(inner):
        for field in inner.get_meta().concrete_fields:
            if field.column not in columns:
                select_annotation(inner, field.column, F(field.attname))
    return fields, annotations


def _project_instances(inner):
    """
    Select all fields and annotations in ``inner``; return the annotations.

    Annotations of alias() are selected as well unless that could change the
    rows of the query.
    """
    hidden = {
        name: annotation
        for name, annotation in inner.annotations.items()
        if name not in inner.annotation_select
        and not inner.combinator
        and _is_harmless(inner, annotation)
    }
    inner.append_annotation_mask(hidden)
    annotations = dict(inner.annotation_select)
    project_instances(inner)
    return annotations


def _is_harmless(inner, annotation):
    if inner.distinct:
        return False
    return (
        inner.group_by is None
        or annotation.contains_aggregate
        or all(
            column.alias == inner.base_table for column in inner._gen_cols([annotation])
        )
    )


def _project_ordering(inner, alias):
    """
    Return an ordering of the outer query by columns of the inner one, which
    selects them if it doesn't yet.
    """
    if inner.combinator:
        return inner.order_by
    compiler = inner.get_compiler(DEFAULT_DB_ALIAS)
    ordering = inner.order_by
    if not ordering and inner.default_ordering and inner.group_by is None:
        ordering = inner.get_meta().ordering
    result = []
    for item in ordering:
        if item == "?":
            result.append(item)
            continue
        for order_by in _resolve_ordering(inner, compiler, item):
            name = f"{LOOKUP_SEP}order{len(result)}"
            column = project_expression(order_by.expression, name, inner.model)
            select_annotation(inner, name, order_by.expression)
            order_by = order_by.copy()
            order_by.expression = column.get_col(alias)
            result.append(order_by)
    return tuple(result)


def _resolve_ordering(inner, compiler, item):
    if isinstance(item, str):
        name = item.removeprefix("-")
        if name in inner.annotations:
            descending = item.startswith("-")
            return [OrderBy(inner.annotations[name], descending=descending)]
        return [
            order_by.resolve_expression(inner)
            for order_by, _ in compiler.find_ordering_name(item, inner.get_meta())
        ]
    if not isinstance(item, OrderBy):
        item = item.asc()
    return [item.resolve_expression(inner)]


def _carry_relations(query, inner):
    """
    Return the joins by alias that lookup paths of the outer query may follow.

    The columns of a join that ``inner`` has are selected there under names of
    their own, unless that could change its rows.
    """
    joined = {
        entry.filtered_relation.alias
        for alias, entry in query.alias_map.items()
        if entry.filtered_relation and query.alias_refcount[alias]
    }
    relations = {}
    for name, relation in query._filtered_relations.items():
        if name not in joined and not isinstance(relation, EmbeddedRelation):
            # Nothing refers to the relation of the model yet.
            relations[name] = relation
        elif _can_widen(query):
            relations[name] = EmbeddedRelation(_embed(inner, name))
    return relations


def _embed(inner, name):
    """
    Select the columns of the join ``name`` in ``inner`` and return the field
    that stands for them.
    """
    join_info = inner.setup_joins([name], inner.get_meta(), inner.get_initial_alias())
    instances = getattr(join_info.final_field, "instances", True)
    options = (EmbeddedInstanceOptions if instances else ValueRowOptions)(
        name, join_info.opts.model._meta
    )
    fields = list(join_info.opts.concrete_fields)
    if isinstance(join_info.opts, SourceOptions):
        fields.extend(
            field for field in join_info.opts.extra_columns if field not in fields
        )
    for field in fields:
        column = f"{name}{LOOKUP_SEP}{field.name}"
        select_annotation(inner, column, F(f"{name}{LOOKUP_SEP}{field.attname}"))
        embedded = project_field(field, column, inner.model, attname=field.attname)
        options.add_column(embedded, field.name, field.attname)
    if instances:
        row_marker = [options.columns[field.name] for field in options.meta.pk_fields]
    else:
        [marker] = join_info.targets
        column = f"{name}{ROW_MARKER}"
        select_annotation(inner, column, marker.get_col(join_info.joins[-1]))
        row_marker = [project_field(marker, column, inner.model)]
        options.add_column(row_marker[0], ROW_MARKER)
    return VirtualField(
        inner.model,
        name,
        join_info.final_field.related_model,
        options,
        row_marker,
        instances,
    )
