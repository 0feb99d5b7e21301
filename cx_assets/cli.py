"""`cx`: the commands that a person types.

Belongs here: arguments, exit codes and what is printed. Does not: the work, which is the assets'.
"""

import json
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import dagster as dg
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.dataset import Dataset, ManifestError, load_dataset
from cx_assets.dictionary import data_dictionary, write_dictionary
from cx_assets.home import prepare_home
from cx_assets.ingestion.reader import problems
from cx_assets.progress import Progress
from cx_assets.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)

DayOption = Annotated[str | None, typer.Option(help="A day of the dataset, as 2017-01-31.")]


@app.callback()
def cx() -> None:
    """From raw customer events to recommendations and a report."""


@app.command()
def run(first: DayOption = None, last: DayOption = None) -> None:
    """Materialize everything, over all days of the dataset or from FIRST to LAST, and publish it."""
    settings = _settings()
    dataset = _usable_dataset(settings)
    first_day, last_day = _days(dataset, first, last)
    began = time.monotonic()
    home = prepare_home(settings)
    console.print(f"[bold]{escape(dataset.title)}[/], {first_day} to {last_day}\n")
    progress = Progress(console)
    with dg.DagsterInstance.get() as instance:
        result = _everything(progress).execute_in_process(
            instance=instance,
            tags={RANGE_START: first_day.isoformat(), RANGE_END: last_day.isoformat()},
            run_config={"loggers": {"progress": {}}},
            raise_on_error=False,
        )
    seconds = time.monotonic() - began
    _write_record(settings, progress, result.run_id, seconds, success=result.success)
    if not result.success:
        _tell_failure(progress, home)
        raise typer.Exit(1)
    _tell_success(settings, home, progress, seconds)


@app.command()
def doctor() -> None:
    """Say whether a run on this dataset would work, without writing anything. Exit code 1 if it wouldn't."""
    settings = _settings()
    dataset = _usable_dataset(settings)
    sources = len(dataset.events)
    console.print(f"[green]{dataset.path.name} fits its files[/]: {sources} source{'s' * (sources > 1)} of events,")
    console.print(f"days {dataset.first_day} to {dataset.last_day or 'today'}.")


@app.command()
def home() -> None:
    """Make Dagster's instance folder and print it, for DAGSTER_HOME."""
    typer.echo(prepare_home(_settings()))


@app.command()
def tables(
    write: Annotated[Path | None, typer.Option(help="A Markdown page to put them into, between its marks.")] = None,
) -> None:
    """Print every table and column of the dataset, as Markdown."""
    from cx_assets.definitions import table_specs

    specs = table_specs(_usable_dataset(_settings()))
    if write:
        write_dictionary(write, specs)
    else:
        typer.echo(data_dictionary(specs))


def main() -> None:
    """The entry point of `cx`."""
    app()


def _settings() -> Settings:
    """The operator's settings, or exit code 1 and which variable is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            variable = f"CX_{problem['loc'][0]}".upper()
            console.print(
                f"[red]{variable}={escape(repr(problem['input']))}: {escape(problem['msg'])}[/]", soft_wrap=True
            )
        raise typer.Exit(1) from None


def _usable_dataset(settings: Settings) -> Dataset:
    """The dataset, or exit code 1 and what is wrong with it."""
    try:
        dataset = load_dataset(settings.dataset)
        wrong = problems(dataset)
    except ManifestError as error:
        wrong = str(error).splitlines()
    if wrong:
        for line in wrong:
            console.print(f"[red]{escape(line)}[/]", soft_wrap=True)
        raise typer.Exit(1)
    return dataset


def _everything(progress: Progress) -> dg.JobDefinition:
    """The job `everything`, told to report its progress."""
    # The definitions are made from the environment, so not before it is complete.
    from cx_assets.definitions import defs

    reporting = dg.Definitions(loggers={"progress": progress.logger()})
    job = dg.Definitions.merge(defs(), reporting).resolve_job_def("everything")
    graph = job.asset_layer.asset_graph
    stages = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    checks = [(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys]
    progress.expect(stages, {f"{asset}_{check}": stages[asset] for asset, check in checks})
    return job


def _days(dataset: Dataset, first: str | None, last: str | None) -> tuple[date, date]:
    from cx_assets.partitions import daily_events

    keys = daily_events(dataset).get_partition_keys()
    if not keys:
        console.print(f"[red]no day of the dataset is over: it begins on {dataset.first_day}.[/]")
        raise typer.Exit(2)
    chosen = []
    for name, text, default in (("FIRST", first, keys[0]), ("LAST", last, keys[-1])):
        if text is not None and text not in keys:
            console.print(
                f"[red]{name} {text!r} is not a day of the dataset, which has {keys[0]} to {keys[-1]}.[/]",
                soft_wrap=True,
            )
            raise typer.Exit(2)
        chosen.append(date.fromisoformat(text or default))
    if chosen[0] > chosen[1]:
        console.print(f"[red]FIRST {chosen[0]} is after LAST {chosen[1]}.[/]")
        raise typer.Exit(2)
    return chosen[0], chosen[1]


def _write_record(settings: Settings, progress: Progress, run_id: str, seconds: float, *, success: bool) -> None:
    record = {
        "run_id": run_id,
        "success": success,
        "seconds": round(seconds, 2),
        "stages": progress.stage_seconds(),
        "steps": [vars(step) for step in progress.steps],
    }
    (settings.data_dir / "last_run.json").write_text(json.dumps(record, indent=1), "utf-8")


def _tell_failure(progress: Progress, home: Path) -> None:
    failed = ", ".join(step.name for step in progress.steps if not step.ok) or "no step was run"
    console.print(
        f"\n[red]Failed: {failed}.[/] Every table is whole, old or new, and readers have what was last published.",
        soft_wrap=True,
    )
    for message in progress.errors:
        console.print(f"[red]{escape(message)}[/]", soft_wrap=True)
    console.print(f"The whole story: make dev, or DAGSTER_HOME={home} dagster dev -w workspace.yaml, then Runs.")


def _tell_success(settings: Settings, home: Path, progress: Progress, seconds: float) -> None:
    rows = sum(step.rows or 0 for step in progress.steps)
    warnings = f", {progress.warnings} warnings" if progress.warnings else ""
    console.print(
        f"\n[green]Done[/] in {seconds:.0f} s: {len(progress.assets_done)} tables, {rows:,} rows, "
        f"{progress.checks_done} checks{warnings}.\n"
    )
    published = settings.published_dir
    for name, what in (
        ("report", published / "report.html"),
        ("database", published / "cx.duckdb"),
        ("Parquet", published / "parquet"),
        ("web UI", f"make dev, or DAGSTER_HOME={home} dagster dev -w workspace.yaml"),
    ):
        console.print(f"  {name:<10}{what}", soft_wrap=True)


if __name__ == "__main__":
    main()
