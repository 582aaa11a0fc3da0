"""
A join applies to the rows of a queryset. A query that slices, aggregates,
removes duplicates, or combines others is pushed down into FROM before it is
joined, so that the join can't change its rows.
"""

from django.db import DEFAULT_DB_ALIAS
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col, ColPairs, F, OrderBy
from django.db.models.joins.columns import (
    ROW_MARKER,
    EmbeddedInstanceOptions,
    SourceOptions,
    ValueRowOptions,
    project_expression,
    project_field,
    project_primary_key,
)
from django.db.models.joins.datastructures import DerivedTable, has_base_column
from django.db.models.joins.names import check_columns, fold
from django.db.models.joins.relations import (
    EmbeddedRelation,
    HiddenRelation,
    VirtualField,
)
from django.db.models.joins.sources import (
    instance_columns,
    mark_subquery,
    project_instances,
    rename_selection,
    select_annotation,
    selected_expressions,
    uses_extra,
)
from django.db.models.joins.structure import name_tables, walk


def must_push_down(query, join_type):
    """
    Return whether a join onto ``query`` would change what it computes.

    The filters and the annotations of a query apply to its rows only, but
    WHERE and SELECT are evaluated for those that a RIGHT or a FULL join adds.
    """
    return bool(
        (join_type and join_type.keeps_right and _would_concern_nulls(query))
        or query.is_sliced
        or query.distinct
        or query.combinator
        or query.group_by is not None
        or query.where.contains_over_clause
        or any(
            annotation.contains_over_clause
            or getattr(annotation, "set_returning", False)
            for annotation in query.annotations.values()
        )
        or any(getattr(term, "contains_over_clause", False) for term in query.order_by)
    )


def _would_concern_nulls(query):
    """
    Return whether the query filters, or annotates what may differ from NULL in
    a row whose columns are all NULL.
    """
    return bool(query.where) or not all(
        isinstance(annotation, (Col, ColPairs))
        for annotation in query.annotations.values()
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
    # Clones share the lists of the table map.
    inner.table_map = {name: [*aliases] for name, aliases in query.table_map.items()}
    mark_subquery(inner)
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
    outer.has_joins = True
    if query.order_by or not (query.default_cols and query.default_ordering):
        outer.order_by = (
            query.order_by if query.combinator else _project_ordering(inner, alias)
        )
        outer.default_ordering = False
    outer.standard_ordering = query.standard_ordering
    # Only the rows that a slice takes depend on it.
    inner.clear_ordering(force=False)
    inner.bump_prefix(outer)
    outer.join(DerivedTable(inner.clone(), table_name, table_name))
    name_tables(outer, walk(inner))
    return outer


def _selected_names(query):
    return [name for name, _ in selected_expressions(query)]


def _can_widen(inner):
    """
    Return whether selecting more in ``inner`` leaves its rows as they are.
    """
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
            and field.projected_from is None
            and name in (field.name, field.attname)
            and expression.alias == inner.base_table
            and not inner.combinator
        ):
            fields[name] = field
            columns.append(field.column)
        else:
            annotations[name] = expression
            columns.append(name)
    check_columns(columns, "queryset")
    rename_selection(inner, columns)
    if _can_widen(inner):
        taken = {fold(column) for column in columns}
        for field in inner.get_meta().concrete_fields:
            if fold(field.column) not in taken and has_base_column(inner, field):
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
    columns = instance_columns(inner.get_meta()).values()
    check_columns([*columns, *annotations], "queryset")
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
    compiler = inner.get_compiler(DEFAULT_DB_ALIAS)
    ordering = inner.order_by
    if not ordering and inner.default_ordering and inner.group_by is None:
        ordering = inner.get_meta().ordering
    result = []
    for item in ordering:
        if item == "?":
            result.append(item)
            continue
        for order_by in _split_columns(_resolve_ordering(inner, compiler, item)):
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


def _split_columns(ordering):
    """Yield terms of one column each: a composite primary key has several."""
    for order_by in ordering:
        if not isinstance(order_by.expression, ColPairs):
            yield order_by
            continue
        for column in order_by.expression.get_cols():
            term = order_by.copy()
            term.expression = column
            yield term


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
        elif _can_widen(query) or _is_selected(query, name):
            relations[name] = EmbeddedRelation(_embed(inner, name))
        else:
            relations[name] = HiddenRelation(name)
    return relations


def _is_selected(query, name):
    """
    Return whether the rows of ``query`` have the columns of a join anyway.
    """
    return isinstance(query.select_related, dict) and name in query.select_related


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
    for field, names in _named_columns(join_info.opts):
        # The joined names could be too long for an identifier.
        column = f"{LOOKUP_SEP}join{len(inner.annotations)}"
        select_annotation(inner, column, F(f"{name}{LOOKUP_SEP}{names[-1]}"))
        embedded = project_field(field, names[0], inner.model, column, names[-1])
        if not instances:
            # Lookups of "pk" go by the name of the field.
            options.add_column(embedded, column)
        options.add_column(embedded, *names)
    if instances:
        row_marker = [project_primary_key(options, inner.model)]
    else:
        [marker] = join_info.targets
        column = f"{LOOKUP_SEP}join{len(inner.annotations)}"
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


def _named_columns(options):
    """
    Return the columns of a join's rows, each with the names that lookup paths
    have for it.
    """
    is_source = isinstance(options, SourceOptions)
    columns = {}
    if meta := options.meta if is_source else options:
        for field in meta.concrete_fields:
            columns[field.name] = options.get_field(field.name)
            columns[field.attname] = options.get_field(field.attname)
    if is_source:
        columns |= options.columns
    columns.pop(ROW_MARKER, None)
    if meta and meta.is_composite_pk:
        # It has no column besides those of its fields.
        columns.pop(meta.pk.name, None)
    named = {}
    for name, field in columns.items():
        named.setdefault(id(field), (field, []))[1].append(name)
    return named.values()
