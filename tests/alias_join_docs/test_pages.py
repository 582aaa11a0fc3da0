import difflib
import doctest
import io
from contextlib import redirect_stdout
from pathlib import Path

from django.apps import apps
from django.db import connection, models
from django.test import SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext, isolate_apps

from . import data
from .snippets import get_blocks, plain_output, plain_sql

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "topics" / "db" / "joins.txt"
RECIPES = DOCS / "howto" / "joins-recipes.txt"
RELEASE = DOCS / "releases" / "6.2.txt"

# What a database must support for a snippet that says so.
REQUIRED_FEATURES = {
    "JoinType.RIGHT": "supports_right_join",
    "JoinType.FULL": "supports_right_join",
}
STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def get_models():
    return apps.get_app_config("alias_join_docs").get_models()


def is_supported(block):
    return block.is_for(connection.display_name) and all(
        getattr(connection.features, feature)
        for text, feature in REQUIRED_FEATURES.items()
        if text in block.text
    )


class SnippetTests(TestCase):
    """
    Snippets are run in the order of the page, as one session, and show what
    they print. SQL shows the last statement that the snippet before it ran.
    """

    @classmethod
    def setUpTestData(cls):
        data.create()

    def run_page(self, path):
        names = {model.__name__: model for model in get_models()} | {"models": models}
        supported = False
        for block in get_blocks(path.read_text(encoding="utf-8")):
            with self.subTest(page=path.name, line=block.line):
                if block.language == "pycon":
                    statement = None
                    if supported := is_supported(block):
                        statement = self.run_examples(block.examples, names)
                elif block.language == "sql" and supported and is_supported(block):
                    self.assertSQL(block.text, statement)

    def run_examples(self, examples, names):
        """Run the examples and return the last SQL statement that was run."""
        with CaptureQueriesContext(connection) as context:
            for example in examples:
                output = self.run_example(example, names)
                self.assertOutput(example, output)
        statements = [
            query["sql"]
            for query in context.captured_queries
            if query["sql"].lstrip("( ").startswith(STATEMENTS)
        ]
        return statements[-1] if statements else None

    def run_example(self, example, names):
        code = compile(example.source, "<snippet>", "single")
        output = io.StringIO()
        try:
            with redirect_stdout(output):
                exec(code, names)
        except Exception as error:
            if example.exc_msg is None:
                raise
            return f"{type(error).__name__}: {error}"
        return output.getvalue()

    def assertOutput(self, example, output):
        expected = plain_output(example.exc_msg or example.want)
        output = plain_output(output)
        if not doctest.OutputChecker().check_output(expected, output, doctest.ELLIPSIS):
            self.fail(f"{example.source}\nshown:   {expected}\nprinted: {output}")

    def assertSQL(self, shown, sql):
        self.assertIsNotNone(sql, "The snippet before this one runs no SQL.")
        shown = plain_sql(shown)
        sql = plain_sql(sql, connection.ops.quote_name("x")[0])
        if shown != sql:
            self.fail("\n".join(difflib.ndiff([shown], [sql])))

    def test_guide(self):
        self.run_page(GUIDE)

    def test_recipes(self):
        data.create_more()
        self.run_page(RECIPES)

    def test_release_notes(self):
        self.run_page(RELEASE)


class ModelTests(SimpleTestCase):
    def describe(self, model):
        fields = [*model._meta.local_fields, *model._meta.local_many_to_many]
        return {
            "fields": {field.name: field.deconstruct()[1:] for field in fields},
            "constraints": model._meta.constraints,
        }

    @isolate_apps("alias_join_docs")
    def test_the_models_shown_are_those_of_the_tests(self):
        shown = {"__name__": __package__}
        for path in (GUIDE, RECIPES):
            for block in get_blocks(path.read_text(encoding="utf-8")):
                if block.language == "python" and "(models.Model)" in block.text:
                    exec(block.text, shown)
        for model in get_models():
            with self.subTest(model=model.__name__):
                self.assertEqual(
                    self.describe(shown[model.__name__]), self.describe(model)
                )
