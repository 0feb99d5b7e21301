"""`cx retention` and `cx status`.

Belongs here: their arguments, exit codes and what they print. Does not: the parts that they put together, or the other
commands (`cli`, which registers these).
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.markup import escape

from cx_assets.dataset import Dataset, ManifestError, load_dataset
from cx_assets.home import prepare_home
from cx_assets.operations.status import EXIT_CODES, Limits, Status, duration, judged
from cx_assets.settings import Settings

COLOURS = {"good": "green", "warning": "yellow", "bad": "red"}


def register(
    app: typer.Typer,
    console: Console,
    settings_of: Callable[[], Settings],
    usable_dataset: Callable[[Settings], Dataset],
) -> None:
    """Add the commands to an app.

    Args:
        app: the one.
        console: where they print.
        settings_of: the operator's settings, or exit code 1 and which is wrong.
        usable_dataset: the dataset, or exit code 1 and what is wrong with it.
    """

    @app.command()
    def retention() -> None:
        """Remove the rows and runs that have been kept for long enough (CX_RETENTION, CX_HISTORY_DAYS)."""
        settings = settings_of()
        usable_dataset(settings)
        raise typer.Exit(remove_what_is_old(console, settings))

    @app.command()
    def status(
        as_json: Annotated[
            bool, typer.Option("--json", help="For machines; cx_assets/docs/operations.md explains the keys.")
        ] = False,
        warn_after: Annotated[float, typer.Option(min=0, help="Hours from which on events are old: a warning.")] = 48,
        bad_after: Annotated[float, typer.Option(min=0, help="Hours from which on that is bad.")] = 168,
    ) -> None:
        """Say how everything is: last run, missing days, failed checks, freshness, disk.

        Exit code 0: good, 1: a warning, 2: bad. It may be asked while a run works. Ages count for datasets that still
        grow.
        """
        try:
            settings = settings_of()
            dataset = load_dataset(settings.dataset)
        except ManifestError as error:
            console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
            raise typer.Exit(EXIT_CODES["bad"]) from None
        except typer.Exit:
            raise typer.Exit(EXIT_CODES["bad"]) from None
        limits = Limits(warn_after=warn_after, bad_after=bad_after)
        raise typer.Exit(tell_status(console, settings, dataset, limits, as_json=as_json))


def remove_what_is_old(console: Console, settings: Settings) -> int:
    """Run the job `apply_retention`, then write the working database anew if it lost rows; returns the exit code."""
    # Imported by the commands that need them: they load Dagster, which takes a second or two.
    from cx_assets.launch import execute, tell_failure
    from cx_assets.operations.compaction import compact
    from cx_assets.progress import Progress

    home = prepare_home(settings)
    progress = Progress(console)
    result = execute("apply_retention", progress, {})
    if not result.success:
        tell_failure(console, progress, home)
        return 1
    (made,) = result.asset_materializations_for_node("retention")
    removed, runs = (int(str(made.metadata[key].value)) for key in ("removed_rows", "removed_runs"))
    for line in _applied(settings):
        console.print(line, soft_wrap=True)
    if not settings.retention:
        console.print("No table has a rule: CX_RETENTION='ingestion.raw_events: 400 days' would be one.")
    console.print(f"{runs:,} runs of more than {settings.history_days} days ago removed from Dagster's history.")
    if removed:
        before, after = compact(settings)
        console.print(
            f"{settings.warehouse_path.name} written anew: {megabytes(before)} before, {megabytes(after)} now."
        )
        console.print("What is published has the rows until the next run publishes.")
    return 0


def _applied(settings: Settings) -> list[str]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows: list[Any] = connection.execute(
            "select table_name, keep_days, kept_from, removed_rows, staying_rows from operations.retention order by 1"
        ).fetchall()
    return [
        escape(f"{table}: kept for {days:,} days, from {kept_from}; {removed:,} rows of before removed")
        + (f", {staying:,} stay: others are or may be about them." if staying else ".")
        for table, days, kept_from, removed, staying in rows
    ]


def megabytes(size: int) -> str:
    """A number of bytes for a person."""
    return f"{size / 1e6:,.1f} MB"


def tell_status(console: Console, settings: Settings, dataset: Dataset, limits: Limits, *, as_json: bool) -> int:
    """Print the state of everything, for a person or as JSON; returns the exit code."""
    from cx_assets.operations.looking import look

    status = judged(look(settings, dataset), limits)
    if as_json:
        typer.echo(status.model_dump_json(indent=1))
        return status.exit_code
    console.print(f"[{COLOURS[status.status]}]{status.status}[/]  {escape(status.dataset)}\n")
    for name, what in _lines(status):
        console.print(f"  {name:<10}{escape(what)}", soft_wrap=True)
    for finding in status.findings:
        console.print(
            f"\n[{COLOURS[finding.level]}]{finding.level}[/]: {escape(finding.what)} {escape(finding.do)}",
            soft_wrap=True,
        )
    return status.exit_code


def _lines(status: Status) -> Iterator[tuple[str, str]]:
    if status.refused_run:
        yield "run", f"`cx run`, {status.refused_run.at:%Y-%m-%d %H:%M} UTC: didn't begin"
    for run in [*status.unfinished, *([status.last_run] if status.last_run else [])]:
        since = f", begun {run.began:%Y-%m-%d %H:%M} UTC" if run.began else ""
        took = f" after {run.seconds:,.0f} s" if run.seconds is not None else ""
        days = f", days {run.days}" if run.days else ""
        yield "run", f"{run.job}{days}: {run.state}{took or ''}{since}"
    if status.days:
        yield "days", f"{status.days.known - status.days.missing:,} of {status.days.known:,} loaded"
    if status.checks:
        checks = status.checks
        blocking = sum(check.blocking for check in checks.failed)
        failed = f"{len(checks.failed)} failed, {blocking} of them blocking"
        yield "checks", f"{checks.passed} passed, {failed}; {checks.never_run} never ran"
    fresh = status.freshness
    for name, at, hours in (
        ("published", fresh.published_at, fresh.published_age_hours),
        ("event", fresh.last_event_at, fresh.last_event_age_hours),
    ):
        if at is not None and hours is not None:
            yield name, f"{at:%Y-%m-%d %H:%M} UTC, {duration(hours)} ago"
    disk = status.disk
    used = ", ".join(
        f"{name} {megabytes(size)}"
        for name, size in (
            ("working", disk.working),
            ("published", disk.published),
            ("backtest", disk.backtest),
            ("history", disk.history),
            ("free", disk.free),
        )
    )
    yield "disk", used
