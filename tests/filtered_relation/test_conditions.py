from django.core.exceptions import FieldError
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, Subquery, Value
from django.db.models.functions import Replace
from django.db.models.lookups import Exact, In

from .library import LibraryTestCase
from .models import Author, Book, Borrower, Editor, Reservation


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

    def test_lookup_of_expressions(self):
        def replace(old, new):
            return Replace("book__title", Value(old), Value(new))

        masked = replace("A", "?")
        for condition, rows in [
            (
                Exact(masked, F("book__title")),
                [("Alice", "B"), ("Bob", "C"), ("Carol", None)],
            ),
            (
                In(masked, ["?", replace("C", "D")]),
                [("Alice", "A"), ("Alice", "B"), ("Bob", None), ("Carol", None)],
            ),
        ]:
            authors = Author.objects.alias(
                some=FilteredRelation("book", condition=Q(condition))
            ).order_by("name", "some__title")
            with self.subTest(condition=condition):
                self.assertSequenceEqual(
                    authors.values_list("name", "some__title"), rows
                )

    def test_condition_of_each_filter(self):
        authors = Author.objects.alias(
            eves=FilteredRelation("book", condition=Q(book__editor=self.eve))
        )
        authors = authors.filter(eves__title="B")
        self.assertSequenceEqual(authors.filter(eves__title="B"), [self.alice])
        self.assertSequenceEqual(authors.filter(eves__title="A"), [])

    def test_right_side_beyond_the_relation(self):
        path = "book__editor__book__title"
        msg = (
            "FilteredRelation's condition doesn't support nested relations deeper than "
            f"the relation_name (got {path!r} for 'book')."
        )
        for value in [F(path), Replace(path, Value("A"), Value("B"))]:
            with self.subTest(value=value), self.assertRaisesMessage(ValueError, msg):
                Author.objects.alias(
                    some=FilteredRelation("book", condition=Q(book__title=value))
                )

    def test_filter_along_several_relations(self):
        authors = Author.objects.alias(
            dans=FilteredRelation(
                "book__reservation", condition=Q(book__reservation__borrower=self.dan)
            )
        )
        self.assertSequenceEqual(
            authors.filter(dans__isnull=False).order_by("name"), [self.alice, self.bob]
        )
        self.assertSequenceEqual(
            authors.filter(dans__book__title="C", dans__borrower__name="Dan"),
            [self.bob],
        )

    def test_exclude_beyond_several_relations(self):
        reservations = Reservation.objects.order_by("pk").alias(
            by=FilteredRelation(
                "book__editor", condition=Q(book__editor__name__startswith="E")
            )
        )
        self.assertSequenceEqual(
            reservations.exclude(by__book__title="B").values_list("book__title"),
            [("A",), ("A",)],
        )
        self.assertSequenceEqual(
            reservations.exclude(by__book__title="A").values_list("book__title"),
            [("C",)],
        )

    def test_generic_relation_after_a_relation(self):
        self.carol.content_object = self.a
        self.carol.save()
        editors = Editor.objects.alias(
            thanked=FilteredRelation(
                "book__generic_author", condition=Q(book__generic_author__name="Carol")
            )
        )
        self.assertSequenceEqual(
            editors.order_by("name", "book__title").values_list(
                "name", "thanked__name"
            ),
            [("Ed", "Carol"), ("Eve", None), ("Eve", None)],
        )

    def test_beyond_the_relation(self):
        """What is joined to the alias can't be a part of its ON clause."""
        msg = "The ON condition of the join 'late' follows a relation of 'late' itself."
        for condition in [
            Q(book__reservation=1),
            Q(book__reservation__isnull=True),
            ~Q(book__reservation=1),
        ]:
            authors = Author.objects.alias(
                late=FilteredRelation("book", condition=condition)
            )
            with self.subTest(condition):
                with self.assertRaisesMessage(FieldError, msg):
                    authors.filter(late__title="A")

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

    def test_right_side_is_the_join(self):
        authors = Author.objects.alias(
            b=FilteredRelation(
                "book", condition=Q(book__title__gt="A", book__pk=F("book"))
            )
        )
        self.assertSequenceEqual(
            authors.order_by("name").values_list("name", "b__title"),
            [("Alice", "B"), ("Bob", "C"), ("Carol", None)],
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

    def test_outer_reference_to_what_only_the_outer_model_has(self):
        editors = Editor.objects.alias(
            reserved=FilteredRelation(
                "book", condition=Q(book__pk=OuterRef("book_id"))
            ),
        ).filter(reserved__isnull=False)
        self.assertSequenceEqual(
            Reservation.objects.annotate(editor=Subquery(editors.values("name")))
            .order_by("borrower__name", "book__title")
            .values_list("borrower__name", "book__title", "editor"),
            [("Dan", "A", "Ed"), ("Dan", "C", "Eve"), ("Dora", "A", "Ed")],
        )

    def test_outer_reference_in_a_function(self):
        title = Replace(OuterRef("book__author__name"), Value("Alice"), Value("A"))
        editors = Editor.objects.alias(
            some=FilteredRelation("book", condition=Q(book__title=title)),
        ).filter(some__isnull=False)
        self.assertSequenceEqual(
            Reservation.objects.annotate(editor=Subquery(editors.values("name")))
            .order_by("borrower__name", "book__title")
            .values_list("borrower__name", "book__title", "editor"),
            [("Dan", "A", "Ed"), ("Dan", "C", None), ("Dora", "A", "Ed")],
        )

    def test_outer_reference_along_the_same_relation(self):
        later = Author.objects.alias(
            later=FilteredRelation(
                "book", condition=Q(book__title__gt=OuterRef("book__title"))
            ),
        ).filter(pk=OuterRef("pk"), later__isnull=False)
        self.assertSequenceEqual(
            Author.objects.filter(Exists(later)).values_list("name", "book__title"),
            [("Alice", "A")],
        )

    def test_outer_reference_two_queries_further_out(self):
        editors = Editor.objects.alias(
            earlier=FilteredRelation(
                "book", condition=Q(book__pk__lt=OuterRef(OuterRef("book_id")))
            ),
        ).filter(pk=OuterRef("editor"), earlier__isnull=False)
        books = Book.objects.filter(Exists(editors), pk=OuterRef("book_id"))
        self.assertSequenceEqual(
            Reservation.objects.filter(Exists(books)).values_list(
                "borrower__name", "book__title"
            ),
            [("Dan", "C")],
        )
