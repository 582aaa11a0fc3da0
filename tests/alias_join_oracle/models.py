from django.db import models


class Owner(models.Model):
    name = models.CharField(max_length=10)
    level = models.IntegerField(null=True)
    boss = models.ForeignKey("self", models.CASCADE, null=True, related_name="staff")


class Place(models.Model):
    code = models.CharField(max_length=10, primary_key=True)
    title = models.CharField(max_length=10, null=True)
    keeper = models.ForeignKey(Owner, models.CASCADE, null=True, related_name="places")


class Tag(models.Model):
    label = models.CharField(max_length=10)
    weight = models.IntegerField(null=True)


class Item(models.Model):
    name = models.CharField(max_length=10)
    number = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    moment = models.DateTimeField(null=True)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="owned")
    keeper = models.ForeignKey(Owner, models.CASCADE, null=True, related_name="kept")
    place = models.ForeignKey(Place, models.CASCADE, null=True, related_name="items")
    tags = models.ManyToManyField(Tag, related_name="items")


class Note(models.Model):
    item = models.ForeignKey(Item, models.CASCADE, related_name="notes")
    author = models.ForeignKey(Owner, models.CASCADE, null=True, related_name="written")
    rank = models.IntegerField()
    value = models.IntegerField(null=True)
    text = models.CharField(max_length=10, null=True)
    cost = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    made = models.DateTimeField(null=True)
    data = models.JSONField(null=True)

    class Meta:
        ordering = ["-pk"]


class Rate(models.Model):
    """A table without relations."""

    code = models.CharField(max_length=10)
    low = models.IntegerField(null=True)
    high = models.IntegerField(null=True)
    factor = models.DecimalField(max_digits=6, decimal_places=2, null=True)


class Cell(models.Model):
    pk = models.CompositePrimaryKey("x", "y")
    x = models.IntegerField()
    y = models.IntegerField()
    value = models.IntegerField(null=True)
