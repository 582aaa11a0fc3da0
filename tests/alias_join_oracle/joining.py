"""Joins by their definition: pairs of rows for which ON is true."""

from . import spec
from .operands import BASE, Database, Record
from .schema import TABLES


class Joining(Database):
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
        case spec.Join() | spec.Exists() | spec.QueryLookup():
            # What these refer to is the query itself.
            return False
    return (
        any(map(lateral, vars(node).values())) if hasattr(node, "__dict__") else False
    )
