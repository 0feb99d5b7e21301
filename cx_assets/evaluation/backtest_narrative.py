"""The sentences of the backtest's page: who leads over the dates, by how much, and how sure that is.

Belongs here: wording that depends on the backtest's figures. Does not: fixed text (the template), the sentences of the
daily report (`narrative`), queries and plots.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from cx_assets.evaluation.narrative import ENOUGH_CUSTOMERS, NBSP, label

BASELINES = ("personal_frequency_decayed", "popularity")
"""What needs no learning; a recommender that doesn't beat both isn't worth its cost."""

SURE = 0.05
"""A lead is only called one where p, corrected by Holm's method, is below, and the interval is above zero."""

LEVEL = 1e-9

SCOPES = {"both": "All items together", "repeat": "Known items only", "discovery": "New items only"}

BASKETS = {
    "next_basket": ("The next basket", "The first basket after each as-of date is what was to be foreseen."),
    "last_basket": (
        "The last basket",
        "Every customer's last basket is what was to be foreseen, from all baskets before it. This is how the "
        "literature on next baskets judges. Others' later events are seen, so compare these figures with it alone.",
    ),
}
"""Name and meaning of the protocols of baskets."""

LIST_METRIC_MEANINGS = {
    "gini": "how unevenly items are shown: 0 when all are shown alike, 1 when one takes every place",
    "diversity": "how different the items of one list are from each other, 0 to 1",
    "serendipity": "share of places that are right and that a list of best sellers would not have had",
    "popularity_lift": "how much better known the shown items are than those the customer has had: 0 alike, 1 twice",
    "calibration": "how far the categories of a list are from those the customer usually takes; lower is closer",
    "personalisation": "how different two customers' lists are, 0 to 1",
    "revenue_recall": "share of what the customer went on to pay that went to shown items",
}


@dataclass(frozen=True)
class Extent:
    """How much was computed.

    Attributes:
        first: the first as-of date, None without any.
        last: the last one.
        dates: as-of dates.
        customers: who have lists.
        places: stored places of lists.
    """

    first: datetime | None
    last: datetime | None
    dates: int
    customers: int
    places: int


@dataclass(frozen=True)
class Claim:
    """What is said, and in brackets behind it what it rests on."""

    text: str
    proof: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.proof})." if self.proof else self.brief

    @property
    def brief(self) -> str:
        """The claim without its proof; empty if nothing is said."""
        return f"{self.text}." if self.text else ""


def overall(metrics: pd.DataFrame, which: str, k: int, protocol: str = "horizon") -> pd.DataFrame:
    """NDCG of every recommender over all dates on one list, the best first."""
    chosen = metrics[
        (metrics["protocol"] == protocol)
        & metrics["as_of"].isna()
        & (metrics["cohort"] == "all")
        & (metrics["list"] == which)
        & (metrics["metric"] == "ndcg")
        & (metrics["k"] == k)
    ]
    return chosen.sort_values(["value", "recommender"], ascending=[False, True], kind="stable").reset_index(drop=True)


def better_baseline(board: pd.DataFrame) -> str | None:
    """The baseline that stands higher; None if neither was judged."""
    found = board.loc[board["recommender"].isin(BASELINES), "recommender"]
    return None if found.empty else str(found.iloc[0])


def leading(metrics: pd.DataFrame, comparisons: pd.DataFrame, which: str, k: int) -> Claim:
    """Which recommender is best on a list, by how much over the better baseline, and how sure that is.

    Args:
        metrics: `evaluation.backtest_metrics`.
        comparisons: `evaluation.backtest_comparisons`.
        which: the list.
        k: places that count.
    """
    board = overall(metrics, which, k)
    if board.empty:
        return Claim("Nothing could be judged")
    baseline = better_baseline(board)
    others = board[~board["recommender"].isin(BASELINES)]
    figure = f"NDCG@{k} of {board['value'].iloc[0]:.4f}"
    if baseline is None:
        names = _names(_level(board))
        return Claim(f"{names} came out highest, with {figure}; no baseline was judged, so there is no lead to tell")
    if others.empty:
        return Claim(f"Only baselines were judged; {label(baseline)} is the higher, with {figure}")
    top = _level(others)
    row = compared(comparisons, top[0], baseline, which, k)
    if row is None:
        return Claim(f"{_names(top)} came out highest of all but the baselines, but were compared with none")
    if int(row["customers"]) < ENOUGH_CUSTOMERS:
        return Claim(
            f"Only {int(row['customers'])} customers could be judged; below {ENOUGH_CUSTOMERS} nothing can be said "
            "about which recommender is better"
        )
    theirs = float(board.loc[board["recommender"] == baseline, "value"].iloc[0])
    ours, lead, several = float(others["value"].iloc[0]), float(row["difference"]), len(top) > 1
    rival = f"{label(baseline)}, the better baseline"
    if abs(lead) <= LEVEL:
        return Claim(f"{_names(top)} and {rival}, are level: NDCG@{k} of {ours:.4f}", _proof(row))
    if not is_sure(row):
        return Claim(
            f"{_names(top)}, the highest{' of the others' if lead < 0 else ''}, can't be told from {rival}: "
            f"NDCG@{k} of {ours:.4f} against {theirs:.4f}, a difference of {lead:+.4f}",
            _proof(row),
        )
    if lead < 0:
        return Claim(
            f"{label(baseline)}, a baseline, is best: NDCG@{k} of {theirs:.4f}; {_names(top)}, next to it, "
            f"{'lie' if several else 'lies'} {-lead:.4f} behind",
            _proof(row),
        )
    verb = ", level with each other, recommend best" if several else " recommends best"
    share = f" ({100 * row['relative']:+.0f}{NBSP}%)" if pd.notna(row["relative"]) else ""
    dates = f"over {row['dates']} dates" if row["dates"] > 1 else "on the one date"
    return Claim(f"{_names(top)}{verb} {dates}: NDCG@{k} of {ours:.4f}, {lead:.4f}{share} above {rival}", _proof(row))


