"""`python -m cx_assets_tests.benchmarks.drift`: how often drift is noticed where it was planted, and where it wasn't.

Generated years of five kinds of season and the default year, each as it is and with a fault every 17 days from the
ninth week on, all through the contract and the counting that a run does. A day is an alarm when at least one of its
figures is out of its bounds. Bounds were fitted on generated years of the seeds from 1000 on; these here are others.
Prints two tables and writes `data/benchmarks/drift.json`. Nothing is asserted: figures are for people.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
from rich.console import Console
from rich.table import Table

from cx_assets_tests.drift.faults import FAULTS
from cx_assets_tests.drift.rates import RawYear, figures_of, load_default, load_year, plant
from cx_assets_tests.drift.years import SEASONS, generate_year

console = Console(highlight=False)
DEFAULT = "default year"


@dataclass
class Rate:
    """How many of how many days had an alarm."""

    alarms: int = 0
    days: int = 0

    def count(self, alarms: int, days: int = 1) -> None:
        """Add days."""
        self.alarms += int(alarms)
        self.days += days

    @property
    def share(self) -> str:
        """The rate as a percentage, with the counts that it is of."""
        return f"{self.alarms / self.days:.1%} ({self.alarms} of {self.days})" if self.days else ""

    @property
    def per_30_days(self) -> str:
        """Alarms per 30 days, with the counts that it is of."""
        return f"{30 * self.alarms / self.days:.2f} ({self.alarms} on {self.days:,} days)" if self.days else ""


class Rates:
    """What was measured.

    Attributes:
        clean: by season, days of years without a fault.
        between: by season, days without a fault in years with faults.
        caught: by kind of fault and by generated or default year, days with a fault.
    """

    def __init__(self) -> None:
        years = (*SEASONS, DEFAULT)
        self.clean = {name: Rate() for name in years}
        self.between = {name: Rate() for name in years}
        self.caught = {kind: {"generated": Rate(), DEFAULT: Rate()} for kind in FAULTS}

    def measure(self, name: str, year: RawYear, seeds: list[int], *, clean: bool = True) -> None:
        """Count the alarms of a year as it is, if `clean`, and with faults, once per seed."""
        if clean:
            days = _alarms(year, {})
            self.clean[name].count(sum(days.values()), len(days))
        for seed in seeds:
            rng = np.random.default_rng([seed, 1])
            kinds = [str(kind) for _ in range(2) for kind in rng.permutation(list(FAULTS))]
            planted = plant(year, kinds, seed)
            days = _alarms(year, planted)
            for day, (kind, _) in planted.items():
                self.caught[kind][DEFAULT if name == DEFAULT else "generated"].count(days.pop(day))
            self.between[name].count(sum(days.values()), len(days))

    def as_dict(self) -> dict[str, object]:
        """All counts."""
        return {
            "clean": {name: asdict(rate) for name, rate in self.clean.items()},
            "between": {name: asdict(rate) for name, rate in self.between.items()},
            "caught": {kind: {name: asdict(rate) for name, rate in by.items()} for kind, by in self.caught.items()},
        }


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and store."""
    options = _options(arguments)
    rates = Rates()
    with tempfile.TemporaryDirectory(prefix="cx_drift_") as scratch:
        for seed in range(options.seed, options.seed + options.years):
            for number, season in enumerate(SEASONS):
                with _connection() as connection:
                    year = load_year(connection, Path(scratch), generate_year(season, seed))
                    rates.measure(season, year, [seed * len(SEASONS) + number])
            console.print(f"generated years of seed {seed} done")
    if options.default:
        with _connection() as connection:
            rates.measure(DEFAULT, load_default(connection), list(range(options.seed, options.seed + options.default)))
    _show(rates)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "drift.json").write_text(json.dumps(rates.as_dict(), indent=1), "utf-8")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cx_assets_tests.benchmarks.drift", description=__doc__)
    parser.add_argument("--years", type=int, default=4, help="generated years per kind of season")
    parser.add_argument("--default", type=int, default=4, help="times that faults are planted in the default year")
    parser.add_argument("--seed", type=int, default=0, help="the first seed; bounds were fitted on those from 1000 on")
    parser.add_argument("--output", type=Path, default=Path(os.environ.get("CX_DATA_DIR", "data")) / "benchmarks")
    return parser.parse_args(arguments)


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("set threads = 2")
    return connection


def _alarms(year: RawYear, planted: dict[date, tuple[str, object]]) -> dict[date, bool]:
    """Whether each judged day of a year has an alarm; a planted day counts even where nothing of it could be judged."""
    figures = figures_of(year, {day: rows for day, (_, rows) in planted.items()})
    judged = figures[figures["expected"].notna()].groupby("day")["alarm"].any()
    return {**dict.fromkeys(planted, False), **{day: bool(alarm) for day, alarm in judged.items()}}


def _show(rates: Rates) -> None:
    table = Table(title="False alarms per 30 days", title_justify="left")
    for name in ("season", "years without faults", "other days of years with faults"):
        table.add_column(name, justify="left" if name == "season" else "right")
    for name, names in (
        *((season, [season]) for season in SEASONS),
        ("all generated", SEASONS),
        (DEFAULT, [DEFAULT]),
    ):
        row = [_sum(by[one] for one in names).per_30_days for by in (rates.clean, rates.between)]
        table.add_row(name, *row)
    console.print(table)
    table = Table(title="Faults caught on their day", title_justify="left")
    for name in ("fault", "generated years", DEFAULT):
        table.add_column(name, justify="left" if name == "fault" else "right")
    for kind, by in rates.caught.items():
        table.add_row(kind, *(rate.share for rate in by.values()))
    table.add_row("all", *(_sum(by[name] for by in rates.caught.values()).share for name in ("generated", DEFAULT)))
    console.print(table)


def _sum(rates: Iterator[Rate]) -> Rate:
    total = Rate()
    for rate in rates:
        total.count(rate.alarms, rate.days)
    return total


if __name__ == "__main__":
    main()
