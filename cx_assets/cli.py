"""`cx`: the commands that a person types.

Belongs here: arguments, exit codes and what is printed. Does not: the work, which is the assets'.
"""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cx_assets.arguments import console, days_between, first_day_kept, given_settings, range_of, usable_dataset
from cx_assets.dataset import ManifestError, load_dataset
from cx_assets.dictionary import data_dictionary, write_dictionary
from cx_assets.disk import told_if_full
from cx_assets.home import HomeError, prepare_home
from cx_assets.operations.commands import register
from cx_assets.operations.refusals import noting_refusal
from cx_assets.operations.rejected_command import rejected
from cx_assets.privacy.commands import add_privacy_commands
from cx_assets.proposal.command import init
from cx_assets.settings import DATABASE
from cx_assets.source import SourceError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

app.command()(init)
app.command()(rejected)

DayOption = Annotated[str | None, typer.Option(help="A day of the dataset, as 2017-01-31.")]


@app.callback()
def cx() -> None:
    """From raw customer events to recommendations and a report."""


@app.command()
def run(first: DayOption = None, last: DayOption = None) -> None:
    """Materialize everything, over all days of the dataset or from FIRST to LAST, and publish it.

    Days whose raw events are no longer kept (CX_RETENTION) are left alone, unless FIRST asks for them.
    """
    # Imported by the commands that need them: they load Dagster and the scientific libraries, which takes seconds.
    from cx_assets.launch import execute, over, tell_failure, tell_success, write_record
    from cx_assets.progress import Progress

    settings = given_settings()
    with noting_refusal(settings):
        dataset = usable_dataset(settings)
        first_day, last_day = days_between(dataset, first or first_day_kept(dataset, settings), last)
    began = time.monotonic()
    home = prepare_home(settings)
    console.print(f"[bold]{escape(dataset.title)}[/], {first_day} to {last_day}\n")
    progress = Progress(console)
    result = execute("everything", progress, over(first_day.isoformat(), last_day.isoformat()))
    seconds = time.monotonic() - began
    write_record(settings, progress, result.run_id, seconds, success=result.success)
    if not result.success:
        tell_failure(console, progress, home)
        raise typer.Exit(1)
    tell_success(console, settings, home, progress, seconds)


@app.command()
def backtest(
    first: Annotated[str | None, typer.Option("--from", help="The first as-of date, a Monday as 2017-08-14.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last as-of date.")] = None,
) -> None:
    """Judge every recommender on what followed the as-of dates FROM to TO, one a week; the first time run before."""
    from cx_assets.evaluation.config import EvaluationSettings
    from cx_assets.evaluation.terminal import leader_boards
    from cx_assets.launch import execute, over, tell_failure
    from cx_assets.partitions import weekly_backtest
    from cx_assets.progress import Progress

    settings = given_settings()
    dataset = usable_dataset(settings)
    dates = weekly_backtest(dataset, EvaluationSettings().horizon_days).get_partition_keys()
    chosen = range_of(dates, first, last, "an as-of date of the backtest", "--from", "--to")
    if not settings.warehouse_path.exists():
        console.print("There is no warehouse yet, so everything is run first.\n")
        run()
        console.print()
    home = prepare_home(settings)
    began = time.monotonic()
    console.print(f"[bold]{escape(dataset.title)}[/], as-of dates {chosen[0]} to {chosen[1]}\n")
    progress = Progress(console)
    result = execute("backtest", progress, over(*chosen))
    if not result.success:
        tell_failure(console, progress, home)
        raise typer.Exit(1)
    console.print(f"\n[green]Done[/] in {time.monotonic() - began:.0f} s.\n")
    console.print(leader_boards(settings.backtest_dir / DATABASE), "")
    for name, what in (("report", "report.html"), ("database", DATABASE), ("Parquet", "parquet")):
        console.print(f"  {name:<10}{settings.backtest_dir / what}", soft_wrap=True)


@app.command()
def search(
    before: Annotated[
        str | None, typer.Option(help="The first test day, as 2017-08-14; nothing of it is read.")
    ] = None,
    cuts: Annotated[int | None, typer.Option(min=1, help="Earlier dates to judge each trial on.")] = None,
) -> None:
    """Try other settings of the ranker on days before those that it is judged on; needs a run before."""
    from cx_assets.evaluation.terminal import trials
    from cx_assets.launch import execute, tell_failure
    from cx_assets.progress import Progress

    settings = given_settings()
    dataset = usable_dataset(settings)
    home = prepare_home(settings)
    began = time.monotonic()
    console.print(f"[bold]{escape(dataset.title)}[/], settings of the ranker\n")
    progress = Progress(console)
    asked = {"first_test_day": before, "cuts": cuts}
    result = execute("search", progress, {}, {"search_trials": {k: v for k, v in asked.items() if v is not None}})
    if not result.success:
        tell_failure(console, progress, home)
        raise typer.Exit(1)
    console.print(f"\n[green]Done[/] in {time.monotonic() - began:.0f} s.\n")
    console.print(trials(settings.warehouse_path))


