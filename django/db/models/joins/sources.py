"""
What is joined: the rows of a model's table or of a queryset.
"""

from functools import partial

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import F, OrderBy, OuterRef, Value
from django.db.models.joins.columns import (
    ROW_MARKER,
    ModelRowOptions,
    ValueRowOptions,
    project_expression,
    project_field,
)
from django.db.models.joins.datastructures import has_unmatched_rows
from django.db.models.joins.names import check_columns, check_identifier, fold
from django.db.models.joins.structure import same_structure, walk
from django.db.models.sql.where import ExtraWhere


class JoinSource:
    """
    The rows that a join adds to a query. Immutable.

    ``query`` is None for a model, whose table is joined as it is.
    ``instances`` tells whether the rows are instances of ``model`` or just
    values. ``db`` is the database that the queryset is bound to by using(), if
    it is.
    """

    def __init__(self, model, query=None, *, instances=True, db=None):
        self.model = model
        self.query = query
        self.instances = instances
        self.db = db

    def __repr__(self):
        kind = "table" if self.query is None else "queryset"
        return f"<{self.__class__.__name__}: {kind} of {self.model._meta.label}>"

    def __eq__(self, other):
        if not isinstance(other, JoinSource):
            return NotImplemented
        return (
            self.model == other.model
            and self.instances == other.instances
            and self.db == other.db
            and same_structure(self.query, other.query)
        )

    def __hash__(self):
        return hash((self.model, self.instances, self.db))

    @classmethod
    def create(cls, value):
        """
        Return the source that a model, a manager, or a queryset stands for.

        Raise TypeError for anything else and for a queryset with extra().
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, type) and issubclass(value, models.Model):
            if value._meta.abstract or value._meta.swapped:
                raise TypeError(f"{value._meta.label} has no table that can be joined.")
            # The table of a child holds a part of its fields only.
            if not any(value._meta.concrete_model._meta.parents.values()):
                return cls(value)
            query = models.sql.Query(value)
            join_tables(query)
            return cls(value, query)
        if isinstance(value, models.Manager):
            value = value.all()
        if isinstance(value, models.query.RawQuerySet):
            # Avoid circular imports.
            from django.db.models.joins.raw import RawSource

            return RawSource.create(value)
        if not isinstance(value, models.QuerySet):
            raise TypeError(
                "A join needs a model, a manager, or a queryset, not "
                f"{value.__class__.__name__!r}."
                + (
                    " Pass the queryset itself instead of a list of its rows."
                    if isinstance(value, list | tuple)
                    else ""
                )
            )
        query = value.query
        if uses_extra(query):
            raise TypeError(
                "A queryset with extra() can't be joined. Use annotate() and filter()."
            )
        query = query.chain()
        instances = value._fields is None
        # The outer query's aliases must differ from these, too.
        if instances:
            join_tables(query)
        else:
            query.get_initial_alias()
        if query.order_by:
            query.order_by = tuple(
                (
                    term.resolve_expression(query)
                    if any(isinstance(part, OuterRef) for part in walk(term))
                    else term
                )
                for term in query.order_by
            )
        return cls(value.model, query, instances=instances, db=value._db)

    def get_rows(self, outer_query, references):
        """
        Return the query that FROM of ``outer_query`` holds, or None for a
        table. ``references`` are those to outer queries.
        """
        if self.query is None:
            return None
        if references:
            return self.query.resolve_expression(outer_query)
        # There is nothing to resolve, but aliases must differ from the outer
        # query's.
        rows = self.query.clone()
        rows.bump_prefix(outer_query)
        return rows

    def project(self, rows, alias):
        """
        Make ``rows`` select columns under names of their own. Return the
        Options of its rows, and the fields that are NULL in unmatched rows
        only.
        """
        if rows is None:
            options = ModelRowOptions(alias, self.model._meta)
            return options, [self.model._meta.pk]
        rows.select_related = False
        mark_subquery(rows)
        if self.instances:
            if has_unmatched_rows(rows):
                raise ValueError(
                    f"The queryset of the join {alias!r} has rows without an instance "
                    "of its model because of a RIGHT or FULL join. Use values()."
                )
            columns = project_instances(rows)
            options = _instance_options(rows, alias, columns)
            names = [*columns.values(), *rows.annotation_select]
            row_marker = [options.get_field(self.model._meta.pk.name)]
        else:
            options = _value_options(rows, alias)
            names = options.names
            project_values(rows, names)
            row_marker = [options.columns[ROW_MARKER]]
        check_columns(names, f"queryset of the join {alias!r}")
        rows.clear_ordering(force=False)
        return options, row_marker


def mark_subquery(query):
    """
    Make ``query`` a subquery, branches included: a field may select another
    form of its column in the outermost query only.
    """
    query.subquery = True
    query.combined_queries = tuple(branch.clone() for branch in query.combined_queries)
    for branch in query.combined_queries:
        mark_subquery(branch)


def uses_extra(query):
    return bool(
        query.extra
        or query.extra_tables
        or query.extra_order_by
        or any(isinstance(node, ExtraWhere) for node in query.where.leaves())
        or any(uses_extra(combined) for combined in query.combined_queries)
    )


def _instance_options(query, alias, columns):
    meta = query.get_meta()
    options = ModelRowOptions(alias, meta)
    for field in _inherited_fields(meta):
        inherited = project_field(
            field,
            field.name,
            meta.concrete_model,
            columns[field.attname],
            field.attname,
        )
        options.add_column(inherited, field.name, field.attname)
    for name, expression in query.annotation_select.items():
        _add_expression(options, name, expression)
    return options


def _value_options(query, alias):
    options = ValueRowOptions(alias)
    options.names = {name: None for name, _ in selected_expressions(query)}
    for name, expression in selected_expressions(query):
        _add_expression(options, name, expression)
    options.add_column(
        project_expression(Value(1), ROW_MARKER, options.model), ROW_MARKER
    )
    return options


def _add_expression(options, name, expression):
    if "__" in name:
        raise ValueError(
            f"The queryset of the join {options.alias!r} selects {name!r}, which reads "
            f"as a lookup path. Name the column: "
            f"values({name.replace('__', '_')}=F({name!r}))."
        )
    check_identifier(name, f"column of the join {options.alias!r}")
    try:
        field = project_expression(expression, name, options.model)
    except FieldError as error:
        raise FieldError(
            f"The join {options.alias!r} can't have the column {name!r}: {error}"
        ) from error
    options.add_column(field, name)


def selected_expressions(query):
    """Return the (name, expression) pairs that a values() query selects."""
    if query.selected:
        return [
            (name, _selected_expression(query, reference))
            for name, reference in query.selected.items()
        ]
    return [
        *zip(query.values_select, query.select),
        *query.annotation_select.items(),
    ]


def _selected_expression(query, reference):
    if isinstance(reference, str):
        return query.annotations[reference]
    return query.select[reference]


def instance_columns(meta):
    """
    Return the name that the column of each concrete field, by attname, has in
    a subquery that selects instances. Tables of parents may have columns of
    one name.
    """
    columns = {field.attname: field.column for field in meta.concrete_fields}
    for field in _inherited_fields(meta):
        if any(
            fold(other.column) == fold(field.column)
            for other in meta.concrete_fields
            if other is not field
        ):
            columns[field.attname] = (
                f"{LOOKUP_SEP}{field.model._meta.model_name}_{field.name}"
            )
    return columns


def _inherited_fields(meta):
    """Return the concrete fields that are in the tables of parents."""
    if not meta.all_parents:
        return []
    return [
        field
        for field in meta.concrete_fields
        if field.model._meta.concrete_model != meta.concrete_model
    ]


def join_tables(query):
    """
    Join the tables of the parents of the query's model. Return the alias of
    each inherited field by attname.
    """
    meta = query.get_meta()
    start_alias = query.get_initial_alias()
    seen_models = {None: start_alias}
    return {
        field.attname: query.join_parent_model(
            meta, field.model._meta.concrete_model, start_alias, seen_models
        )
        for field in _inherited_fields(meta)
    }


def project_instances(query):
    """
    Make ``query`` select every concrete field of its model, inherited and
    deferred ones too, under its column's name, and its annotations. Return the
    names of the columns by attname.
    """
    meta = query.get_meta()
    start_alias = query.get_initial_alias()
    aliases = join_tables(query)
    columns = instance_columns(meta)
    query.clear_deferred_loading()
    query.set_select(
        field.get_col(aliases.get(field.attname, start_alias))
        for field in meta.concrete_fields
    )
    query.values_select = tuple(columns.values())
    if query.group_by is True:
        query.set_group_by(allow_aliases=False)
    query.selected = {
        **{column: position for position, column in enumerate(query.values_select)},
        **{name: name for name in query.annotation_select},
    }
    if query.combinator:
        query.order_by = tuple(_order_by_columns(query, columns))
        query.combined_queries = tuple(
            _project_branch(branch, project_instances)
            for branch in query.combined_queries
        )
    return columns


def _order_by_columns(query, columns):
    """
    Yield the terms that a combination is ordered by with the names of its
    columns in place of fields: it can't be ordered by anything else.
    """
    meta = query.get_meta()
    names = {"pk": [columns[field.attname] for field in meta.pk_fields]}
    for field in meta.concrete_fields:
        names[field.name] = names[field.attname] = [columns[field.attname]]
    for term in query.order_by or (query.default_ordering and meta.ordering) or ():
        if isinstance(term, str) and term != "?":
            name = term.removeprefix("-")
            term = OrderBy(F(name), descending=name != term)
        expression = getattr(term, "expression", term)
        if type(expression) is not F or expression.name not in names:
            yield term
            continue
        for column in names[expression.name]:
            renamed = term.copy() if isinstance(term, OrderBy) else term.asc()
            renamed.expression = F(column)
            yield renamed


def rename_selection(query, names):
    """Make ``query``, a values() one, select what it selects as ``names``."""
    references = (
        query.selected.values()
        if query.selected
        else [*range(len(query.values_select)), *query.annotation_select]
    )
    query.selected = dict(zip(names, references))


def project_values(query, names):
    """
    Make ``query`` select its values under ``names`` and mark its rows.
    """
    query.combined_queries = tuple(
        _project_branch(
            _with_values(branch, query), partial(project_values, names=names)
        )
        for branch in query.combined_queries
    )
    rename_selection(query, names)
    select_annotation(query, ROW_MARKER, Value(1))


def clear_selection(query):
    """Make ``query`` select what will be added, and nothing else."""
    query.clear_select_clause()
    query.values_select = ()
    query.selected = {}


def select_annotation(query, name, expression):
    """
    Make ``query``, whose selection is explicit, select an expression too.
    """
    expression = expression.resolve_expression(query)
    query.annotations = {**query.annotations, name: expression}
    # Changing the mask selects all its annotations under their own names.
    selected = {**query.selected, name: name}
    query.append_annotation_mask([name])
    query.selected = selected
    query._annotation_select_cache = None


def _with_values(branch, query):
    """Return a branch of a combination with what values() selects of it."""
    if branch.selected is None:
        branch = branch.clone()
        branch.set_values(query.selected)
    return branch


def _project_branch(branch, project):
    branch = branch.clone()
    project(branch)
    branch.clear_ordering(force=False)
    return branch
