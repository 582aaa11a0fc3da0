from django.db import models
from django.db.models import Exists, F, FilteredRelation, JoinType, Q
from django.test import SimpleTestCase

from .models import Book


class JoinTypeTests(SimpleTestCase):
    def test_public_name(self):
        self.assertIn("JoinType", models.__all__)

    def test_values_stand_for_members(self):
        for join_type in JoinType:
            with self.subTest(join_type):
                relation = FilteredRelation(Book, join_type=join_type.value)
                self.assertIs(relation.join_type, join_type)
        self.assertIsNone(FilteredRelation("book").join_type)

    def test_unknown_type(self):
        msg = (
            "'outer' is not a join type. Choices are: 'left', 'inner', 'right', "
            "'full', 'cross'."
        )
        with self.assertRaisesMessage(ValueError, msg):
            FilteredRelation("book", join_type="outer")

    def test_relations_of_the_model_are_left_or_inner(self):
        msg = (
            "The relation 'book' can't be joined by a FULL join. Use JoinType.LEFT or "
            "JoinType.INNER, or join the related model."
        )
        with self.assertRaisesMessage(ValueError, msg):
            FilteredRelation("book", join_type=JoinType.FULL)


class FilteredRelationTests(SimpleTestCase):
    def test_equality(self):
        def build(join_type=JoinType.INNER):
            condition = Q(book__title="A")
            return FilteredRelation("book", condition=condition, join_type=join_type)

        self.assertEqual(build(), build())
        self.assertEqual(build(), build().clone())
        self.assertNotEqual(build(), build(JoinType.LEFT))

    def test_condition(self):
        """Models take any boolean expression, relations a Q()."""
        exists = Exists(Book.objects.all())
        self.assertIs(FilteredRelation(Book, condition=exists).condition, exists)
        msg = "condition argument must be a Q() instance."
        with self.assertRaisesMessage(ValueError, msg):
            FilteredRelation("book", condition=exists)
        msg = "condition must be a Q() or a boolean expression."
        with self.assertRaisesMessage(TypeError, msg):
            FilteredRelation(Book, condition=F("title"))
