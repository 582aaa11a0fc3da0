"""Draw operands and conditions over the columns in scope."""

from contextlib import contextmanager
from dataclasses import dataclass

from . import spec
from .rows import DOMAINS
from .schema import LINKS, TABLES, key_kind

KEYS = {"int": (1, 2, 3, 4), "text": DOMAINS["text"]}


def family(kind):
    """Kinds that may be compared with each other."""
    return key_kind(kind)


def table_refs(table, prefix=(), depth=2):
    """The columns of a table and of those its foreign keys lead to."""
    refs = [
        spec.Ref((*prefix, column.name), column.kind)
        for column in TABLES[table].values()
        if column.kind != "json"
    ]
    if depth > 1:
        for link in LINKS[table].values():
            if link.way == "forward":
                refs += table_refs(link.target, (*prefix, link.name), depth - 1)
    return refs


def documents(table, prefix=()):
    """The columns of a table that hold JSON."""
    return [
        spec.Ref((*prefix, column.name), column.kind)
        for column in TABLES[table].values()
        if column.kind == "json"
    ]


def is_document(ref):
    return ref.kind.startswith("json")


def is_relation(ref):
    """Whether a reference ends with a foreign key or a model's alias."""
    return ref.kind in TABLES and ref.path[-1] not in ("id", "code", "pk")


@dataclass(frozen=True)
class Where:
    """What a condition is part of."""

    # A join, one along a relation, and an aggregate.
    on: bool = False
    relation: bool = False
    aggregate: bool = False
    # HAVING, where MySQL knows no expressions over columns that aren't
    # selected.
    having: bool = False
    # A query with aliases, whose negated conditions mind NULL.
    guarded: bool = False
    subquery: bool = False


