"""Random rows: few, from domains so small that values meet."""

import datetime
from decimal import Decimal

from .schema import TABLES

TEXTS = ("a", "b", "ab", "%")
MOMENTS = tuple(
    datetime.datetime(2020, 1, day, hour, tzinfo=datetime.timezone.utc)
    for day, hour in ((1, 0), (1, 23), (2, 1), (2, 23))
)


class Document(dict):
    """A JSON object that can be a member of a set."""

    def __hash__(self):
        return hash(tuple(sorted(self.items())))


DOMAINS = {
    "int": (0, 1, 2, 3),
    "text": TEXTS,
    "decimal": (Decimal("0.50"), Decimal("1.00"), Decimal("2.25")),
    "moment": MOMENTS,
    # A moment in another time zone than that of the connection.
    "local": MOMENTS,
    "json": tuple(
        map(Document, ({"n": 1}, {"n": 2, "t": "a"}, {"t": "b", "n": 0}, {}))
    ),
    "json int": (0, 1, 2),
    "json text": ("a", "b"),
}
# Parents before children, and how many rows at most.
SIZES = {
    "Owner": 3,
    "Place": 2,
    "Tag": 2,
    "Item": 4,
    "Note": 5,
    "Rate": 3,
    "Cell": 3,
}
PAIRS = {"Item_tags": ("Item", "Tag")}


def cell(random, column, keys):
    """A value that a column may have."""
    values = keys[column.target] if column.target else DOMAINS[column.kind]
    if column.null and (not values or random.random() < 0.3):
        return None
    return random.choice(values)


def make(random):
    """Rows by table name."""
    data, keys = {}, {}
    for table, most in SIZES.items():
        columns = TABLES[table].values()
        # A foreign key to the table itself points to a row already made.
        keys[table] = []
        if any(c.target and not c.null and not keys[c.target] for c in columns):
            most = 0
        rows = []
        sizes = [most, most, max(most - 1, 0), min(most, 1), 0]
        for number in range(1, random.choice(sizes) + 1):
            row = {}
            for column in columns:
                if column.kind == table and not column.target:
                    row[column.name] = TEXTS[number] if table == "Place" else number
                elif table == "Cell" and column.name == "x":
                    row[column.name] = number
                else:
                    row[column.name] = cell(random, column, keys)
            keys[table].append(row.get("id", row.get("code")))
            rows.append(row)
        data[table] = rows
    for name, (left, right) in PAIRS.items():
        pairs = [(a, b) for a in keys[left] for b in keys[right]]
        data[name] = random.sample(pairs, random.randint(0, len(pairs)))
    return data


def save(data, models):
    for table, rows in data.items():
        if table in PAIRS:
            left, name = table.split("_")
            through = getattr(models[left], name).through
            source, target = (f"{part.lower()}_id" for part in PAIRS[table])
            rows = [{source: a, target: b} for a, b in rows]
            through.objects.bulk_create(through(**row) for row in rows)
        else:
            targets = {c.name for c in TABLES[table].values() if c.target}
            models[table].objects.bulk_create(
                models[table](
                    **{n + "_id" if n in targets else n: v for n, v in row.items()}
                )
                for row in rows
            )


def script(data):
    """The code that saves the same rows."""
    lines = []
    for table, rows in data.items():
        if table in PAIRS:
            left, name = table.split("_")
            lines += [
                f"{left}.objects.get(pk={a!r}).{name}.add({b!r})" for a, b in rows
            ]
            continue
        targets = {c.name for c in TABLES[table].values() if c.target}
        for row in rows:
            words = ", ".join(
                f"{n}_id={v!r}" if n in targets else f"{n}={v!r}"
                for n, v in row.items()
                if v is not None
            )
            lines.append(f"{table}.objects.create({words})")
    return "\n".join(lines)
