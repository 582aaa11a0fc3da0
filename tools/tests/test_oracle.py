"""The bookkeeping of tools/oracle.py, with chunks that run in no time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import oracle
import pytest

TOOLS = Path(oracle.__file__).parent


class FakeRunner:
    """Chunk 2 fails, the others don't."""

    ran = []
    after = {}

    def __init__(self, options, lock):
        assert not lock.closed

    def run(self, seed, worker):
        self.ran.append(seed)
        if seed in self.after:
            self.after[seed]()
        counted = oracle.Counter(checks=10, failures=int(seed == 2))
        return counted, "queryset = ..." if seed == 2 else ""


@pytest.fixture
def runner(monkeypatch):
    before = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    monkeypatch.setattr(FakeRunner, "ran", [])
    monkeypatch.setattr(FakeRunner, "after", {})
    monkeypatch.setattr(oracle, "digest", lambda: "code")
    yield FakeRunner
    for number, handler in before.items():
        signal.signal(number, handler)


def explore(folder, runner, *arguments):
    words = ["--chunk=100", "--processes=1", f"--state={folder}", *arguments]
    oracle.main(words, runner=runner)


def test_runs_each_chunk_once(tmp_path, runner, capsys):
    explore(tmp_path, runner, "--examples=150", "--seed=3")
    explore(tmp_path, runner, "--examples=350", "--seed=3")
    assert runner.ran == [3, 4, 5, 6]
    assert "40 checks" in capsys.readouterr().out


def test_keeps_what_failed(tmp_path, runner, capsys):
    with pytest.raises(SystemExit, match="failures_"):
        explore(tmp_path, runner, "--examples=300")
    assert runner.ran == [1, 2, 3]
    failures = list((tmp_path / "sqlite").glob("failures_*"))
    assert [path.name for path in failures] == ["failures_2.txt"]
    assert failures[0].read_text() == "queryset = ..."
    assert "3/3 chunks, 30 queries, 1 failures" in capsys.readouterr().err


def test_other_code_starts_again(tmp_path, runner, monkeypatch):
    explore(tmp_path, runner, "--examples=100")
    monkeypatch.setattr(oracle, "digest", lambda: "other code")
    explore(tmp_path, runner, "--examples=100")
    assert runner.ran == [1, 1]


def test_digest_tells_code_apart(tmp_path):
    module = tmp_path / "django" / "joins.py"
    module.parent.mkdir()
    digests = set()
    for text in ("1", "2"):
        module.write_text(text)
        digests |= {oracle.digest(tmp_path), oracle.digest(tmp_path)}
    assert len(digests) == 2


def test_stops_and_goes_on(tmp_path, runner):
    def interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        # The main thread takes it.
        time.sleep(0.5)

    runner.after[4] = interrupt
    arguments = ["--examples=300", "--seed=3"]
    with pytest.raises(SystemExit, match="Stopped; the same command goes on"):
        explore(tmp_path, runner, *arguments)
    assert runner.ran == [3, 4]
    explore(tmp_path, runner, *arguments)
    assert runner.ran == [3, 4, 5]


def test_forgets_a_line_that_was_cut_off(tmp_path, runner):
    explore(tmp_path, runner, "--examples=100", "--seed=3")
    record = tmp_path / "sqlite" / "done.jsonl"
    with record.open("a") as file:
        file.write('["code 100 ", 4, {"che')
    explore(tmp_path, runner, "--examples=300", "--seed=3")
    explore(tmp_path, runner, "--examples=300", "--seed=3")
    assert runner.ran == [3, 4, 5]


def test_several_processes(tmp_path, runner):
    oracle.main(
        ["--examples=800", "--chunk=100", "--processes=3", "--seed=3"]
        + [f"--state={tmp_path}"],
        runner=runner,
    )
    assert sorted(runner.ran) == list(range(3, 11))


def test_chunk_without_tests_ends_the_run(tmp_path, runner):
    def broken():
        raise oracle.ChunkError("Chunk 4 counted nothing: ...")

    runner.after[4] = broken
    with pytest.raises(oracle.ChunkError, match="Chunk 4"):
        explore(tmp_path, runner, "--examples=300", "--seed=3")
    lines = (tmp_path / "sqlite" / "done.jsonl").read_text().split("\n")
    assert [json.loads(line)[1] for line in lines if line] == [3]


def test_waits_for_the_chunk_of_a_killed_run(tmp_path):
    """The database of a chunk is in use until it ends."""
    folder = tmp_path / "sqlite"
    folder.mkdir()
    with oracle.lock(folder) as held:
        orphan = subprocess.Popen(["sleep", "1"], pass_fds=[held.fileno()])
    started = time.monotonic()
    with oracle.lock(folder):
        assert orphan.poll() is not None or time.monotonic() - started > 0.5
    orphan.wait()


def test_survives_being_killed(tmp_path):
    """kill -9 loses the chunks at work and nothing else."""
    script = f"""
import pathlib, sys, time
sys.path.insert(0, {str(TOOLS)!r})
import oracle
done = pathlib.Path({str(tmp_path / "sqlite" / "done.jsonl")!r})
def recorded():
    return done.exists() and done.read_text().count("checks") == 2
class Runner:
    def __init__(self, options, lock): pass
    def run(self, seed, worker):
        if seed == 3 and sys.argv[1] == "hang":
            # The main thread writes what this one has counted.
            while not recorded():
                time.sleep(0.01)
            print("hanging", flush=True)
            time.sleep(60)
        return oracle.Counter(checks=seed), ""
oracle.digest = lambda: "code"
oracle.main(["--examples=400", "--chunk=100", "--processes=1",
             "--state={tmp_path}"], runner=Runner)
"""
    command = [sys.executable, "-c", script]
    process = subprocess.Popen([*command, "hang"], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    done = (tmp_path / "sqlite" / "done.jsonl").read_text()
    assert [json.loads(line)[1] for line in done.split("\n") if line] == [1, 2]
    finished = subprocess.run([*command, "go"], capture_output=True, text=True)
    assert finished.returncode == 0
    assert "10 checks" in finished.stdout
