"""
The rows of a query by relational algebra in plain Python, written from the
definitions. Nothing of the ORM's query code is used.
"""

from functools import partial

from . import spec
from .joining import Joining
from .operands import BASE, MEMBERS, OUTER, Record
from .schema import LINKS, TABLES

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
        self.aggregates = ()
        self.slice = None
        # Relations to many that rows were multiplied by.
        self.reached = set()

    @property
    def grouped(self):
        return bool(self.aggregates)

    @property
    def settled(self):
        return not (self.distinct or self.grouped or self.slice)


class Truth(Joining):
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

    def sorted_rows(self, query):
        state = self.run(query)
        return self.settle(state)

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
        if not state.slice:
            return rows
        for cut in state.slice:
            if 0 < cut < len(rows) and self.tied(state, *rows[cut - 1 : cut + 1]):
                raise ValueError("Which rows a slice has is left open.")
        return rows[slice(*state.slice)]

    def tied(self, state, *rows):
        """Whether different rows may come in any order."""
        keys = [self.ordering(state, row) for row in rows]
        show = contents if state.select is None else partial(self.output, state)
        shown = [show(row) for row in rows]
        return keys[0] == keys[1] and shown[0] != shown[1]

    def sorted(self, state, rows):
        shown = () if state.select is None else self.names(state)
        return self.by_keys(rows, state.order, shown)

    def by_keys(self, rows, keys, shown=()):
        for key in reversed(keys):
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
        many = relations_to_many(step.condition)
        if not step.negated:
            self.reach(state, many)
            state.rows = [r for r in state.rows if self.holds(step.condition, r)]
        elif many:
            state.rows = [r for r in state.rows if not self.any(step.condition, r)]
        else:
            state.rows = [r for r in state.rows if not self.holds(step.condition, r)]

    def any(self, condition, row):
        """As holds(), each lookup for any of the rows that are related."""
        if isinstance(condition, spec.Combine):
            truths = [self.any(part, row) for part in condition.conditions]
            return {"&": all, "|": any}[condition.connector](truths)
        ref = condition.lhs
        return any(
            self.holds(condition, {**row, ref.relation: record})
            for record in self.related_to(row, ref)
        )

    def related_to(self, row, ref):
        alias, name = ref.relation
        record = row.get(alias)
        return record and self.related(record, LINKS[ref.model][name]) or [None]

    def reach(self, state, many):
        """Join the relations to many that are referred to the first time."""
        for ref in many:
            if ref.relation not in state.reached:
                state.reached.add(ref.relation)
                if state.grouped:
                    # All aggregates are over what the joins of all make.
                    for row in state.rows:
                        row[MEMBERS] = self.multiplied(row[MEMBERS], ref)
                else:
                    state.rows = self.multiplied(state.rows, ref)

    def multiplied(self, rows, ref):
        return [
            {**row, ref.relation: record}
            for row in rows
            for record in self.related_to(row, ref)
        ]

    def either(self, state, step):
        for join in (*step.left_joins, *step.right_joins):
            self.join(state, join)
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
        if isinstance(step.value, spec.Window):
            self.window(state, step.name, step.value)
        for row in state.rows:
            if step.name not in row:
                row[step.name] = self.value(step.value, row)
        if step.method == "annotate":
            self.show(state, step.name, step.value.kind)

    def window(self, state, name, window):
        partitions = {}
        for row in state.rows:
            key = tuple(self.value(operand, row) for operand in window.partition)
            partitions.setdefault(key, []).append(row)
        for rows in partitions.values():
            if window.function == "RowNumber":
                for number, row in enumerate(self.by_keys(rows, window.order), 1):
                    row[name] = number
            else:
                value = total(window.function, self.present(window.argument, rows))
                for row in rows:
                    row[name] = value

    def show(self, state, name, kind):
        if state.select is None:
            state.annotations += (name,)
        else:
            state.select += ((name, spec.Ref((name,), kind)),)

    def values(self, state, step):
        self.reach(state, relations_to_many(step.columns))
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
        self.reach(state, relations_to_many(step.keys))
        state.order = step.keys
        state.explicit_order = bool(step.keys)

    def slice(self, state, step):
        state.slice = (step.start, step.stop)

    def aggregate(self, state, step):
        self.reach(state, relations_to_many((step.argument, step.condition)))
        if not state.grouped:
            self.group(state, step.relation)
        state.aggregates += (step,)
        for row in state.rows:
            for each in state.aggregates:
                row[each.name] = self.total(each, row[MEMBERS])
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

    def total(self, step, rows):
        if step.condition is not None:
            rows = [row for row in rows if self.holds(step.condition, row)]
        if step.argument is None:
            return len(rows)
        values = self.present(step.argument, rows)
        return total(step.function, set(values) if step.distinct else values)

    def present(self, operand, rows):
        """The values of an operand that aren't NULL."""
        values = (self.value(operand, row) for row in rows)
        return [value for value in values if value is not None]

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


def contents(row):
    """What names reach in a row: values, and what records hold."""
    return {
        name: value.values if isinstance(value, Record) else value
        for name, value in row.items()
        if isinstance(name, str) and name is not MEMBERS
    }


def total(function, values):
    if function == "Count":
        return len(values)
    return {"Sum": sum, "Min": min, "Max": max}[function](values) if values else None


def relations_to_many(node):
    """The references to a relation to many in a step or a part of it."""
    if isinstance(node, spec.Many):
        return {node: None}
    parts = node if isinstance(node, tuple) else vars(node).values()
    return {
        ref: None
        for part in parts
        if isinstance(part, tuple) or hasattr(part, "__dict__")
        for ref in relations_to_many(part)
    }
