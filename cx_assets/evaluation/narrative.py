"""The sentences of the report: figures put into words, and no more said than the intervals allow.

Belongs here: wording that depends on the figures. Does not belong here: fixed text (the template) and drawing
(`plots`).
"""

from __future__ import annotations

import pandas as pd

PUBLISHED = "ranker"
BASELINE = "popularity"

ENOUGH_CUSTOMERS = 30
"""Below this many judged customers nothing is said about who is better: a bootstrap of fewer is itself unsure."""

METRIC_LABELS = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "ndcg": "NDCG",
    "map": "MAP",
    "mrr": "MRR",
    "hit_rate": "Hit rate",
    "coverage": "Coverage",
    "novelty": "Novelty",
}

METRIC_MEANINGS = {
    "precision": "share of the shown items that the customer went on to take",
    "recall": "share of what the customer took that had been shown",
    "f1": "harmonic mean of precision and recall, per customer",
    "ndcg": "like precision, but a right item counts more the higher it stands; 1 is the best possible order",
    "map": "precision at each right item, averaged over all that the customer took",
    "mrr": "1 divided by the place of the first right item",
    "hit_rate": "share of customers with at least one right item",
    "coverage": "share of the recommendable catalogue that was shown to anybody",
    "novelty": "how little-known the shown items are, in bits: one bit more means had by half as many customers",
}

NBSP = "\N{NO-BREAK SPACE}"

LIST_LABELS = {"both": "Both together", "repeat": "Repeat", "discovery": "Discovery"}

LIST_MEANINGS = {
    "both": "everything that may be recommended, in one list",
    "repeat": "items that the customer has had before",
    "discovery": "items that the customer has not had before",
}

_SPELLINGS = {
    "knn": "kNN",
    "pearson": "Pearson",
    "als": "ALS",
    "ease": "EASE",
    "rp3beta": "RP3beta",
    "bm25": "BM25",
    "tifu": "TIFU",
    "up": "UP",
    "cf": "CF",
}


def label(recommender: str) -> str:
    """A recommender's name for people: `customer_knn_cosine` is "Customer kNN cosine"."""
    words = [_SPELLINGS.get(word, word) for word in recommender.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def figure_of(metrics: pd.DataFrame, recommender: str, which: str, metric: str, k: int) -> float | None:
    """One figure of `evaluation.metrics`, None if it's not there."""
    found = metrics.loc[
        (metrics["recommender"] == recommender)
        & (metrics["list"] == which)
        & (metrics["metric"] == metric)
        & (metrics["k"] == k),
        "value",
    ]
    return None if found.empty else float(found.iloc[0])


def headline(metrics: pd.DataFrame, k: int, horizon_days: int) -> str:
    """The whole report in one sentence.

    Args:
        metrics: `evaluation.metrics`; may be empty.
        k: how many places to speak of; the metrics must have it.
        horizon_days: days in the window.
    """
    if metrics.empty:
        return (
            "There is nothing to judge yet: no customer with a history took anything in the days that were held back."
        )
    ours = figure_of(metrics, PUBLISHED, "both", "precision", k)
    theirs = figure_of(metrics, BASELINE, "both", "precision", k)
    if ours is None:
        return f"The published recommender ({PUBLISHED}) is not among those that were judged."
    text = (
        f"Of {k} items that we would recommend to a customer, {_amount(ours * k)} are taken within {horizon_days} days"
    )
    if theirs is None:
        return f"{text}."
    if theirs == 0:
        return f"{text}; of the {k} best sellers, none."
    return f"{text}; of the {k} best sellers, {_amount(theirs * k)}."


def verdict(comparisons: pd.DataFrame, which: str, k: int) -> str:
    """What can be said of the published recommender against the popular items, on one list.

    Args:
        comparisons: `evaluation.comparisons`; may be empty.
        which: the list.
        k: places that count.
    """
    row = _compared(comparisons, which, BASELINE, k)
    if row is None:
        return "Nothing was compared on this list."
    if row["customers"] < ENOUGH_CUSTOMERS:
        return (
            f"Only {_customers(int(row['customers']))} could be judged; below {ENOUGH_CUSTOMERS} nothing can be said "
            "about which recommender is better."
        )
    size = f"{row['difference']:+.3f} NDCG@{k}, 95{NBSP}% interval {row['ci_low']:+.3f} to {row['ci_high']:+.3f}"
    if row["ci_low"] > 0:
        return f"The published {PUBLISHED} beats popularity ({size})."
    if row["ci_high"] < 0:
        return f"The published {PUBLISHED} is worse than popularity ({size}), and must not be published."
    return f"The published {PUBLISHED} can't be told from popularity ({size})."


def strongest_rival(comparisons: pd.DataFrame, which: str, k: int) -> str:
    """The published recommender against the best of the others, in one sentence; empty without any."""
    rivals = comparisons.loc[
        (comparisons["list"] == which) & (comparisons["metric"] == "ndcg") & (comparisons["k"] == k)
    ]
    if rivals.empty or int(rivals["customers"].iloc[0]) < ENOUGH_CUSTOMERS:
        return ""
    row = rivals.sort_values(["difference", "baseline"]).iloc[0]
    name = label(str(row["baseline"]))
    lead = float(row["difference"])
    if row["ci_low"] > 0:
        return f"The strongest of the others is {name}; the {PUBLISHED} is ahead of it by {lead:.3f}, beyond chance."
    if row["ci_high"] < 0:
        return f"{name} is better than the {PUBLISHED} by {-lead:.3f}, beyond chance: it has something to learn."
    return f"{name} is as good, as far as these customers can tell (difference {lead:+.3f})."


def repeat_share(who: pd.DataFrame) -> str:
    """How much of what was taken had been had before.

    Args:
        who: as `split.who_is_judged` returns it.
    """
    relevant = who.set_index("list")["relevant"]
    if not relevant["both"]:
        return ""
    share = relevant["repeat"] / relevant["both"]
    return (
        f"Of the {relevant['both']:,} items that customers took, {share:.0%} were repeats. A repeat is easy to "
        "foresee, a discovery is not: the two are judged apart, and a good figure for both together says little of "
        "discovery."
    )


def compared_with_all(comparisons: pd.DataFrame, which: str, k: int) -> dict[str, tuple[str, str]]:
    """For every baseline, by how much the published recommender leads it, and the p-value, in a few characters each."""
    said: dict[str, tuple[str, str]] = {}
    for baseline in comparisons["baseline"].unique():
        row = _compared(comparisons, which, str(baseline), k)
        if row is not None:
            sure = "p " + ("< 0.01" if row["p_value"] < 0.01 else f"= {row['p_value']:.2f}")
            said[str(baseline)] = (f"{row['difference']:+.3f}", sure)
    return said


def _compared(comparisons: pd.DataFrame, which: str, baseline: str, k: int) -> pd.Series | None:
    found = comparisons.loc[
        (comparisons["list"] == which)
        & (comparisons["metric"] == "ndcg")
        & (comparisons["k"] == k)
        & (comparisons["baseline"] == baseline)
    ]
    return None if found.empty else found.iloc[0]


def _customers(count: int) -> str:
    return f"{count:,} customer{'' if count == 1 else 's'}"


def _amount(value: float) -> str:
    """A mean count: 3.6, or 0.04 where one decimal would say nothing."""
    return f"{value:.1f}" if value >= 0.1 or value == 0 else f"{value:.2g}"
