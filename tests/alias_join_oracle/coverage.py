"""Which features a query makes use of, to see that all are reached."""

from . import spec
from .joining import lateral

# Where a subquery, an aggregate or a join may be.
PLACES = {
    spec.Join: "join",
    spec.Filter: "filter",
    spec.Aggregate: "aggregate",
    spec.Either: "combination",
    spec.Query: "",
}


def features(check):
    """Return the names of the features of a check."""
    return {f"use: {check.use}", *walk(check.query, "query")} | (
        set(walk(check.aggregate, "aggregate()")) if check.aggregate else set()
    )


def walk(node, place):
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part, place)
        return
    if not hasattr(node, "__dataclass_fields__"):
        return
    yield from named(node, place)
    place = PLACES.get(type(node)) or place
    if isinstance(node, spec.Exists | spec.QueryLookup):
        place = "subquery"
    for name in node.__dataclass_fields__:
        part = getattr(node, name)
        if name == "source" and isinstance(part, spec.Query):
            yield from walk(part, "source")
        else:
            yield from walk(part, place)


def named(node, place):
    match node:
        case spec.Query():
            yield f"model: {node.model}"
            yield from (f"{place}: {kind(step)}" for step in node.steps)
            if place == "source" and lateral(node):
                yield "source: lateral"
        case spec.Join():
            yield f"join: {node.type}"
            yield f"spelling: {node.form}"
            if node.inferred:
                yield "join: inferred"
            if not isinstance(node.source, spec.Query):
                yield f"source: {type(node.source).__name__}"
        case spec.Combine():
            yield f"{place}: {node.connector}"
        case spec.Not():
            yield f"{place}: ~"
        case spec.Exists() | spec.QueryLookup():
            yield f"{place}: {type(node).__name__}"
        case spec.Lookup():
            yield f"lookup: {node.name}"
        case spec.Call() | spec.Window():
            yield f"function: {node.function}"
        case spec.Many():
            yield f"{place}: to many"
        case spec.Ref() if node.kind.startswith("json"):
            yield f"{place}: {node.kind}"
        case spec.Ref() if node.kind in ("Place", "Cell"):
            yield f"key: {node.kind}"


def kind(step):
    match step:
        case spec.Union():
            return step.method
        case spec.Annotate(value=spec.Window()):
            return "window"
        case spec.Aggregate() if step.condition is not None:
            return "aggregate with filter"
        case spec.Filter(negated=True):
            return "exclude"
        case spec.Either() if step.left_joins:
            return f"{step.connector} with joins"
        case spec.Either():
            return f"{step.connector} of queries"
    return type(step).__name__.lower()
