from django.db.models import FilteredRelation, Q

from .library import LibraryTestCase
from .models import Book


class ForeignKeyTests(LibraryTestCase):
    """A condition makes a foreign key that is NOT NULL optional."""

    def books(self):
        return Book.objects.alias(
            ed=FilteredRelation("editor", condition=Q(editor__name="Ed"))
        ).order_by("title")

    def test_values(self):
        self.assertSequenceEqual(
            self.books().values_list("title", "ed__name"),
            [("A", "Ed"), ("B", None), ("C", None)],
        )

    def test_isnull(self):
        self.assertSequenceEqual(self.books().filter(ed__isnull=True), [self.b, self.c])
        self.assertSequenceEqual(self.books().filter(ed__isnull=False), [self.a])

    def test_exclude(self):
        self.assertSequenceEqual(self.books().exclude(ed__name="Ed"), [self.b, self.c])

    def test_or(self):
        self.assertSequenceEqual(
            self.books().filter(Q(ed__name="Ed") | Q(title="C")), [self.a, self.c]
        )

    def test_select_related(self):
        with self.assertNumQueries(1):
            books = list(self.books().select_related("ed"))
            self.assertEqual([book.ed for book in books], [self.ed, None, None])

    def test_no_condition(self):
        books = Book.objects.alias(ed=FilteredRelation("editor"))
        self.assertSequenceEqual(
            books.order_by("title").values_list("title", "ed__name"),
            [("A", "Ed"), ("B", "Eve"), ("C", "Eve")],
        )
