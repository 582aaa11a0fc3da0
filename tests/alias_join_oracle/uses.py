"""What is done with a queryset, compared with what the truth says of it."""

import pickle
from collections import Counter, defaultdict
from itertools import groupby

from django.core.exceptions import MultipleObjectsReturned

from . import build, spec
from .operands import BASE
from .rows import Document
from .schema import LINKS, MODELS, TABLES

# What update() writes to each table.
WRITES = {
    "Owner": {"level": 7},
    "Place": {"title": "z"},
    "Tag": {"weight": 7},
    "Item": {"number": 7},
    "Note": {"value": 7},
    "Rate": {"low": 7},
    "Cell": {"value": 7},
}
# Deleting these deletes rows of the same table that point to them.
CASCADES = {"Owner": "boss"}


def typed(values):
    values = [Document(v) if isinstance(v, dict) else v for v in values]
    return tuple((type(value).__name__, value) for value in values)


def multiset(found):
    return Counter(map(typed, found))


class Uses:
    def read(self, queryset, check):
        state = self.truth.run(check.query)
        found = list(queryset)
        if state.select is not None:
            return [tuple(map(row.get, self.truth.names(state))) for row in found]
        attributes = [
            name + "_id" if name in columns and columns[name].target else name
            for columns in [TABLES[check.query.model]]
            for name in self.truth.names(state)
        ]
        return [tuple(getattr(row, name) for name in attributes) for row in found]

    def check_rows(self, check, expected):
        got = self.read(self.queryset, check)
        self.same_rows("list(queryset)", [values for _, values in expected], got)
        for _, tied in groupby(expected, key=lambda pair: pair[0]):
            tied = [values for _, values in tied]
            part, got = got[: len(tied)], got[len(tied) :]
            self.same_rows("list(queryset)  # in order", tied, part)
        queryset = self.queryset.all()
        self.equal("queryset.count()", len(expected), queryset.count())
        self.equal("queryset.exists()", bool(expected), queryset.exists())

    def check_pickle(self, check, expected):
        self.queryset.query = pickle.loads(pickle.dumps(self.queryset.query))
        self.check_rows(check, expected)

    def evaluate(self, code):
        return build.evaluate(f"lambda queryset: {code}")(self.queryset)

    def base_rows(self, check):
        return self.truth.run(check.query).rows

    def keys(self, check):
        """The primary keys of the rows of a flat query."""
        return {row[BASE].key for row in self.base_rows(check)}

    def same_keys(self, code, check):
        got = sorted(row.pk for row in self.evaluate(code))
        self.equal(code, sorted(self.keys(check)), got)

    def check_in(self, check, expected):
        model = check.query.model
        code = f'{model}.objects.filter(pk__in=queryset.values("pk"))'
        self.same_keys(code, check)

    def check_exists(self, check, expected):
        inner = 'Exists(queryset.filter(pk=OuterRef("pk")))'
        self.same_keys(f"{check.query.model}.objects.filter({inner})", check)

    def check_value(self, check, expected):
        """Any of the rows' values, since the order leaves that open."""
        inner = f'queryset.filter(pk=OuterRef("pk")).values("{check.value.name}")[:1]'
        code = f"{check.query.model}.objects.annotate(x0=Subquery({inner}))"
        values = defaultdict(set)
        for row in self.base_rows(check):
            values[row[BASE].key].add(self.truth.value(check.value, row))
        for row in self.evaluate(code):
            wanted = values.get(row.pk, {None})
            if row.x0 not in wanted:
                self.equal(f"{code}.get(pk={row.pk!r}).x0", wanted, row.x0)

    def check_prefetch(self, check, expected):
        """The queryset as the other side of a foreign key."""
        model = check.query.model
        links = [link for link in LINKS[model].values() if link.way == "forward"]
        if not links:
            return
        [back] = [
            link.name
            for link in LINKS[links[0].target].values()
            if link.way == "reverse" and link.target == model
            if link.column == links[0].column
        ]
        code = (
            f"{links[0].target}.objects.prefetch_related("
            f'Prefetch("{back}", queryset=queryset, to_attr="found"))'
        )
        wanted = [
            (row[BASE].values[links[0].column], row[BASE].key)
            for row in self.base_rows(check)
        ]
        got = [(row.pk, each.pk) for row in self.evaluate(code) for each in row.found]
        self.same_rows(code, [pair for pair in wanted if pair[0] is not None], got)

    def check_pages(self, check, expected):
        code = "[row.pk for page in Paginator(queryset, 2) for row in page]"
        wanted = [row[BASE].key for row in self.truth.sorted_rows(check.query)]
        self.equal(code, wanted, self.evaluate(code))

    def check_aggregate(self, check, expected):
        code = f"queryset.aggregate({build.aggregate(check.aggregate)})"
        total = self.truth.total(check.aggregate, self.base_rows(check))
        self.equal(code, typed([total]), typed(self.evaluate(code).values()))

    def check_hydrate(self, check, expected):
        code = f'list(queryset.select_related("{check.alias}"))'
        columns = joined_columns(check)
        wanted = []
        for row in self.base_rows(check):
            record = row[check.alias]
            joined = record and typed(record.values[name] for name in columns)
            wanted.append((row[BASE].key, joined))
        got = []
        for row in self.evaluate(code):
            joined = getattr(row, check.alias)
            joined = joined and typed(
                getattr(joined, name) for name in columns.values()
            )
            got.append((row.pk, joined))
        self.same_rows(code, wanted, got)

    def stored(self, table, column=None):
        if column is None:
            return sorted(MODELS[table].objects.values_list("pk", flat=True))
        return dict(MODELS[table].objects.values_list("pk", column))

    def check_update(self, check, expected):
        table = check.query.model
        [(column, value)] = WRITES[table].items()
        wanted = self.stored(table, column) | dict.fromkeys(self.keys(check), value)
        code = f"queryset.update({column}={value!r})"
        self.equal(code, len(self.keys(check)), self.evaluate(code))
        self.equal(code, wanted, self.stored(table, column))

    def check_assign(self, check, expected):
        """update() with a value of the joined rows, if they agree on it."""
        table = check.query.model
        [column] = WRITES[table]
        values = defaultdict(set)
        for row in self.base_rows(check):
            values[row[BASE].key].add(self.truth.value(check.value, row))
        code = f"queryset.update({column}={build.operand(check.value)})"
        stored = self.stored(table, column)
        if any(len(several) > 1 for several in values.values()):
            try:
                self.equal(code, MultipleObjectsReturned, self.evaluate(code))
            except MultipleObjectsReturned:
                self.seen["ambiguous"] += 1
        else:
            self.equal(code, len(values), self.evaluate(code))
            stored |= {key: value for key, [value] in values.items()}
        self.equal(code, stored, self.stored(table, column))

    def check_delete(self, check, expected):
        table = check.query.model
        gone = self.keys(check)
        if parent := CASCADES.get(table):
            # A row only points to rows before it.
            for record in self.truth.tables[table]:
                if record.values[parent] in gone:
                    gone.add(record.key)
        wanted = sorted(record.key for record in self.truth.tables[table])
        wanted = [key for key in wanted if key not in gone]
        self.queryset.delete()
        self.equal("queryset.delete()", wanted, self.stored(table))


def joined_columns(check):
    """The columns of the joined model and the attributes that hold them."""
    [source] = [
        join.source for join in joins(check.query.steps) if join.alias == check.alias
    ]
    model = source.model if hasattr(source, "model") else None
    if isinstance(source, spec.Relation):
        model = LINKS[check.query.model][source.path[0]].target
    return {
        column.name: column.name + "_id" if column.target else column.name
        for column in TABLES[model].values()
    }


def joins(steps):
    for step in steps:
        if isinstance(step, spec.Join):
            yield step
        elif isinstance(step, spec.Either):
            yield from (*step.left_joins, *step.right_joins)