def runner_up(metrics: pd.DataFrame, comparisons: pd.DataFrame, which: str, k: int) -> Claim:
    """By how much the best is ahead of the second, and whether that is beyond chance; empty without two."""
    board = overall(metrics, which, k)
    if len(board) < 2:
        return Claim("")
    best, second = (str(name) for name in board["recommender"].iloc[:2])
    row = compared(comparisons, best, second, which, k)
    if row is None or int(row["customers"]) < ENOUGH_CUSTOMERS:
        return Claim("")
    if abs(float(row["difference"])) <= LEVEL:
        return Claim(f"{label(best)} and {label(second)} are level at the top")
    sure = "beyond chance" if is_sure(row) else "which may be chance"
    return Claim(
        f"The highest, {label(best)}, is {row['difference']:.4f} ahead of the second, {label(second)}, {sure}",
        _proof(row),
    )


def facts(metrics: pd.DataFrame, comparisons: pd.DataFrame, extent: Extent, k: int) -> list[dict[str, str]]:
    """The figures that every reader needs first."""
    horizon = comparisons.loc[comparisons["protocol"] == "horizon", "dates"]
    judged = overall(metrics, "both", k)["customers"]
    span = f"{extent.first:%Y-%m-%d} to {extent.last:%Y-%m-%d}" if extent.first and extent.last else "none"
    return [
        {"name": "As-of dates", "value": f"{extent.dates:,}", "note": span},
        {
            "name": "Dates apart",
            "value": f"{int(horizon.max()) if len(horizon) else 0:,}",
            "note": "whose horizons don't overlap; all figures but the trend are over these",
        },
        {
            "name": "Customers judged",
            "value": f"{int(judged.max()) if len(judged) else 0:,}",
            "note": f"on any of them, of {extent.customers:,} with lists",
        },
        {"name": "Recommenders", "value": f"{metrics['recommender'].nunique():,}", "note": "random and popularity too"},
        {"name": "Places of lists", "value": f"{extent.places:,}", "note": "kept, so that all can be judged again"},
    ]


def compared(comparisons: pd.DataFrame, ours: str, theirs: str, which: str, k: int) -> pd.Series | None:
    """One row of `evaluation.backtest_comparisons`, of NDCG over the horizons; None if it isn't there."""
    found = comparisons[
        (comparisons["protocol"] == "horizon")
        & (comparisons["recommender"] == ours)
        & (comparisons["baseline"] == theirs)
        & (comparisons["list"] == which)
        & (comparisons["metric"] == "ndcg")
        & (comparisons["k"] == k)
    ]
    return None if found.empty else found.iloc[0]


def is_sure(row: pd.Series) -> bool:
    """Whether a difference, to either side, is beyond chance."""
    return bool((row["ci_low"] > 0 or row["ci_high"] < 0) and row["p_holm"] < SURE)


def p_value(p: float) -> str:
    """A p-value in a few characters."""
    return f"p{NBSP}<{NBSP}0.001" if p < 0.001 else f"p{NBSP}={NBSP}{p:.3f}"


def _proof(row: pd.Series) -> str:
    dates = int(row["dates"])
    return (
        f"95{NBSP}% interval {row['ci_low']:+.4f} to {row['ci_high']:+.4f}, {p_value(float(row['p_holm']))} by Holm's "
        f"correction, ahead on {int(row['dates_ahead'])} of {dates} date{'' if dates == 1 else 's'}"
    )


def _level(board: pd.DataFrame) -> list[str]:
    """The names of all that stand at the top of a board together."""
    return [str(name) for name in board.loc[board["value"] >= board["value"].iloc[0] - LEVEL, "recommender"]]


def _names(names: list[str]) -> str:
    *most, last = (label(name) for name in names)
    return f"{', '.join(most)} and {last}" if most else last
