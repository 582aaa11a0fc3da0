"""
Random queries return the rows that relational algebra says.

ORACLE_EXAMPLES is the number of data sets, ORACLE_SEED makes another run than
the fixed one, and ORACLE_AREAS switches parts of the generator (see areas.py).
ORACLE_SURVEY=1 collects a failure of each sort rather than stop at the first.
"""

import json
import os
import tempfile
from collections import Counter
from dataclasses import replace
from operator import itemgetter
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, override_settings

from .areas import Areas

# Hypothesis keeps a cache, and would in the current directory.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", tempfile.gettempdir())

try:
    import hypothesis
except ImportError:
    hypothesis = None
else:
    from .checks import Checker, Difference, failure
    from .reduce import reduce
    from .strategies import cases

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", 500))
SURVEY = os.environ.get("ORACLE_SURVEY")
SEED = os.environ.get("ORACLE_SEED")


@skipUnless(hypothesis, "Hypothesis is not installed.")
@override_settings(USE_TZ=True, TIME_ZONE="UTC")
class RowOracleTests(TestCase):
    def explore(self, examples, **areas):
        known = Areas.from_environment()
        areas = {name: value and getattr(known, name) for name, value in areas.items()}
        areas = replace(known, **areas)
        features = connection.features
        if features.supports_logical_xor:
            areas = replace(areas, xor=False)
        if not getattr(features, "supports_full_join", True):
            areas = replace(areas, full=False)

        failures, seen = {}, Counter()

        @hypothesis.settings(
            phases=[hypothesis.Phase.generate],
            max_examples=max(examples, 1),
            database=None,
            deadline=None,
            derandomize=SEED is None,
            print_blob=False,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(cases(areas))
        def agree(case):
            if failures and not SURVEY:
                return
            checker = Checker(case)
            try:
                checker.run()
            except Difference as error:
                failures.setdefault(error.signature, []).append((len(str(error)), case))
            seen.update(checker.seen)

        if SEED is not None:
            agree = hypothesis.seed(int(SEED))(agree)
        agree()
        if SURVEY:
            seen["failures"] = sum(map(len, failures.values()))
            print("\noracle:", json.dumps(seen), flush=True)
        reports = {
            str(reduce(min(found, key=itemgetter(0))[1], failure)[1]): len(found)
            for found in list(failures.values())[:30]
        }
        if reports:
            shortest = sorted(reports.items(), key=lambda pair: len(pair[0]))
            self.fail("".join(f"\n== {n} times{text}" for text, n in shortest))

    def test_paths(self):
        self.explore(EXAMPLES // 5, alias_join=False, relations=False)

    def test_filtered_relations(self):
        self.explore(EXAMPLES // 5, alias_join=False)

    @skipUnless(Areas().alias_join, "Alias joins are missing.")
    def test_alias_joins(self):
        self.explore(EXAMPLES * 3 // 5)
