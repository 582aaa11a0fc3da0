from django.db.models import FilteredRelation, Q

from .library import LibraryTestCase
from .models import Author


class SelectRelatedTests(LibraryTestCase):
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
