"""
The columns of a queryset as fields.

Lookup paths walk models: an Options object and its fields. A queryset that
selects values or annotations has columns that no model has, so each becomes a
copy of the field that describes its expression.
"""

import copy
import itertools
from functools import cache, partial

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col, ColPairs
from django.db.models.fields import DateTimeField, DecimalField, Field
from django.db.models.fields.generated import GeneratedField
from django.db.models.fields.json import JSONField, KeyTransform
from django.db.models.functions.datetime import TruncBase
from django.db.models.joins.jsonkeys import json_key_field
from django.db.models.joins.localtime import local_time_field
from django.utils.functional import cached_property

# The column that tells a matched row from an unmatched one where the source
# has no primary key. It can't clash with a column: "__" is refused in names.
ROW_MARKER = "__row"

# Of fields that no model has, far from those of models. To count on the class,
# as models do, would have Python forget what it knows about all fields.
creation_counters = itertools.count(1 << 32)

# What tells a projected field from the field that it is a copy of.
PROJECTED_ATTRIBUTES = (
    "name",
    "attname",
    "column",
    "model",
    "max_digits",
    "decimal_places",
    "get_db_converters",
    "fields",
)


class Projection:
    """
    Stand-in for the model of projected columns.

    Columns of different joins are told apart by the alias of their Col, those
    of one join by their name.
    """

    def __init__(self, options):
        self._meta = options

    def __repr__(self):
        return f"<{self.__class__.__name__} of {self._meta.label}>"


class SourceConverters:
    """
    Field.get_db_converters() for a column: what the selected expression does.

    The column that refers to the value is a plain Col, which knows neither the
    expression's own conversions nor what Field.from_db_value() finds out from
    the expression.
    """

    def __init__(self, expression):
        self.expression = expression

    def __call__(self, connection):
        converters = self.expression.get_db_converters(connection)
        # A cached function, for numbers, doesn't look at the expression.
        number = vars(self.expression).get("convert_value")
        return [
            convert if convert is number else partial(self.convert, convert)
            for convert in converters
        ]

    def convert(self, convert, value, expression, connection):
        return convert(value, self.expression, connection)


@cache
def _cached_property_names(cls):
    return [
        name
        for base in cls.__mro__
        for name, attribute in vars(base).items()
        if isinstance(attribute, cached_property)
    ]


def project_field(field, name, model, column=None, attname=None):
    """
    Return a copy of ``field`` that stands for a nullable column ``name``.

    The copy has its own identity (creation counter, model) and no cached
    value of the original. It isn't unique, nor a primary key: the rows of a
    source may repeat.
    """
    projected = _copy_field(field)
    projected.name = name
    projected.attname = attname or name
    projected.column = column or name
    # Arrays and ranges would set it on the field of their elements, too, which
    # the original shares.
    projected.__dict__["model"] = model
    return projected


def project_primary_key(options, model):
    """
    Return what tells rows of instances from NULLs, the primary key among the
    columns of ``options``. Add it to them if it is a composite one.
    """
    key = options.meta.pk
    if options.meta.is_composite_pk:
        projected = project_field(key, key.name, model)
        projected.fields = tuple(options.columns[field.name] for field in key.fields)
        options.add_column(projected, key.name)
    return options.columns[key.name]


def _copy_field(field):
    projected = copy.copy(field)
    for attribute in _cached_property_names(type(field)):
        projected.__dict__.pop(attribute, None)
    projected.projected_from = field
    projected.null = True
    projected.primary_key = False
    projected._unique = False
    projected.creation_counter = next(creation_counters)
    if field.remote_field:
        projected.remote_field = copy.copy(field.remote_field)
        projected.remote_field.field = projected
    return projected


def reduce_projected_field(field):
    """
    Pickle a copy as its difference from the original, which a model may have.
    Called by Field.__reduce__().
    """
    state = {
        name: field.__dict__[name]
        for name in PROJECTED_ATTRIBUTES
        if name in field.__dict__
    }
    return _copy_field, (field.projected_from,), state


def project_expression(expression, name, model, column=None):
    """
    Return a field for the column ``name`` that selects ``expression``.

    Raise FieldError if the type of the expression can't be told.
    """
    if isinstance(expression, ColPairs):
        raise FieldError(
            f"{name!r} has several columns and can't be selected by the queryset of a "
            "join. Select its fields by their names."
        )
    if isinstance(expression, Col) and not isinstance(
        expression.target, GeneratedField
    ):
        return project_field(expression.target, name, model, column)
    # A reference to the outer query doesn't know its type yet.
    output_field = getattr(expression, "output_field", None)
    if output_field is None:
        raise FieldError(
            f"The type of {name!r} is unknown. Set its output_field, for example with "
            "ExpressionWrapper()."
        )
    if isinstance(expression, TruncBase) and isinstance(output_field, DateTimeField):
        output_field = local_time_field(expression.tzinfo)
    elif isinstance(expression, KeyTransform) and isinstance(output_field, JSONField):
        output_field = json_key_field(output_field.encoder)
    projected = project_field(output_field, name, model, column)
    if isinstance(projected, DecimalField):
        # The scale of a computed number isn't that of its operands.
        projected.max_digits = projected.decimal_places = None
    if not isinstance(expression, Col):
        projected.get_db_converters = SourceConverters(expression)
    return projected


