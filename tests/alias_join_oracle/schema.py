"""The models' columns and relations, for the generator and the truth."""

from dataclasses import dataclass

from django.db import models

from .models import Cell, Item, Note, Owner, Place, Rate, Tag

MODELS = {
    model.__name__: model for model in (Owner, Place, Tag, Item, Note, Rate, Cell)
}

KINDS = {
    models.CharField: "text",
    models.IntegerField: "int",
    models.DecimalField: "decimal",
    models.DateTimeField: "moment",
    models.JSONField: "json",
}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    null: bool
    # The table that a foreign key points to.
    target: str = ""


@dataclass(frozen=True)
class Link:
    """A relation from one table to another, read from either side."""

    name: str
    model: str
    target: str
    # forward: a column of the model; reverse: a column of the target;
    # many: pairs of keys in a table of their own.
    way: str
    column: str = ""
    null: bool = True
    # For the second side of a many-to-many relation.
    swapped: bool = False


def columns(model):
    for field in model._meta.concrete_fields:
        if field.is_relation:
            target = field.related_model.__name__
            yield Column(field.name, target, field.null, target)
        elif not isinstance(field, models.CompositePrimaryKey):
            kind = model.__name__ if field.primary_key else KINDS[type(field)]
            yield Column(field.name, kind, field.null)


def links(model):
    name = model.__name__
    for field in model._meta.get_fields():
        if not field.is_relation:
            continue
        target = field.related_model.__name__
        if field.many_to_many:
            forward = not field.auto_created
            owner = model if forward else field.related_model
            relation = field if forward else field.field
            yield Link(
                field.name,
                name,
                target,
                "many",
                f"{owner.__name__}_{relation.name}",
                swapped=not forward,
            )
        elif field.concrete:
            yield Link(field.name, name, target, "forward", field.name, field.null)
        else:
            yield Link(field.name, name, target, "reverse", field.field.name)


TABLES = {
    name: {column.name: column for column in columns(model)}
    for name, model in MODELS.items()
}
LINKS = {
    name: {link.name: link for link in links(model)} for name, model in MODELS.items()
}


def primary_key(table):
    """The names of the columns that identify a row."""
    return tuple(field.name for field in MODELS[table]._meta.pk_fields)


def key_kind(kind):
    """The kind of the values that a key of a table holds."""
    if kind not in TABLES:
        return kind
    return "text" if kind == "Place" else "int"
