"""Names, conditions and sources that nobody should pass, but somebody will."""

import datetime
from decimal import Decimal

from django.db.models import (
    Avg,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
    Window,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber

from .models import Cell, Item, Note, Owner

FRAGMENTS = (
    *"\"'`[];#%*(),=\\$:@{}.-+?!|&<>^~\0\n\r\t \x7f\x9f\u00a0\u200b\u2028\u202e\ufeff",
    *(
        "--",
        "/*",
        "*/",
        "%s",
        "%(x)s",
        "{0}",
        "${x}",
        "\\'",
        "''",
        '""',
        "``",
        "\ud800",
    ),
    *("__", "a", "mine", "é", "ａ", "ſ", "K", "İ", "ß", "ﬁ", "😀", "select", "0"),
)
PAYLOADS = (
    "",
    *FRAGMENTS,
    *(f"mine{fragment}" for fragment in FRAGMENTS),
    # Injections as published against other entry points of the ORM.
    'mine"; DROP TABLE alias_join_oracle_note; --',
    "mine'; DROP TABLE alias_join_oracle_note; --",
    "mine`; DROP TABLE alias_join_oracle_note; -- ",
    'mine" ON (1=1) LEFT JOIN "alias_join_oracle_owner" "x',
    "mine) OR (1=1",
    'crafted"alias',
    "crafted.alias",
    "injected_name from alias_join_oracle_note; --",
    'mine" FROM (SELECT 1) "x" -- ',
    "mine/**/union/**/select/**/1",
    "_connector",
    "_negated",
    "OR 1=1 OR ",
    # Length: PostgreSQL keeps 63 bytes, MySQL 64 characters.
    "a" * 63,
    "a" * 64,
    "a" * 65,
    "a" * 10_000,
    "é" * 31,
    "é" * 32,
    # Reserved words, generated names, names of columns and tables, case twins.
    *("select", "SELECT", "from", "order", "group", "user", "table", "null", "true"),
    *("T1", "t2", "T3", "T10", "U0", "u1", "V0", "W0", "__row", "__order0", "__col1"),
    *("id", "pk", "ID", "name", "Name", "boss", "boss_id", "staff", "self", "cls"),
    *("on", "join_type", "objects", "query", "_state", "__class__", "rowid", "ctid"),
    *("alias_join_oracle_owner", "ALIAS_JOIN_ORACLE_OWNER", "excluded", "new", "old"),
    *("a1", "Mine", "MINE", "0", "1a", "-mine", "+mine", "?", "mine__rank", "_", "_a"),
)

NOT_CONDITIONS = (
    *(1, 0.5, True, "1 = 1", b"x", [], [Q(mine__rank=1)], {"mine__rank": 1}, object()),
    *(F("mine__rank"), Value(1), Count("mine"), Max("mine__rank"), Note, len),
    *(Owner(pk=1), lambda: None, datetime.date.today(), Decimal(1), Exists),
    Window(RowNumber()),
    FilteredRelation("boss"),
    OuterRef("pk"),
    Note.objects,
)
BAD_CONDITIONS = (
    Q(nope=1),
    Q(mine__nope=1),
    Q(mine__rank__nope=1),
    Q(mine__author__nope=1),
    Q(mine__rank=F("nope")),
    Q(mine__rank=F("mine__nope")),
    Q(mine__rank="x"),
    Q(mine__rank=object()),
    Q(mine__rank=[1, 2]),
    Q(mine__rank__in=1),
    Q(mine__author=Note(pk=1)),
    Q(mine=Owner(pk=1)),
    Q(later__rank=1),
    Q(mine__author__name="a"),
    Q(mine__item__tags__label="a"),
    Q(mine__rank=Count("staff")),
    Q(mine__rank=Max("level")),
    Q(mine__rank=Window(RowNumber())),
    Q(mine__rank=Subquery(Note.objects.values("pk", "rank"))),
    Q(**{'mine__rank"; --': 1}),
    Q(**{"mine__rank__exact = 1 OR 1": 1}),
    Q(**{"": 1}),
    Q(**{"__": 1}),
    Q(mine=1, _connector="OR"),
)
NOT_SOURCES = (
    *(None, 0, 1, 1.5, True, b"note", [], (), {}, [Note], {Note}, object(), object),
    *(int, len, Ellipsis, Q(), Q(pk=1), F("pk"), Value(1), Count("pk"), Avg("level")),
    *(
        Note(pk=1),
        Note.DoesNotExist,
        Note._meta,
        Note.rank,
        Decimal(1),
        RawSQL("1", []),
    ),
    *(lambda: None, (note for note in ()), datetime.date.today()),
)


def sources():
    """Sources of the right type that may be unusable, as (name, callable)."""
    yield "text", lambda: "note; DROP TABLE x"
    yield "empty text", lambda: ""
    yield "unknown relation", lambda: "nope"
    yield "column", lambda: "level"
    yield "list", lambda: list(Note.objects.all())
    yield "evaluated", lambda: evaluated(Note.objects.all())
    yield "query", lambda: Note.objects.all().query
    yield "iterator", lambda: Note.objects.iterator()
    yield "raw", lambda: Note.objects.raw("SELECT * FROM alias_join_oracle_note")
    yield "extra", lambda: Note.objects.extra(where=["1 = 1"])
    yield "extra column", lambda: Note.objects.extra(select={"x": "1"})
    yield "subquery", lambda: Subquery(Note.objects.all())
    yield "exists", lambda: Exists(Note.objects.all())
    yield "relation", lambda: FilteredRelation("written")
    yield "flat", lambda: Note.objects.values_list("author", flat=True)
    yield "path", lambda: Note.objects.values("author__name")
    yield "nothing", lambda: Note.objects.none()
    yield "composite", lambda: Cell.objects.values("pk")
    yield "other database", lambda: Note.objects.using("other")
    yield "dates", lambda: Item.objects.datetimes("moment", "day")
    yield "locked", lambda: Note.objects.select_for_update()
    yield "manager", lambda: Note.objects
    yield "prefetched", lambda: Note.objects.prefetch_related("item")


def evaluated(queryset):
    len(queryset)
    return queryset
