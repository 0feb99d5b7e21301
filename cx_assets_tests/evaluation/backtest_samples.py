"""Figures of a backtest, made by hand, and its page as plain text.

Belongs here: building frames and reading the page. Does not belong here: any expectation.
"""

import re
from datetime import datetime
from typing import Any

import pandas as pd

from cx_assets.evaluation import tables
from cx_assets.evaluation.backtest_narrative import Extent, leading
from cx_assets.evaluation.backtest_report import render
from cx_assets.evaluation.beyond_accuracy import LIST_METRICS

DATES = [datetime(2024, 4, day) for day in (1, 8, 29)]
APART = [DATES[0], DATES[2]]
STRENGTH = {
    "ranker": 0.31,
    "blend": 0.29,
    "personal_frequency_decayed": 0.27,
    "personal_frequency": 0.26,
    "popularity": 0.15,
    "random": 0.004,
}
EXTENT = Extent(DATES[0], DATES[-1], len(DATES), 220, 123_456)
LISTS = ("both", "repeat", "discovery")
SCALE = {"both": 1.0, "repeat": 1.2, "discovery": 0.1}
VERSION = "7"
PROTOCOLS = ("horizon", "next_basket", "last_basket")
COHORTS = ("1 to 2 baskets", "81 baskets and more", "first 28 days")


def metrics(strength: dict[str, float] | None = None, customers: int = 200) -> pd.DataFrame:
    """A backtest of some recommenders: three protocols over all dates, dates by themselves, cohorts, list metrics."""
    found: list[tuple[Any, ...]] = []

    def add(
        protocol: str, as_of: datetime | None, name: str, which: str, metric: str, cohort: str, value: float
    ) -> None:
        figures = (value, value * 0.9, value * 1.1, customers)
        found.append((protocol, as_of, name, which, metric, 10, cohort, *figures, VERSION))

    for name, base in (strength or STRENGTH).items():
        for which in LISTS:
            value = base * SCALE[which]
            for protocol in PROTOCOLS:
                add(protocol, None, name, which, "ndcg", "all", value)
                add(protocol, None, name, which, "recall", "all", value / 2)
            for cohort in COHORTS:
                add("horizon", None, name, which, "ndcg", cohort, value)
            for number, date in enumerate(DATES):
                add("horizon", date, name, which, "ndcg", "all", value + 0.001 * (number - 1))
                add("horizon", date, name, which, "coverage", "all", 0.1 + 0.1 * number)
            for date in APART:
                for metric in LIST_METRICS:
                    add("horizon", date, name, which, metric, "all", 0.5)
    return pd.DataFrame(found, columns=tables.BACKTEST_METRICS.column_names)


def comparisons(strength: dict[str, float] | None = None, **changes: Any) -> pd.DataFrame:
    """Every pair of `metrics`, each lead with 0.005 to either side; what is said of a lead may be changed."""
    held = strength or STRENGTH
    rows = [
        _lead(protocol, which, ours, theirs, held, metric) | changes
        for protocol in PROTOCOLS
        for which in LISTS
        for ours in held
        for theirs in held.keys() - {ours}
        for metric in ("ndcg", "recall")
    ]
    return pd.DataFrame(rows, columns=tables.BACKTEST_COMPARISONS.column_names)


def _lead(protocol: str, which: str, ours: str, theirs: str, held: dict[str, float], metric: str) -> dict[str, Any]:
    lead, base = (held[ours] - held[theirs]) * SCALE[which], held[theirs] * SCALE[which]
    return {
        "protocol": protocol,
        "recommender": ours,
        "baseline": theirs,
        "list": which,
        "metric": metric,
        "k": 10,
        "difference": lead,
        "ci_low": lead - 0.005,
        "ci_high": lead + 0.005,
        "relative": lead / base,
        "effect_size": 1.0,
        "p_value": 0.0001,
        "p_holm": 0.0004 if abs(lead) > 0.005 else 0.4,
        "dates": 2,
        "dates_ahead": 2 if lead > 0 else 0,
        "customers": 200,
        "version": VERSION,
    }


def page(given: pd.DataFrame | None = None, compared: pd.DataFrame | None = None) -> str:
    return render(metrics() if given is None else given, comparisons() if compared is None else compared, EXTENT)


def plain(text: str) -> str:
    """Text with ordinary spaces, whatever the page breaks at."""
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " "))


def said(strength: dict[str, float], which: str = "both", **changes: Any) -> str:
    return plain(str(leading(metrics(strength), comparisons(strength, **changes), which, 10)))


def section(html: str, part: str) -> str:
    (found,) = re.findall(rf'<section id="{part}">(.*?)</section>', html, re.DOTALL)
    return plain(found)
