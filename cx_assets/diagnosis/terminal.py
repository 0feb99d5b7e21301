"""What `cx doctor` prints: how a dataset would fare in a run, and what to correct.

Belongs here: the figures and their lines. Does not: the tables and verdicts (`trial`).
"""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from cx_assets.dataset import Dataset
from cx_assets.diagnosis.clock import clock_told, guessed_clock
from cx_assets.diagnosis.strays import unused_files
from cx_assets.diagnosis.trial import Trial, tried_out
from cx_assets.diagnosis.verdicts import Verdict, columns_verdict, verdicts
from cx_assets.ingestion.times import local_time
from cx_assets.settings import Settings
from cx_assets.table import sql
from cx_assets.table.schema import literal
from cx_assets.warehouse.clauses import event_clauses
from cx_assets.warehouse.master_contract import master_clauses
from cx_assets.warehouse.tables import REJECTED_EVENTS

SHOWN = 5
ADVICE = {"missing customer_id": "; if they are of guests, `where` in the manifest leaves them out"}


def diagnose(console: Console, dataset: Dataset, settings: Settings) -> bool:
    """Print what a run over all days would make of a dataset.

    Returns:
        Whether every check that stops a run would pass.

    Raises:
        SourceError: if the files don't fit the manifest.
    """
    with tried_out(dataset, settings) as trial:
        console.print(f"[bold]{escape(dataset.title)}[/] ({escape(dataset.path.name)}, which fits its files)\n")
        for line in [
            *_events(trial, dataset, settings),
            *_masters(trial, dataset),
            *_merges(trial, dataset),
            *_time(trial, dataset),
            *_files(dataset),
        ]:
            console.print(line, soft_wrap=True)
        found = [*verdicts(trial, dataset, settings), columns_verdict(dataset)]
    return _judged(console, found)


def _line(name: str, text: str) -> str:
    return f"  {name:<10}{escape(text)}"


def _events(trial: Trial, dataset: Dataset, settings: Settings) -> Iterator[str]:
    rows, files, days, first, last = sql(
        "select count(*), count(distinct source_file), count(distinct day), min(day), max(day) from raw_events",
        raw_events=trial.tables["raw_events"],
    ).fetchone()
    reasons = sql(
        "select reason, count(*) as events from rejected_events group by reason order by events desc, reason",
        rejected_events=trial.tables["rejected_events"],
    ).fetchall()
    refused = sum(count for _, count in reasons)
    outcomes = dict(
        sql(
            "select outcome, count(*) from withdrawn_events group by outcome order by outcome",
            withdrawn_events=trial.tables["withdrawn_events"],
        ).fetchall()
    )
    withdrawn = sum(outcomes.values()) - outcomes.get("reduced", 0)
    span = f", {days:,} day{'s' * (days != 1)}: {first} to {last}" if rows else ""
    yield _line("events", f"{rows:,} rows of {files:,} file{'s' * (files != 1)}{span}")
    if trial.left_out:
        yield _line("left out", f"{trial.left_out:,} more rows are no events, as `where` says")
    copies = f" and {trial.duplicates:,} exact duplicates, folded" if trial.duplicates else ", no exact duplicates"
    yield _line("kept", f"{rows - refused - withdrawn - trial.duplicates:,}{copies}")
    yield from _types(trial)
    if outcomes:
        yield _line("withdrawn", f"{withdrawn:,}: {_told_outcomes(outcomes)}")
    parts = {"events": event_clauses(dataset), **{t: master_clauses(dataset, t) for t in ("customers", "items")}}
    yield _line("contract", f"clauses: {', '.join(f'{len(clauses)} for {name}' for name, clauses in parts.items())}")
    share = refused / rows if rows else 0
    yield _line("rejected", f"{refused:,} ({share:.2%}; the limit is {settings.rejected_limit:.2%})")
    about = {clause.reason: clause.column for clause in event_clauses(dataset)}
    for reason, count in reasons:
        yield _line("", f"{count:>9,}  {reason}{_example(trial, reason, about.get(reason))}")


def _types(trial: Trial) -> Iterator[str]:
    """How many events of each type are kept, and what they are worth: a total that a shop can know from elsewhere."""
    types = sql(
        """
        select event_type, count(*) as events, sum(cast("value" as decimal(38, 6)))
        from events group by event_type order by events desc, event_type
        """,
        events=trial.tables["events"],
    ).fetchall()
    told = [f"{name} {count:,}{f' worth {worth:,.2f}' if worth else ''}" for name, count, worth in types]
    if told:
        yield _line("of these", ", ".join(told))


def _told_outcomes(outcomes: dict[str, int]) -> str:
    """What became of rows because of others, and which did it, in words."""
    words = {
        "corrected": "corrected", "cancelled": "cancelled", "cancellation": "cancellations", "returned": "returned",
        "return": "returns",
    }  # fmt: skip
    told = [f"{word} {outcomes[name]:,}" for name, word in words.items() if name in outcomes]
    less = f"; kept, less what was returned of them {outcomes['reduced']:,}" if "reduced" in outcomes else ""
    return ", ".join(told) + less


