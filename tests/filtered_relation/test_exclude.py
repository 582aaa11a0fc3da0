from django.db.models import F, FilteredRelation, Q

from .library import LibraryTestCase
from .models import Author, Book


class ExclusionTests(LibraryTestCase):
    def test_annotation_of_a_joined_column(self):
        authors = Author.objects.annotate(title=F("book__title"))
        self.assertCountEqual(
            authors.exclude(title="A").values_list("name", "title"),
            [("Alice", "B"), ("Bob", "C"), ("Carol", None)],
        )

    def test_alias_of_another_table_in_the_subquery(self):
        """Authors are called T3 in the query, and books in the subquery."""
        books = Book.objects.alias(
            mine=FilteredRelation("author", condition=Q(author__name__gt=""))
        ).filter(author__name__gt="")
        self.assertCountEqual(
            books.exclude(Q(mine__name__gt=""), Q(mine__book__title="C")),
            [self.a, self.b],
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

    def test_neither_operand_of_xor(self):
        """Both operands are false without a row, and their negation true."""
        authors = Author.objects.alias(
            b=FilteredRelation("book", condition=Q(book__editor=self.ed))
        )
        self.assertSequenceEqual(
            authors.exclude(Q(b__title="A") ^ Q(b__title="B")).order_by("name"),
            [self.bob, self.carol],
        )
