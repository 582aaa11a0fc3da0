"""
The ON clause of a join: the given condition, or one inferred from the only
foreign key between the two models.
"""

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import NotSupportedError
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col, F
from django.db.models.query_utils import Q
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import AND, WhereNode


def resolve_condition(query, relation, alias):
    """
    Return the WhereNode of the ON clause of the join ``alias``, which is the
    last entry of the query's FROM clause and stays it.
    """
    try:
        condition, _ = query.build_filter(
            relation.condition,
            can_reuse=set(query.alias_map),
            update_join_types=False,
        )
    except (FieldError, NotSupportedError, TypeError, ValueError) as error:
        raise type(error)(
            f"The ON condition of the join {relation.alias!r} can't be resolved: "
            f"{error}"
        ) from error
    if any(
        not _compares_columns(leaf)
        and (leaf.contains_aggregate or leaf.contains_over_clause)
        for leaf in condition.leaves()
    ):
        raise FieldError(
            f"The ON condition of the join {relation.alias!r} contains an aggregate or "
            "a window function. Join a queryset that selects it as a column instead."
        )
    move_to_end(query, relation, alias)
    if not isinstance(condition, WhereNode):
        condition = WhereNode([condition], connector=AND)
    return condition


def _compares_columns(lookup):
    return type(getattr(lookup, "lhs", None)) is Col and isinstance(
        lookup.rhs, (Col, str, int)
    )


def compare_columns(query, relation, alias):
    """
    Return what resolve_condition() does, without the cost of lookup paths, if
    the condition is a conjunction of comparisons of the join's columns with
    columns of the query's base or with plain values. Return None otherwise.
    """
    condition = relation.condition
    if (
        type(query.alias_map[query.base_table]) is not BaseTable
        or not isinstance(condition, Q)
        or condition.negated
        or condition.connector != AND
    ):
        return None
    lookups = []
    for child in condition.children:
        if not isinstance(child, tuple):
            return None
        path, value = child
        prefix, separator, name = path.partition(LOOKUP_SEP)
        field = prefix == alias and _get_column(relation.field.options, name)
        if type(value) is F and value.name not in query.annotations:
            other = _get_column(query.get_meta(), value.name)
            value = other and other.get_col(query.base_table)
        elif not isinstance(value, (str, int)) or field and field.is_relation:
            return None
        if not field or value is None:
            return None
        column = field.get_col(alias, field)
        try:
            lookups.append(query.build_lookup(["exact"], column, value))
        except (TypeError, ValueError):
            # resolve_condition() says where.
            return None
    return WhereNode(lookups, connector=AND)


def _get_column(options, name):
    """Return the field ``name`` if it is one column of the table, or None."""
    if LOOKUP_SEP in name:
        return None
    try:
        field = options.pk if name == "pk" else options.get_field(name)
    except (FieldDoesNotExist, FieldError):
        return None
    is_own = field.model._meta.concrete_model == options.concrete_model
    return field if is_own and getattr(field, "column", None) else None


def move_to_end(query, relation, alias):
    """
    Put the joins that the ON clause needs before the join itself, which they
    can't depend on. Called by Query.join().
    """
    if _remove_unused_children(query, alias):
        raise FieldError(
            f"The ON condition of the join {relation.alias!r} follows a relation of "
            f"{relation.alias!r} itself. Join a queryset that selects the related "
            "column, or annotate() it there."
        )
    query.alias_map[alias] = query.alias_map.pop(alias)


def _remove_unused_children(query, alias):
    """
    Remove the joins beyond ``alias`` that nothing refers to, and return the
    aliases of the others.

    A path that ends at a foreign key joins its table at first, and the entry
    would stay in front of the one that it is joined to.
    """
    children = []
    for other, entry in list(query.alias_map.items()):
        if entry.parent_alias == alias:
            if query.alias_refcount[other]:
                children.append(other)
            else:
                _remove_unused_children(query, other)
                _remove_alias(query, other)
    return children


