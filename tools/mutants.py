"""Code with one fault: a change of the patches taken back, or a part left out."""

import ast
import re
from dataclasses import dataclass
from typing import NamedTuple

from unidiff import PatchSet

NEUTRAL = {ast.And: "True", ast.Or: "False"}
STATEMENTS = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Return)


class Change(NamedTuple):
    """Consecutive lines that the patches put in the place of others."""

    first: int  # The index of its first line.
    new: tuple
    old: tuple

    @property
    def lines(self):
        """The numbers of its lines."""
        return range(self.first + 1, self.first + 1 + len(self.new))


@dataclass(frozen=True)
class Mutant:
    """A file with a fault in these lines."""

    path: str
    lines: tuple
    fault: str
    content: str

    def __str__(self):
        return f"{self.path}:{self.lines[0]} {self.fault}"


def changes(diff):
    """Yield (path, changes) of each file in a diff without context."""
    for file in PatchSet(diff):
        yield file.path, [
            Change(
                # An empty side names the line before it.
                hunk.target_start - bool(hunk.target_length),
                tuple(line.value for line in hunk.target_lines()),
                tuple(line.value for line in hunk.source_lines()),
            )
            for hunk in file
        ]


def reverted(text, group):
    """Return the text without the changes."""
    lines = text.splitlines(keepends=True)
    for change in sorted(group, reverse=True):
        lines[change.first : change.first + len(change.new)] = change.old
    return "".join(lines)


class Block(NamedTuple):
    """The function, or else the class or the module, around a line of a text."""

    text: str
    first: int
    last: int
    is_function: bool

    @classmethod
    def around(cls, text, tree, line):
        found = cls(text, 1, len(text.splitlines()), False)
        nodes = [*tree.body]
        while nodes:
            node = nodes.pop(0)
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                start = min(part.lineno for part in [node, *node.decorator_list])
                if start <= line <= node.end_lineno:
                    is_function = isinstance(node, ast.FunctionDef)
                    found = cls(text, start, node.end_lineno, is_function)
                    nodes = [] if is_function else [*node.body]
        return found

    def parse(self, content=None):
        """Return the block's tree, in a content that differs from the text in it."""
        lines = (content or self.text).splitlines(keepends=True)
        after = len(self.text.splitlines()) - self.last
        code = "".join(lines[self.first - 1 : len(lines) - after])
        return ast.parse(f"if True:\n{code}" if code[:1].isspace() else code)

    def undefined(self, content):
        """Return the names that the block uses, and defines only in the text."""
        before, after = names(self.parse()), names(self.parse(content))
        return (before.defined - after.defined) & after.used

    def meaning(self, content=None):
        """Return what the block does, comments and needless statements apart."""
        tree = self.parse(content)
        for node in ast.walk(tree):
            if isinstance(getattr(node, "body", None), list):
                node.body = [statement for statement in node.body if does(statement)]
        return ast.dump(tree)


class Names(NamedTuple):
    defined: set
    used: set


def names(tree):
    found = Names(set(), set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found[isinstance(node.ctx, ast.Load)].add(node.id)
        elif isinstance(node, ast.arg):
            found.defined.add(node.arg)
    return found


def does(statement):
    """Tell whether the statement is more than an import, a docstring or `pass`."""
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.If) and not statement.orelse:
        return ast.unparse(statement.test) != "False" and any(map(does, statement.body))
    return not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))


def together(block, change, others):
    """
    Return the change with those in its block that make no sense without it: they use
    a name that it defines, or are a part of the same statement.
    """
    group = [change]
    near = [c for c in others if block.first <= c.first + 1 <= block.last]
    while True:
        rest = [other for other in near if other not in group]
        try:
            missing = block.undefined(reverted(block.text, group))
        except SyntaxError:
            rest.sort(key=lambda other: abs(other.first - change.first))
            needed = rest[:1]
        else:
            needed = [
                other
                for other in rest
                if missing.intersection(re.findall(r"\w+", "".join(other.new)))
            ]
        if not needed:
            return group
        group += needed


def faults(text, lines, tree=None):
    """
    Yield (lines, fault, content) for each part of these lines that can be left out.

    Conditions become true or false, operands of `and` and `or` go, as do statements.
    """
    for node in ast.walk(tree or ast.parse(text)):
        parts = []
        if isinstance(node, (ast.If, ast.IfExp)):
            parts = [(node.test, "False"), (node.test, "True")]
        elif isinstance(node, ast.comprehension):
            parts = [(test, "True") for test in node.ifs]
        elif isinstance(node, ast.BoolOp):
            parts = [(value, NEUTRAL[type(node.op)]) for value in node.values]
        elif isinstance(node, STATEMENTS):
            value = getattr(node, "value", None)
            if not isinstance(node, ast.Expr) or isinstance(value, ast.Call):
                parts = [(node, "pass")]
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            parts = [(node, str(not node.value))]
        for part, instead in parts:
            span = range(part.lineno, part.end_lineno + 1)
            if span[0] in lines and span[-1] in lines:
                fault = f"{' '.join(ast.unparse(part).split())} -> {instead}"
                yield tuple(span), fault, replaced(text, part, instead)


def replaced(text, node, instead):
    lines = text.encode().splitlines(keepends=True)
    before = lines[node.lineno - 1][: node.col_offset]
    after = lines[node.end_lineno - 1][node.end_col_offset :]
    lines[node.lineno - 1 : node.end_lineno] = [before + instead.encode() + after]
    return b"".join(lines).decode()


def imports(tree, change):
    """Tell whether the change adds nothing but imports."""
    added = {
        line
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for line in range(node.lineno, node.end_lineno + 1)
    }
    return change.new and added.issuperset(change.lines)


def hooks(path, text, found):
    """
    Yield the mutants of a file that patches change: each change taken back, unless it
    is an import, which does no harm, and each statement of a function left out.
    """
    tree, source = ast.parse(text), text.splitlines()
    for change in found:
        if imports(tree, change):
            continue
        first = change.first + 1
        block = Block.around(text, tree, first)
        group = together(block, change, found)
        lines = sorted(line for other in group for line in other.lines) or [first]
        fault = f"{source[first - 1].strip()} -> as upstream"
        tried = [(tuple(lines), fault, reverted(text, group))]
        if block.is_function:
            tried += [
                fault
                for fault in faults(text, change.lines, tree)
                if fault[1].endswith((" -> False", " -> pass"))
            ]
        seen = {block.meaning()}
        for lines, fault, content in tried:
            try:
                meaning = block.meaning(content)
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                yield Mutant(path, lines, fault, content)
