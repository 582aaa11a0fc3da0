"""
Write a query as the code that makes it, and run that code: what a failure
prints is what was executed.
"""

from . import names, spec

LOOKUPS = {
    "exact": "Exact",
    "gt": "GreaterThan",
    "gte": "GreaterThanOrEqual",
    "in": "In",
    "isnull": "IsNull",
    "lt": "LessThan",
    "lte": "LessThanOrEqual",
    "range": "Range",
}
ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}


def evaluate(code):
    return eval(code, dict(vars(names)))


def literal(value):
    if isinstance(value, tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, (spec.Ref, spec.Call)):
        return operand(value)
    if isinstance(value, spec.Const):
        return repr(value.value)
    return repr(value)


def operand(node):
    match node:
        case spec.Outer():
            return f'OuterRef("{node.name}")'
        case spec.Ref():
            return f'F("{node.name}")'
        case spec.Const():
            return f"Value({node.value!r})"
        case spec.Call(function="case"):
            test, then, otherwise = node.arguments
            return (
                f"Case(When({condition(test)}, then={operand(then)}), "
                f"default={operand(otherwise)})"
            )
        case spec.Call(function="day"):
            return f"TruncDay({operand(node.arguments[0])})"
        case spec.Call(function="day in the east"):
            return f"TruncDay({operand(node.arguments[0])}, tzinfo=EAST)"
        case spec.Window():
            return window(node)
        case spec.Call():
            arguments = list(map(operand, node.arguments))
            if sign := ARITHMETIC.get(node.function):
                return f"({arguments[0]} {sign} {arguments[1]})"
            return f"{node.function}({', '.join(arguments)})"
    raise TypeError(node)


def window(node):
    words = [f"{node.function}({operand(node.argument) if node.argument else ''})"]
    if node.partition:
        words.append(f"partition_by=[{', '.join(map(operand, node.partition))}]")
    if node.order:
        words.append(f"order_by=[{', '.join(map(ordering, node.order))}]")
    return f"Window({', '.join(words)})"


def condition(node):
    match node:
        case spec.Lookup(lhs=spec.Outer() | spec.Call()):
            return f"Q({LOOKUPS[node.name]}({operand(node.lhs)}, {literal(node.rhs)}))"
        case spec.Lookup():
            suffix = "" if node.name == "exact" else f"__{node.name}"
            return f"Q({node.lhs.name}{suffix}={literal(node.rhs)})"
        case spec.Not():
            return f"~{condition(node.condition)}"
        case spec.Combine():
            sign = f" {node.connector} "
            return f"({sign.join(map(condition, node.conditions))})"
        case spec.Exists():
            return f"Q(Exists({query(node.query)}))"
        case spec.QueryLookup():
            return f"Q({node.lhs.name}__{node.name}={query(node.query)})"
    raise TypeError(node)


def source(node):
    match node:
        case spec.Table():
            return node.model
        case spec.Relation():
            return f'"{"__".join(node.path)}"'
        case spec.Query():
            return query(node)
    raise TypeError(node)


def join(step):
    """The method call that makes a join, in one of its spellings."""
    on = None if step.on is None or step.inferred else condition(step.on)
    plain = step.form == "alias_join" and not isinstance(step.source, spec.Relation)
    words = [step.alias + "=" + source(step.source)] if plain else [source(step.source)]
    if on is not None:
        words.append(("on=" if plain else "condition=") + on)
    if step.type != "left":
        words.append(f"join_type=JoinType.{step.type.upper()}")
    if plain:
        return f".alias_join({', '.join(words)})"
    return f".{step.form}({step.alias}=FilteredRelation({', '.join(words)}))"


def columns(pairs):
    words = []
    for name, value in pairs:
        if isinstance(value, spec.Ref) and value.name == name:
            words.append(repr(name))
        else:
            words.append(f"{name}={operand(value)}")
    # Positional arguments come first.
    return ", ".join(sorted(words, key=lambda word: not word.startswith("'")))


def aggregate(step):
    words = ['"*"' if step.argument is None else operand(step.argument)]
    if isinstance(step.argument, spec.Ref):
        words = [f'"{step.argument.name}"']
    if step.distinct:
        words.append("distinct=True")
    if step.condition is not None:
        words.append(f"filter={condition(step.condition)}")
    return f"{step.name}={step.function}({', '.join(words)})"


def key(node):
    if isinstance(node.operand, spec.Ref) and not node.nulls:
        return f'"{"-" if node.descending else ""}{node.operand.name}"'
    return ordering(node)


def ordering(node):
    nulls = f"nulls_{node.nulls}=True" if node.nulls else ""
    return f"{operand(node.operand)}.{'desc' if node.descending else 'asc'}({nulls})"


def filtered(step):
    method = "exclude" if step.negated else "filter"
    return f".{method}({condition(step.condition)})"


def query(node):
    code = f"{node.model}.objects"
    for step in node.steps:
        match step:
            case spec.Join():
                code += join(step)
            case spec.Filter():
                code += filtered(step)
            case spec.Annotate():
                code += f".{step.method}({step.name}={operand(step.value)})"
            case spec.Aggregate():
                code += f".annotate({aggregate(step)})"
            case spec.Values():
                code += f".values({columns(step.columns)})"
            case spec.Distinct():
                code += ".distinct()"
            case spec.Order():
                code += f".order_by({', '.join(map(key, step.keys))})"
            case spec.Slice():
                code += f"[{step.start or ''}:{step.stop}]"
            case spec.Either():
                sides = [
                    code + "".join(map(join, joins)) + filtered(side)
                    for joins, side in (
                        (step.left_joins, step.left),
                        (step.right_joins, step.right),
                    )
                ]
                code = f"({sides[0]} {step.connector} {sides[1]})"
            case spec.Union():
                everything = ", all=True" if step.all else ""
                code += f".{step.method}({query(step.other)}{everything})"
            case _:
                raise TypeError(step)
    return code if node.steps else f"{code}.all()"