def check_countable(expression):
    """
    Raise FieldError if ``expression`` is the row marker of a join, which is
    the same in all of its rows. Called by Count.resolve_expression() if these
    have to be told apart.
    """
    field = getattr(expression, "target", None)
    while (original := getattr(field, "projected_from", None)) is not None:
        if field.name == ROW_MARKER:
            alias = field.model._meta.alias
            raise FieldError(
                f"Count({alias!r}, distinct=True) can't tell the rows of the join "
                f"{alias!r} apart, since they are values without a primary key. Count "
                "a column of the join."
            )
        field = original


class SourceOptions:
    """
    The Options of the rows of a source, as far as lookup paths need them.

    ``columns`` maps names to projected fields. ``meta`` is the Options of the
    model whose instances the source's rows are, if they are.
    """

    meta = None

    def __init__(self, alias):
        self.alias = alias
        self.columns = {}

    def add_column(self, field, *names):
        for name in names:
            self.columns[name] = field

    def get_field(self, name):
        try:
            return self.columns[name]
        except KeyError:
            pass
        if (meta := self.meta) is not None:
            try:
                return meta.get_field(name)
            except FieldDoesNotExist:
                pass
        if name in self.lookup_names:
            raise FieldDoesNotExist(f"{self.alias} has no column named {name!r}")
        raise FieldError(
            f"Cannot resolve keyword {name!r} into a column of the join "
            f"{self.alias!r}. Choices are: {', '.join(self.column_names)}."
        )

    @property
    def lookup_names(self):
        from django.db.models.fields.related import ForeignObject

        return ForeignObject.get_lookups()

    @property
    def column_names(self):
        names = {name for name in self.columns if LOOKUP_SEP not in name}
        if self.meta is not None:
            from django.db.models.sql.query import get_field_names_from_opts

            names |= get_field_names_from_opts(self.meta)
        return sorted(names)


class ModelRowOptions(SourceOptions):
    """The Options of rows that are model instances: the model's and more."""

    def __init__(self, alias, meta):
        super().__init__(alias)
        self.model = meta.model

    @property
    def meta(self):
        # Options can't be pickled, models can.
        return self.model._meta

    def __getattr__(self, name):
        # __dict__ is empty while unpickling.
        if name == "model" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.meta, name)

    @property
    def concrete_fields(self):
        return tuple(
            self.columns.get(field.name, field) for field in self.meta.concrete_fields
        )

    def project_mask(self, select_mask):
        """Return a select mask of the model's fields as one of columns."""
        return {
            self.columns.get(field.name, field): mask
            for key, mask in select_mask.items()
            if isinstance(key, Field)
            for field in (self.meta.pk_fields if key == self.meta.pk else [key])
        }

    @property
    def extra_columns(self):
        """The columns that aren't fields of the model: annotations."""
        fields = {field.name for field in self.meta.concrete_fields}
        fields |= {field.attname for field in self.meta.concrete_fields}
        return [column for name, column in self.columns.items() if name not in fields]


class EmbeddedInstanceOptions(ModelRowOptions):
    """
    The Options of instances whose columns a subquery selects by names of their
    own, which paths that start at the model's table can't be joined to.
    """

    def get_field(self, name):
        if name not in self.columns and name not in self.lookup_names:
            raise FieldError(
                f"Cannot resolve keyword {name!r} into a column of the join "
                f"{self.alias!r}, which was made before the queryset was sliced. "
                f"Choices are: {', '.join(self.columns)}."
            )
        return super().get_field(name)


class ValueRowOptions(SourceOptions):
    """The Options of rows that are values: nothing but the columns."""

    parents = {}
    all_parents = ()
    ordering = ()
    related_objects = ()
    db_table = ""
    app_label = ""

    def __init__(self, alias, meta=None):
        super().__init__(alias)
        self.model = self.concrete_model = Projection(self)
        self.label = self.object_name = alias

    @property
    def pk(self):
        return self.get_field("pk")

    @property
    def concrete_fields(self):
        fields = {
            id(field): field
            for name, field in self.columns.items()
            if name != ROW_MARKER
        }
        return list(fields.values())

    fields = extra_columns = concrete_fields

    def get_fields(self):
        return self.concrete_fields

    def get_path_to_parent(self, parent):
        return []

    def get_base_chain(self, model):
        return []