def _example(trial: Trial, reason: str, column: str | None) -> str:
    """The value that breaks a clause most often, and where it stands first."""
    if column not in REJECTED_EVENTS.column_names:
        return ""
    value, file, row, distinct = sql(
        f"""
        with broken as (
            select {column} as given, source_file, source_row, count(*) over (partition by {column}) as events
            from rejected_events where reason = {literal(reason)}
        )
        select given, source_file, source_row, (select count(distinct given) from broken) from broken
        order by events desc, source_file, source_row limit 1
        """,
        rejected_events=trial.tables["rejected_events"],
    ).fetchone()
    told = f"{value!r}" if value is not None else "nothing"
    others = f" and {distinct - 1:,} other value{'s' * (distinct != 2)}" if distinct > 1 else ""
    return f": {column} is {told}{others}, as in {file} row {row:,}{ADVICE.get(reason, '')}"


def _masters(trial: Trial, dataset: Dataset) -> Iterator[str]:
    for table, key, declared in (
        ("customers", "customer_id", dataset.customers), ("items", "item_id", dataset.items)
    ):  # fmt: skip
        acting, unknown, share = sql(
            f"""
            with told as (select distinct trim({key}) as {key} from delivered where trim({key}) <> ''),
            joined as (select acted.events, told.{key} is null as unknown from acted left join told using ({key}))
            select count(*), coalesce(sum(unknown::int), 0), coalesce(sum(events) filter (unknown) / sum(events), 0)
            from joined
            """,
            acted=trial.acted[table],
            delivered=trial.tables[f"raw_{table}"],
        ).fetchone()
        if declared is None:
            yield _line(table, f"{acting:,} have events; the manifest names no file of {table}")
            continue
        known = trial.tables[f"raw_{table}"].count()
        if not acting:
            yield _line(table, f"none has events ({known:,} rows)")
            continue
        missing = f"{unknown:,} of them ({unknown / acting:.1%}, with {share:.1%} of events) are not in the master data"
        names = sql(
            f"select {key} from acted where {key} not in "
            f"(select trim({key}) from delivered where trim({key}) <> '') order by events desc, {key} limit {SHOWN}",
            acted=trial.acted[table],
            delivered=trial.tables[f"raw_{table}"],
        ).fetchall()
        such = f": {', '.join(repr(row[0]) for row in names)}" if names else ""
        told = f"{missing}{such}" if unknown else "all of them are in the master data"
        yield _line(table, f"{acting:,} have events; {told} ({known:,} rows)")


def _merges(trial: Trial, dataset: Dataset) -> Iterator[str]:
    if dataset.merge_customers is None:
        return
    told = sql(
        "select key_kind, count(*) from customer_merges group by key_kind order by key_kind",
        customer_merges=trial.tables["customer_merges"],
    ).fetchall()
    by = f": {', '.join(f'{count:,} by {kind}' for kind, count in told)}" if told else ""
    beyond = "; linkage is judged in a run" if dataset.linkage else ""
    yield _line("merged", f"{sum(count for _, count in told):,} customers into others{by}{beyond}")


def _time(trial: Trial, dataset: Dataset) -> Iterator[str]:
    hours = dict(
        sql(
            f"select hour({local_time('occurred_at', dataset.timezone)}), count(*) from events group by all",
            events=trial.tables["events"],
        ).fetchall()
    )  # fmt: skip
    guessed = guessed_clock([int(hours.get(hour, 0)) for hour in range(24)])
    yield _line("clock", clock_told(guessed, dataset.timezone))
    if dataset.last_day is None:
        yield _line("days", f"{dataset.first_day} to yesterday: last_day is not given, so the dataset still grows")
    else:
        yield _line("days", f"{dataset.first_day} to {dataset.last_day}, as the manifest says")


def _files(dataset: Dataset) -> Iterator[str]:
    unused = unused_files(dataset)
    if unused:
        names = [_beside(path, dataset.folder) for path in unused[:SHOWN]]
        more = f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else ""
        yield _line("not used", f"{', '.join(names)}{more}: no source of the manifest names them")


def _beside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _judged(console: Console, found: list[Verdict]) -> bool:
    console.print()
    for verdict in found:
        if not verdict.passed:
            mark = "[red]stops a run[/]" if verdict.stops else "[yellow]warns[/]"
            console.print(f"  {mark}  {escape(verdict.check)}: {escape(verdict.text)}", soft_wrap=True)
    stopping = sum(verdict.stops for verdict in found)
    passed = sum(verdict.passed for verdict in found)
    if stopping:
        console.print(
            f"\n[red]A run would fail[/]: {stopping} of {len(found)} checks would stop it. Nothing was written."
        )
    else:
        console.print(f"\n[green]A run would begin well[/]: {passed} of {len(found)} checks pass. Nothing was written.")
    return not stopping
