from django.db import models


class Number(models.Model):
    """What the rows of the other tables are computed from."""

    n = models.BigIntegerField(primary_key=True)


class Topic(models.Model):
    name = models.CharField(max_length=50)


class Record(models.Model):
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="records")
    author = models.IntegerField()
    value = models.IntegerField()
    created = models.BigIntegerField()

    class Meta:
        unique_together = [("author", "topic")]
        # PostgreSQL's indexes don't end with the primary key by themselves.
        indexes = [models.Index(fields=["topic", "-created", "id"], name="latest")]


class Car(models.Model):
    name = models.CharField(max_length=50)


class Event(models.Model):
    car = models.ForeignKey(Car, models.CASCADE, related_name="events")
    kind = models.IntegerField()
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["kind", "day"], name="window")]


class Account(models.Model):
    name = models.CharField(max_length=50)


class Transfer(models.Model):
    sender = models.ForeignKey(Account, models.CASCADE, related_name="sent")
    receiver = models.ForeignKey(Account, models.CASCADE, related_name="received")
    day = models.DateField()
    first = models.IntegerField()
    second = models.IntegerField()


class Main(models.Model):
    name = models.CharField(max_length=50)


class Through(models.Model):
    main = models.ForeignKey(Main, models.CASCADE, related_name="throughs")
    other = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["other", "main"], name="pair")]


class Item(models.Model):
    related = models.IntegerField()
    kind = models.IntegerField()
    value = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["related", "kind"], name="kinds")]