def _remove_alias(query, alias):
    """Remove an unreferenced entry from the query's FROM clause."""
    entry = query.alias_map.pop(alias)
    del query.alias_refcount[alias]
    query.table_map[entry.table_name] = [
        other for other in query.table_map[entry.table_name] if other != alias
    ]
    if not query.table_map[entry.table_name]:
        del query.table_map[entry.table_name]


def infer_condition(model, join_field):
    """
    Return the Q() that equates the columns of the only foreign key between
    ``model`` and the source of the join, in either direction.

    Raise FieldError if there is none, or more than one.
    """
    source = join_field.source
    candidates = list(_foreign_keys(model, source.model))
    conditions = {}
    for field, pairs in candidates:
        condition = _equate(join_field, pairs)
        if condition is not None:
            conditions[field] = condition
    if len(conditions) == 1:
        return next(iter(conditions.values()))
    labels = ", ".join(
        sorted(f"{field.model._meta.label}.{field.name}" for field, _ in candidates)
    )
    join = f"the join {join_field.name!r} of {source.model._meta.label}"
    if len(conditions) > 1:
        problem = (
            f"More than one foreign key could be the condition of {join}: {labels}."
        )
    elif candidates:
        problem = (
            f"The queryset of {join} doesn't select the columns of the foreign key "
            f"that links it to {model._meta.label}: {labels}."
        )
    else:
        problem = f"No foreign key links {model._meta.label} with {join}."
    raise FieldError(
        f"{problem} Give the ON condition, for example "
        f"on=Q({join_field.name}{LOOKUP_SEP}<column>=F(<field>))."
    )


def _foreign_keys(model, source_model):
    """
    Yield each foreign key between the models with the pairs of its fields, the
    model's first.
    """
    for field in _forward_fields(model):
        if _is_a(source_model, field.related_model):
            yield field, field.related_fields
    for field in _forward_fields(source_model):
        if _is_a(model, field.related_model):
            if model == source_model:
                # Both directions of a foreign key to itself are possible.
                yield _Reversed(field), field.reverse_related_fields
            else:
                yield field, field.reverse_related_fields


class _Reversed:
    """The reverse direction of a foreign key to its own model."""

    def __init__(self, field):
        self.model = field.model
        self.name = f"{field.name} (reverse)"


def _forward_fields(model):
    for field in model._meta.fields:
        if (
            field.remote_field
            and not field.auto_created
            and not field.remote_field.parent_link
            and field.get_joining_fields()
        ):
            yield field


def _is_a(model, ancestor):
    return issubclass(model._meta.concrete_model, ancestor._meta.concrete_model)


def _equate(join_field, pairs):
    names = None if join_field.instances else _column_names(join_field)
    lookups = []
    for local, remote in pairs:
        if names is None:
            name = remote.attname
        else:
            name = names.get((remote.model._meta.concrete_model, remote.name))
        if name is None:
            return None
        lookups.append((f"{join_field.name}{LOOKUP_SEP}{name}", F(local.attname)))
    return Q(*lookups)


def _column_names(join_field):
    """
    Map (model, field name) of the columns of a projection to their names.
    """
    from django.db.models.joins.sources import selected_expressions

    query = join_field.source.query
    own_aliases = _own_aliases(query)
    return {
        (expression.target.model._meta.concrete_model, expression.target.name): name
        for name, expression in selected_expressions(query)
        if isinstance(expression, Col) and expression.alias in own_aliases
    }


def _own_aliases(query):
    """
    Return the aliases of the tables of the query's model: parents' as well.
    """
    meta = query.get_meta()
    links = [
        link
        for model in (query.model, *meta.all_parents)
        for link in model._meta.parents.values()
    ]
    aliases = {query.base_table}
    for alias, entry in query.alias_map.items():
        if entry.parent_alias in aliases and entry.join_field in links:
            aliases.add(alias)
    return aliases
