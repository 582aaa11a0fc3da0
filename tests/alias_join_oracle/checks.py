"""Run a query on the database and compare it with the truth."""

import re
from collections import Counter

from django.db import NotSupportedError, OperationalError, connection, transaction

from . import build, names, rows
from .areas import is_limit
from .coverage import features
from .schema import MODELS
from .truth import Truth
from .uses import Uses, multiset


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


class Checker(Uses):
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
            error.add_note(rows.script(self.case.data))
            error.add_note(self.code)
            raise
        self.seen["checks"] += 1
        self.seen["with rows"] += bool(expected)
        self.seen.update(features(check))
        try:
            self.queryset = build.evaluate(self.code)
            getattr(self, f"check_{check.use}")(check, expected)
        except NotSupportedError:
            self.seen["refused"] += 1
        except Difference:
            raise
        except OperationalError as error:
            if not is_limit(str(error), self.sql()):
                raise self.unexpected(check, error) from error
            self.seen["limit of the database"] += 1
        except Exception as error:
            raise self.unexpected(check, error) from error

    def unexpected(self, check, error):
        words = re.sub(r"\S*[\d\"'`._]\S*", "", str(error)).split()
        signature = (type(error).__name__, place(error), *words[:8])
        report = self.report(f"# {check.use}", "no error", repr(error))
        return Difference(report, signature)

    # Reports.

    def report(self, code, expected, got):
        return (
            f"\n\nfrom {names.__name__} import *\n\n{rows.script(self.case.data)}\n\n"
            f"queryset = {self.code}\n{code}\n"
            f"# expected: {expected}\n# got:      {got}\n# SQL: {self.sql()}\n"
        )

    def sql(self):
        try:
            return str(self.queryset.query)
        except Exception as error:
            return repr(error)

    def equal(self, code, expected, got):
        if expected != got:
            raise Difference(self.report(code, expected, got), "rows", self.shape)

    def same_rows(self, code, expected, got):
        if multiset(expected) != multiset(got):
            report = self.report(code, sorted(map(repr, expected)), got)
            raise Difference(report, "rows", self.shape)


def failure(case):
    """The Difference that a case shows, or None, also if it makes no sense."""
    try:
        Checker(case).run()
    except Difference as error:
        return error
    except Exception:
        # The truth refuses what is not a query at all.
        return None
