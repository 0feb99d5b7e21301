"""The project's commands in processes of their own, and what is watched of them from outside.

Belongs here: starting, stopping and waiting with a bound. Does not: what must be true of them (`test_processes`).
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
CX = ("-m", "cx_assets.cli")
DAGSTER = ("-m", "dagster")
READER = ("-m", "cx_assets_tests.reading")
DAEMON = ("-m", "dagster._daemon", "run", "-w", "workspace.yaml")
PATIENCE = 240.0  # seconds; a bound for a machine that does ten other things


def done(*command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a Python command to its end."""
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )


@contextmanager
def started(*command: str, environment: Mapping[str, str], listen: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Run a Python command beside the test, in a process group that ends with the test.

    Args:
        command: what follows `python`.
        environment: the whole of it.
        listen: whether the test reads what it prints; if nobody did, it would stop when the pipe is full.
    """
    with subprocess.Popen(
        [sys.executable, *command],
        env={**environment, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if listen else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """Kill a process and its children at once, as a power cut would."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait(PATIENCE)


def read_until(process: subprocess.Popen[str], line: str) -> None:
    """Read what a process prints, up to a line."""
    assert process.stdout is not None
    printed = []
    for text in process.stdout:
        printed.append(text)
        if text.strip() == line:
            return
    raise AssertionError(f"ended without the line {line!r}:\n{''.join(printed)}")


def wait_for(what: str, holds: Callable[[], bool], every: float = 0.2) -> None:
    """Wait until something holds, looking every so many seconds."""
    patient_until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < patient_until, f"waited {PATIENCE:g} s in vain: {what}"
        time.sleep(every)


def digests(folder: Path) -> dict[str, str]:
    """A hash of every file under a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def recovered(database: Path, folder: Path) -> Path:
    """A copy of a database as DuckDB finds it after its writer was killed; the original is left as it is."""
    folder.mkdir()
    for path in (database, database.with_name(f"{database.name}.wal")):
        if path.exists():
            shutil.copyfile(path, folder / path.name)
    with duckdb.connect(str(folder / database.name)) as connection:
        connection.execute("checkpoint")
    return folder / database.name
