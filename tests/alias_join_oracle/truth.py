"""
The rows of a query by relational algebra in plain Python, written from the
definitions. Nothing of the ORM's query code is used.
"""

from . import spec
from .operands import BASE, MEMBERS, OUTER, Database, Record
from .schema import TABLES

PK = ("id", "pk")


class State:
    """What a query has become after some of its steps."""

    def __init__(self, rows, select=None):
        self.rows = rows
        # None for model instances, or (name, operand) pairs.
        self.select = select
        self.annotations = ()
        self.order = ()
        self.explicit_order = False
        self.distinct = False
        self.grouped = False
        self.slice = None

    @property
    def settled(self):
        return not (self.distinct or self.grouped or self.slice)


class Truth(Database):
    def run(self, query, outer=None):
        rows = [{BASE: record, OUTER: outer} for record in self.tables[query.model]]
        state = State(rows)
        state.model = query.model
        if query.model == "Note":
            state.order = (spec.Key(spec.Ref(("pk",), "Note"), descending=True),)
        for step in query.steps:
            getattr(self, type(step).__name__.lower())(state, step)
        return state

    def results(self, query, outer=None):
        """Pairs of ordering values and the values of each row of a query."""
        state = self.run(query, outer)
        return [
            (self.ordering(state, row), self.output(state, row))
            for row in self.settle(state)
        ]

    def subquery(self, query, row):
        return [values for _, values in self.results(query, row)]

    # What a row shows.

    def names(self, state):
        if state.select is None:
            return (*TABLES[state.model], *state.annotations)
        return tuple(name for name, _ in state.select)

    def output(self, state, row):
        if state.select is None:
            base = row[BASE]
            own = (base and base.values[name] for name in TABLES[state.model])
            return (*own, *(self.fetch(row, (name,)) for name in state.annotations))
        return tuple(self.value(operand, row) for _, operand in state.select)

    def ordering(self, state, row):
        return tuple(self.value(key.operand, row) for key in state.order)

    def settle(self, state):
        """The rows after distinct(), order_by() and slicing."""
        rows = state.rows
        if state.distinct:
            unique = {}
            for row in rows:
                shown = self.output(state, row), self.ordering(state, row)
                unique.setdefault(shown, row)
            rows = list(unique.values())
        rows = self.sorted(state, rows)
        return rows[slice(*state.slice)] if state.slice else rows

    def sorted(self, state, rows):
        shown = () if state.select is None else self.names(state)
        for key in reversed(state.order):
            first = self.ascending_nulls_first
            descending = key.descending
            if key.nulls:
                first = (key.nulls == "first") != descending
            elif (
                key.operand.kind == "Note"
                and key.operand.path[-1] not in PK
                and key.operand.name not in shown
            ):
                # A relation that isn't selected stands for its model's order.
                descending = not descending

            def position(row):
                value = self.value(key.operand, row)
                if value is None:
                    return (-1 if first else 1,)
                return (0, value)

            rows = sorted(rows, key=position, reverse=descending)
        return rows

    # Steps.

    def filter(self, state, step):
        state.rows = [
            row for row in state.rows if self.holds(step.condition, row) != step.negated
        ]

    def either(self, state, step):
        test = {"&": all, "|": any}[step.connector]
        state.rows = [
            row
            for row in state.rows
            if test(
                self.holds(side.condition, row) != side.negated
                for side in (step.left, step.right)
            )
        ]

    def annotate(self, state, step):
        for row in state.rows:
            row[step.name] = self.value(step.value, row)
        if step.method == "annotate":
            self.show(state, step.name, step.value.kind)

    def show(self, state, name, kind):
        if state.select is None:
            state.annotations += (name,)
        else:
            state.select += ((name, spec.Ref((name,), kind)),)

    def values(self, state, step):
        state.select = step.columns
        for row in state.rows:
            for name, operand in step.columns:
                if not (isinstance(operand, spec.Ref) and operand.name == name):
                    row[name] = self.value(operand, row)

    def distinct(self, state, step):
        state.distinct = True

    def order(self, state, step):
        if state.grouped and state.explicit_order:
            raise ValueError("Another ordering makes other groups.")
        state.order = step.keys
        state.explicit_order = bool(step.keys)

    def slice(self, state, step):
        state.slice = (step.start, step.stop)

    def aggregate(self, state, step):
        if not state.grouped:
            self.group(state, step.relation)
        for row in state.rows:
            row[step.name] = self.total(step, row[MEMBERS])
        self.show(state, step.name, "int")

    def group(self, state, relation):
        rows = state.rows
        if relation:
            rows = [
                {**row, relation[0]: record}
                for row in rows
                for record in self.relation(row[BASE], state.model, relation) or [None]
            ]
        groups = {}
        for row in rows:
            key = self.output(state, row)
            if state.explicit_order:
                key += self.ordering(state, row)
            groups.setdefault(key, []).append(row)
        state.rows = [{**rows[0], MEMBERS: rows} for rows in groups.values()]
        if not state.explicit_order:
            # Meta.ordering is no part of a GROUP BY query.
            state.order = ()
        state.grouped = True

    def total(self, step, rows):
        if step.condition is not None:
            rows = [row for row in rows if self.holds(step.condition, row)]
        if step.argument is None:
            return len(rows)
        values = [self.value(step.argument, row) for row in rows]
        values = [value for value in values if value is not None]
        if step.distinct:
            values = list(set(values))
        if step.function == "Count":
            return len(values)
        if not values:
            return None
        return {"Sum": sum, "Min": min, "Max": max}[step.function](values)

    def union(self, state, step):
        other = self.run(step.other)
        names = self.names(state)
        left = [self.output(state, row) for row in self.settle(state)]
        right = [self.output(other, row) for row in self.settle(other)]
        if step.method == "union":
            shown = left + right
            if not step.all:
                shown = list(dict.fromkeys(shown))
        else:
            inside = step.method == "intersection"
            shown = [v for v in dict.fromkeys(left) if (v in right) == inside]
        state.__init__([], state.select)
        if state.select is None:
            tables = {
                self.output(state, {BASE: r}): r for r in self.tables[state.model]
            }
            state.rows = [{BASE: tables[values]} for values in shown]
        else:
            state.select = tuple((n, spec.Ref((n,), "int")) for n in names)
            state.rows = [{BASE: Record(dict(zip(names, v)), {})} for v in shown]

    # Joins.

    def join(self, state, step):
        if not state.settled:
            self.push_down(state)
        match step.source:
            case spec.Table():
                records = self.tables[step.source.model]
                find = lambda row: records  # noqa: E731
            case spec.Relation():
                find = lambda row: self.relation(  # noqa: E731
                    row[BASE], state.model, step.source.path
                )
            case spec.Query() if lateral(step.source):
                find = lambda row: self.records(step.source, row)  # noqa: E731
            case spec.Query():
                found = self.records(step.source)
                find = lambda row: found  # noqa: E731
        rows, matched = [], set()
        for row in state.rows:
            inner = [
                record
                for record in find(row)
                if self.matches(step, {**row, step.alias: record})
            ]
            matched.update(map(id, inner))
            if not inner and step.type in ("left", "full"):
                inner = [None]
            rows += [{**row, step.alias: record} for record in inner]
        if step.type in ("right", "full"):
            rows += self.unmatched(state, step, find(None), matched)
        state.rows = rows

    def unmatched(self, state, step, records, matched):
        """Rows of a RIGHT or FULL join that have no row on the left."""
        names = {name for row in state.rows for name in row}
        empty = {**dict.fromkeys(names), BASE: None}
        return [
            {**empty, step.alias: record}
            for record in records
            if id(record) not in matched
        ]

    def matches(self, step, row):
        if isinstance(step.source, spec.Relation):
            # Its condition names the relation rather than the alias.
            if len(step.source.path) == 1:
                row = {**row, step.source.path[0]: row[step.alias]}
        return self.holds(step.on, row)

    def push_down(self, state):
        """The rows so far become the table that later steps select from."""
        rows, select = self.settle(state), state.select
        if select is not None:
            rows = [{**row, BASE: self.project(state, row)} for row in rows]
            select = tuple(
                (name, spec.Ref((name,), operand.kind)) for name, operand in select
            )
        kept = state.annotations, state.order, state.explicit_order
        state.__init__(rows, select)
        state.annotations, state.order, state.explicit_order = kept

    def records(self, query, outer=None):
        """The rows of a query as records that an alias stands for."""
        state = self.run(query, outer)
        rows = self.settle(state)
        if state.select is not None:
            return [self.project(state, row) for row in rows]
        return [
            Record(
                {
                    **row[BASE].values,
                    **{name: row[name] for name in state.annotations},
                },
                row[BASE].targets,
                row[BASE].key,
            )
            for row in rows
        ]

    def project(self, state, row):
        targets = {
            name: operand.kind
            for name, operand in state.select
            if operand.kind in TABLES
        }
        return Record(dict(zip(self.names(state), self.output(state, row))), targets)


def lateral(node):
    """Whether a query refers to the one it is joined to."""
    match node:
        case spec.Outer():
            return True
        case tuple():
            return any(map(lateral, node))
        case spec.Exists() | spec.InQuery():
            return False
    return (
        any(map(lateral, vars(node).values())) if hasattr(node, "__dict__") else False
    )