class Maker:
    def __init__(self, random, areas):
        self.random = random
        self.areas = areas
        self.counter = 0
        # How deep Case() is nested.
        self.cases = 0
        self.where = Where()

    @contextmanager
    def within(self, **where):
        before = self.where
        inside = before.subquery or where.pop("subquery", False)
        self.where = Where(**where, subquery=inside)
        yield
        self.where = before

    # Choices.

    def number(self, low, high):
        return self.random.randint(low, high)

    def pick(self, choices):
        return choices[self.number(0, len(choices) - 1)]

    def some(self, choices, least, most):
        return tuple(self.pick(choices) for _ in range(self.number(least, most)))

    def chance(self, percent):
        return self.number(0, 99) >= 100 - percent

    def name(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter}"

    # Operands.

    def const(self, kind):
        values = KEYS[key_kind(kind)] if kind in TABLES else DOMAINS[kind]
        return spec.Const(self.pick(values), kind)

    def operand(self, kind, refs, depth=1, shown=False):
        """An expression of a family of kinds, to compare or only to show."""
        same = [ref for ref in refs if family(ref.kind) == family(kind)]
        # Keys and integers together would need an output_field.
        plain = [ref for ref in same if ref.kind == family(kind)]
        leaf = not depth or not plain or self.where.having or self.chance(40)
        if leaf or kind == "local":
            if same and self.chance(75):
                return self.pick(same)
            return self.const(family(kind))
        kind = family(kind)
        functions = ["Coalesce"]
        if self.cases < 2 and (self.areas.case_in_on or not self.where.on):
            functions.append("case")
        if kind == "int":
            functions += ["add", "mul", "sub", "Length"]
        elif kind == "text":
            functions += ["NullIf", "Reverse"]
        elif kind == "moment":
            functions.append("day")
            if shown:
                functions.append("day in the east")
        function = self.pick(functions)
        if function == "Length":
            texts = [ref for ref in refs if ref.kind == "text"]
            if not texts:
                return self.pick(plain)
            return spec.Call("Length", (self.pick(texts),), "int")
        first = self.pick(plain)
        if function == "day in the east":
            return spec.Call(function, (first,), "local")
        if function in ("Reverse", "day"):
            return spec.Call(function, (first,), kind)
        if kind in ("moment", "decimal"):
            # MySQL reads such a parameter beside a column as something else.
            second = self.pick(plain)
        else:
            second = self.operand(kind, plain, depth - 1)
        if function == "case":
            # Without an alias, it may refer to an annotation.
            simple = not (self.areas.negated_when and self.where.guarded)
            self.cases += 1
            test = self.condition(refs, (), depth=1, simple=simple)
            self.cases -= 1
            return spec.Call("case", (test, first, second), kind)
        return spec.Call(function, (first, second), kind)

    # Conditions.

    def condition(self, refs, positive=(), depth=2, negated=False, simple=False):
        """
        A tree of lookups. The positive references are used where nothing is
        negated; a simple condition has no negation at all.
        """
        simple = simple or not refs
        if depth and self.chance(60):
            connectors = ["&", "|"]
            if self.where.guarded and self.areas.xor and not simple:
                connectors.append("^")
            if simple or self.chance(65):
                connector = self.pick(connectors)
                inside = negated or connector == "^"
                parts = tuple(
                    self.condition(refs, positive, depth - 1, inside, simple)
                    for _ in range(self.number(2, 3))
                )
                return spec.Combine(connector, parts)
            return spec.Not(self.condition(refs, positive, depth - 1, True, simple))
        return self.lookup(refs if negated else [*refs, *positive], negated)

    def lookup(self, refs, negated=False):
        where = self.where
        if not (where.subquery or where.having or where.aggregate) and self.chance(6):
            return self.subquery(refs, negated)
        if negated and not self.areas.negated_paths:
            refs = [ref for ref in refs if len(ref.path) == 1] or refs
        ref = self.pick(refs)
        relation = is_relation(ref)
        plain = negated and not (self.where.guarded and self.areas.negated_lookups)
        if not plain and self.chance(15):
            same = [r for r in refs if r.kind == family(ref.kind)]
            lhs = self.operand(ref.kind, same)
            if isinstance(lhs, spec.Call):
                ref, relation = lhs, False
        return self.comparison(ref, refs, negated, relation)

    def comparison(self, ref, refs, negated=False, relation=False):
        names = ["exact", "isnull", "gt", "in", "lte"]
        if not relation:
            names += ["range", "lt", "gte"]
        name = self.pick(names)
        if name == "isnull" or ref.kind == "local" and len(ref.path) == 1:
            return spec.Lookup(ref, "isnull", self.chance(50))
        empty = self.areas.empty_relations or not self.where.relation
        if self.where.aggregate and not self.areas.empty_aggregates:
            empty = False
        if relation and name == "in":
            least = 0 if empty else 1
            values = (self.const(ref.kind) for _ in range(self.number(least, 3)))
            return spec.Lookup(ref, name, tuple(dict.fromkeys(values)))
        least, most = {"in": (1 - empty, 3), "range": (2, 2)}.get(name, (1, 1))
        depth = 0 if relation else 1
        if negated and not (self.where.guarded and self.areas.negated_operands):
            refs = []
        rhs = tuple(self.rhs(ref, refs, depth) for _ in range(self.number(least, most)))
        return spec.Lookup(ref, name, rhs if name in ("in", "range") else rhs[0])

    def document(self, ref):
        """Draw a condition on a document or on what it has under a key."""
        if ref.kind == "json" and self.chance(80):
            ref = self.key(ref)
        if self.chance(30):
            return spec.Lookup(ref, "isnull", self.chance(50))
        names = ("exact", "gt", "lte") if ref.kind == "json int" else ("exact",)
        return spec.Lookup(ref, self.pick(names), self.const(ref.kind))

    def key(self, ref):
        name, kind = self.pick((("n", "json int"), ("t", "json text")))
        return spec.Ref((*ref.path, name), kind)

    def rhs(self, ref, refs, depth):
        if self.chance(50):
            others = [r for r in refs if not is_relation(r)]
            if not self.areas.joined_operands:
                others = [r for r in others if len(r.path) == 1]
            return self.operand(ref.kind, others, depth)
        return self.const(ref.kind)
