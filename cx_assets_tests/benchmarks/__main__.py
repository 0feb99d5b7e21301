"""`make bench`: how long the project takes, against a plain script, against libraries, and at several times the events.

Prints tables and writes `data/benchmarks/<date>.json` and `latest.json`. Nothing is asserted: figures are for people.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cx_assets_tests.benchmarks import backtests, loads, model_runs, running
from cx_assets_tests.benchmarks.backtests import Backtest
from cx_assets_tests.benchmarks.figures import growth_exponents, median_run, ratios
from cx_assets_tests.benchmarks.loads import Loads
from cx_assets_tests.benchmarks.model_runs import OURS, Models
from cx_assets_tests.benchmarks.running import Run

console = Console(highlight=False)

LOADED_TIMES = (1, 10)
"""Times the events that are loaded by themselves."""


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and store."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="cx_bench_", dir=options.scratch) as scratch:
        data_dir = Path(scratch) / "project"
        runs = _repeat_project(options.runs, data_dir)
        project = median_run(runs)
        plain = None if options.skip_plain else _plain(Path(scratch))
        _show_comparison(project, plain, options.runs)
        by_scale = {1: project}
        more: dict[str, Any] = {"loads": None, "models": None, "backtest": None}
        _store(options.output, _record(runs, plain, by_scale, more))
        if not options.skip_loads:
            console.print("loading and cleaning on one core, cx doctor and cx init ...")
            loaded = loads.measure_loads(Path(scratch) / "loads", LOADED_TIMES, options.runs)
            _show_loads(loaded, options.runs)
            more["loads"] = loaded.as_dict()
            _store(options.output, _record(runs, plain, by_scale, more))
        if not options.skip_models:
            models = _models(data_dir, Path(scratch) / "models", options.runs)
            _show_models(models, options.runs)
            more["models"] = models.as_dict()
            _store(options.output, _record(runs, plain, by_scale, more))
        if not options.skip_backtest:
            console.print(f"cx backtest of {backtests.AS_OF} (takes minutes) ...")
            backtest = backtests.run_backtest(data_dir)
            _show_backtest(backtest)
            more["backtest"] = backtest.as_dict()
            _store(options.output, _record(runs, plain, by_scale, more))
        shutil.rmtree(data_dir)
        for scale in options.scales:
            if scale == 1:
                continue
            by_scale[scale] = _scaled(scale, Path(scratch))
            _show_scaling(by_scale, growth_exponents(by_scale))
            # After each, because the next takes several times as long and may be stopped.
            _store(options.output, _record(runs, plain, by_scale, more))


def _record(runs: list[Run], plain: Run | None, by_scale: dict[int, Run], more: dict[str, Any]) -> dict[str, Any]:
    """What was measured up to now, as it is stored."""
    project = by_scale[1]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "runs": [run.as_dict() for run in runs],
        "project": project.as_dict(),
        "plain": plain.as_dict() if plain else None,
        "ratio": ratios(plain, project) if plain else None,
        "scales": {str(scale): run.as_dict() for scale, run in by_scale.items()},
        "growth_exponent": growth_exponents(by_scale),
        **more,
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cx_assets_tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=3, help="runs of the project at once the events, and of models; the median counts"
    )
    parser.add_argument(
        "--scales", type=_scales, default=[1, 2, 5, 10], help="times the events, as 1,2,5,10; one run each"
    )
    parser.add_argument("--skip-plain", action="store_true", help="leave out the plain script, which takes minutes")
    parser.add_argument("--skip-loads", action="store_true", help="leave out loading alone, cx doctor and cx init")
    parser.add_argument("--skip-models", action="store_true", help="leave out neighbours and EASE beside libraries")
    parser.add_argument("--skip-backtest", action="store_true", help="leave out the backtest of one week")
    parser.add_argument("--output", type=Path, default=Path(os.environ.get("CX_DATA_DIR", "data")) / "benchmarks")
    parser.add_argument("--scratch", type=Path, default=None, help="where generated data and databases go meanwhile")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs is at least 1")
    return options


def _scales(text: str) -> list[int]:
    scales = sorted({int(part) for part in text.split(",") if part.strip()})
    if not scales or scales[0] < 1:
        raise argparse.ArgumentTypeError("scales are whole numbers from 1, as 1,2,5,10")
    return scales


def _repeat_project(times: int, data_dir: Path) -> list[Run]:
    """Runs into the same folder, emptied before each; that of the last stays."""
    runs = []
    for number in range(1, times + 1):
        console.print(f"cx run, {number} of {times} ...")
        shutil.rmtree(data_dir, ignore_errors=True)
        runs.append(_project("complete_journey", data_dir))
    return runs


def _project(dataset: str, data_dir: Path, scale: int = 1) -> Run:
    run = running.run_project(dataset, data_dir, scale)
    console.print(f"  {run.wall_seconds:.1f} s, peak {run.peak_mib:,.0f} MiB")
    return run


def _plain(scratch: Path) -> Run:
    console.print("the plain script (content similarity alone takes minutes) ...")
    run = running.run_plain_script(scratch / "plain.duckdb")
    console.print(f"  {run.wall_seconds:.1f} s, peak {run.peak_mib:,.0f} MiB")
    return run


def _scaled(scale: int, scratch: Path) -> Run:
    folder = scratch / f"x{scale}"
    console.print(f"{scale} times the events ...")
    run = _project(running.generate(scale, folder), scratch / f"data_x{scale}", scale)
    shutil.rmtree(scratch / f"data_x{scale}")
    shutil.rmtree(folder)
    return run


def _models(data_dir: Path, folder: Path, times: int) -> Models:
    console.print("neighbours and EASE beside libraries (NumPy's EASE takes minutes) ...")
    folder.mkdir()
    return model_runs.measure_models(data_dir / "published" / "cx.duckdb", folder, times)


def _show_comparison(project: Run, plain: Run | None, runs: int) -> None:
    table = Table(title=f"Seconds by stage, median of {runs}", title_justify="left")
    for name in ("stage", "project", *(("plain script", "ratio") if plain else ())):
        table.add_column(name, justify="left" if name == "stage" else "right")
    times = ratios(plain, project) if plain else {}
    for stage, seconds in {**project.stages, "total": project.wall_seconds}.items():
        theirs = plain.wall_seconds if plain and stage == "total" else plain.stages.get(stage) if plain else None
        table.add_row(
            stage,
            f"{seconds:.1f}",
            *((f"{theirs:.1f}" if theirs is not None else "", f"{times[stage]:.1f} x" if stage in times else ""))
            if plain
            else (),
        )
    memory = [f"{project.peak_mib:,.0f}"]
    if plain:
        memory += [f"{plain.peak_mib:,.0f}", f"{plain.peak_mib / project.peak_mib:.1f} x"]
    table.add_row("peak MiB", *memory)
    console.print(table)


def _show_loads(measured: Loads, runs: int) -> None:
    table = Table(
        title=f"Loading and cleaning on one core, median of {runs} (of 10 times: one run)", title_justify="left"
    )
    table.add_column("what")
    for name in ("events", "seconds", "events/s", "peak MiB"):
        table.add_column(name, justify="right")
    for (kind, factor), run in measured.loads.items():
        rate = f"{loads.events_per_second(run):,.0f}"
        table.add_row(
            f"{kind}, {factor} x", f"{run.events:,}", f"{sum(run.stages.values()):.1f}", rate, f"{run.peak_mib:,.0f}"
        )
        for step, seconds in run.stages.items():
            table.add_row(f"  {step}", "", f"{seconds:.1f}", "", "")
    for name, run in measured.commands.items():
        table.add_row(f"cx {name}", "", f"{run.wall_seconds:.1f}", "", f"{run.peak_mib:,.0f}")
    events = next(iter(measured.loads.values())).events or 0
    for what, seconds in measured.bounds.items():
        rate = f"{events / seconds:,.0f}"
        table.add_row(f"DuckDB alone, {what}", f"{events:,}", f"{seconds:.2f}", rate, "")
    console.print(table)


def _show_models(models: Models, runs: int) -> None:
    table = Table(title=f"On the same matrix, median of {runs}", title_justify="left")
    table.add_column("task")
    table.add_column("by")
    for name in ("seconds", "times ours", "peak MiB", "differs by"):
        table.add_column(name, justify="right")
    for task, described in models.as_dict().items():
        ours = models.tasks[task][OURS]
        for method, one in models.tasks[task].items():
            table.add_row(
                f"{task}\n{described['customers']:,} x {described['items']:,}" if method == OURS else "",
                method,
                f"{one.seconds:.1f}",
                f"{one.seconds / ours.seconds:.1f} x" if ours.seconds else "",
                f"{one.run.peak_mib:,.0f}",
                "" if method == OURS else f"{one.difference:.0e}",
            )
    console.print(table)


def _show_backtest(backtest: Backtest) -> None:
    table = Table(title="Seconds of a backtest of one week, by step and recommender", title_justify="left")
    table.add_column("step or recommender")
    dates = list(backtest.recommenders)
    for name in ("step", *dates):
        table.add_column(name, justify="right")
    for step, seconds in {**backtest.run.stages, "total": backtest.run.wall_seconds}.items():
        table.add_row(step, f"{seconds:.1f}")
    table.add_row("peak MiB", f"{backtest.run.peak_mib:,.0f}", end_section=True)
    for name in dict.fromkeys(name for one in backtest.recommenders.values() for name in one):
        table.add_row(
            f"  {name}",
            "",
            *(f"{one[name]:.1f}" if name in one else "" for one in backtest.recommenders.values()),
        )
    console.print(table)


def _show_scaling(by_scale: dict[int, Run], growth: dict[str, float]) -> None:
    table = Table(title="Seconds by stage at several times the events", title_justify="left")
    table.add_column("stage")
    for scale in by_scale:
        table.add_column(f"{scale} x", justify="right")
    table.add_column("grows as events to the", justify="right")
    for stage in [*by_scale[1].stages, "total"]:
        seconds = (run.wall_seconds if stage == "total" else run.stages.get(stage, 0.0) for run in by_scale.values())
        exponent = f"{growth[stage]:.2f}" if stage in growth else ""
        table.add_row(stage, *(f"{s:.1f}" for s in seconds), exponent)
    table.add_row("events", *(f"{run.events:,}" if run.events else "" for run in by_scale.values()), "")
    table.add_row("peak MiB", *(f"{run.peak_mib:,.0f}" for run in by_scale.values()), "")
    console.print(table)


def _store(folder: Path, record: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1)
    dated = folder / f"{record['measured_at'][:10]}.json"
    for path in (dated, folder / "latest.json"):
        path.write_text(text, "utf-8")
    console.print(f"Written to {dated} and latest.json beside it.")


if __name__ == "__main__":
    main()
