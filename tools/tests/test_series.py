import pytest
import series
from common import ForkError

MAIL = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?Zo=C3=AB?= <zoe@example.com>
Date: Sun, 1 Nov 2026 12:00:00 +0000
Subject: =?UTF-8?q?Refs=20#1=20--=20Did=20th=C3=AFs=20with=20a=20rather=20long?=
 =?UTF-8?q?=20subject.?=

Why: because.

And so on.

Forwarded: no
Overlay: django/a.py
Overlay: django/b.py

diff --git a/x b/x
rest

"""


def test_reads_a_mail():
    patch = series.Patch("a-b.patch", MAIL.encode())
    assert patch.subject == "Refs #1 -- Did thïs with a rather long subject."
    assert patch.why == "Why: because.\n\nAnd so on."
    assert patch.trailers("Forwarded") == ["no"]
    assert patch.overlay == ["django/a.py", "django/b.py"]
    assert patch.diff == "diff --git a/x b/x\nrest\n"


def test_a_message_of_trailers_only_gives_no_reason():
    mail = MAIL.replace("Why: because.\n\nAnd so on.\n\n", "")
    patch = series.Patch("a-b.patch", mail.encode())
    assert (patch.why, patch.trailers("Forwarded")) == ("", ["no"])


def test_comments_stay_above_their_patch():
    text = "# Head.\n\na.patch\n# On b.\nb.patch\nc.patch\n# Tail.\n"
    assert series.reordered(text, ["c.patch", "b.patch", "d.patch"]) == (
        "# Head.\n\nc.patch\n# On b.\nb.patch\nd.patch\n# Tail.\n"
    )


def test_a_listed_patch_must_be_there(fork):
    (fork.root / "patches/orm-first.patch").unlink()
    with pytest.raises(ForkError, match="patches/orm-first.patch: listed in the"):
        series.read(fork.root)
