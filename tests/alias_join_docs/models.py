"""
The models of docs/topics/db/joins.txt and docs/howto/joins-recipes.txt, as an
app called alps.
"""

from django.db import models


class Hiker(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        db_table = "alps_hiker"

    def __str__(self):
        return self.name


class Trail(models.Model):
    name = models.CharField(max_length=50)
    region = models.CharField(max_length=50)
    closed = models.BooleanField(default=False)

    class Meta:
        db_table = "alps_trail"

    def __str__(self):
        return self.name


class Rating(models.Model):
    trail = models.ForeignKey(Trail, on_delete=models.CASCADE)
    hiker = models.ForeignKey(Hiker, on_delete=models.CASCADE)
    stars = models.IntegerField()

    class Meta:
        db_table = "alps_rating"
        constraints = [
            models.UniqueConstraint(fields=["trail", "hiker"], name="one_rating"),
        ]

    def __str__(self):
        return "*" * self.stars


class Hike(models.Model):
    trail = models.ForeignKey(Trail, on_delete=models.CASCADE)
    hiker = models.ForeignKey(Hiker, on_delete=models.CASCADE)
    day = models.DateField()
    minutes = models.IntegerField(null=True)
    paid = models.DecimalField(max_digits=5, decimal_places=2, null=True)

    class Meta:
        db_table = "alps_hike"

    def __str__(self):
        return f"{self.day:%B} {self.day.day}"


class Fee(models.Model):
    region = models.CharField(max_length=50)
    start = models.DateField()
    end = models.DateField()
    amount = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        db_table = "alps_fee"


class Hut(models.Model):
    name = models.CharField(max_length=50)
    trails = models.ManyToManyField(Trail)

    class Meta:
        db_table = "alps_hut"

    def __str__(self):
        return self.name


class Lift(models.Model):
    driver = models.ForeignKey(Hiker, on_delete=models.CASCADE, related_name="given")
    passenger = models.ForeignKey(Hiker, on_delete=models.CASCADE, related_name="taken")
    day = models.DateField()
    km = models.IntegerField()
    cost = models.IntegerField()

    class Meta:
        db_table = "alps_lift"


class GuidedTrail(Trail):
    guide = models.ForeignKey(Hiker, on_delete=models.CASCADE)

    class Meta:
        db_table = "alps_guidedtrail"
