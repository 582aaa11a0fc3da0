"""
Forms, generic relations, contrib apps, and packages with joined querysets.
"""

import os
import subprocess
import sys

import django
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.models import User as AuthUser
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.test import SimpleTestCase

from .base import TopicTestCase
from .models import Note, Record, Topic, User


class FormTests(TopicTestCase):
    def test_choices(self):
        topics = (
            Topic.objects.alias_join(mine=Record.objects.filter(user=self.johnny))
            .filter(mine__isnull=False)
            .order_by("-mine__value")
        )
        field = ModelChoiceField(topics, empty_label=None)
        self.assertEqual(
            [(str(value), label) for value, label in field.choices],
            [(str(self.c.pk), "C"), (str(self.a.pk), "A")],
        )
        self.assertEqual(field.clean(str(self.a.pk)), self.a)
        self.assertRaisesMessage(
            ValidationError, "valid choice", field.clean, str(self.b.pk)
        )

    def test_multiple_choices(self):
        topics = Topic.objects.alias_join(
            mine=Record.objects.filter(user=self.johnny)
        ).filter(mine__isnull=False)
        field = ModelMultipleChoiceField(topics)
        self.assertCountEqual(
            field.clean([str(self.a.pk), str(self.c.pk)]), [self.a, self.c]
        )
        self.assertRaisesMessage(
            ValidationError, "valid choice", field.clean, [str(self.b.pk)]
        )

    def test_limit_choices_to_page(self):
        topics = Topic.objects.order_by("name")[:2].alias_join(
            mine=Record.objects.filter(user=self.johnny)
        )
        field = ModelChoiceField(topics, empty_label=None)
        self.assertEqual([label for _, label in field.choices], ["A", "B"])
        self.assertEqual(field.clean(str(self.b.pk)), self.b)


class ContribTests(TopicTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        Note.objects.create(target=cls.a, text="about A")
        Note.objects.create(target=cls.johnny, text="about johnny")

    def test_generic_relation(self):
        topic_type = ContentType.objects.get_for_model(Topic)
        topics = Topic.objects.alias_join(
            note=FilteredRelation(
                Note,
                condition=Q(note__object_id=F("pk"), note__content_type=topic_type),
            )
        )
        self.assertRows(
            topics.order_by("name").values_list("name", "note__text"),
            [("A", "about A"), ("B", None), ("C", None)],
        )
        topics = topics.select_related("note")
        a = topics.get(note__content_type__model="topic")
        self.assertEqual(a.note.target, self.a)

    def test_generic_foreign_key_of_joined_rows(self):
        notes = Note.objects.alias_join(
            t=FilteredRelation(Topic, condition=Q(t__pk=F("object_id")))
        ).filter(content_type=ContentType.objects.get_for_model(Topic))
        self.assertEqual(notes.get(t__name="A").target, self.a)

    def test_reverse_generic_relation_beyond_the_alias(self):
        records = Record.objects.alias_join(u=User).order_by("value")
        self.assertRows(
            records.filter(u__notes__text="about johnny").values_list("value"),
            [(1,), (3,)],
        )
        self.assertRows(
            records.exclude(u__notes__text="about johnny").values_list("value"),
            [(4,), (5,), (6,)],
        )

    def test_generic_relation_by_name(self):
        users = User.objects.alias_join(
            n=FilteredRelation("notes", condition=Q(notes__text__startswith="about"))
        )
        self.assertRows(
            users.order_by("name").values_list("name", "n__text"),
            [("johnny", "about johnny"), ("may", None)],
        )

    def test_auth(self):
        group = Group.objects.create(name="g")
        group.permissions.add(
            Permission.objects.get(
                codename="add_topic", content_type__app_label="alias_join"
            )
        )
        user = AuthUser.objects.create_user("u")
        user.groups.add(group)
        users = AuthUser.objects.alias_join(
            p=FilteredRelation("groups__permissions"),
        )
        self.assertEqual(users.get(p__codename="add_topic"), user)
        grouped = Group.permissions.through.objects.values("group").annotate(
            n=Count("permission")
        )
        groups = Group.objects.alias_join(x=grouped)
        self.assertEqual(groups.values_list("name", "x__n").get(), ("g", 1))


class PackageTests(SimpleTestCase):
    def test_fields(self):
        """Packages have something of their own for each class of fields."""
        script = """
from django.db import models

def subclasses(cls):
    for subclass in cls.__subclasses__():
        yield subclass.__module__
        yield from subclasses(subclass)

print(*(name for name in subclasses(models.Field) if ".joins." in name))
"""
        result = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            text=True,
            cwd=os.path.dirname(django.__path__[0]),
        )
        self.assertEqual(result.stdout.strip(), "")

    def test_tables(self):
        """Packages that cache rows look up the tables to watch."""
        users = User.objects.filter(name="johnny")
        records = Record.objects.filter(user__name="johnny")
        querysets = [
            Topic.objects.alias_join(mine=records),
            Topic.objects.alias_join(mine=Record.objects.filter(user__in=users)),
            Topic.objects.alias_join(mine=Record.objects.alias_join(u=users)),
            Topic.objects.alias_join(
                mine=Record, on=Exists(users.filter(record=OuterRef("mine__pk")))
            ),
            Topic.objects.filter(pk__in=users.values("pk"))[:2].alias_join(mine=Record),
            Topic.objects.alias_join(mine=records) & Topic.objects.all(),
            Topic.objects.all() & Topic.objects.alias_join(mine=records),
        ]
        expected = {model._meta.db_table for model in (Topic, Record, User)}
        for queryset in querysets:
            with self.subTest(sql=str(queryset.query)):
                self.assertEqual(set(queryset.query.table_map), expected)
