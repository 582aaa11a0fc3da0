from django.test import TestCase

from .models import Author, Book, Borrower, Editor, Reservation


class LibraryTestCase(TestCase):
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