@app.command()
def compare(
    recommender: Annotated[str, typer.Argument(help="A recommender of the last backtest.")],
    baseline: Annotated[str, typer.Argument(help="Another one.")],
) -> None:
    """Say by how much one recommender leads another over the dates of the last backtest, and how sure that is."""
    from cx_assets.evaluation.terminal import comparison

    settings = given_settings()
    try:
        console.print(comparison(settings.backtest_dir / DATABASE, recommender, baseline))
    except LookupError as error:
        console.print(f"[red]{escape(str(error.args[0]))}[/]", soft_wrap=True)
        raise typer.Exit(1) from None


@app.command()
def recommend(
    customer: Annotated[str, typer.Option(help="Whose lists.")],
    as_of: Annotated[str | None, typer.Option(help="A day as 2017-08-14; without it, what is published.")] = None,
) -> None:
    """Print the lists of a customer with their reasons, as published or as they would have been on a day."""
    from cx_assets.matrices.config import InteractionWeights
    from cx_assets.recommendations.config import Ranking
    from cx_assets.recommendations.terminal import boards, published_rows, rows_as_of

    settings = given_settings()
    database = settings.published_dir / DATABASE
    try:
        if as_of is None:
            rows, when = published_rows(database, customer)
        else:
            day = datetime.fromisoformat(as_of)
            rows, when = rows_as_of(
                database,
                customer,
                day,
                InteractionWeights(others=load_dataset(settings.dataset).own_weights()).weights(),
                Ranking().settings(),
            )
    except (LookupError, ValueError, ManifestError) as error:
        console.print(f"[red]{escape(str(error.args[0]))}[/]", soft_wrap=True)
        raise typer.Exit(1) from None
    console.print(boards(rows, customer, when))


@app.command()
def doctor() -> None:
    """Say what a run over all days would make of the dataset, writing nothing. Exit code 1 if it would fail."""
    from cx_assets.diagnosis.terminal import diagnose

    settings = given_settings()
    dataset = usable_dataset(settings)
    days_between(dataset, None, None)
    try:
        would_run = diagnose(console, dataset, settings)
    except SourceError as error:
        console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
        raise typer.Exit(1) from None
    if not would_run:
        raise typer.Exit(1)


@app.command("impute-report")
def impute_report(
    write: Annotated[Path | None, typer.Option(help="A file for the recommended lines of the manifest.")] = None,
) -> None:
    """Score what could stand in for missing attributes on values that are known, and recommend a policy per column."""
    from cx_assets.evaluation.imputation_report import print_report

    settings = given_settings()
    dataset = usable_dataset(settings)
    try:
        lines = print_report(console, settings, dataset)
    except LookupError as error:
        console.print(f"[red]{escape(str(error.args[0]))}[/]", soft_wrap=True)
        raise typer.Exit(1) from None
    if write and lines:
        write.write_text(lines, "utf-8")
        console.print(f"\nwritten: {write}", soft_wrap=True)


@app.command()
def example(
    folder: Annotated[Path, typer.Argument(help="Where its files go; made if it isn't there.")],
) -> None:
    """Write a generated news site with its manifest: a dataset to try, whose manifest can be copied."""
    from cx_assets.examples.news_site import write_news_site

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        console.print(f"[red]{escape(str(folder))} isn't empty.[/] Name a folder that is yet to be made.")
        raise typer.Exit(1)
    manifest = write_news_site(folder)
    console.print(
        f"Written to {escape(str(folder))}/. Run it with\n\n  CX_DATASET={escape(str(manifest))} cx run", soft_wrap=True
    )


@app.command()
def home() -> None:
    """Make Dagster's instance folder and print it, for DAGSTER_HOME."""
    typer.echo(prepare_home(given_settings()))


@app.command()
def tables(
    write: Annotated[Path | None, typer.Option(help="A Markdown page to put them into, between its marks.")] = None,
) -> None:
    """Print every table and column of the dataset, as Markdown."""
    from cx_assets.definitions import table_specs

    specs = table_specs(usable_dataset(given_settings()))
    if write:
        write_dictionary(write, specs)
    else:
        typer.echo(data_dictionary(specs))


def main() -> None:
    """The entry point of `cx`."""
    try:
        app()
    except HomeError as error:
        console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
        sys.exit(1)
    except Exception as error:
        # Anything that a command writes may be what meets a full disk, Dagster's history as well as ours.
        full = told_if_full(error, given_settings())
        if full is None:
            raise
        console.print(f"\n[red]{escape(full)}[/]", soft_wrap=True)
        sys.exit(1)


add_privacy_commands(app, console, given_settings, usable_dataset)
register(app, console, given_settings, usable_dataset)


if __name__ == "__main__":
    main()
