"""Item neighbours and EASE, each by several methods on the same matrix: which there are, and measuring them.

Belongs here: going over tasks and methods, a fresh process each. Does not: what such a process does (`models`). It
stays small for the reason that `running` gives.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cx_assets_tests.benchmarks import running
from cx_assets_tests.benchmarks.figures import median_run
from cx_assets_tests.benchmarks.running import Run

OURS = "cx_assets"

MATRICES = {"counts": (5, True), "had": (20, False), "had by more": (5, False)}
"""Fewest customers of an item, and whether entries are log(1 + events) or 1, as the project gives them to a method."""

TASKS = {
    "item cosine": ("counts", (OURS, "implicit", "scikit-learn")),
    "ease": ("had", (OURS, "numpy")),
    # The project's own pool of items: 25,574 of them, which squared take NumPy some 15 GiB, so nobody else is there.
    "ease, all items": ("had by more", (OURS,)),
}
"""The matrix of each task and its methods, the project's first."""

MODULE = "cx_assets_tests.benchmarks.models"


@dataclass(frozen=True)
class Measured:
    """One method on one task.

    Attributes:
        run: the median of its runs; the stages are `load` (imports and the matrix) and what the method does.
        before_mib: the peak of memory when all was loaded and the method had yet to begin.
        difference: the largest one of its values from the project's.
    """

    run: Run
    before_mib: float
    difference: float

    @property
    def seconds(self) -> float:
        """Of the method, without loading."""
        return sum(seconds for stage, seconds in self.run.stages.items() if stage != "load")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.run.as_dict(),
            "seconds": self.seconds,
            "before_mib": self.before_mib,
            "difference": self.difference,
        }


@dataclass(frozen=True)
class Models:
    """All tasks.

    Attributes:
        sizes: customers, items and entries of each matrix.
        tasks: the methods of each task.
    """

    sizes: dict[str, list[int]]
    tasks: dict[str, dict[str, Measured]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            task: {
                **dict(zip(("customers", "items", "entries"), self.sizes[TASKS[task][0]], strict=True)),
                "methods": {method: one.as_dict() for method, one in methods.items()},
            }
            for task, methods in self.tasks.items()
        }


def measure_models(database: Path, folder: Path, times: int) -> Models:
    """Measure every method of every task.

    Args:
        database: published; it is only read.
        folder: for the matrices and what the methods make of them; there already.
        times: runs of each; the median counts.
    """
    _, sizes = _told(["prepare", str(database), str(folder)])
    tasks = {}
    for task, (_, methods) in TASKS.items():
        runs = {method: _repeated(task, method, folder, times) for method in methods}
        _, differences = _told(["compare", task, str(folder)])
        tasks[task] = {method: Measured(*runs[method], differences[method]) for method in methods}
    return Models(sizes, tasks)


def _repeated(task: str, method: str, folder: Path, times: int) -> tuple[Run, float]:
    runs, before = [], 0.0
    for _ in range(times):
        run, told = _told(["run", task, method, str(folder)])
        before = max(before, told.pop("before MiB"))
        runs.append(Run(run.wall_seconds, run.peak_mib, told))
    return median_run(runs), before


def _told(arguments: list[str]) -> tuple[Run, dict[str, Any]]:
    run, output = running.measure(MODULE, arguments, {})
    return run, json.loads(output.splitlines()[-1])
