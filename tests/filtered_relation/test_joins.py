from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.test import TestCase

from .models import Author, Book, Borrower, Editor, RentalSession, Reservation


class FilteredRelationJoinTests(TestCase):
    """
    Alice wrote "A" and "B", Bob wrote "C"; Carol wrote nothing. "A" is edited
    by Ed, the others by Eve. Dan reserved "A" and "C", Dora reserved "A".
    """

    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob, cls.carol = [
            Author.objects.create(name=name) for name in ["Alice", "Bob", "Carol"]
        ]
        cls.ed, cls.eve = [Editor.objects.create(name=name) for name in ["Ed", "Eve"]]
        cls.a = Book.objects.create(title="A", author=cls.alice, editor=cls.ed)
        cls.b = Book.objects.create(title="B", author=cls.alice, editor=cls.eve)
        cls.c = Book.objects.create(title="C", author=cls.bob, editor=cls.eve)
        cls.dan, cls.dora = [
            Borrower.objects.create(name=name) for name in ["Dan", "Dora"]
        ]
        for borrower, book in [(cls.dan, cls.a), (cls.dan, cls.c), (cls.dora, cls.a)]:
            Reservation.objects.create(borrower=borrower, book=book)


class ForeignKeyTests(FilteredRelationJoinTests):
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
        self.assertSequenceEqual(
            self.books().exclude(ed__name="Ed"), [self.b, self.c]
        )

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


class PathTests(FilteredRelationJoinTests):
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
        self.assertSequenceEqual(
            self.books().filter(dans__borrower__name="Dora"), []
        )

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


class ConditionTests(FilteredRelationJoinTests):
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


class CombinationTests(FilteredRelationJoinTests):
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

    def test_different_conditions(self):
        msg = "The querysets have different joins called 'a'. Rename one of them."
        left, right = self.authors("A"), self.authors("B")
        with self.assertRaisesMessage(ValueError, msg):
            left & right
        with self.assertRaisesMessage(ValueError, msg):
            left | right


class ExclusionTests(FilteredRelationJoinTests):
    def test_annotation_of_a_joined_column(self):
        authors = Author.objects.annotate(title=F("book__title"))
        self.assertCountEqual(
            authors.exclude(title="A").values_list("name", "title"),
            [("Alice", "B"), ("Bob", "C"), ("Carol", None)],
        )

    def test_swapped_operands(self):
        Author.objects.update(object_id=1)
        for q in [
            Q(a__title="A", a__number_editor=-1) | ~Q(a__title="A"),
            ~Q(a__title="A") | Q(a__title="A", a__number_editor=-1),
        ]:
            authors = Author.objects.alias(
                a=FilteredRelation("book", condition=Q(book__title="A"))
            ).filter(q)
            with self.subTest(q):
                self.assertCountEqual(authors, [self.alice, self.bob, self.carol])


class AliasTests(FilteredRelationJoinTests):
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

    def test_name_of_a_table(self):
        alias = RentalSession._meta.db_table
        if "__" in alias:
            self.skipTest("The name of the table is no alias.")
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


class SelectRelatedTests(FilteredRelationJoinTests):
    def test_unmatched(self):
        authors = Author.objects.annotate(
            a=FilteredRelation("book", condition=Q(book__title="A"))
        ).select_related("a__editor")
        with self.assertNumQueries(1):
            alice, bob, carol = authors.order_by("name")
            self.assertEqual(alice.a, self.a)
            self.assertEqual(alice.a.editor, self.ed)
            self.assertIsNone(bob.a)
            self.assertIsNone(carol.a)

    def test_unmatched_along_two_relations(self):
        authors = Author.objects.annotate(
            dans=FilteredRelation(
                "book__reservation",
                condition=Q(book__reservation__borrower=self.dan),
            )
        ).select_related("dans")
        with self.assertNumQueries(1):
            rows = [
                (author.name, author.dans and author.dans.book_id)
                for author in authors.order_by("name", "book__title")
            ]
        self.assertEqual(
            rows,
            [
                ("Alice", self.a.pk),
                ("Alice", None),
                ("Bob", self.c.pk),
                ("Carol", None),
            ],
        )
