"""Whether linkage is better than keys alone: the likelihood from which it merges, and both rules on pairs not seen.

Belongs here: choosing a threshold on one half of the labelled pairs, judging on the other. Does not: the labels
(`ingestion.labelled_pairs`), the likelihoods (`scoring`) or merging (`warehouse.duplicates`).

A rule is judged by what it would do: two labelled customers count as found when they would end as one, by whatever
chain of keys and links.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from cx_assets.ingestion.labelled_pairs import LabelledPair
from cx_assets.warehouse.duplicates import find_merges, linked_keys

MOST_THRESHOLDS = 20
RESAMPLES = 2000
SEED = 0
LEVEL = 0.95


class Figure(NamedTuple):
    """One figure of one rule.

    Attributes:
        rule: exact, linkage, or difference: linkage less exact.
        metric: precision, recall or f1.
        value: the figure; NaN where there is nothing to divide by, as the ends of its interval.
        ci_low: where its 95% interval begins.
        ci_high: where it ends.
        pairs: of how many pairs it is; of a difference, of how many groups of them.
    """

    rule: str
    metric: str
    value: float
    ci_low: float
    ci_high: float
    pairs: int


@dataclass(frozen=True)
class Verdict:
    """What came of comparing the two rules.

    Attributes:
        figures: a row per `Figure`; of linkage there is none without a threshold.
        threshold: the least match weight that links; None where none is good enough on the pairs to choose by.
        accepted: whether linkage merges.
        reason: why, a sentence.
    """

    figures: pd.DataFrame
    threshold: float | None
    accepted: bool
    reason: str


def judge(
    told: pd.DataFrame, pairs: pd.DataFrame, labels: Sequence[LabelledPair], *, at_most: int, least_precision: float
) -> Verdict:
    """Compare merging by keys with merging by keys and linkage.

    The threshold is the one of the best F1 among those whose precision is at least `least_precision`, on the pairs to
    choose by; of equals the strictest. On the pairs to judge by, linkage is accepted if the 95% interval of its lead in
    F1 lies above 0 and that of its precision does not begin below `least_precision`: a merge that is wrong is worse
    than one that is missed, so both must be sure.

    Args:
        told: as `merges.told_keys` of the keys that merge.
        pairs: customer_a, customer_b, match_weight.
        labels: of both halves, their customers as in `told` and `pairs`.
        at_most: a key, or a group of linked customers, that is larger merges nobody.
        least_precision: between 0 and 1.

    Returns:
        The verdict; the same for rows in any order.

    Source: intervals of precision and recall: Wilson (1927), "Probable inference, the law of succession, and
    statistical inference", which takes pairs for independent; of F1 and the lead: percentile bootstrap of both rules in
    pairs, labelled pairs that hang together drawn as one (Efron & Tibshirani 1993, "An Introduction to the Bootstrap",
    ch. 13).
    """
    told, pairs = _around(labels, told, pairs)
    choosing = [pair for pair in labels if not pair.judges]
    judging = [pair for pair in labels if pair.judges]
    threshold = _chosen(told, pairs, choosing, at_most, least_precision)
    exact = _counts(find_merges(told, at_most), judging)
    if threshold is None:
        reason = (
            "Merges go by keys alone: on the pairs to choose by no likelihood is reached from which on "
            f"{least_precision:.0%} of the links are right."
        )
        return Verdict(pd.DataFrame(_figures({"exact": exact})), None, accepted=False, reason=reason)
    ours = _counts(find_merges(_joined(told, pairs, threshold), at_most), judging)
    figures = _figures({"exact": exact, "linkage": ours})
    sure = {(figure.rule, figure.metric): figure.ci_low for figure in figures}
    lead, precision = sure["difference", "f1"], sure["linkage", "precision"]
    accepted = lead > 0 and precision >= least_precision
    if accepted:
        reason = f"Linkage merges: its lead in F1 is surely {lead:.3f} or more, its precision {precision:.3f} or more."
    elif not lead > 0:
        reason = (
            f"Merges go by keys alone: linkage is not surely better, the interval of its lead begins at {lead:.3f}."
        )
    else:
        reason = (
            f"Merges go by keys alone: the interval of linkage's precision begins at {precision:.3f}, below "
            f"least_precision, {least_precision:g}."
        )
    return Verdict(pd.DataFrame(figures), threshold, accepted, reason)


def _around(
    labels: Sequence[LabelledPair], told: pd.DataFrame, pairs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The keys and pairs of customers whom some chain could join to a labelled one: no other changes the verdict."""
    whole = find_merges(_joined(told, pairs, -np.inf), at_most=len(told) + len(pairs) + 1)
    into = dict(zip(whole["customer_id"], whole["merged_into"], strict=True))
    near = {into.get(customer, customer) for pair in labels for customer in (pair.customer_a, pair.customer_b)}
    is_near = [
        np.array([into.get(customer, customer) in near for customer in customers], dtype=bool)
        for customers in (told["customer_id"], pairs["customer_a"])
    ]
    return told[is_near[0]], pairs[is_near[1]]


