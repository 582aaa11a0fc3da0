from django.db.models import FilteredRelation, Q

from .library import LibraryTestCase
from .models import Author


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

    def test_different_conditions(self):
        msg = "The querysets have different joins called 'a'. Rename one of them."
        left, right = self.authors("A"), self.authors("B")
        with self.assertRaisesMessage(ValueError, msg):
            left & right
        with self.assertRaisesMessage(ValueError, msg):
            left | right
