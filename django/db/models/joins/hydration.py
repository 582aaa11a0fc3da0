"""
select_related() along a join: model instances, or named rows for values.
"""

from functools import partial

from django.core.exceptions import FieldError
from django.db.models.joins.columns import ROW_MARKER
from django.db.models.query import RelatedPopulator
from django.db.models.utils import create_namedtuple_class


def select_joined_rows(compiler, name, select, select_mask, requested, cur_depth):
    """
    Append the columns of the join ``name`` to ``select`` and return the
    klass_info that get_related_populators() makes its populator from. Called
    by SQLCompiler.get_related_selections().
    """
    query = compiler.query
    join_field, *_, joins, _, _ = query.setup_joins(
        [name], query.get_meta(), query.get_initial_alias()
    )
    alias = joins[-1]
    klass_info = {
        "model": join_field.related_model,
        "field": join_field,
        "reverse": False,
        "from_parent": False,
        "local_setter": partial(_set_joined_row, name),
        "remote_setter": _set_nothing,
        "related_klass_infos": [],
    }
    mask = select_mask.get((name, join_field)) or join_field.select_mask
    options = join_field.options
    start = len(select)
    if join_field.instances:
        klass_info["populator_class"] = JoinedInstancePopulator
        select.extend(
            (column, None)
            for column in compiler.get_default_columns(
                mask, start_alias=alias, opts=options
            )
        )
    elif requested:
        raise FieldError(
            f"The rows of the join {name!r} are values, not model instances, so "
            f"select_related() can't go beyond {name!r}."
        )
    else:
        klass_info["populator_class"] = NamedRowPopulator
        marker = options.columns[ROW_MARKER]
        select.append((marker.get_col(alias), None))
    klass_info["select_fields"] = list(range(start, len(select)))
    klass_info["extra_columns"] = {}
    for column in options.extra_columns:
        klass_info["extra_columns"][column.attname] = len(select)
        select.append((column.get_col(alias), None))
    if join_field.instances:
        klass_info["related_klass_infos"] = compiler.get_related_selections(
            select,
            mask,
            opts=options,
            root_alias=alias,
            cur_depth=cur_depth + 1,
            requested=requested,
            restricted=True,
        )
    return klass_info


def _set_joined_row(name, instance, row):
    setattr(instance, name, row)


def _set_nothing(instance, row):
    pass


class JoinedInstancePopulator(RelatedPopulator):
    """Set a model instance with its annotations, or None if unmatched."""

    def __init__(self, klass_info, *args, **kwargs):
        super().__init__(klass_info, *args, **kwargs)
        self.annotations = klass_info["extra_columns"]
        self.name = klass_info["field"].name

    def populate(self, row, from_obj):
        super().populate(row, from_obj)
        if self.annotations and (obj := getattr(from_obj, self.name)) is not None:
            for name, position in self.annotations.items():
                setattr(obj, name, row[position])


class NamedRowPopulator:
    """Set a named tuple of the selected values, or None if unmatched."""

    def __init__(self, klass_info, select, db, fetch_mode):
        [self.marker_position] = klass_info["select_fields"]
        columns = klass_info["extra_columns"]
        self.positions = list(columns.values())
        self.row_class = create_namedtuple_class(*columns)
        self.set_joined_row = klass_info["local_setter"]

    def populate(self, row, from_obj):
        joined = None
        if row[self.marker_position] is not None:
            joined = self.row_class._make(row[position] for position in self.positions)
        self.set_joined_row(from_obj, joined)
