"""What is claimed of the ranker, in one table: each lead with its figures, interval and test.

Belongs here: which leads are claimed, and the query that makes them. Does not: the boards of all recommenders
(`backtest_report`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from cx_assets.aims import Aim
from cx_assets.evaluation.backtest_narrative import p_value
from cx_assets.evaluation.boards import DASH
from cx_assets.evaluation.narrative import NBSP, label
from cx_assets.recommendations.catalogue import CHALLENGER
from cx_assets.table.schema import literal

CLAIMS = (
    ("horizon", "both", "ndcg", "personal_frequency_decayed"),
    ("horizon", "discovery", "ndcg", "popularity"),
    ("horizon", "discovery", "ndcg", "ease"),
    ("last_basket", "both", "recall", "personal_frequency"),
    ("last_basket", "both", "ndcg", "personal_frequency"),
)
"""Protocol, list, metric, and the baseline that the ranker is compared with; at 10 places."""

K = 10
JUDGED = {
    ("horizon", "both"): "Both together",
    ("horizon", "discovery"): "New items only",
    ("last_basket", "both"): "Last basket",
}
METRICS = {"ndcg": "NDCG", "recall": "recall"}


def query(recommender: str = CHALLENGER) -> str:
    """The claims as rows, in their order; only those that were judged."""
    wanted = ",\n    ".join(
        f"({place}, {', '.join(map(literal, claim))})" for place, claim in enumerate(CLAIMS, start=1)
    )
    return f"""
with claims (place, protocol, list, metric, baseline) as (values
    {wanted}
)
select claims.*, own."value" as own, other."value" as other,
    c.difference, c.ci_low, c.ci_high, c.relative, c.p_value, c.dates_ahead, c.dates, c.customers
from claims
join evaluation.backtest_comparisons c using (protocol, list, metric, baseline)
join evaluation.backtest_metrics own
    on own.protocol = c.protocol and own.list = c.list and own.metric = c.metric and own.k = c.k
    and own.recommender = c.recommender and own.as_of is null and own.cohort = 'all'
join evaluation.backtest_metrics other
    on other.protocol = c.protocol and other.list = c.list and other.metric = c.metric and other.k = c.k
    and other.recommender = c.baseline and other.as_of is null and other.cohort = 'all'
where c.recommender = {literal(recommender)} and c.k = {K}
order by place
""".strip()


def claims(run: Callable[[str], pd.DataFrame], aims: Sequence[Aim] = ()) -> dict[str, Any] | None:
    """The table for the page; None where nothing that is claimed was judged.

    Args:
        run: runs a query on the backtest's tables.
        aims: what the dataset's manifest wants reached; those of other leads than the claimed ones are left out.
    """
    text = query()
    rows = run(text)
    if rows.empty:
        return None
    aimed = {(aim.protocol, aim.list, aim.metric, aim.baseline): aim for aim in aims}
    told = [(row, aimed.get((row["protocol"], row["list"], row["metric"], row["baseline"]))) for row in _records(rows)]
    return {
        "recommender": label(CHALLENGER),
        "columns": [
            *("List", "Figure", label(CHALLENGER), "Compared with", "Its figure"),
            *("Lead, 95 % interval", "Relative", "Aim", "Ahead", "p"),
        ],
        "short": [_short(row, aim) for row, aim in told if aim and not row["relative"] >= aim.lead],
        "rows": [
            {
                "name": JUDGED[row["protocol"], row["list"]],
                "style": "",
                "cells": [
                    f"{METRICS[row['metric']]}@{K}",
                    f"{row['own']:.4f}",
                    label(row["baseline"]),
                    f"{row['other']:.4f}",
                    f"{row['difference']:.3f}, {row['ci_low']:.3f} to {row['ci_high']:.3f}",
                    _share(row["relative"]) if pd.notna(row["relative"]) else DASH,
                    _share(aim.lead) if aim else DASH,
                    f"{row['dates_ahead']} of {row['dates']}",
                    p_value(row["p_value"]).removeprefix("p").strip(f"= {NBSP}"),
                ],
            }
            for row, aim in told
        ],
        "sql": text,
    }


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _short(row: dict[str, Any], aim: Aim) -> dict[str, str]:
    """Of an aim that isn't reached how far the ranker came, and what was tried."""
    return {
        "name": f"{JUDGED[row['protocol'], row['list']]}, {METRICS[row['metric']]}@{K} over {label(row['baseline'])}",
        "says": f"{_share(row['relative'])}, where {_share(aim.lead)} was aimed at.",
        "tried": aim.tried,
    }


def _share(relative: float) -> str:
    return f"{100 * relative:+.1f} %"
