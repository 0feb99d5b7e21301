"""`cx rejected`.

Belongs here: its arguments, exit code and what it prints. Does not: finding the rows (`rejected`).
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cx_assets.arguments import console, given_settings
from cx_assets.operations.rejected import Asked, around, by_reason, chosen, export, opened
from cx_assets.table import Table, sql
from cx_assets.warehouse.reconciliation import PARTS
from cx_assets.warehouse.tables import REJECTED_VALUES

SHOWN_DAYS = 10
SHOWN_ROWS = 20
PLACE = ("table_name", "day", "reason", "source_file", "source_row")

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="As 2017-01-31.")]
Export = Annotated[Path | None, typer.Option(help="A file for the rows asked for, whole; it is replaced.")]


def rejected(
    reason: Annotated[str | None, typer.Option(help="Only for this reason, or a part of it.")] = None,
    day: Day = None,
    first: Day = None,
    last: Day = None,
    file: Annotated[str | None, typer.Option(help="Only of files whose name has this in it.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=f"Rows to list; {SHOWN_ROWS} where any are chosen.")] = None,
    csv: Export = None,
    parquet: Export = None,
    working: Annotated[
        bool, typer.Option("--working", help="Of the last run, published or not, instead of what is published.")
    ] = False,
) -> None:
    """Say which delivered rows were rejected and why; with any choice, list them, or write them to a file."""
    if day and (first or last):
        console.print("[red]Give either --day or --first and --last.[/]")
        raise typer.Exit(2)
    bounds = (day or first, day or last)
    asked = Asked(reason, file, *(bound.date() if bound else None for bound in bounds))
    try:
        with opened(given_settings(), working=working) as (every, name):
            console.print(f"[bold]Rejected rows[/] of {name}\n", soft_wrap=True)
            rows = chosen(every, asked)
            for line in _told(every, rows, asked):
                console.print(escape(line), soft_wrap=True)
            if any((reason, file, *bounds, limit)):
                for line in _listed(rows, limit or SHOWN_ROWS):
                    console.print(escape(line), soft_wrap=True)
            for path, kind in ((csv, "csv"), (parquet, "parquet")):
                if path:
                    export(rows, path, kind)
                    console.print(f"\nwritten: {escape(str(path))}, {rows.count():,} rows", soft_wrap=True)
    except (LookupError, OSError) as error:
        console.print(f"[red]{escape(str(error.args[0]))}[/]", soft_wrap=True)
        raise typer.Exit(1) from None


def _told(every: Table, rows: Table, asked: Asked) -> Iterator[str]:
    """The rows by reason, then what else came on their days."""
    reasons = by_reason(rows).fetchall()
    if not reasons:
        others = [row[1] for row in by_reason(every).fetchall()]
        if others:
            yield f"None fits what was asked. In all {every.count():,} rows are rejected: {'; '.join(others)}."
        else:
            yield "There is none: every delivered row keeps the contract."
        return
    for table, reason, count, source, row in reasons:
        of = " (the value alone; its row is kept)" if table == REJECTED_VALUES.qualified else ""
        yield f"{count:>9,}  {reason}{of}, as in {source} row {row:,}"
    if len(reasons) > 1:
        yield f"{rows.count():>9,}  in all"
    yield from _by_day(rows, asked)


def _by_day(rows: Table, asked: Asked) -> Iterator[str]:
    counts = around(rows, asked)
    worst = sql(
        "select * from counts where day in (select day from rows) order by rejected desc, day", counts=counts, rows=rows
    ).fetchall()
    if not worst:
        return
    sums = ", ".join(f"sum({name})" for name in ("raw", *PARTS))
    days, *totals = sql(f"select count(*), {sums} from counts", counts=counts).fetchone()
    yield ""
    yield _figures("all delivered events of", "raw", *PARTS)
    for day, *figures in sorted(worst[:SHOWN_DAYS]):
        yield _figures(str(day), *figures)
    if len(worst) > SHOWN_DAYS:
        yield f"  … and {len(worst) - SHOWN_DAYS:,} more days of such rows"
    if days > 1:
        yield _figures(f"{days:,} days", *totals)
    less = sql(f"select * from counts where raw < {' + '.join(PARTS)}", counts=counts).count()
    if less:
        yield f"  raw of {less:,} days is what is left of it: old raw events were removed (CX_RETENTION)"


def _figures(name: str, *figures: object) -> str:
    told = (f"{figure:,}" if isinstance(figure, int) else str(figure) for figure in figures)
    return f"  {name:<24}" + "".join(f"{text:>12}" for text in told)


def _listed(rows: Table, limit: int) -> Iterator[str]:
    """Each row by its place, with what was delivered."""
    frame = sql(f"select * from rows limit {limit}", rows=rows).arrow().to_pylist()
    for row in frame:
        yield f"\n{row['source_file']} row {row['source_row']:,}: {row['reason']}"
        values = {name: value for name, value in row.items() if name not in PLACE and value is not None}
        yield "  " + ", ".join(f"{name} {value!r}" for name, value in values.items())
    more = rows.count() - len(frame)
    if more:
        yield f"\n… and {more:,} more: --limit, --csv or --parquet tell them all"
