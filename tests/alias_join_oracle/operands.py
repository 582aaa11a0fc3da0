"""The value of an operand and the truth of a condition, for one row."""

import datetime
from functools import cached_property
from operator import add, ge, gt, le, lt, mul, sub

from . import spec
from .schema import LINKS, TABLES, primary_key

# Entries of a row beside its named values: the record of the base table, the
# row of the query around this one, and the rows that were merged into it.
BASE, OUTER, MEMBERS = "<base>", "<outer>", "<members>"

EAST = datetime.timezone(datetime.timedelta(hours=9))
ARITHMETIC = {"add": add, "sub": sub, "mul": mul}
COMPARISONS = {"gt": gt, "gte": ge, "lt": lt, "lte": le}


class Record:
    """Named values, and which of them are keys of which table."""

    def __init__(self, values, targets, key=True):
        self.values = values
        self.targets = targets
        self.key = key


class Database:
    def __init__(self, data, ascending_nulls_first):
        self.data = data
        self.ascending_nulls_first = ascending_nulls_first

    @cached_property
    def tables(self):
        return {
            name: [self.record(name, row) for row in self.data.get(name, ())]
            for name in TABLES
        }

    @cached_property
    def index(self):
        return {
            name: {record.key: record for record in records}
            for name, records in self.tables.items()
        }

    def record(self, table, row):
        key = tuple(row[name] for name in primary_key(table))
        key = key[0] if len(key) == 1 else key
        targets = {c.name: c.target for c in TABLES[table].values() if c.target}
        return Record({**row, "pk": key}, targets, key)

    def related(self, record, link):
        """The records that a relation leads to."""
        if link.way == "forward":
            key = record.values[link.column]
            return [] if key is None else [self.index[link.target][key]]
        if link.way == "reverse":
            return [
                other
                for other in self.tables[link.target]
                if other.values[link.column] == record.key
            ]
        side = -1 if link.swapped else 1
        return [
            self.index[link.target][target]
            for source, target in (
                pair[::side] for pair in self.data.get(link.column, ())
            )
            if source == record.key
        ]

    def relation(self, record, table, path):
        """As related(), along several single-valued relations."""
        *path, last = path
        for name in path:
            link = LINKS[table][name]
            key = record.values[link.column]
            if key is None:
                return []
            record, table = self.index[link.target][key], link.target
        return self.related(record, LINKS[table][last])

    # Operands.

    def follow(self, value, table, names):
        for name in names:
            if value is None:
                return None
            if isinstance(value, dict):
                value = value.get(name)
                continue
            if not isinstance(value, Record):
                value = self.index[table][value]
            table = value.targets.get(name)
            value = value.values[name]
        return value.key if isinstance(value, Record) else value

    def fetch(self, row, path):
        if path[0] in row:
            return self.follow(row[path[0]], None, path[1:])
        return self.follow(row[BASE], None, path)

    def value(self, node, row):
        match node:
            case spec.Outer():
                return self.fetch(row[OUTER], node.path)
            case spec.Many():
                return self.follow(row[node.relation], None, node.path[2:])
            case spec.Ref():
                return self.fetch(row, node.path)
            case spec.Const():
                return node.value
            case spec.Call(function="case"):
                test, then, otherwise = node.arguments
                return self.value(then if self.holds(test, row) else otherwise, row)
            case spec.Call():
                return self.call(node.function, node.arguments, row)
        raise TypeError(node)

    def call(self, function, arguments, row):
        values = [self.value(argument, row) for argument in arguments]
        if function == "Coalesce":
            return next((value for value in values if value is not None), None)
        if function == "NullIf":
            same = None not in values and values[0] == values[1]
            return None if same else values[0]
        if None in values:
            return None
        if function in ARITHMETIC:
            return ARITHMETIC[function](*values)
        if function == "Length":
            return len(values[0])
        if function == "Reverse":
            return values[0][::-1]
        if function.startswith("day"):
            moment = values[0].astimezone(EAST) if "east" in function else values[0]
            return datetime.datetime.combine(
                moment.date(), datetime.time(), moment.tzinfo
            )
        raise TypeError(function)

    # Conditions.

    def holds(self, node, row):
        match node:
            case None:
                return True
            case spec.Lookup():
                return self.compare(node, row)
            case spec.Not():
                return not self.holds(node.condition, row)
            case spec.Combine():
                truths = [self.holds(part, row) for part in node.conditions]
                return {"&": all, "|": any, "^": lambda t: sum(t) % 2 == 1}[
                    node.connector
                ](truths)
            case spec.Exists():
                return bool(self.subquery(node.query, row))
            case spec.QueryLookup():
                value = self.value(node.lhs, row)
                found = [values[0] for values in self.subquery(node.query, row)]
                found = [other for other in found if other is not None]
                if value is None or not found:
                    return False
                if node.name == "in":
                    return value in found
                [other] = found
                return COMPARISONS[node.name](value, other)
        raise TypeError(node)

    def compare(self, node, row):
        lhs = self.value(node.lhs, row)
        if node.name == "isnull":
            return (lhs is None) == node.rhs
        many = isinstance(node.rhs, tuple)
        operands = node.rhs if many else (node.rhs,)
        rhs = [self.value(operand, row) for operand in operands]
        if lhs is None:
            return False
        if node.name == "in":
            return lhs in [value for value in rhs if value is not None]
        if None in rhs:
            return False
        if node.name == "exact":
            return lhs == rhs[0]
        if node.name == "range":
            return rhs[0] <= lhs <= rhs[1]
        return COMPARISONS[node.name](lhs, rhs[0])

    def subquery(self, query, row):
        raise NotImplementedError
