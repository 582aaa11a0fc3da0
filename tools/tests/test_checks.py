import checks
import pytest
from conftest import QUERY


def test_a_good_fork(fork):
    assert checks.check(fork.root) == []


def edit(fork, name, old, new):
    path = fork.root / "patches" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8", newline="")


def test_an_unlisted_patch(fork):
    fork.write("patches/orm-third.patch", "")
    message = "patches/orm-third.patch: not listed in patches/series"
    assert checks.check(fork.root) == [message]


def test_a_missing_patch(fork):
    fork.write("patches/series", "orm-third.patch\n")
    message = "patches/orm-third.patch: listed in the series, missing"
    assert checks.check(fork.root) == [message]


def test_a_patch_listed_twice(fork):
    edit(fork, "series", "orm-first.patch\n", "orm-first.patch\norm-first.patch\n")
    problems = checks.check(fork.root)
    assert "patches/series: orm-first.patch is listed 2 times" in problems


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "@@ -27,7 +27,7 @@",
            "@@ -26,7 +26,7 @@",
            "query.py: hunk 1 (line 26): line 26",
        ),
        (" line 28 of", " line twenty-eight of", "query.py: hunk 1 (line 27): line 28"),
        (" line 33 of the query\n", "", "query.py: hunk 1: "),
        ("+line thirty", "+line XXX", "query.py: its 1 hunk(s) apply, but not"),
    ],
)
def test_a_patch_that_does_not_apply_exactly(fork, old, new, message):
    edit(fork, "orm-second.patch", old, new)
    (problem,) = checks.check(fork.root)
    assert problem.startswith(f"patches/orm-second.patch: django/db/{message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("orm first.", "orm first", "its subject must read"),
        ("Refs #29262 -- Did", "Did", "its subject must read"),
        ("For the tests.\n\n", "", "does not say why"),
        ("Forwarded: no\n", "", "needs one trailer `Forwarded:"),
        ("Forwarded: no", "Forwarded: later", "needs one trailer `Forwarded:"),
        ("Patch-Name: orm-first", "Patch-Name: orm-last", "must give its name"),
    ],
)
def test_a_header_that_lacks_something(fork, old, new, message):
    edit(fork, "orm-first.patch", old, new)
    (problem,) = checks.check(fork.root)
    assert problem.startswith("patches/orm-first.patch: ") and message in problem


def test_an_overlay_file_that_no_patch_claims(fork):
    fork.write("django/db/stray.py", "")
    message = "django/db/stray.py: 0 patches claim it by `Overlay:`, not one"
    assert checks.check(fork.root) == [message]


def test_an_overlay_file_that_two_patches_claim(fork):
    claim = "Overlay: django/db/alias.py\n"
    edit(
        fork,
        "orm-first.patch",
        "Patch-Name: orm-first\n",
        f"{claim}Patch-Name: orm-first\n",
    )
    message = "django/db/alias.py: 2 patches claim it by `Overlay:`, not one"
    assert checks.check(fork.root) == [message]


def test_an_overlay_file_that_is_not_there(fork):
    (fork.root / "django/db/alias.py").unlink()
    message = "patches/orm-second.patch: `Overlay: django/db/alias.py` names no overlay"
    assert [problem[: len(message)] for problem in checks.check(fork.root)] == [message]


def test_an_overlay_file_that_exists_upstream(fork):
    fork.write("docs/index.txt", "Mine.\n")
    assert "docs/index.txt: exists upstream; change it by a patch" in checks.check(
        fork.root
    )


class TestCopies:
    lines = QUERY.splitlines(keepends=True)

    def problems(self, fork, text):
        fork.write("django/db/alias.py", text)
        return checks.check(fork.root)

    def test_eight_lines(self, fork):
        copy = "# Mine.\n" + "".join(self.lines[10:18]) + "# Mine.\n"
        assert self.problems(fork, copy) == [
            "django/db/alias.py: lines 2 to 9 copy django/db/query.py, line 11"
        ]

    def test_seven_lines(self, fork):
        assert self.problems(fork, "".join(self.lines[10:17])) == []

    def test_seven_lines_twice(self, fork):
        copy = "".join(self.lines[10:17])
        assert self.problems(fork, f"{copy}# Mine.\n{copy}") == []

    def test_indented_and_spaced_out(self, fork):
        copy = "\n".join("    " + line for line in self.lines[10:18])
        (problem,) = self.problems(fork, copy)
        assert problem.startswith("django/db/alias.py: lines 1 to 15 copy")

    def test_the_last_lines(self, fork):
        assert len(self.problems(fork, "".join(self.lines[-8:]))) == 1

    def test_brackets_and_blanks_are_nobodys(self, fork, monkeypatch):
        text = "a = [\n    (\n    ),\n]\n\n\ntry:\n    pass\nelse:\n    pass\n"
        fork.write("django/db/alias.py", text)
        found = checks.copies(fork.root, {"other.py": text.encode()})
        assert list(found) == []


def test_a_part_of_the_release_notes_that_is_not_there(fork):
    trailer = "Forwarded: no\nRelease-Note: * Gone."
    edit(fork, "docs-index.patch", "Forwarded: no", trailer)
    message = "patches/docs-index.patch: `Release-Note: * Gone.` names 0 lines of the "
    assert checks.check(fork.root) == [f"{message}release notes, not one"]
