"""Names for segments that a marketer remembers: 'Frequent big spenders', not 'cluster 3'.

Belongs here: the words, and the rule that picks them from how far a segment lies from the average customer. Does not:
the measuring (`profiles.standardised_differences`).
"""

from collections.abc import Sequence

import pandas as pd

# From half a standard deviation on, a difference is visible without a ruler (Cohen 1988: 'medium').
VISIBLE = 0.5
NO_HISTORY = "no history"
EVERYBODY = "All customers"

# (figure, direction, word): of those that apply the one with the largest difference is said.
_MANNERS = (
    ("recency_days", 1, "Lapsing"),
    ("frequency", 1, "Frequent"),
    ("frequency", -1, "Occasional"),
    ("tenure_days", -1, "New"),
)
_SPENDERS = {1: "big spenders", 0: "moderate spenders", -1: "small spenders"}
_EXPLORERS = {1: "wide explorers", 0: "customers", -1: "narrow explorers"}

# What tells two segments of the same name apart: (figure, if more, if less).
_QUALIFIERS = {
    "mean_basket_value": ("with costly baskets", "with cheap baskets"),
    "mean_basket_size": ("with full baskets", "with small baskets"),
    "categories": ("across many categories", "in few categories"),
    "items": ("with a wide choice", "with a narrow choice"),
    "recency_days": ("not seen lately", "seen lately"),
    "tenure_days": ("of long standing", "who came lately"),
    "frequency": ("who come often", "who come seldom"),
    "monetary": ("who spend more", "who spend less"),
}


def segment_names(differences: pd.DataFrame, tastes: pd.DataFrame) -> dict[int, str]:
    """A readable name per segment, no two alike.

    A name says how a segment comes (frequent, occasional, lapsing, new, else regular) and how it spends. Segments that
    would share one add what sets them apart from one another, a figure or a category; then, if need be, a number.

    Args:
        differences: one row per segment id, standardised differences from the average customer, a column per figure.
        tastes: same rows, standardised differences of category shares, a column per category.

    Returns:
        Names by segment id. A single segment is 'All customers'.
    """
    if len(differences) == 1:
        return {int(differences.index[0]): EVERYBODY}
    spending = bool((differences["monetary"] != 0).any())
    plain = {int(i): _plain_name(differences.loc[i], spending=spending) for i in differences.index}
    names: dict[int, str] = {}
    for name in dict.fromkeys(plain.values()):
        namesakes = [i for i, n in plain.items() if n == name]
        names.update(_told_apart(name, namesakes, differences, tastes))
    return dict(sorted(names.items()))


def _plain_name(row: pd.Series, *, spending: bool) -> str:
    """How a segment comes and how it spends; without money in the data, how widely it chooses."""
    manners = [(abs(row[f]), word) for f, sign, word in _MANNERS if row[f] * sign >= VISIBLE]
    # The first of equals, as in the list above.
    manner = max(manners, key=lambda m: m[0])[1] if manners else "Regular"
    measure = float(row["monetary" if spending else "items"])
    level = 1 if measure >= VISIBLE else -1 if measure <= -VISIBLE else 0
    return f"{manner} {(_SPENDERS if spending else _EXPLORERS)[level]}"


def _told_apart(name: str, namesakes: Sequence[int], differences: pd.DataFrame, tastes: pd.DataFrame) -> dict[int, str]:
    """The namesakes' names, each with what sets it apart from the mean of the others."""
    if len(namesakes) == 1:
        return {namesakes[0]: name}
    told: dict[int, str] = {}
    for i in namesakes:
        others = [n for n in namesakes if n != i]
        figures = differences.loc[i] - differences.loc[others].mean()
        shares = tastes.loc[i].to_numpy(dtype=float) - tastes.loc[others].to_numpy(dtype=float).mean(axis=0)
        words = [(abs(figures[f]), more if figures[f] > 0 else less) for f, (more, less) in _QUALIFIERS.items()]
        words += [
            (float(d), f"with a taste for {category}") for category, d in zip(tastes.columns, shares, strict=True)
        ]
        told[i] = f"{name} {max(words, key=lambda w: w[0])[1]}"
    taken = list(told.values())
    return {
        i: n if taken.count(n) == 1 else f"{n} ({taken[: k + 1].count(n)})" for k, (i, n) in enumerate(told.items())
    }
