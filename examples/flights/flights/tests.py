from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock
from zipfile import ZipFile

from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import TestCase

from . import reports
from .models import Airline, Airport, Flight, Plane, Weather

# N1 has flown three times; N9 is in no register, N0 has not flown, and one
# flight has no plane. ORD has no weather, SJU is no airport, ATL no arrivals.
FILES = {
    "airlines.csv": """\
carrier,name
AA,American Airlines Inc.
UA,United Air Lines Inc.
""",
    "airports.csv": """\
faa,name,lat,lon,alt,tz,dst,tzone
ATL,Hartsfield Jackson Atlanta Intl,33.6,-84.4,1026,-5,A,America/New_York
BOS,General Edward Lawrence Logan Intl,42.3,-71,19,-5,A,America/New_York
LAX,Los Angeles Intl,33.9,-118.4,126,-8,A,NA
""",
    "planes.csv": """\
tailnum,year,type,manufacturer,model,engines,seats,speed,engine
N0,NA,Fixed wing multi engine,BOEING,737,2,140,NA,Turbo-fan
N1,2004,Fixed wing multi engine,EMBRAER,EMB-145,2,55,NA,Turbo-fan
N2,1998,Fixed wing multi engine,AIRBUS,A320,2,182,NA,Turbo-fan
""",
    "weather.csv": """\
origin,year,month,day,hour,temp,humid,wind_speed,precip,visib,time_hour
EWR,2013,1,1,5,39.02,59.37,10.35,0,10,2013-01-01T10:00:00Z
EWR,2013,1,1,6,NA,NA,NA,0.3,2,2013-01-01T11:00:00Z
JFK,2013,1,1,5,38.1,60,8,0.1,10,2013-01-01T10:00:00Z
""",
    "flights.csv.zip": """\
dep_delay,arr_delay,carrier,flight,tailnum,origin,dest,distance,minute,time_hour
4,10,UA,1,N1,EWR,BOS,200,15,2013-01-01T10:00:00Z
16,NA,AA,2,N2,EWR,LAX,2454,30,2013-01-01T10:00:00Z
-3,-9,AA,3,N9,JFK,BOS,187,0,2013-01-01T10:00:00Z
NA,NA,UA,4,NA,EWR,SJU,1608,0,2013-01-01T11:00:00Z
0,2,UA,5,N1,ORD,BOS,867,40,2013-01-01T11:00:00Z
32,25,UA,6,N1,EWR,LAX,2454,20,2013-01-01T11:00:00Z
""",
}


class FlightsTestCase(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = Path(cls.enterClassContext(TemporaryDirectory()))
        for name, text in FILES.items():
            write(cls.directory / name, text)

    def call(self, command, **options):
        call_command(command, stdout=(out := StringIO()), **options)
        return out.getvalue()

    def load(self, **options):
        self.call("load_flights", directory=self.directory, verbosity=0, **options)


def write(path, text):
    if path.suffix == ".zip":
        with ZipFile(path, "w") as archive:
            archive.writestr(path.stem, text)
    else:
        path.write_text(text, encoding="utf-8")


class LoadTests(FlightsTestCase):
    def test_every_row_is_loaded(self):
        self.load()
        models = [Airline, Airport, Plane, Weather, Flight]
        counts = [model.objects.count() for model in models]
        self.assertEqual(counts, [2, 3, 3, 3, 6])

    def test_na_is_null_and_hours_are_utc(self):
        self.load()
        flight = Flight.objects.get(flight=4)
        self.assertIsNone(flight.tailnum)
        self.assertIsNone(flight.dep_delay)
        self.assertEqual(flight.time_hour, datetime(2013, 1, 1, 11, tzinfo=UTC))

    def test_complete_tables_are_kept(self):
        self.load()
        keys = list(Flight.objects.order_by("pk").values_list("pk"))
        self.load()
        self.assertEqual(list(Flight.objects.order_by("pk").values_list("pk")), keys)

    def test_incomplete_table_is_loaded_again(self):
        self.load()
        Flight.objects.filter(flight__gt=2).delete()
        self.load()
        self.assertEqual(Flight.objects.count(), 6)

    def test_interrupted_load_leaves_no_rows(self):
        path = self.directory / "weather.csv"
        self.addCleanup(write, path, FILES[path.name])
        write(path, FILES[path.name].replace("2013-01-01T11", "?"))
        with self.assertRaises(ValidationError):
            self.load()
        self.assertEqual(Plane.objects.count(), 3)
        self.assertEqual(Weather.objects.count(), 0)


class ReportTests(FlightsTestCase):
    def setUp(self):
        self.load()

    def test_rows_are_those_of_the_sql_by_hand(self):
        self.assertEqual(
            self.call("reports").count("All are those of the SQL by hand"), 6
        )

    def test_other_rows_are_an_error(self):
        def missing_planes():
            return Flight.objects.values_list("tailnum", "flight")

        with mock.patch.object(reports, "REPORTS", [missing_planes]):
            with self.assertRaisesMessage(CommandError, "missing_planes"):
                self.call("reports")

    def test_flights_without_weather_are_kept(self):
        rows = [(row[1], row[5]) for row in reports.flights_with_weather()]
        self.assertEqual(
            rows, [(4, 0.3), (6, 0.3), (3, 0.1), (1, 0.0), (2, 0.0), (5, None)]
        )

    def test_missing_planes(self):
        self.assertEqual(list(reports.missing_planes()), [("N9", 1)])

    def test_delays_against_the_hour(self):
        self.assertEqual(
            list(reports.delays_against_the_hour()),
            [
                ("American Airlines Inc.", 2, 6.5, 3.0),
                ("United Air Lines Inc.", 4, 12.0, -2.0),
            ],
        )

    def test_first_flight_of_a_plane_has_no_previous(self):
        rows = [(row[0], row[2], row[5]) for row in reports.previous_flights()]
        self.assertEqual(
            rows,
            [
                ("N1", "BOS", None),
                ("N1", "LAX", "BOS"),
                ("N1", "BOS", "LAX"),
                ("N2", "LAX", None),
                ("N9", "BOS", None),
            ],
        )

    def test_airports_without_arrivals(self):
        rows = [row[0] for row in reports.airports_without_arrivals()]
        self.assertEqual(rows, ["ATL"])

    def test_grouped_joins_do_not_multiply_each_other(self):
        rows = [row[:1] + row[2:] for row in reports.destinations()]
        self.assertEqual(rows, [("BOS", 3, 1.0, 1, 55.0), ("LAX", 2, 25.0, 2, 118.5)])
