from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact

from .library import LibraryTestCase
from .models import Author, Book, RentalSession, Reservation


class AliasTests(LibraryTestCase):
    """Generated table aliases step aside for those of the user."""

    def test_looks_generated(self):
        for alias in ["T3", "t3", "T4", "U1", "u2", "V1"]:
            authors = Author.objects.alias(
                **{alias: FilteredRelation("book", condition=Q(book__title="A"))}
            )
            with self.subTest(alias):
                self.assertSequenceEqual(
                    authors.filter(book__title="B", **{f"{alias}__title": "A"}),
                    [self.alice],
                )
                self.assertSequenceEqual(
                    authors.filter(
                        Exists(
                            Book.objects.filter(
                                author=OuterRef("pk"),
                                editor__book__title="A",
                                title=OuterRef(f"{alias}__title"),
                            )
                        )
                    ),
                    [self.alice],
                )

    def test_many_subqueries(self):
        """What follows Z, the prefix of the innermost one."""
        books = Book.objects.filter(title="A")
        for _ in range(8):
            books = Book.objects.filter(pk__in=books)
        for alias in ["Z1", "AA1", "T1"]:
            authors = Author.objects.alias(
                **{alias: FilteredRelation("book", condition=Q(book__title="A"))}
            )
            with self.subTest(alias):
                self.assertSequenceEqual(
                    authors.filter(book__in=books, **{f"{alias}__title": "A"}),
                    [self.alice],
                )

    def test_subquery_compiled_again(self):
        """It keeps the aliases that it got the first time."""
        for alias in ["T4", "mine"]:
            for subquery in [
                Book.objects.filter(title="A"),
                Book.objects.alias(
                    U3=FilteredRelation("editor", condition=Q(editor__name="x")),
                    T3=FilteredRelation("author", condition=Q(author__name="x")),
                ).filter(T3__name="x"),
            ]:
                test = Case(When(Exists(subquery), then="name"), default="name")
                authors = Author.objects.alias(
                    **{alias: FilteredRelation("book", condition=Q(book__title="A"))}
                ).filter(Exact(test, F("name")), **{f"{alias}__title": "A"})
                with self.subTest(alias=alias):
                    sql = str(authors.query)
                    for _ in range(100):
                        self.assertEqual(str(authors.query), sql)
                    self.assertSequenceEqual(authors, [self.alice])

    def test_subquery_ordered_by_a_relation_of_the_outer_query(self):
        """The join for the ordering doesn't hide the one around."""
        first = Book.objects.filter(title__lt=OuterRef("author__name"))
        books = Book.objects.annotate(
            last=Subquery(first.order_by("-author__name", "-title").values("title")[:1])
        )
        self.assertSequenceEqual(
            books.order_by("title").values_list("title", "last"),
            [("A", "A"), ("B", "A"), ("C", "B")],
        )

    def test_subquery_with_raw_sql(self):
        """Nothing but raw SQL refers to the table of the subquery."""
        books, authors = (model._meta.db_table for model in (Book, Author))
        condition = RawSQL(
            f"{books}.author_id = {authors}.id AND {books}.title = %s",
            ["B"],
            output_field=BooleanField(),
        )
        self.assertSequenceEqual(
            Author.objects.filter(Exists(Book.objects.filter(condition))), [self.alice]
        )

    def test_subquery_of_outer_references(self):
        """The subquery's table doesn't hide the one around."""
        same = Book.objects.filter(Exact(OuterRef("title"), Value("B")))
        self.assertSequenceEqual(Book.objects.filter(Exists(same)), [self.b])

    def test_prefetched_many_to_many(self):
        """The alias isn't that of the table that prefetching selects from."""
        self.alice.favorite_books.set([self.a, self.c])
        self.bob.favorite_books.set([self.a])
        books = Book.objects.alias(
            likes=FilteredRelation("Author_favorite_books+")
        ).filter(likes__author=self.bob)
        authors = Author.objects.order_by("name").prefetch_related(
            Prefetch("favorite_books", books, to_attr="shared")
        )
        self.assertEqual(
            [author.shared for author in authors], [[self.a], [self.a], []]
        )

    def test_name_of_a_table(self):
        alias = RentalSession._meta.db_table
        RentalSession.objects.create(borrower=self.dan, book=self.c)
        books = Book.objects.alias(
            **{alias: FilteredRelation("reservation", condition=Q())}
        )
        self.assertSequenceEqual(
            books.filter(
                rental_session__borrower=self.dan, **{f"{alias}__borrower": self.dan}
            ),
            [self.c],
        )

    def test_name_of_the_base_table(self):
        """The base's columns in the condition stay the base's."""
        Book.objects.filter(pk=self.a.pk).update(state="stopped")
        Reservation.objects.filter(book=self.a, borrower=self.dan).update(
            state="stopped"
        )
        alias = Book._meta.db_table
        books = Book.objects.alias(
            **{
                alias: FilteredRelation(
                    "reservation", condition=Q(reservation__state=F("state"))
                )
            }
        )
        self.assertSequenceEqual(
            books.order_by("title").values_list("title", f"{alias}__borrower__name"),
            [("A", "Dan"), ("B", None), ("C", None)],
        )
