"""
The tables of the nycflights13 data set: every flight that left New York in
2013. Columns keep the names of the data set, which relates its tables by codes
and hours. There is no foreign key on purpose: a flight's plane, weather or
destination may be missing.
"""

from django.db import models


class Airline(models.Model):
    carrier = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=40)


class Airport(models.Model):
    faa = models.CharField(max_length=3, primary_key=True)
    name = models.CharField(max_length=60)
    lat = models.FloatField()
    lon = models.FloatField()
    alt = models.IntegerField()
    tzone = models.CharField(max_length=30, null=True)


class Plane(models.Model):
    tailnum = models.CharField(max_length=6, primary_key=True)
    year = models.IntegerField(null=True)
    type = models.CharField(max_length=30)
    manufacturer = models.CharField(max_length=30)
    model = models.CharField(max_length=20)
    engines = models.IntegerField()
    seats = models.IntegerField()


class Weather(models.Model):
    origin = models.CharField(max_length=3)
    time_hour = models.DateTimeField()
    temp = models.FloatField(null=True)
    humid = models.FloatField(null=True)
    wind_speed = models.FloatField(null=True)
    precip = models.FloatField()
    visib = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "time_hour"], name="weather_hour"
            ),
        ]


class Flight(models.Model):
    time_hour = models.DateTimeField()
    minute = models.IntegerField()
    carrier = models.CharField(max_length=2)
    flight = models.IntegerField()
    tailnum = models.CharField(max_length=6, null=True)
    origin = models.CharField(max_length=3)
    dest = models.CharField(max_length=3)
    # Minutes; unknown for a flight that was cancelled or diverted.
    dep_delay = models.IntegerField(null=True)
    arr_delay = models.IntegerField(null=True)
    distance = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["origin", "time_hour"], name="flight_hour"),
            models.Index(
                fields=["tailnum", "time_hour", "minute"], name="flight_plane"
            ),
            models.Index(fields=["dest"], name="flight_dest"),
        ]
