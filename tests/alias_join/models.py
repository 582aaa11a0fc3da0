import decimal

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models.functions import Upper
from django.utils.functional import SimpleLazyObject


class User(models.Model):
    name = models.CharField(max_length=50, unique=True)
    notes = GenericRelation("Note")

    def __str__(self):
        return self.name


# One user's value beside every topic.


class Topic(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self):
        return self.name


class ShoutingTopic(Topic):
    class Meta:
        proxy = True

    def __str__(self):
        return self.name.upper()


class Record(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    topic = models.ForeignKey(Topic, models.CASCADE)
    value = models.IntegerField(null=True)
    note = models.CharField(max_length=50, null=True)

    def __str__(self):
        return f"{self.topic_id}: {self.value}"


class RecordTable(models.Model):
    """The table of Record, seen by a model that does not manage it."""

    topic = models.ForeignKey(Topic, models.DO_NOTHING, related_name="+")
    value = models.IntegerField(null=True)

    class Meta:
        managed = False
        db_table = "alias_join_record"


class PublicManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(public=True)


class Remark(models.Model):
    topic = models.ForeignKey(Topic, models.CASCADE)
    text = models.CharField(max_length=50)
    public = models.BooleanField(default=True)

    objects = PublicManager()
    everything = models.Manager()


# Rows through a many-to-many relation.


class Phone(models.Model):
    number = models.CharField(max_length=20)

    class Meta:
        ordering = ["-number"]


class Address(models.Model):
    street = models.CharField(max_length=50)


class Contact(models.Model):
    name = models.CharField(max_length=50)
    phones = models.ManyToManyField(Phone)
    addresses = models.ManyToManyField(Address)


# Ticket #29262.


class Foo(models.Model):
    related_id = models.IntegerField(null=True)
    value = models.CharField(max_length=10)
    type = models.IntegerField(null=True)


class SecondModel(models.Model):
    date = models.DateField()
    from_member = models.ForeignKey(User, models.CASCADE, related_name="sent")
    to_member = models.ForeignKey(User, models.CASCADE, related_name="received")
    first_value = models.IntegerField()
    second_value = models.IntegerField()


class Other(models.Model):
    name = models.CharField(max_length=10)


class Main(models.Model):
    name = models.CharField(max_length=10)
    others = models.ManyToManyField(Other, through="Through")


class Through(models.Model):
    main = models.ForeignKey(Main, models.CASCADE)
    other = models.ForeignKey(Other, models.CASCADE)


class Car(models.Model):
    plate = models.CharField(max_length=10)


class Event(models.Model):
    car = models.ForeignKey(Car, models.CASCADE)
    kind = models.CharField(max_length=10)
    at = models.DateField()
    cost = models.IntegerField(default=0)

    class Meta:
        ordering = ["at"]


# Questions and answers.


class UserFoo(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    foo = models.ForeignKey(Foo, models.CASCADE)
    stars = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "foo"], name="unique_user_foo")
        ]


