"""
Run the row oracle for long: python tools/oracle.py postgresql --examples 100000

The work is cut into chunks, each with a seed of its own and each a run of the
test package, on several processes. What a chunk found is written down when it
ends, so that a run that was stopped goes on where it was. Failures don't stop
it; they are collected as code that shows them.
"""

import argparse
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue

from suite import FORK, SETTINGS, TOOLS

ROOT = TOOLS.parent
# What a result depends on.
CODE = ("django", "patches", "tests/alias_join_oracle")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=SETTINGS, default="sqlite")
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--chunk", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="that of the first chunk")
    parser.add_argument("--state", type=Path, default=ROOT / ".cache" / "oracle")
    return parser.parse_args(arguments)


def digest(root=ROOT):
    """Return what tells one state of the code from another."""
    state = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".patch"}:
                state.update(path.relative_to(root).as_posix().encode())
                state.update(path.read_bytes())
    return state.hexdigest()[:12]


class Record:
    """What was found, a line of JSON for each chunk that ended."""

    def __init__(self, path, key):
        self.path = path
        self.key = key
        self.done = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                key, seed, counted = json.loads(line)
            except ValueError:
                # A run was killed while it wrote this.
                continue
            if key == self.key:
                self.done[seed] = counted

    def add(self, seed, counted):
        self.done[seed] = counted
        with self.path.open("a") as file:
            # The newline before it ends a line that was cut off.
            file.write(f"\n{json.dumps([self.key, seed, counted])}\n")

    def total(self, seeds):
        total = Counter()
        for seed in seeds:
            total.update(self.done.get(seed, {}))
        return total


def lock(folder):
    """
    Return an open file that keeps other runs out of a folder. A chunk whose
    run was killed holds it too, for its database is in use.
    """
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting for a run that is still at work.", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


class ChunkError(Exception):
    pass


class Runner:
    """Runs chunks with runtests.py."""

    def __init__(self, options, lock):
        self.options = options
        self.lock = lock

    def run(self, seed, worker):
        """
        Return what was counted in a chunk and what the tests printed if they
        failed. Raise ChunkError if they didn't get that far.
        """
        path = [str(FORK), str(TOOLS / "settings")]
        prefix = os.environ.get("TEST_DATABASE_PREFIX", "")
        output = self.options.state / f"output_{worker}.txt"
        # A file takes the output even if nobody reads it any more, and a
        # signal from the terminal is not for the session of the chunk.
        with output.open("w") as file:
            process = subprocess.run(
                [
                    *(sys.executable, "runtests.py", "alias_join_oracle.test_rows"),
                    f"--settings={SETTINGS[self.options.database]}",
                    *("--parallel=1", "--noinput"),
                ],
                cwd=FORK / "tests",
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path),
                    "TEST_DATABASE_PREFIX": f"{prefix}oracle{worker}_",
                    "ORACLE_SEED": str(seed),
                    "ORACLE_EXAMPLES": str(self.options.chunk),
                    "ORACLE_SURVEY": "1",
                    # PostgreSQL compiles large queries, which takes longer
                    # than to run them on a few rows.
                    "PGOPTIONS": "-c jit=off",
                },
                stdout=file,
                stderr=subprocess.STDOUT,
                pass_fds=[self.lock.fileno()],
                start_new_session=True,
            )
        printed = output.read_text(errors="replace")
        counted = counts(printed)
        if not counted:
            raise ChunkError(f"Chunk {seed} counted nothing:\n{printed}")
        return counted, printed if process.returncode else ""


def counts(printed):
    """Return what the tests say that they counted."""
    counted = Counter()
    for line in printed.splitlines():
        if line.startswith("oracle: "):
            counted.update(json.loads(line.removeprefix("oracle: ")))
    return counted


class Progress:
    def __init__(self, done, total):
        self.total = total
        self.first = done
        self.started = time.monotonic()

    def show(self, done, counted):
        bar = "#" * round(done / self.total * 30)
        passed = time.monotonic() - self.started
        left = "?"
        if done > self.first:
            left = round(passed / (done - self.first) * (self.total - done) / 60)
        print(
            f"\r[{bar:30}] {done}/{self.total} chunks, {counted['checks']} queries, "
            f"{counted['failures']} failures, {left} min left ",
            end="",
            file=sys.stderr,
            flush=True,
        )


class Run:
    """The chunks of a run, worked on by several threads until it is stopped."""

    def __init__(self, seeds, record, runner, folder):
        self.seeds = seeds
        self.record = record
        self.runner = runner
        self.folder = folder
        self.todo = SimpleQueue()
        for seed in seeds:
            if seed not in record.done:
                self.todo.put(seed)
        self.ended = SimpleQueue()
        self.stopped = False

    def stop(self, *signal):
        if not self.stopped:
            print("\nStopping when the chunks at work end.", file=sys.stderr)
        self.stopped = True

    def work(self, worker):
        try:
            while not self.stopped:
                seed = self.todo.get_nowait()
                self.ended.put((seed, *self.runner.run(seed, worker)))
        except Empty:
            pass
        finally:
            self.ended.put(None)

    def go(self, processes):
        progress = Progress(len(self.seeds) - self.todo.qsize(), len(self.seeds))
        total = self.record.total(self.seeds)
        progress.show(progress.first, total)
        with ThreadPoolExecutor(processes) as pool:
            workers = [pool.submit(self.work, number) for number in range(processes)]
            working = processes
            while working:
                ended = self.ended.get()
                if ended is None:
                    working -= 1
                    continue
                self.note(*ended)
                total = self.record.total(self.seeds)
                progress.show(sum(s in self.record.done for s in self.seeds), total)
        for worker in workers:
            worker.result()
        print(file=sys.stderr)
        return total

    def note(self, seed, counted, printed):
        if printed:
            (self.folder / f"failures_{seed}.txt").write_text(printed)
            counted["failures"] = counted["failures"] or 1
        self.record.add(seed, counted)


def main(arguments=None, runner=Runner):
    options = parse(arguments)
    options.state = folder = options.state / options.database
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder) as held:
        seeds = range(options.seed, options.seed - -options.examples // options.chunk)
        areas = os.environ.get("ORACLE_AREAS", "")
        record = Record(folder / "done.jsonl", f"{digest()} {options.chunk} {areas}")
        run = Run(seeds, record, runner(options, held), folder)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, run.stop)
        total = run.go(options.processes)
    for name, count in sorted(total.items()):
        print(f"{count:10} {name}")
    if total["failures"]:
        raise SystemExit(f"See {folder}/failures_*.txt.")
    if run.stopped:
        raise SystemExit("Stopped; the same command goes on from here.")


if __name__ == "__main__":
    main()
