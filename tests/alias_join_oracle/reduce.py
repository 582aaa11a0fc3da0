"""
Make a failing case smaller as long as it fails in the same way: faster than
shrinking the choices that made it, since most of those change everything.
"""

from dataclasses import fields, is_dataclass, replace

from . import spec
from .schema import TABLES


def smaller(node):
    """Variants of a node with less in it, the boldest first."""
    match node:
        case spec.Not():
            yield node.condition
        case spec.Combine():
            yield from node.conditions
        case spec.Call():
            yield from (a for a in node.arguments if isinstance(a, OPERANDS))
        case spec.Join(source=spec.Query()):
            yield replace(node, source=spec.Table(node.source.model))
        case spec.Order() | spec.Window():
            # Which rows a slice takes depends on all of it.
            return
        case spec.Either():
            yield node.left
            yield node.right
        case spec.Aggregate() if node.condition is not None:
            yield replace(node, condition=None)
        case spec.Case():
            yield from (replace(node, data=data) for data in fewer_rows(node.data))
    if isinstance(node, tuple):
        for i in range(len(node)):
            if not isinstance(node[i], spec.Order):
                yield node[:i] + node[i + 1 :]
            for part in smaller(node[i]):
                yield node[:i] + (part,) + node[i + 1 :]
    elif isinstance(node, spec.Lookup) and node.name == "range":
        yield from (replace(node, lhs=part) for part in smaller(node.lhs))
    elif isinstance(node, spec.Values) and len(node.columns) == 1:
        return
    elif is_dataclass(node) and not isinstance(node, spec.Ref):
        for field in fields(node):
            for part in smaller(getattr(node, field.name)):
                yield replace(node, **{field.name: part})


OPERANDS = (spec.Ref, spec.Const, spec.Call)


def fewer_rows(data):
    for table, rows in data.items():
        for i, row in enumerate(rows):
            yield {**data, table: rows[:i] + rows[i + 1 :]}
            for name, column in TABLES.get(table, {}).items():
                if column.null and row[name] is not None:
                    changed = {**row, name: None}
                    yield {**data, table: [*rows[:i], changed, *rows[i + 1 :]]}


def consistent(data):
    """Whether all keys of a case's rows point to rows."""
    keys = {
        table: {row.get("id", row.get("code")) for row in data.get(table, ())}
        for table in TABLES
    }
    return all(
        row[column.name] is None or row[column.name] in keys[column.target]
        for table, columns in TABLES.items()
        for row in data.get(table, ())
        for column in columns.values()
        if column.target
    ) and all(
        left in keys["Item"] and right in keys["Tag"]
        for left, right in data.get("Item_tags", ())
    )


def reduce(case, failure, patience=2000):
    """
    The smallest case found for which failure(case) returns the same kind of
    failure, and that failure.
    """
    best = failure(case)
    tried = 0
    # Most queries with less in them name something that isn't there.
    progress = best.kind[0] != "FieldError"
    while progress and tried < patience:
        progress = False
        for candidate in smaller(case):
            if not candidate.checks or not consistent(candidate.data):
                continue
            tried += 1
            found = failure(candidate)
            if found is not None and found.kind == best.kind:
                case, best, progress = candidate, found, True
                break
            if tried >= patience:
                break
    return case, best
