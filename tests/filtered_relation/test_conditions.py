from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from .library import LibraryTestCase
from .models import Author, Book, Borrower, Reservation


class PathTests(LibraryTestCase):
    """A condition along a foreign key, and paths along the same one."""

    def books(self):
        return Book.objects.alias(
            dans=FilteredRelation(
                "reservation", condition=Q(reservation__borrower=self.dan)
            )
        ).order_by("title")

    def test_values(self):
        self.assertSequenceEqual(
            self.books().values_list("title", "dans__borrower__name"),
            [("A", "Dan"), ("B", None), ("C", "Dan")],
        )

    def test_filter(self):
        self.assertSequenceEqual(
            self.books().filter(dans__borrower__name="Dan"), [self.a, self.c]
        )
        self.assertSequenceEqual(self.books().filter(dans__borrower__name="Dora"), [])

    def test_exclude(self):
        self.assertSequenceEqual(
            self.books().exclude(dans__borrower=self.dan), [self.b]
        )
        self.assertSequenceEqual(
            self.books().exclude(dans__borrower__name="Dora"), [self.a, self.b, self.c]
        )

    def test_condition_on_each_hop(self):
        authors = Author.objects.alias(
            dans=FilteredRelation(
                "book__reservation",
                condition=Q(book__title="A", book__reservation__borrower=self.dan),
            )
        )
        self.assertSequenceEqual(
            authors.order_by("name", "book__title").values_list(
                "name", "dans__borrower__name"
            ),
            [("Alice", "Dan"), ("Alice", None), ("Bob", None), ("Carol", None)],
        )

    def test_condition_is_the_relation(self):
        authors = Author.objects.alias(
            favorite=FilteredRelation("book", condition=Q(book=self.b))
        )
        self.assertSequenceEqual(
            authors.order_by("name").values_list("name", "favorite__title"),
            [("Alice", "B"), ("Bob", None), ("Carol", None)],
        )


class ConditionTests(LibraryTestCase):
    def test_right_sides_are_columns_of_the_join(self):
        Book.objects.filter(title="B").update(number_editor=self.b.pk)
        for condition in [
            Q(book__pk=F("book__number_editor")),
            Q(book__pk__in=[F("book__number_editor"), 0]),
            Q(book__pk__range=[F("book__number_editor"), F("book__number_editor")]),
        ]:
            with self.subTest(condition):
                authors = Author.objects.alias(
                    b=FilteredRelation("book", condition=condition)
                )
                self.assertSequenceEqual(
                    authors.order_by("name").values_list("name", "b__title"),
                    [("Alice", "B"), ("Bob", None), ("Carol", None)],
                )

    def test_never_met(self):
        authors = Author.objects.alias(
            none=FilteredRelation("book", condition=Q(book__pk__in=[]))
        )
        self.assertSequenceEqual(
            authors.order_by("name").values_list("name", "none__title"),
            [("Alice", None), ("Bob", None), ("Carol", None)],
        )

    def test_exists(self):
        reserved = Reservation.objects.filter(
            book=OuterRef("book__pk"), borrower=self.dora
        )
        authors = Author.objects.alias(
            doras=FilteredRelation("book", condition=Q(Exists(reserved)))
        )
        self.assertSequenceEqual(
            authors.order_by("name").values_list("name", "doras__title"),
            [("Alice", "A"), ("Bob", None), ("Carol", None)],
        )

    def test_outer_reference_in_a_subquery(self):
        books = Book.objects.alias(
            r=FilteredRelation(
                "reservation",
                condition=Q(reservation__borrower=OuterRef("pk")),
            )
        ).filter(title="C", r__isnull=True)
        self.assertSequenceEqual(
            Borrower.objects.filter(Exists(books)).order_by("name"), [self.dora]
        )
