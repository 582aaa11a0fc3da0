"""
A query as plain data: what build.py writes as code and truth.py computes.

Operands have a kind: int, text, decimal, moment, local, bool, or the name of a
table for a key of it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ref:
    path: tuple
    kind: str

    @property
    def name(self):
        return "__".join(self.path)


@dataclass(frozen=True)
class Outer(Ref):
    """A reference of a lateral or correlated query to the query around it."""


@dataclass(frozen=True)
class Many(Ref):
    """A column behind a relation to many of an alias's model."""

    model: str

    @property
    def relation(self):
        return self.path[:2]


@dataclass(frozen=True)
class Const:
    value: object
    kind: str


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple
    kind: str


@dataclass(frozen=True)
class Window:
    function: str
    argument: object
    partition: tuple
    order: tuple
    kind: str = "int"


@dataclass(frozen=True)
class Lookup:
    lhs: object
    name: str
    rhs: object


@dataclass(frozen=True)
class Not:
    condition: object


@dataclass(frozen=True)
class Combine:
    connector: str
    conditions: tuple


@dataclass(frozen=True)
class Exists:
    query: object


@dataclass(frozen=True)
class QueryLookup:
    """A comparison with the values of a query, or with its value, or NULL."""

    lhs: Ref
    query: object
    name: str = "in"


@dataclass(frozen=True)
class Table:
    """A model as the source of a join."""

    model: str


@dataclass(frozen=True)
class Relation:
    """A relation's name as the source of a FilteredRelation."""

    path: tuple


@dataclass(frozen=True)
class Join:
    alias: str
    source: object
    on: object
    type: str = "left"
    inferred: bool = False
    form: str = "alias_join"


@dataclass(frozen=True)
class Filter:
    condition: object
    negated: bool = False


@dataclass(frozen=True)
class Annotate:
    name: str
    value: object
    method: str = "annotate"


@dataclass(frozen=True)
class Aggregate:
    """An aggregate over each group, or over all rows in aggregate()."""

    name: str
    function: str
    argument: object = None
    distinct: bool = False
    condition: object = None
    # The to-many relation of the model that the argument starts with.
    relation: tuple = ()


@dataclass(frozen=True)
class Values:
    columns: tuple


@dataclass(frozen=True)
class Distinct:
    pass


@dataclass(frozen=True)
class Key:
    operand: object
    descending: bool = False
    nulls: str = ""


@dataclass(frozen=True)
class Order:
    keys: tuple


@dataclass(frozen=True)
class Slice:
    start: int
    stop: int


@dataclass(frozen=True)
class Either:
    """
    The query so far with some joins and one filter, combined with itself with
    others.
    """

    connector: str
    left: Filter
    right: Filter
    left_joins: tuple = ()
    right_joins: tuple = ()


@dataclass(frozen=True)
class Union:
    method: str
    other: object
    all: bool = False


@dataclass(frozen=True)
class Query:
    model: str
    steps: tuple = ()

    def then(self, *steps):
        return Query(self.model, self.steps + steps)


@dataclass(frozen=True)
class Check:
    """A query and what is done with it."""

    query: Query
    use: str = "rows"
    aggregate: Aggregate = None
    alias: str = ""
    value: object = None


@dataclass(frozen=True, repr=False)
class Case:
    """Rows by table name, and the checks made on them."""

    data: dict
    checks: tuple

    def __repr__(self):
        return "<printed above>"
