"""Run a query on the database and compare it with the truth."""

import pickle
import re
from collections import Counter
from itertools import groupby

from django.db import DatabaseError, NotSupportedError, connection, transaction
from django.db.models import Exists, OuterRef

from . import build, rows, spec
from .schema import MODELS, TABLES
from .truth import Truth

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


class Difference(AssertionError):
    """
    A wrong answer, with the code that shows it. Its kind, and the finer
    signature, group answers that are likely to be wrong for one reason.
    """

    def __init__(self, message, kind, signature=()):
        super().__init__(message)
        self.kind = kind
        self.signature = (kind, signature)


def place(error):
    """The innermost line of code of an exception."""
    traceback = error.__traceback__
    while traceback.tb_next:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"


def typed(values):
    return tuple((type(value).__name__, value) for value in values)


def multiset(found):
    return Counter(map(typed, found))


class Checker:
    """Checks of one case, each on a database that holds the case's rows."""

    def __init__(self, case):
        self.case = case
        features = connection.features
        self.truth = Truth(case.data, features.order_by_nulls_first)
        self.seen = Counter()

    def run(self):
        with transaction.atomic():
            rows.save(self.case.data, MODELS)
            for check in self.case.checks:
                with transaction.atomic():
                    self.run_check(check)
                    transaction.set_rollback(True)
            transaction.set_rollback(True)

    def run_check(self, check):
        # The truth first: a fault of the oracle is not one of the ORM.
        self.truth = Truth(self.case.data, self.truth.ascending_nulls_first)
        self.code = build.query(check.query)
        self.queryset = None
        self.shape = (check.use, *sorted({type(s).__name__ for s in check.query.steps}))
        try:
            expected = self.truth.results(check.query)
        except Exception as error:
            error.add_note(self.code)
            raise
        self.seen["checks"] += 1
        self.seen["with rows"] += bool(expected)
        self.seen.update({type(step).__name__ for step in check.query.steps})
        self.seen[f"use: {check.use}"] += 1
        try:
            self.queryset = build.evaluate(self.code)
            getattr(self, f"check_{check.use}")(check, expected)
        except NotSupportedError:
            self.seen["refused"] += 1
        except Difference:
            raise
        except Exception as error:
            words = re.sub(r"\S*[\d\"'`._]\S*", "", str(error)).split()
            signature = (type(error).__name__, place(error), *words[:8])
            raise Difference(
                self.report(f"# {check.use}", "no error", repr(error)), signature
            ) from error

    # Reports.

    def report(self, code, expected, got):
        return (
            f"\n\n{rows.script(self.case.data)}\n\nqueryset = {self.code}\n{code}\n"
            f"# expected: {expected}\n# got:      {got}\n# SQL: {self.sql()}\n"
        )

    def sql(self):
        try:
            return str(self.queryset.query)
        except (DatabaseError, ValueError, TypeError, AttributeError, KeyError) as e:
            return repr(e)
        except Exception as e:
            return repr(e)

    def equal(self, code, expected, got):
        if expected != got:
            raise Difference(self.report(code, expected, got), "rows", self.shape)

    def same_rows(self, code, expected, got):
        if multiset(expected) != multiset(got):
            report = self.report(code, sorted(map(repr, expected)), got)
            raise Difference(report, "rows", self.shape)

    # Uses.

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

    def keys(self, check):
        """The primary keys of the rows of a flat query."""
        state = self.truth.run(check.query)
        return {row["<base>"].key for row in state.rows}

    def check_in(self, check, expected):
        model = MODELS[check.query.model]
        got = model.objects.filter(pk__in=self.queryset.values("pk"))
        code = f"{model.__name__}.objects.filter(pk__in=queryset.values('pk'))"
        self.equal(code, sorted(self.keys(check)), sorted(row.pk for row in got))

    def check_exists(self, check, expected):
        model = MODELS[check.query.model]
        got = model.objects.filter(Exists(self.queryset.filter(pk=OuterRef("pk"))))
        code = (
            f"{model.__name__}.objects.filter("
            "Exists(queryset.filter(pk=OuterRef('pk'))))"
        )
        self.equal(code, sorted(self.keys(check)), sorted(row.pk for row in got))

    def check_aggregate(self, check, expected):
        state = self.truth.run(check.query)
        step = check.aggregate
        code = f"queryset.aggregate({build.aggregate(step)})"
        total = self.truth.total(step, state.rows)
        got = build.evaluate(f"lambda queryset: {code}")(self.queryset)
        self.equal(code, typed([total]), typed(got.values()))

    def check_hydrate(self, check, expected):
        state = self.truth.run(check.query)
        columns = state_columns(check)
        wanted = []
        for row in state.rows:
            record = row[check.alias]
            joined = record and tuple(record.values[name] for name in columns)
            wanted.append((row["<base>"].key, repr(joined)))
        got = []
        for row in self.queryset.select_related(check.alias):
            joined = getattr(row, check.alias)
            joined = joined and tuple(
                getattr(joined, name) for name in columns.values()
            )
            got.append((row.pk, repr(joined)))
        self.same_rows(f'list(queryset.select_related("{check.alias}"))', wanted, got)

    def stored(self, table, column=None):
        if column is None:
            return sorted(MODELS[table].objects.values_list("pk", flat=True))
        return dict(MODELS[table].objects.values_list("pk", column))

    def check_update(self, check, expected):
        table = check.query.model
        [(column, value)] = WRITES[table].items()
        wanted = self.stored(table, column) | dict.fromkeys(self.keys(check), value)
        code = f"queryset.update({column}={value!r})"
        number = self.queryset.update(**{column: value})
        self.equal(code, wanted, self.stored(table, column))
        self.equal(code, len(self.keys(check)), number)

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


def state_columns(check):
    """The columns of the joined model and the attributes that hold them."""
    model = None
    for step in check.query.steps:
        if isinstance(step, spec.Join) and step.alias == check.alias:
            model = joined_model(check.query.model, step.source)
    return {
        column.name: column.name + "_id" if column.target else column.name
        for column in TABLES[model].values()
    }


def joined_model(model, source):
    if isinstance(source, spec.Relation):
        field = MODELS[model]._meta.get_field(source.path[0])
        return field.related_model.__name__
    return source.model


def failure(case):
    """The Difference that a case shows, or None, also if it makes no sense."""
    try:
        Checker(case).run()
    except Difference as error:
        return error
    except Exception:
        # The truth refuses what is not a query at all.
        return None
