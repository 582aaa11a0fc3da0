from django.db.models import Exists, FilteredRelation, OuterRef, Q

from .library import LibraryTestCase
from .models import Author, Book, Editor


class CombinationTests(LibraryTestCase):
    def authors(self, title="A"):
        return Author.objects.alias(
            a=FilteredRelation("book", condition=Q(book__title=title))
        )

    def test_or(self):
        plain = Author.objects.filter(name="Carol")
        joined = self.authors().filter(a__isnull=False)
        for authors in [plain | joined, joined | plain]:
            with self.subTest(authors.query):
                self.assertSequenceEqual(
                    authors.order_by("name"), [self.alice, self.carol]
                )
                self.assertSequenceEqual(
                    authors.order_by("name").values_list("name", "a__title"),
                    [("Alice", "A"), ("Carol", None)],
                )

    def test_and(self):
        plain = Author.objects.filter(name="Alice")
        joined = self.authors().filter(a__isnull=False)
        for authors in [plain & joined, joined & plain]:
            with self.subTest(authors.query):
                self.assertSequenceEqual(
                    authors.values_list("name", "a__title"), [("Alice", "A")]
                )

    def test_both_sides(self):
        left = self.authors().filter(a__title="A")
        right = self.authors().filter(a__isnull=False)
        self.assertSequenceEqual(left & right, [self.alice])
        self.assertSequenceEqual((left | right).distinct(), [self.alice])

    def test_condition_of_each_join(self):
        left = self.authors().filter(a__isnull=True)
        right = self.authors().exclude(a__title="A")
        self.assertCountEqual(left & right, [self.bob, self.carol])

    def test_condition_that_holds_for_null(self):
        Author.objects.filter(pk=self.alice.pk).update(object_id=1)
        books = Book.objects.alias(
            a=FilteredRelation("author", condition=Q(author__object_id=None))
        )
        left = books.exclude(a__name="Carol")
        for queryset in [left & books.exclude(a__name="Alice"), left & left]:
            self.assertCountEqual(queryset, [self.a, self.b, self.c])
            self.assertEqual(str(queryset.query).count("JOIN"), 1)

    def test_several_along_a_foreign_key(self):
        books = Book.objects.alias(
            a=FilteredRelation("author", condition=Q(author__name="Alice")),
            b=FilteredRelation("author", condition=Q(author__name="Bob")),
            e=FilteredRelation("editor", condition=Q(editor__name="Ed")),
        )
        alice = books.filter(a__name="Alice")
        for left, right, expected in [
            (alice, books.filter(e__name="Ed"), [self.a]),
            (alice, books.filter(b__isnull=True), [self.a, self.b]),
            (alice, books.filter(b__name="Bob"), []),
        ]:
            for queryset in [left & right, right & left]:
                with self.subTest(queryset.query):
                    self.assertCountEqual(queryset, expected)
        either = alice | books.filter(b__name="Bob")
        self.assertCountEqual(either, [self.a, self.b, self.c])
        self.assertCountEqual(
            either.values_list("title", "a__name", "b__name"),
            [("A", "Alice", None), ("B", "Alice", None), ("C", None, "Bob")],
        )

    def test_the_same_subquery_in_the_condition(self):
        def edited():
            editors = Editor.objects.filter(book=OuterRef("book"), name="Ed")
            return Author.objects.alias(
                a=FilteredRelation("book", condition=Q(Exists(editors)))
            )

        left = edited().filter(a__title="A")
        self.assertSequenceEqual(left & edited().filter(a__title="A"), [self.alice])

    def test_different_conditions(self):
        msg = "The querysets have different joins called 'a'. Rename one of them."
        left, right = self.authors("A"), self.authors("B")
        with self.assertRaisesMessage(ValueError, msg):
            left & right
        with self.assertRaisesMessage(ValueError, msg):
            left | right
