import ast
import textwrap

import pytest
from mutants import Block, Change, changes, faults, hooks, reverted, together

TEXT = """\
from joins import extra, prepare


def build(query, names):
    \"\"\"Build it, or prepare it.\"\"\"
    prepared = prepare(query)
    for name in names:
        # Only some.
        if name in prepared:
            extra(query, name)
    return [
        name
        for name in sorted(
            names
        )
    ]
"""


def change(first, new, *old):
    """The change of `new` lines from the number `first` on."""
    lines = TEXT.splitlines(keepends=True)
    return Change(first - 1, tuple(lines[first - 1 : first - 1 + new]), old)


IMPORT = change(1, 1)
DOCSTRING = change(5, 1, '    """Build it."""\n')
DEFINITION = change(6, 1)
USER = change(8, 3, "        query.add(name)\n")
OPENING = change(13, 1, "        for name in (\n")


def test_changes():
    diff = """\
        diff --git a/code.py b/code.py
        --- a/code.py
        +++ b/code.py
        @@ -0,0 +1 @@
        +one
        @@ -2 +3,2 @@
        -two
        +2
        +two and a half
        @@ -4 +5,0 @@
        -four
        """
    ((path, found),) = changes(textwrap.dedent(diff))
    assert path == "code.py"
    assert found == [
        Change(0, ("one\n",), ()),
        Change(2, ("2\n", "two and a half\n"), ("two\n",)),
        Change(5, (), ("four\n",)),
    ]
    assert [list(change.lines) for change in found] == [[1], [3, 4], []]
    new = "one\nfirst\n2\ntwo and a half\nthird\nfifth\n"
    assert reverted(new, found) == "first\ntwo\nthird\nfour\nfifth\n"


def block(line, text=TEXT):
    return Block.around(text, ast.parse(text), line)


def test_blocks():
    text = "a = 1\n\nclass A:\n    b = 2\n\n    @c\n    def f(self):\n        pass\n"
    assert [block(line, text)[1:] for line in (1, 4, 6, 8)] == [
        (1, 8, False),
        (3, 8, False),
        (6, 8, True),
        (6, 8, True),
    ]


def test_undefined():
    assert block(6).undefined(TEXT) == set()
    assert block(6).undefined(reverted(TEXT, [DEFINITION])) == {"prepared"}


def test_a_definition_goes_with_its_users():
    assert together(block(6), DEFINITION, [DEFINITION, USER]) == [DEFINITION, USER]
    assert together(block(6), USER, [DEFINITION, USER]) == [USER]


def test_halves_of_a_statement_go_together():
    other = change(15, 1)
    closing = change(15, 1, "        ) if name\n")
    broken = change(13, 1, "        for name in sorted(((\n")
    assert together(block(6), broken, [USER, broken, closing])[:2] == [broken, closing]
    assert together(block(6), OPENING, [OPENING, other]) == [OPENING]


def test_hooks():
    found = [IMPORT, DOCSTRING, DEFINITION, USER]
    assert [
        (mutant.path, mutant.lines, mutant.fault)
        for mutant in hooks("code.py", TEXT, found)
    ] == [
        ("code.py", (6, 8, 9, 10), "prepared = prepare(query) -> as upstream"),
        ("code.py", (6,), "prepared = prepare(query) -> pass"),
        ("code.py", (8, 9, 10), "# Only some. -> as upstream"),
        ("code.py", (9,), "name in prepared -> False"),
    ]


def test_hook_without_a_line():
    (mutant,) = hooks("code.py", TEXT, [Change(9, (), ("            name.strip()\n",))])
    assert mutant.lines == (10,)
    assert "name.strip()\n            extra(query, name)" in mutant.content


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("if x:\n    y = 1\n", ["x -> False", "x -> True", "y = 1 -> pass"]),
        ("y = a and b\n", ["y = a and b -> pass", "a -> True", "b -> True"]),
        ("f(a or b)\n", ["f(a or b) -> pass", "a -> False", "b -> False"]),
        ("f(é=True)\n", ["f(é=True) -> pass", "True -> False"]),
        ("[x for x in y if x]\n", ["x -> True"]),
        ("1 if x else 2\n", ["x -> False", "x -> True"]),
        ("def f():\n    'Text.'\n    return 1\n", ["return 1 -> pass"]),
    ],
)
def test_faults(code, expected):
    found = list(faults(code, range(1, 9)))
    assert [fault for _, fault, _ in found] == expected
    for _, fault, content in found:
        compile(content, "code.py", "exec")
        assert content != code


def test_faults_of_some_lines():
    code = "if a:\n    b()\nif (c or\n        d):\n    e()\n"
    assert [fault for _, fault, _ in faults(code, [2, 3])] == [
        "b() -> pass",
        "c -> False",
    ]


def test_a_fault_keeps_the_rest():
    ((_, _, content),) = [
        found for found in faults("f('é', x=[\n  True], y=1)  # é\n", [2])
    ]
    assert content == "f('é', x=[\n  False], y=1)  # é\n"
