"""
Six questions to tables that no foreign key relates. sql/ holds the same queries
written by hand: "manage.py reports" compares the rows of both.
"""

from django.db.models import Avg, Count, F, FilteredRelation, JoinType, Q, Window
from django.db.models.functions import Lag

from .models import Airline, Airport, Flight, Plane, Weather


def flights_with_weather():
    """Flights with the weather of their hour, the wettest first"""
    return (
        Flight.objects.alias_join(
            weather=Weather,
            on=Q(weather__origin=F("origin"), weather__time_hour=F("time_hour")),
        )
        .order_by(F("weather__precip").desc(nulls_last=True), "pk")
        .values_list(
            "carrier",
            "flight",
            "origin",
            "time_hour",
            "dep_delay",
            "weather__precip",
            "weather__wind_speed",
            "weather__visib",
        )
    )


def missing_planes():
    """Planes that flew but are not in the register"""
    return (
        Flight.objects.alias_join(plane=Plane, on=Q(plane__tailnum=F("tailnum")))
        .filter(tailnum__isnull=False, plane__isnull=True)
        .values_list("tailnum")
        .annotate(flights=Count("pk"))
        .order_by("-flights", "tailnum")
    )


def delays_against_the_hour():
    """Airlines whose flights leave later than others of their airport and hour"""
    hourly = Flight.objects.values("origin", "time_hour").annotate(
        mean=Avg("dep_delay")
    )
    return (
        Flight.objects.alias_join(
            hourly=hourly,
            on=Q(hourly__origin=F("origin"), hourly__time_hour=F("time_hour")),
        )
        .alias_join(airline=Airline, on=Q(airline__carrier=F("carrier")))
        .values_list("airline__name")
        .annotate(
            flights=Count("pk"),
            delay=Avg("dep_delay"),
            excess=Avg(F("dep_delay") - F("hourly__mean")),
        )
        .order_by("-excess")
    )


def previous_flights():
    """Flights with the previous flight of the same plane"""
    chain = Flight.objects.filter(tailnum__isnull=False).values(
        "id",
        previous_id=Window(
            Lag("id"),
            partition_by="tailnum",
            order_by=["time_hour", "minute", "id"],
        ),
    )
    return (
        Flight.objects.alias_join(
            chain=chain, on=Q(chain__id=F("id")), join_type=JoinType.INNER
        )
        .alias_join(previous=Flight, on=Q(previous__id=F("chain__previous_id")))
        .order_by("tailnum", "time_hour", "minute", "id")
        .values_list(
            "tailnum",
            "time_hour",
            "dest",
            "dep_delay",
            "previous__time_hour",
            "previous__dest",
            "previous__arr_delay",
        )
    )


def airports_without_arrivals():
    """Airports that no flight from New York goes to"""
    return (
        Airport.objects.alias_join(arrival=Flight, on=Q(arrival__dest=F("faa")))
        .filter(arrival__isnull=True)
        .order_by("faa")
        .values_list("faa", "name", "tzone")
    )


def destinations():
    """Destinations with their flights and their planes, each grouped by itself"""
    arrivals = Flight.objects.values("dest").annotate(
        flights=Count("pk"), delay=Avg("arr_delay")
    )
    fleet = (
        Flight.objects.alias_join(
            plane=Plane,
            on=Q(plane__tailnum=F("tailnum")),
            join_type=JoinType.INNER,
        )
        .values("dest")
        .annotate(planes=Count("plane", distinct=True), seats=Avg("plane__seats"))
    )
    return (
        Airport.objects.alias_join(
            arrivals=FilteredRelation(
                arrivals,
                condition=Q(arrivals__dest=F("faa")),
                join_type=JoinType.INNER,
            ),
            fleet=FilteredRelation(fleet, condition=Q(fleet__dest=F("faa"))),
        )
        .order_by("-arrivals__flights", "faa")
        .values_list(
            "faa",
            "name",
            "arrivals__flights",
            "arrivals__delay",
            "fleet__planes",
            "fleet__seats",
        )
    )


REPORTS = [
    flights_with_weather,
    missing_planes,
    delays_against_the_hour,
    previous_flights,
    airports_without_arrivals,
    destinations,
]
