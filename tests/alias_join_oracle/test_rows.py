"""
Random queries return the rows that relational algebra says.

ORACLE_EXAMPLES is the number of data sets, ORACLE_SEED makes another run than
the default one, and ORACLE_AREAS switches parts of the generator (areas.py).
ORACLE_SURVEY=1 collects a failure of each sort rather than stop at the first,
and prints how often each feature was reached.
"""

import json
import os
from collections import Counter
from dataclasses import replace
from operator import itemgetter
from unittest import mock, skipUnless

from django.db import connection
from django.test import TestCase, override_settings

from .areas import Areas
from .checks import Checker, Difference, failure
from .reduce import reduce
from .strategies import make_case

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", 500))
SURVEY = os.environ.get("ORACLE_SURVEY")
SEED = os.environ.get("ORACLE_SEED", "0")
# Failures that are made smaller and reported, of each test.
REPORTED = 30


@override_settings(USE_TZ=True, TIME_ZONE="UTC")
class RowOracleTests(TestCase):
    def explore(self, examples, **areas):
        known = Areas.from_environment()
        areas = {name: value and getattr(known, name) for name, value in areas.items()}
        areas = replace(known, **areas).supported(connection.features)
        failures, seen = {}, Counter()
        for number in range(max(examples, 1)):
            # Each example has a seed of its own.
            case = make_case(f"{SEED}:{self._testMethodName}:{number}", areas)
            checker = Checker(case)
            try:
                checker.run()
            except Difference as error:
                failures.setdefault(error.signature, []).append((len(str(error)), case))
            seen.update(checker.seen)
            seen["examples"] += 1
            if failures and not SURVEY:
                break
        if SURVEY:
            seen["failures"] = sum(map(len, failures.values()))
            print("\noracle:", json.dumps(seen), flush=True)
        reports = {
            str(reduce(min(found, key=itemgetter(0))[1], failure)[1]): len(found)
            for found in list(failures.values())[:REPORTED]
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

    @skipUnless(Areas().alias_join, "Alias joins are missing.")
    def test_outer_joins(self):
        """Chains of joins, most of which keep rows without a base row."""
        self.explore(EXAMPLES // 5, mostly_left=False, cross=False, lateral=False)

    @skipUnless(Areas().alias_join, "Alias joins are missing.")
    def test_rewritten_full_joins(self):
        """Other databases than those that need it rewrite FULL joins, too."""
        with mock.patch.object(connection.features, "supports_full_join", False):
            self.explore(
                EXAMPLES // 5,
                mostly_left=False,
                inner=False,
                cross=False,
                lateral=False,
                relations=False,
                # SQLite's parser has a limit.
                pushed_twice=False,
            )
