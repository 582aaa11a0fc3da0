"""The patch series: git mails in patches/, in the order of patches/series."""

import email
import email.policy
import re
from dataclasses import dataclass

from common import ForkError, replace


@dataclass(frozen=True)
class Patch:
    """A git mail. Its last paragraph, of trailers, says what the tool must know."""

    name: str
    mail: bytes

    def _split(self):
        """Return the mail's headers, message and diff."""
        text = self.mail.decode("utf-8", "surrogateescape")
        headers, _, body = text.partition("\n\n")
        message, *diff = re.split(r"^(?=diff --git )", body, maxsplit=1, flags=re.M)
        return headers, message.strip(), "".join(diff).rstrip("\n") + "\n"

    @property
    def subject(self):
        headers = self._split()[0]
        return email.message_from_string(headers, policy=email.policy.default)[
            "Subject"
        ]

    @property
    def why(self):
        """The message without its subject and its trailers."""
        return self._message()[0]

    @property
    def diff(self):
        return self._split()[2]

    @property
    def overlay(self):
        """The new files that belong to the patch's commit."""
        return self.trailers("Overlay")

    def trailers(self, key):
        return [match[2].strip() for match in self._message()[1] if match[1] == key]

    def _message(self):
        message = self._split()[1]
        text, _, last = f"\n\n{message}".rpartition("\n\n")
        found = [
            re.fullmatch(r"([A-Z][\w-]*): (.+)", line) for line in last.split("\n")
        ]
        return (text.strip(), found) if all(found) else (message, [])


def names(text):
    """Return the names in a series file's text."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def listed(root):
    try:
        return names((root / "patches/series").read_text("utf-8"))
    except FileNotFoundError:
        raise ForkError("patches/series: no such file") from None


def read(root):
    """Return the patches of the series, in order."""
    patches = []
    for name in listed(root):
        try:
            patches.append(Patch(name, (root / "patches" / name).read_bytes()))
        except FileNotFoundError:
            raise ForkError(f"patches/{name}: listed in the series, missing") from None
    return patches


def write(root, patches):
    """Make patches/ hold exactly these patches."""
    folder = root / "patches"
    folder.mkdir(exist_ok=True)
    series = folder / "series"
    text = series.read_text("utf-8") if series.exists() else ""
    for patch in patches:
        replace(folder / patch.name, patch.mail)
    order = [patch.name for patch in patches]
    if order != names(text) or not text:
        replace(series, reordered(text, order).encode())
    for name in set(names(text)) - set(order):
        (folder / name).unlink(missing_ok=True)


def reordered(text, order):
    """Return a series file's text in this order, each name below its comment."""
    above, comment = {}, ""
    for line in text.splitlines(keepends=True):
        if names(line):
            above[line.strip()] = comment
            comment = ""
        else:
            comment += line
    # What precedes the first name heads the file, whichever name is first.
    if above:
        head, tail = above.pop(next(iter(above))), comment
    else:
        head, tail = comment, ""
    return head + "".join(f"{above.get(name, '')}{name}\n" for name in order) + tail
