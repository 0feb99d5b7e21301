"""What every check needs (`law`, `law_check`), and the check that every table has (`structure_check`).

Belongs here: judgements as Dagster is told of them, and the law that a table is as declared. Does not: how a judgement
is come to (`laws`), or the laws of a stage, which stand in its own `checks.py`.
"""

import functools
import inspect
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from cx_assets.table.asset import POOL
from cx_assets.table.laws import Judgement, Law, judgement
from cx_assets.table.relation import Table, sql
from cx_assets.table.schema import TableSpec, instant, quoted
from cx_assets.table.storage import stored_columns
from cx_assets.table.types import declared_types
from cx_assets.table.warehouse import Warehouse

SHOWN = 5


def law(
    broken: Table | pd.DataFrame | pa.Table,
    of: int,
    what: str,
    advice: str,
    *,
    limit: float = 0.0,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    metadata: dict[str, Any] | None = None,
) -> dg.AssetCheckResult:
    """The verdict on a law: which rows break it, how many of how many, and what to do.

    Args:
        broken: the rows that break the law.
        of: the number of rows that it was asked of.
        what: the complaint, as a clause that follows the counts: `events have no basket`.
        advice: what to do, a sentence.
        limit: the share of broken rows that is still let pass.
        severity: ERROR blocks where the check is blocking; WARN never does.
        metadata: further figures to show.
    """
    warns = severity is dg.AssetCheckSeverity.WARN
    return check_result(judgement(broken, of, what, advice, limit=limit, warns=warns, figures=metadata))


def check_result(said: Judgement) -> dg.AssetCheckResult:
    """A judgement as Dagster is told of it, with a few of the rows that break the law."""
    metadata = dict(said.figures)
    if said.broken is not None:
        metadata["examples"] = dg.MetadataValue.md(markdown(_first_rows(said.broken)))
    severity = dg.AssetCheckSeverity.WARN if said.warns else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(passed=said.passed, severity=severity, description=said.text, metadata=metadata)


def _first_rows(rows: Table | pd.DataFrame | pa.Table) -> pd.DataFrame:
    if isinstance(rows, Table):
        return sql(f"select * from broken limit {SHOWN}", broken=rows).df()
    return (rows.to_pandas() if isinstance(rows, pa.Table) else rows).head(SHOWN)


def law_check(law: Law) -> dg.AssetChecksDefinition:
    """The check that Dagster runs a law as."""

    def asked(**tables: Table) -> dg.AssetCheckResult:
        return check_result(law.judge(**tables))

    # Dagster reads from the signature what to load, and that a result comes back.
    own = inspect.signature(law.judge)
    checking: Any = functools.wraps(law.judge)(asked)
    checking.__signature__ = own.replace(return_annotation=dg.AssetCheckResult)
    return dg.asset_check(
        asset=law.asset,
        name=law.name,
        description=law.description,
        additional_ins={p: dg.AssetIn(table) for p, table in law.tables.items() if table != law.asset},
        blocking=law.blocking,
        pool=POOL,
    )(checking)


def markdown(frame: pd.DataFrame) -> str:
    """A small frame as a Markdown table."""
    cells = [[str(value).replace("|", "\\|") for value in row] for row in frame.itertuples(index=False)]
    lines = [list(map(str, frame.columns)), ["---"] * len(frame.columns), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def structure_check(spec: TableSpec) -> dg.AssetChecksDefinition:
    """The check that a stored table is as declared: columns and types, no null where none may be, the key unique."""

    @dg.asset_check(
        asset=spec.name,
        name="structure",
        description=f"The columns, types, required values and key of {spec.qualified} are as declared.",
        blocking=True,
        pool=POOL,
    )
    def structure(warehouse: Warehouse) -> dg.AssetCheckResult:
        return judge_structure(warehouse, spec)

    return structure


def _parts(warehouse: Warehouse, spec: TableSpec) -> list[str]:
    """Clauses that part a table whose key begins with the as-of date, by date: its keys may be more than memory."""
    if spec.key[0] != "as_of":
        return [""]
    dates = warehouse.query(f"select distinct as_of from {spec.qualified} order by as_of").fetchall()
    return [f"where as_of = {instant(date)}" for (date,) in dates] or [""]


def judge_structure(warehouse: Warehouse, spec: TableSpec) -> dg.AssetCheckResult:
    """Compare a stored table with its declaration."""
    stored = stored_columns(warehouse.connection, spec)
    wanted = declared_types(warehouse.connection, spec)
    columns = [
        {
            "column": name,
            "problem": f"declared {wanted.get(name, 'not at all')}, stored {stored.get(name, 'not at all')}",
        }
        for name in dict.fromkeys([*wanted, *stored])
        if stored.get(name) != wanted.get(name)
    ]
    advice = f"Materialize {spec.name} again; if the declaration changed, over all its days."
    if columns:
        return law(pd.DataFrame(columns), len(wanted), f"columns of {spec.qualified} are not as declared", advice)
    counts = ", ".join(["count(*)", *(f"count(*) - count({quoted(name)})" for name in spec.required)])
    rows, *nulls = warehouse.query(f"select {counts} from {spec.qualified}").fetchone()
    missing = [
        {"column": name, "problem": f"{count:,} rows have no value"}
        for name, count in zip(spec.required, nulls, strict=True)
        if count
    ]
    if missing:
        return law(pd.DataFrame(missing), len(wanted), f"columns of {spec.qualified} lack required values", advice)
    if not spec.key:
        return law(pd.DataFrame(), rows, f"rows of {spec.qualified} break its structure", advice)
    key = ", ".join(map(quoted, spec.key))
    repeated = [
        warehouse.query(
            f"select {key}, count(*) as rows from {spec.qualified} {part} group by {key} having count(*) > 1"
        ).df()
        for part in _parts(warehouse, spec)
    ]
    return law(
        pd.concat(repeated, ignore_index=True),
        rows,
        f"rows of {spec.qualified} share their key ({key}) with another",
        advice,
    )
