"""What a law is: a function of tables that judges whether something holds, and what it says then.

Belongs here: its declaration (`table_law`), its judgement, and the one that most of them come to (`judgement`). Does
not: the check that Dagster runs it as (`checks`), so that `cx doctor` can ask the same laws without Dagster.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cx_assets.table.relation import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VERBS = re.compile(r"\b([a-z']+)\|([a-z']+)\b")
"""The verb for several, then that for one."""


@dataclass(frozen=True)
class Judgement:
    """What a law says of tables.

    Attributes:
        passed: whether it holds.
        text: how many rows break it, and what to do.
        warns: whether a law that doesn't hold is only worth a warning; it never blocks then.
        figures: to be shown beside the text.
        broken: the rows that break it, where there are any to show; not asked for yet.
    """

    passed: bool
    text: str
    warns: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)
    broken: "Table | pd.DataFrame | pa.Table | None" = None


@dataclass(frozen=True)
class Law:
    """The declaration of a law.

    Attributes:
        asset: the table that the judgement is about.
        name: the law's.
        description: what it demands.
        blocking: whether what follows in a run waits for it to hold.
        tables: by the names of the function's parameters, the tables that it asks for.
        judge: the function.
    """

    asset: str
    name: str
    description: str
    blocking: bool
    tables: Mapping[str, str]
    judge: Callable[..., Judgement]


def table_law(
    asset: str,
    *,
    blocking: bool,
    name: str | None = None,
    description: str | None = None,
    tables: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Judgement]], Law]:
    """Make a law of a function from tables to a judgement.

    Args:
        asset: the table that the judgement is about.
        blocking: whether what follows in the run waits for a pass; publishing waits for every blocking check.
        name: the law's where the function's own won't do.
        description: what it says where that depends on the dataset; else the function's docstring.
        tables: those that are called otherwise than the function's parameters, by parameter.
    """

    def decorate(function: Callable[..., Judgement]) -> Law:
        asked = {parameter: parameter for parameter in inspect.signature(function).parameters}
        told = description or inspect.getdoc(function) or ""
        return Law(asset, name or function.__name__, told, blocking, {**asked, **(tables or {})}, function)

    return decorate


def judgement(
    broken: "Table | pd.DataFrame | pa.Table | None",
    of: int,
    what: str,
    advice: str,
    *,
    limit: float = 0.0,
    warns: bool = False,
    figures: Mapping[str, Any] | None = None,
) -> Judgement:
    """Which rows break a law, how many of how many, and what to do.

    Args:
        broken: the rows that break the law; None for none.
        of: the number of rows that it was asked of.
        what: the complaint, as a clause that follows the counts: `events have|has no basket`, with the verb for
            several and the verb for one.
        advice: what to do, a sentence.
        limit: the share of broken rows that is still let pass.
        warns: whether more is only worth a warning.
        figures: further figures to show.
    """
    count = 0 if broken is None else broken.count() if isinstance(broken, Table) else len(broken)
    share = count / of if of else float(count > 0)
    verb = r"\2" if count == 1 else r"\1"
    text = f"{count:,} of {of:,} {VERBS.sub(verb, what)}."
    if count:
        text += f" Above the limit of {limit:.1%}: {advice}" if limit and share > limit else f" {advice}"
    told = {"broken": count, "rows": of, "share": share, **(figures or {})}
    return Judgement(share <= limit, text, warns, told, broken if count else None)