def _joined(told: pd.DataFrame, pairs: pd.DataFrame, threshold: float) -> pd.DataFrame:
    return pd.concat([told, linked_keys(pairs, threshold)], ignore_index=True)


def _chosen(
    told: pd.DataFrame, pairs: pd.DataFrame, choosing: Sequence[LabelledPair], at_most: int, least_precision: float
) -> float | None:
    """The threshold of the best F1 that is precise enough; only the weights of labelled pairs make a difference."""
    labelled = {frozenset((pair.customer_a, pair.customer_b)) for pair in choosing}
    of_labelled = [frozenset(ends) in labelled for ends in zip(pairs["customer_a"], pairs["customer_b"], strict=True)]
    weights = np.unique(pairs.loc[of_labelled, "match_weight"].to_numpy(dtype=float))
    places = np.unique(np.linspace(0, len(weights) - 1, min(len(weights), MOST_THRESHOLDS)).round().astype(int))
    best: tuple[float, float] | None = None
    for weight in weights[places] if len(weights) else []:
        counts = _counts(find_merges(_joined(told, pairs, weight), at_most), choosing).sum(axis=0)
        precision, _, f1 = _rates(counts[None, :])[0]
        if precision >= least_precision and (best is None or (f1, weight) > best):
            best = (float(f1), float(weight))
    return best[1] if best else None


def _counts(merges: pd.DataFrame, labels: Sequence[LabelledPair]) -> NDArray[np.float64]:
    """Of every group of labelled pairs how many are rightly found, wrongly found and missed: (groups, 3)."""
    into = dict(zip(merges["customer_id"], merges["merged_into"], strict=True))
    counts: dict[str, NDArray[np.float64]] = {}
    for pair in labels:
        found = into.get(pair.customer_a, pair.customer_a) == into.get(pair.customer_b, pair.customer_b)
        counts.setdefault(pair.group, np.zeros(3))[:] += (
            found and pair.same, found and not pair.same, pair.same and not found
        )  # fmt: skip
    return np.array([counts[group] for group in sorted(counts)])


def _rates(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Precision, recall and F1 of rightly found, wrongly found and missed pairs: (rows, 3), NaN for nothing of nothing.

    F1 is 2 * right / (2 * right + wrong + missed), so that a rule that finds nothing has 0.
    """
    right, wrong, missed = counts.T
    below = np.stack([right + wrong, right + missed, 2 * right + wrong + missed])
    rates = np.full(below.shape, np.nan)
    np.divide([right, right, 2 * right], below, out=rates, where=below > 0)
    return rates.T


def _figures(counts: dict[str, NDArray[np.float64]]) -> list[Figure]:
    """The figures of one rule or both, from what each does with the same groups of pairs."""
    rules = list(counts)
    side_by_side = np.hstack([counts[rule] for rule in rules])
    groups = len(side_by_side)
    drawn = np.random.default_rng(SEED).multinomial(groups, np.full(groups, 1 / groups), RESAMPLES) @ side_by_side
    found: list[Figure] = []
    f1 = {}
    for place, rule in enumerate(rules):
        right, wrong, missed = totals = counts[rule].sum(axis=0)
        precision, recall, value = _rates(totals[None, :])[0]
        f1[rule] = value, _rates(drawn[:, 3 * place : 3 * place + 3])[:, 2]
        found += [
            Figure(rule, "precision", precision, *_wilson(right, right + wrong), int(right + wrong)),
            Figure(rule, "recall", recall, *_wilson(right, right + missed), int(right + missed)),
            Figure(rule, "f1", value, *_interval(f1[rule][1]), int(right + wrong + missed)),
        ]
    if len(rules) > 1:
        (exact, of_exact), (linkage, of_linkage) = f1["exact"], f1["linkage"]
        found.append(Figure("difference", "f1", linkage - exact, *_interval(of_linkage - of_exact), groups))
    return found


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(np.nan_to_num(drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _wilson(successes: float, of: float) -> tuple[float, float]:
    """The score interval of a share at 95%; NaN of nothing."""
    if of == 0:
        return np.nan, np.nan
    interval = binomtest(int(successes), int(of)).proportion_ci(LEVEL, "wilson")
    return float(interval.low), float(interval.high)
