import notes
import pytest
import upstream
import worktree
from git import Git

TEXT = """\
=================
6.2 release notes
=================

Joins
-----

They are new.

Details
~~~~~~~

More of them.

Models
------

* A bullet
  of two lines.

  And two paragraphs.

* Another.
"""


@pytest.mark.parametrize(
    "start, gone",
    [
        ("Joins", TEXT[TEXT.index("Joins") : TEXT.index("Models")]),
        ("Details", TEXT[TEXT.index("Details") : TEXT.index("Models")]),
        ("* A bullet", TEXT[TEXT.index("* A bullet") : TEXT.index("* Another")]),
        ("* Another.", "\n* Another.\n"),
        ("Models", TEXT[TEXT.index("\nModels") :]),
    ],
)
def test_a_part(start, gone):
    assert notes.without(TEXT, [start]) == TEXT.replace(gone, "")


def test_several_parts():
    rest = notes.without(TEXT, ["* Another.", "Details", "* A bullet", "Not there"])
    assert rest.split("\n")[4:] == ["Joins", "-----", "", "They are new.", ""] + [
        "Models",
        "------",
        "",
    ]


def test_each_mail_has_its_part(fork, tmp_path):
    fork.write("docs/releases/6.2.txt", TEXT)
    fork.patch("docs-late", "docs/index.txt", "One", "I", "Release-Note: * A bullet")
    fork.patch("docs-later", "docs/index.txt", "Two", "II", "Release-Note: Joins")
    fork.export()
    upstream.write_mails(fork.root, tmp_path / "mails")
    (tmp_path / "django").mkdir()
    git = Git(tmp_path / "django")
    worktree.init(fork.root, git)
    git("am", "--quiet", *map(str, sorted((tmp_path / "mails").iterdir())))
    shown = [git("show", f"HEAD~{n}:docs/releases/6.2.txt") + "\n" for n in (0, 1, 2)]
    assert shown[0] == TEXT
    assert shown[1] == notes.without(TEXT, ["Joins"])
    assert shown[2] == notes.without(TEXT, ["* A bullet", "Joins"])
    assert not git("ls-tree", "--name-only", "HEAD~3", "docs/releases/6.2.txt")
