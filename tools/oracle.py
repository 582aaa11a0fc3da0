"""
Run the row oracle for long: python tools/oracle.py [--examples 100000] …

The work is cut into chunks, each with a seed of its own and each a run of the
test package, so that a run can be stopped and started again, on several
processes. Failures don't stop it; they are collected beside the record of what
is done.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """\
from {settings} import *

for alias, database in DATABASES.items():
    test = database.setdefault("TEST", {{}})
    if "sqlite" not in database["ENGINE"]:
        test["NAME"] = f"test_oracle_{worker}_{{alias}}"
"""


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--chunk", type=int, default=2_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--settings", default="test_sqlite")
    parser.add_argument("--seed", type=int, default=0, help="that of the first chunk")
    parser.add_argument("--fork", type=Path, default=ROOT / ".fork")
    parser.add_argument("--state", type=Path, default=ROOT / ".cache" / "oracle")
    return parser.parse_args(arguments)


def run(options, folder, seed, worker):
    """One chunk: what was counted, and the failures as text."""
    module = f"oracle_settings_{worker}"
    (folder / f"{module}.py").write_text(
        SETTINGS.format(settings=options.settings, worker=worker)
    )
    path = [str(options.fork), str(folder), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "ORACLE_SEED": str(seed),
        "ORACLE_EXAMPLES": str(options.chunk),
        "ORACLE_SURVEY": "1",
    }
    process = subprocess.run(
        [
            *(sys.executable, "runtests.py", "alias_join_oracle.test_rows"),
            *(f"--settings={module}", "--parallel=1", "--noinput"),
        ],
        cwd=options.fork / "tests",
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    seen = Counter()
    for line in process.stdout.splitlines():
        if line.startswith("oracle: "):
            seen.update(json.loads(line.removeprefix("oracle: ")))
    failed = process.returncode != 0
    return seen, process.stdout + process.stderr if failed else ""


def progress(done, total, seen, started, first):
    share = done / total
    bar = "#" * round(share * 30)
    rate = (done - first) / max(time.monotonic() - started, 1)
    left = round((total - done) / rate / 60) if rate else "?"
    print(
        f"\r[{bar:30}] {done}/{total} chunks, {seen['checks']} queries, "
        f"{seen['failures']} failures, {left} min left ",
        end="",
        file=sys.stderr,
        flush=True,
    )


def main(arguments=None):
    options = parse(arguments)
    folder = options.state / options.settings
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "done.json"
    state = json.loads(record.read_text()) if record.exists() else {}
    total = -(-options.examples // options.chunk)
    seeds = range(options.seed, options.seed + total)
    key = f"{options.chunk}:{os.environ.get('ORACLE_AREAS', '')}:"
    seen = Counter()
    for seed in seeds:
        seen.update(state.get(f"{key}{seed}", {}))
    todo = [seed for seed in seeds if f"{key}{seed}" not in state]
    workers = list(range(options.processes))
    started, first = time.monotonic(), total - len(todo)

    def work(seed):
        worker = workers.pop()
        try:
            return seed, *run(options, folder, seed, worker)
        finally:
            workers.append(worker)

    with ThreadPoolExecutor(options.processes) as pool:
        futures = [pool.submit(work, seed) for seed in todo]
        progress(first, total, seen, started, first)
        try:
            for done, future in enumerate(as_completed(futures), first + 1):
                seed, counted, failures = future.result()
                if failures:
                    (folder / f"failures_{seed}.txt").write_text(failures)
                    counted["failures"] = counted["failures"] or 1
                seen.update(counted)
                state[f"{key}{seed}"] = counted
                record.write_text(json.dumps(state, indent=1))
                progress(done, total, seen, started, first)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise SystemExit("\nStopped; the same command goes on from here.")
    print(file=sys.stderr)
    for name, count in sorted(seen.items()):
        print(f"{count:10} {name}")
    if seen["failures"]:
        raise SystemExit(f"See {folder}/failures_*.txt.")


if __name__ == "__main__":
    main()
