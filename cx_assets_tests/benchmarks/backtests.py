"""The backtest of one week, measured: from start to end, by step and by recommender.

Belongs here: running `cx backtest` in a folder that has a run already, and reading its log. Does not: running in
general (`running`). It stays small for the reason that is given there, so the log is read without Dagster.
"""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cx_assets_tests.benchmarks import running
from cx_assets_tests.benchmarks.running import Run

AS_OF = "2017-12-04"
"""The last as-of date of the default dataset: a recommender has the most to learn from there."""

STEPS = (
    *("backtest_lists", "last_basket_lists", "backtest_metrics", "backtest_comparisons"),
    *("calibration", "ranker_study", "backtest_report", "published_backtest"),
)


@dataclass(frozen=True)
class Backtest:
    """A measured backtest.

    Attributes:
        run: of the whole command; its stages are the steps, with all checks as one.
        recommenders: by as-of date, or `last basket`: seconds of each recommender from the end of the one before. That
            of the first has making the training in it, and neighbours count for the first that asks for them.
    """

    run: Run
    recommenders: dict[str, dict[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.run.as_dict(), "recommenders": self.recommenders}


def run_backtest(data_dir: Path, as_of: str = AS_OF) -> Backtest:
    """`cx backtest` of one as-of date, in the folder of a run that has no backtest yet."""
    environment = {"CX_DATA_DIR": str(data_dir), "CX_DATASET": "complete_journey", "DAGSTER_HOME": ""}
    run, _ = running.measure("cx_assets.cli", ["backtest", "--from", as_of, "--to", as_of], environment)
    logs = [path for path in (data_dir / "dagster" / "history" / "runs").glob("*.db") if path.stem != "index"]
    stages, recommenders = read_log(max(logs, key=lambda path: path.stat().st_mtime))
    return Backtest(Run(run.wall_seconds, run.peak_mib, stages), recommenders)


def read_log(path: Path) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Seconds by step, and by as-of date and recommender, of one run.

    Args:
        path: Dagster's event log of the run, as SQLite.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute("select event from event_logs where step_key is not null order by id").fetchall()
    stages: dict[str, float] = {}
    recommenders: dict[str, dict[str, float]] = {}
    began: dict[str, float] = {}
    last = 0.0
    for (text,) in rows:
        entry = json.loads(text)
        step, at = entry["step_key"], float(entry["timestamp"])
        kind = (entry["dagster_event"] or {}).get("event_type_value")
        if kind == "STEP_START":
            began[step] = last = at
        elif kind == "STEP_SUCCESS":
            stage = step if step in STEPS else "checks"
            stages[stage] = stages.get(stage, 0.0) + at - began[step]
        elif kind is None:
            # Whoever is done is named: `2017-12-04: ease`. Any other line comes before the first.
            done = re.fullmatch(r"([\w -]+): (\w+)", entry["user_message"])
            if done:
                recommenders.setdefault(done[1], {})[done[2]] = at - last
            last = at
    return stages, recommenders
