"""
A runner for Django's test suite that runs the tests once for each mutant.

The first run, of the code as it is, finds which tests run which lines. Each mutant
then takes the place of its module in a process of its own, forked when the databases
are set up, and runs the tests of its lines, the quick ones first, until one fails.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
import unittest
from collections import defaultdict
from functools import partial

from transplant import transplant

from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.test import TestCase
from django.test.runner import DiscoverRunner
from django.test.utils import iter_test_cases

TIMEOUT = 1800  # Seconds for the tests of a mutant.
TOOL = sys.monitoring.COVERAGE_ID


class Recorder(unittest.TextTestResult):
    """Which lines each test runs, the setup of its class included, and how long."""

    def __init__(self, paths, *args):
        super().__init__(*args)
        self.paths = paths
        self.tests = defaultdict(set)
        self.seconds = defaultdict(float)
        self.lines, self.started = set(), time.monotonic()

    def line(self, code, number):
        if code.co_filename in self.paths:
            self.lines.add((code.co_filename, number))
        return sys.monitoring.DISABLE

    @contextlib.contextmanager
    def recording(self):
        event = sys.monitoring.events.LINE
        sys.monitoring.use_tool_id(TOOL, "mutations")
        sys.monitoring.register_callback(TOOL, event, self.line)
        sys.monitoring.set_events(TOOL, event)
        try:
            yield
        finally:
            sys.monitoring.free_tool_id(TOOL)

    def stopTest(self, test):
        super().stopTest(test)
        for line in self.lines:
            self.tests[line].add(test.id())
        self.seconds[type(test)] += time.monotonic() - self.started
        self.lines, self.started = set(), time.monotonic()
        sys.monitoring.restart_events()


class MutationRunner(DiscoverRunner):
    def run_suite(self, suite, **kwargs):
        """Print a line of JSON for each mutant: its number and what noticed it."""
        with open(os.environ["MUTATIONS"]) as file:
            task = json.load(file)
        tests = list(iter_test_cases(suite))
        paths = {mutant["path"] for mutant in task["mutants"]}
        stream = unittest.runner._WritelnDecorator(sys.stderr)
        result = Recorder(paths, stream, True, 1)
        with result.recording():
            suite.run(result)
        result.printErrors()
        if result.wasSuccessful():
            # A process can't share a connection, but for one to a database in memory,
            # which stays open and is copied.
            connections.close_all()
            # It knows rows that the tests' transactions have taken back.
            ContentType.objects.clear_cache()
            self.try_mutants(task, tests, result)
        return result

    def try_mutants(self, task, tests, result):
        tests.sort(key=lambda t: (not isinstance(t, TestCase), result.seconds[type(t)]))
        control = Trial(self.test_suite, tests, failfast=False)
        os.waitpid(control.pid, 0)
        # What fails in a second run of the code as it is says nothing in others.
        unusable = control.failed()
        print(*unusable, f"{len(unusable)} tests run once only", sep="\n")
        tests = [test for test in tests if test.id() not in unusable]
        modules = {getattr(m, "__file__", None): m for m in [*sys.modules.values()]}
        trials = {}
        for number, mutant in enumerate(task["mutants"]):
            if mutant["path"] not in modules:
                continue
            known = set()
            for line in mutant["lines"]:
                known |= result.tests[mutant["path"], line]
            chosen = [test for test in tests if not known or test.id() in known]
            while len(trials) >= task["processes"]:
                report(trials)
            change = partial(transplant, modules[mutant["path"]], mutant["content"])
            trial = Trial(self.test_suite, chosen, change)
            trials[trial.pid] = number, trial
        while trials:
            report(trials)


class Trial:
    """A process that changes the code and runs tests."""

    def __init__(self, test_suite, tests, change=lambda: None, failfast=True):
        self.output = tempfile.TemporaryFile("w+")
        self.pid = os.fork()
        if self.pid:
            return
        signal.alarm(TIMEOUT)
        try:
            with open(os.devnull, "w") as null:
                os.dup2(null.fileno(), 1)
                os.dup2(null.fileno(), 2)
            change()
            result = unittest.TestResult()
            result.failfast = failfast
            # A test keeps what it read of the data of its class: use new ones.
            test_suite(type(t)(t._testMethodName) for t in tests).run(result)
            found = [test for test, _ in [*result.failures, *result.errors]]
            found += result.unexpectedSuccesses
            self.output.writelines(f"{name(test)}\n" for test in found)
        except BaseException:
            self.output.write(traceback.format_exc().splitlines()[-1])
        finally:
            self.output.flush()
            os._exit(0)

    def failed(self):
        """Return the tests that failed, when the process has ended."""
        with self.output:
            self.output.seek(0)
            return self.output.read().splitlines()


def name(test):
    """Return the name of a test, which is that of the method for a subtest."""
    if isinstance(test, unittest.case._SubTest):
        test = test.test_case
    return test.id()


def report(trials):
    """Wait for the end of a trial, and print what noticed the mutant."""
    pid, status = os.wait()
    number, trial = trials.pop(pid)
    noticed = "".join(trial.failed()[:1])
    if status:
        noticed = f"it did not end by itself ({os.waitstatus_to_exitcode(status)})"
    print(json.dumps([number, noticed]), flush=True)
