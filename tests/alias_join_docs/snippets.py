"""The code blocks of a documentation page."""

import doctest
import re
import textwrap
from dataclasses import dataclass

DIRECTIVE = re.compile(
    r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)\n"
    r"(?P<options>(?:(?P=indent) {4}:[^\n]*\n)*)\n"
    r"(?P<text>(?:(?P=indent) {4}[^\n]*\n|[ ]*\n)+)",
    re.MULTILINE,
)
CAPTION = re.compile(r":caption: (.+)")


@dataclass
class Block:
    """A code block. ``databases`` are those that a caption limits it to."""

    language: str
    text: str
    line: int
    databases: frozenset

    @property
    def examples(self):
        return doctest.DocTestParser().get_examples(self.text, str(self.line))

    def is_for(self, database):
        return not self.databases or database in self.databases


def get_blocks(page):
    """Return the code blocks of a page, in order."""
    return [
        Block(
            match["language"],
            textwrap.dedent(match["text"]).rstrip() + "\n",
            page.count("\n", 0, match.start("text")) + 1,
            _get_databases(match["options"]),
        )
        for match in DIRECTIVE.finditer(page)
    ]


def _get_databases(options):
    match = CAPTION.search(options)
    return frozenset(re.split(r", | and ", match[1])) if match else frozenset()


def plain_output(text):
    """Return the output of an example without its line breaks."""
    return re.sub(r"(?<=[\[({]) | (?=[])}])", "", " ".join(text.split()))


def plain_sql(sql, quote='"'):
    """
    Return ``sql`` on one line, quoted as SQLite does, and without what repr()
    or only some of the databases add: a limit, types of literals, and terms of
    GROUP BY that depend on the first one.
    """
    sql = plain_output(sql.replace(quote, '"'))
    sql = re.sub(r"::\w+", "", sql)
    sql = re.sub(r"(GROUP BY \d+)(?:, \d+)*(?: ORDER BY NULL)?", r"\1", sql)
    return sql.removesuffix(" LIMIT 21")
