"""
The virtual relation that lookup paths walk from a model to a joined source.
"""

import copyreg
from functools import cache

from django.core.exceptions import FieldError
from django.db.models.deletion import DO_NOTHING
from django.db.models.fields.related import ForeignObject
from django.db.models.joins.columns import creation_counters
from django.db.models.joins.structure import same_structure
from django.db.models.query_utils import FilteredRelation, PathInfo, Q


@cache
def _get_template(related_model):
    return ForeignObject(
        related_model,
        on_delete=DO_NOTHING,
        from_fields=(),
        to_fields=(),
        related_name="+",
        null=True,
    )


class VirtualField(ForeignObject):
    """
    A relation without columns of its own, from a model to rows in FROM.

    ``options`` describe the rows to lookup paths, ``row_marker`` are fields
    that are NULL in unmatched rows only, ``instances`` tells whether the rows
    are instances of ``related_model``, and ``select_mask`` what to load of
    them.
    """

    _path = None

    def __init__(self, model, name, related_model, options, row_marker, instances):
        # Initializing a field would cost more than the rest of a join.
        vars(self).update(vars(_get_template(related_model)))
        template = self.remote_field
        self.remote_field = template.__class__.__new__(template.__class__)
        vars(self.remote_field).update(vars(template), field=self)
        self.creation_counter = next(creation_counters)
        self.model = model
        self.name = name
        # Unlike name, an attname doesn't follow the ordering of the rows'
        # model.
        self.attname = None
        self.column = None
        self.options = options
        self.row_marker = row_marker
        self.instances = instances
        self.select_mask = {}

    def __reduce__(self):
        # No model has this field to load it from. Paths hold Options, which
        # can't be pickled.
        state = self.__dict__.copy()
        state.pop("path_infos", None)
        state.pop("_path", None)
        return copyreg.__newobj__, (self.__class__,), state

    def get_path_info(self, filtered_relation=None):
        # Every lookup path along the join asks.
        if (
            self._path is None
            or self._path[0].filtered_relation is not filtered_relation
        ):
            self._path = [
                PathInfo(
                    from_opts=self.model._meta,
                    to_opts=self.options,
                    target_fields=tuple(self.row_marker),
                    join_field=self,
                    m2m=False,
                    direct=False,
                    filtered_relation=filtered_relation,
                )
            ]
        return self._path

    @property
    def target_field(self):
        if self.instances and len(self.row_marker) == 1:
            # alias__in makes a queryset of the model select it by its name.
            return self.related_model._meta.pk
        return super().target_field

    def resolve_related_fields(self):
        return []


class JoinField(VirtualField):
    """
    The relation to a joined source.

    What makes it match is the ON condition that the join holds.
    """

    def __init__(self, model, alias, source, options, row_marker):
        self.source = source
        super().__init__(
            model, alias, source.model, options, row_marker, source.instances
        )
        if source.query and source.instances:
            # only() and defer() of the source.
            self.select_mask = options.project_mask(source.query.get_select_mask())


class JoinRelation(FilteredRelation):
    """
    What was asked of a join: alias, source, condition, and type. Immutable.

    Query._filtered_relations holds it by alias, next to those that name a
    relation of the model. The resolved source and condition are in
    Query.alias_map.
    """

    joined = True

    def __init__(self, field, condition, join_type):
        self.relation_name = field.source
        self.alias = field.name
        self.condition = condition
        self.join_type = join_type
        self.resolved_condition = None
        self.field = field

    def __eq__(self, other):
        if self is other:
            return True
        if not isinstance(other, JoinRelation):
            return NotImplemented
        return (
            self.alias == other.alias
            and self.join_type == other.join_type
            and self.field.model == other.field.model
            and same_structure(self.condition, other.condition)
            and self.relation_name == other.relation_name
        )

    def __hash__(self):
        return hash((self.alias, self.join_type))

    def clone(self):
        return self


class EmbeddedRelation(FilteredRelation):
    """
    A join inside the subquery that a query selects from, which selects the
    join's columns under names of their own.
    """

    joined = True

    def __init__(self, field):
        self.relation_name = field.name
        self.alias = field.name
        self.condition = Q()
        self.join_type = None
        self.resolved_condition = None
        self.field = field

    def __eq__(self, other):
        if not isinstance(other, EmbeddedRelation):
            return NotImplemented
        return self.field.name == other.field.name

    def clone(self):
        return self


class HiddenRelation(FilteredRelation):
    """
    A join inside the subquery that a query selects from, whose columns can't
    be selected there since that would change the rows of the subquery.
    """

    joined = True

    def __init__(self, alias):
        self.relation_name = self.alias = alias

    @property
    def field(self):
        raise FieldError(
            f"The join {self.alias!r} was made before the queryset was aggregated, "
            "made distinct, or combined, so its columns are gone. annotate() what "
            "you need of it before that."
        )

    def __eq__(self, other):
        if not isinstance(other, HiddenRelation):
            return NotImplemented
        return self.alias == other.alias

    def clone(self):
        return self
