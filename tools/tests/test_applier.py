import random
import subprocess

import pytest
from applier import PatchError, apply, blob_id

OLD = "".join(f"{number}\n" for number in range(1, 31))


def diff(hunks, new, path="django/a.py"):
    return (
        f"diff --git a/{path} b/{path}\n"
        f"index {'0' * 40}..{blob_id(new.encode())} 100644\n"
        f"--- a/{path}\n+++ b/{path}\n{hunks}"
    )


HUNK = "@@ -9,3 +9,4 @@ def near():\n 9\n-10\n+ten\n+more\n 11\n"
NEW = OLD.replace("10\n", "ten\nmore\n", 1)
LATER = "@@ -20,3 +21,2 @@\n 20\n-21\n 22\n"


def applied(hunks, new=NEW, old=OLD):
    changed = apply(diff(hunks, new), {"django/a.py": old.encode()}.get)
    return changed["django/a.py"].decode()


def refused(text, read=lambda path: OLD.encode()):
    with pytest.raises(PatchError) as error:
        apply(text, read)
    return str(error.value)


def test_applies_hunks_in_turn():
    new = NEW.replace("21\n", "")
    assert applied(HUNK + LATER, new) == new


def test_refuses_an_offset():
    moved = HUNK.replace("-9,3 +9,4", "-8,3 +8,4")
    assert refused(diff(moved, NEW)).startswith("django/a.py: hunk 1 (line 8): line 8")


def test_refuses_an_offset_of_the_result():
    moved = LATER.replace("+21,2", "+20,2")
    message = refused(diff(HUNK + moved, NEW))
    assert message == "django/a.py: hunk 2 (line 20): lands on line 21 instead"


def test_refuses_fuzz():
    other = LATER.replace(" 22", " twenty-two")
    message = refused(diff(HUNK + other, NEW))
    assert message == "django/a.py: hunk 2 (line 20): line 22 is not 'twenty-two'"


def test_refuses_what_is_applied_already():
    assert "hunk 1" in refused(diff(HUNK, NEW), lambda path: NEW.encode())


def test_refuses_other_line_endings():
    assert "hunk 1" in refused(
        diff(HUNK, NEW), lambda path: OLD.replace("\n", "\r\n").encode()
    )


def test_refuses_overlapping_hunks():
    assert "overlaps" in refused(diff(HUNK + HUNK, NEW))


def test_refuses_lines_past_the_end():
    beyond = "@@ -30,2 +30,2 @@\n 30\n-31\n+x\n"
    assert "line 31 is not '31'" in refused(diff(beyond, NEW))


@pytest.mark.parametrize(
    "damaged",
    [
        HUNK.replace(" 11\n", ""),
        HUNK.replace("+more\n", "+more\n+much more\n"),
        HUNK + "stray\n",
        HUNK.replace(" 11\n", "11\n"),
        HUNK.replace("@@ -9,3 +9,4 @@", "@@ nine @@"),
        HUNK + "\n",
    ],
)
def test_refuses_a_damaged_hunk(damaged):
    assert refused(diff(damaged, NEW)).startswith("django/a.py: hunk 1")


def test_refuses_a_result_other_than_the_one_it_names():
    message = refused(diff(HUNK, OLD))
    assert message.startswith("django/a.py: its 1 hunk(s) apply, but not to the file")


def test_refuses_a_missing_file():
    assert "django/a.py: hunk 1: no such file" in refused(diff(HUNK, NEW), {}.get)


@pytest.mark.parametrize(
    "header",
    [
        "new file mode 100644",
        "deleted file mode 100644",
        "old mode 100644\nnew mode 100755",
        "rename from django/b.py\nrename to django/a.py",
        "GIT binary patch",
        "Binary files a/django/a.py and b/django/a.py differ",
    ],
)
def test_refuses_all_but_changes_of_text(header):
    text = diff(HUNK, NEW).replace("index ", f"{header}\nindex ")
    assert refused(text).startswith("django/a.py: not a change to the text")


def test_all_or_nothing():
    other = diff(HUNK.replace(" 9\n", " nine\n"), NEW, path="django/b.py")
    assert refused(diff(HUNK, NEW) + other).startswith("django/b.py: hunk 1")


def test_leaves_out_what_is_not_wanted():
    other = diff("@@ -1 +1 @@\n-no\n+match\n", NEW, path="docs/b.txt")
    files = {"django/a.py": OLD.encode()}
    found = apply(diff(HUNK, NEW) + other, files.get, lambda path: path[:2] == "dj")
    assert list(found) == ["django/a.py"]


def test_agrees_with_git(tmp_path):
    """What git says of two texts turns one into the other, whatever they are."""
    chance = random.Random(29262)
    lines = [
        "a\n",
        "b\n",
        "\n",
        "+c\n",
        "-d\n",
        "@@ -1 +1 @@\n",
        "é\x0c\u2028\n",
        "\r\n",
    ]
    old, new = tmp_path / "old", tmp_path / "new"
    for _ in range(60):
        texts = []
        for path in (old, new):
            text = "".join(chance.choices(lines, k=chance.randrange(1, 40)))
            texts.append((text + chance.choice(["", "end"])).encode())
            path.write_bytes(texts[-1])
        command = ["git", "diff", "--no-index", "--full-index", "--no-color", "-U1"]
        out = subprocess.run(
            [*command, "old", "new"], cwd=tmp_path, capture_output=True
        )
        text = out.stdout.decode().replace("b/new", "b/old")
        if text:
            assert apply(text, {"old": texts[0]}.get) == {"old": texts[1]}
