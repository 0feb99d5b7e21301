"""What `cx impute-report` prints: every column with missing values, every policy's score, one recommendation.

Belongs here: reading the stored tables without writing, and laying out. Does not: scoring (`imputation`, `missingness`)
or choosing (`imputation_choice`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import yaml
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table as Board

from cx_assets.dataset import Dataset
from cx_assets.evaluation.imputation import ColumnScores, Figure, score_column
from cx_assets.evaluation.imputation_choice import Choice, choose
from cx_assets.evaluation.missingness import Area, foretold
from cx_assets.sections import Attribute, MissingPolicy
from cx_assets.settings import DATABASE, Settings
from cx_assets.table import Table
from cx_assets.warehouse.master_contract import kept_rows
from cx_assets.warehouse.masters import known_customers, known_items
from cx_assets.warehouse.merges import joined_masters
from cx_assets.warehouse.missing import is_missing

ACTIVITY = ("events", "days", "value", "days_since")


@dataclass(frozen=True)
class ColumnReport:
    """All that is told of one column.

    Attributes:
        table: `customers` or `items`.
        scores: of every policy.
        choice: the recommendation.
        by_activity: how well events, days with events, their value and the days since the last foretell that the
            value is missing; None where that can't be told.
        by_columns: the same of the other attributes.
    """

    table: str
    scores: ColumnScores
    choice: Choice
    by_activity: Area | None
    by_columns: Area | None


def print_report(console: Console, settings: Settings, dataset: Dataset) -> str:
    """Print a board per column as soon as it is scored, then the manifest's lines.

    Returns:
        Those lines; empty when nothing is missing.

    Raises:
        LookupError: if there are no tables to read.
    """
    reports = []
    for report in column_reports(database_of(settings), dataset):
        console.print(board(report))
        reports.append(report)
    lines = manifest_lines(reports)
    if lines:
        console.print("[bold]For the manifest[/], where another policy than the present one is worth it:\n")
        console.print(lines, markup=False, soft_wrap=True, end="")
    else:
        console.print("No declared attribute of customers or items has a missing value.")
    return lines


def database_of(settings: Settings) -> Path:
    """The published database, or the working one before anything was published.

    Raises:
        LookupError: if there is neither.
    """
    for path in (settings.published_dir / DATABASE, settings.warehouse_path):
        if path.exists():
            return path
    raise LookupError("There are no tables yet: run `cx run`.")


def column_reports(database: Path, dataset: Dataset, *, seed: int = 0) -> Iterator[ColumnReport]:
    """Every attribute of customers and items with missing values, scored, in the manifest's order.

    Args:
        database: opened for reading only.
        dataset: whose attributes they are.
        seed: of everything random.

    Raises:
        LookupError: if the database can't be read now, or was made before an attribute was declared.
    """
    for table, key, attributes in (
        ("customers", "customer_id", dataset.customer_attributes()),
        ("items", "item_id", dataset.item_attributes()),
    ):
        if not attributes:
            continue
        frame, activity = _rows(database, dataset, table, key, attributes)
        for column in attributes:
            missing = is_missing(frame[column])
            if missing.any():
                scores = score_column(frame, attributes, column, key=key, seed=seed)
                others = [name for name in attributes if name != column]
                yield ColumnReport(
                    table,
                    scores,
                    choose(scores, seed=seed),
                    foretold(activity, missing, seed=seed),
                    foretold(frame[others], missing, seed=seed),
                )


def _rows(
    database: Path, dataset: Dataset, table: str, key: str, attributes: dict[str, Attribute]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a table with nothing filled in, and what each of them did, row by row."""
    try:
        connection = duckdb.connect(str(database), read_only=True)
    except duckdb.IOException as error:
        raise LookupError(f"{database} can't be read now: {str(error).splitlines()[0]}") from error
    with connection:
        connection.execute("set timezone = 'UTC'")
        try:
            events = Table(connection, f"select {key} from warehouse.events")
            raw = kept_rows(Table(connection, f"select * from ingestion.raw_{table}"), dataset, table)
            if table == "customers":
                merges = Table(connection, "select * from warehouse.customer_merges")
                frame = known_customers(joined_masters(raw, merges, attributes), events, attributes).df()
            else:
                frame = known_items(raw, events, attributes).df()
            did = connection.execute(
                f"""
                select {key}, count(*) as events, count(distinct day) as days, sum(value) as value,
                    (select max(day) from warehouse.events) - max(day) as days_since
                from warehouse.events group by {key}
                """
            ).df()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise LookupError(
                f"{database} doesn't have what the manifest declares ({str(error).splitlines()[0]}): run `cx run`."
            ) from error
    activity = frame[[key]].merge(did, on=key, how="left")[list(ACTIVITY)]
    return frame, activity.fillna({"events": 0, "days": 0, "value": 0.0})