class Points(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    points = models.IntegerField()


class LinkPost(models.Model):
    title = models.CharField(max_length=50)


class UserPostVote(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    post = models.ForeignKey(LinkPost, models.CASCADE)
    value = models.IntegerField()


class C(models.Model):
    name = models.CharField(max_length=10)


class A(models.Model):
    name = models.CharField(max_length=10)


class B(A):
    fk_field = models.ForeignKey(C, models.CASCADE)
    size = models.IntegerField(default=0)


class Book(models.Model):
    title = models.CharField(max_length=50)


class Reading(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    book = models.ForeignKey(Book, models.CASCADE)
    rating = models.IntegerField()


class OrderType(models.Model):
    name = models.CharField(max_length=10)


class Order(models.Model):
    type = models.ForeignKey(OrderType, models.CASCADE)
    status = models.CharField(max_length=10)
    city = models.CharField(max_length=10)
    total = models.IntegerField()


# Asked for elsewhere.


class Invoice(models.Model):
    currency = models.CharField(max_length=3)
    issued = models.DateField()
    total = models.DecimalField(max_digits=8, decimal_places=2)


class Rate(models.Model):
    currency = models.CharField(max_length=3)
    start = models.DateField()
    end = models.DateField()
    factor = models.DecimalField(max_digits=8, decimal_places=4)

    class Meta:
        indexes = [models.Index(fields=["currency", "-start"], name="latest_rates")]


class Snake(models.Model):
    name = models.CharField(max_length=50)


class Egg(models.Model):
    snake = models.ForeignKey(Snake, models.CASCADE)
    weight = models.IntegerField(default=1)


class Kill(models.Model):
    snake = models.ForeignKey(Snake, models.CASCADE)
    prey = models.CharField(max_length=50, default="mouse")


# Relations that are not a plain foreign key to a primary key.


class Country(models.Model):
    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=50)


class City(models.Model):
    name = models.CharField(max_length=50)
    country = models.ForeignKey(Country, models.CASCADE, to_field="code", null=True)


class Seat(models.Model):
    pk = models.CompositePrimaryKey("row", "place")
    row = models.IntegerField()
    place = models.IntegerField()
    window = models.BooleanField(default=False)


class Ticket(models.Model):
    row = models.IntegerField(null=True)
    place = models.IntegerField(null=True)
    seat = models.ForeignObject(
        Seat,
        models.CASCADE,
        from_fields=("row", "place"),
        to_fields=("row", "place"),
        null=True,
    )
    price = models.IntegerField()


class Slot(models.Model):
    pk = models.CompositePrimaryKey("room", "hour")
    room = models.CharField(max_length=10)
    hour = models.IntegerField()


class Employee(models.Model):
    name = models.CharField(max_length=50)
    boss = models.ForeignKey("self", models.SET_NULL, null=True)
    salary = models.IntegerField(null=True)


# Columns whose Python value is not what the driver returns.


class Money(decimal.Decimal):
    pass


class MoneyField(models.DecimalField):
    def from_db_value(self, value, expression, connection):
        return None if value is None else Money(value)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Sample(models.Model):
    class Color(models.TextChoices):
        RED = "r"
        BLUE = "b"

    tag = models.ForeignKey(Tag, models.CASCADE)
    amount = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    money = MoneyField(max_digits=8, decimal_places=2, null=True)
    ratio = models.FloatField(null=True)
    flag = models.BooleanField(null=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    at = models.DateTimeField(null=True)
    span = models.DurationField(null=True)
    data = models.JSONField(null=True)
    uid = models.UUIDField(null=True)
    blob = models.BinaryField(null=True)
    color = models.CharField(max_length=1, choices=Color, null=True)

    class Meta:
        required_db_features = {"supports_json_field"}


class Label(models.Model):
    tag = models.ForeignKey(Tag, models.CASCADE)
    text = models.CharField(max_length=50)
    upper = models.GeneratedField(
        expression=Upper("text"),
        output_field=models.CharField(max_length=50),
        db_persist=True,
    )

    class Meta:
        required_db_features = {"supports_stored_generated_columns"}


# A row in two parents' tables, the second of which isn't part of its key.


class Asset(models.Model):
    asset_id = models.AutoField(primary_key=True)
    price = models.IntegerField()


class Vehicle(models.Model):
    vehicle_id = models.AutoField(primary_key=True)
    wheels = models.IntegerField()


class CompanyCar(Asset, Vehicle):
    driver = models.ForeignKey(Employee, models.SET_NULL, null=True)


# Notes about anything.


class Note(models.Model):
    text = models.CharField(max_length=50)
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    target = GenericForeignKey()


# Columns that are named like others.


class Fee(models.Model):
    title = models.CharField(max_length=10, db_column="amount")
    total = models.IntegerField()


class Tree(models.Model):
    species = models.CharField(max_length=10, db_column="label")


class FruitTree(Tree):
    fruit = models.CharField(max_length=10, db_column="label")


# Texts that differ in case only and are equal, where there's such a collation.


class Word(models.Model):
    text = models.CharField(
        max_length=10,
        db_collation=SimpleLazyObject(
            lambda: connection.features.test_collations.get("ci")
        ),
    )
    size = models.IntegerField(default=1)

    class Meta:
        required_db_features = {"supports_collation_on_charfield"}