def board(report: ColumnReport) -> Group:
    """One column: a line per policy, whether its values are missing at random, and the recommendation."""
    scores = report.scores
    share = scores.missing / scores.rows
    gaps = f"{scores.missing:,} of {scores.rows:,} missing ({share:.1%})"
    table = Board(title=f"[bold]{report.table}.{escape(scores.column)}[/]: {gaps}", title_justify="left")
    names = {"mae": "MAE / median's", "rmse": "RMSE / mean's", "accuracy": "accuracy", "macro_f1": "macro-F1"}
    shown = ("mae", "rmse") if scores.is_number else ("accuracy", "macro_f1")
    table.add_column("policy")
    for name in shown:
        table.add_column(names[name], justify="right")
    table.add_column("")
    lost = f"loses {scores.missing:,} rows"
    if scores.missing_with_events:
        lost += f", {scores.missing_with_events:,} with events: a run would stop"
    table.add_row("drop", "", "", lost)
    for score in scores.scores.values():
        note = f"gives way to the {score.made.split('->')[1]}" if score.made != score.policy else ""
        if score.policy == report.choice.policy.policy:
            note = "recommended"
        table.add_row(score.policy, *(_figure(score.figures[name]) for name in shown), note)
    advice = f"[bold]{report.choice.policy.policy}[/]: {escape(report.choice.reason)}"
    return Group(table, advice, *_warnings(report), "")


def _figure(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _warnings(report: ColumnReport) -> Iterator[str]:
    """Whether what is known foretells the gaps, in a line that says what follows."""
    found = [
        f"{what} (AUC {area.value:.2f} [{area.low:.2f}, {area.high:.2f}])"
        for what, area in (
            ("what they did" if report.table == "customers" else "what was done with them", report.by_activity),
            ("their other attributes", report.by_columns),
        )
        if area is not None and area.notable
    ]
    if found:
        yield (
            f"[yellow]Not missing at random[/]: {' and '.join(found)} foretell the gaps. The scores hold for "
            f"{report.table} like those whose value is known."
        )
    elif report.by_activity or report.by_columns:
        yield "What is known doesn't foretell the gaps; whether the missing values themselves do, no data can tell."


def manifest_lines(reports: Sequence[ColumnReport]) -> str:
    """The recommended attributes as the manifest's own lines, what they replace in a comment."""
    lines = []
    for table in dict.fromkeys(report.table for report in reports):
        lines += [f"{table}:", "  attributes:"]
        for report in reports:
            if report.table != table:
                continue
            attribute = report.scores.attribute
            now, then = attribute.missing.policy, report.choice.policy
            written = _declaration(attribute, then)
            text = yaml.safe_dump(written, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
            change = "as it is" if now == then.policy else f"now {now}"
            lines.append(f"    {report.scores.column}: {text.strip()}   # {change}")
    return "\n".join(lines) + "\n" if lines else ""


def _declaration(attribute: Attribute, policy: MissingPolicy) -> dict[str, object]:
    """An attribute as a manifest writes it, with a policy."""
    missing = policy.model_dump() if policy.policy == "constant" else {"policy": policy.policy}
    kind = {} if attribute.type == "varchar" else {"type": attribute.type}
    return {"expression": attribute.expression, **kind, "missing": missing}
