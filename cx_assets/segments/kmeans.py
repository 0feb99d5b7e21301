"""k-means with a k that can be defended: the one whose segments come out the same when the customers are drawn again.

Belongs here: clustering points, and the evidence for the number of clusters. Does not: what the points mean
(`inputs`) or what the clusters are called (`naming`).

Why stability: the silhouette picks two clusters on almost any customer base, and the elbow is in the eye of the
beholder. A segmentation that the next sample of customers would not reproduce isn't a property of the customers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.metrics.cluster import contingency_matrix
from threadpoolctl import threadpool_limits

Points = NDArray[np.float64]
Labels = NDArray[np.int64]

# Beyond these the figures no longer move, and the work would grow faster than the customers.
BOOTSTRAP_ROWS = 5_000
SILHOUETTE_ROWS = 1_000
FULL_RESTARTS = 10
BOOTSTRAP_RESTARTS = 2


@dataclass(frozen=True)
class Evidence:
    """What speaks for one k.

    Attributes:
        k: the number of segments.
        stability: mean adjusted Rand index between the segments of all customers and those of each bootstrap sample.
        spread: its standard deviation over the bootstrap samples.
        smallest: customers in the smallest segment.
        inertia: sum of squared distances to the centres.
        silhouette: mean over a sample of at most 1,000 customers; None where it is not defined.
        allowed: whether the smallest segment is large enough.
    """

    k: int
    stability: float
    spread: float
    smallest: int
    inertia: float
    silhouette: float | None
    allowed: bool


@dataclass(frozen=True)
class Segmentation:
    """The chosen clustering.

    Attributes:
        labels: cluster per row, 0 to k - 1, in no particular order.
        certainty: per row, the share of bootstrap samples that put it in the same cluster (matched one to one).
        k: how many clusters.
        evidence: of every k that was tried.
        reason: why this k, a sentence.
    """

    labels: Labels
    certainty: NDArray[np.float64]
    k: int
    evidence: tuple[Evidence, ...]
    reason: str


def segment(points: Points, ks: Sequence[int], *, minimum: int, bootstraps: int, seed: int) -> Segmentation:
    """Cluster with the most stable k.

    A k is tried if there are at least k distinct points, and allowed if its smallest segment has `minimum` rows. Of the
    allowed ones the most stable wins. Those within one standard error of the best are tied; of the tied the largest
    wins, because more segments say more. If none is allowed there is one segment.

    Args:
        points: of shape (rows, features), finite; rows in an order that does not depend on chance.
        ks: numbers of segments to try, each at least 2.
        minimum: rows that a segment must have.
        bootstraps: samples per k, at least 2.
        seed: of every random choice.

    Raises:
        ValueError: if a k is below 2 or there are fewer than 2 bootstraps.

    Source: Hennig (2007), "Cluster-wise assessment of cluster stability"; Hubert & Arabie (1985), "Comparing
        partitions".
    """
    if any(k < 2 for k in ks) or bootstraps < 2:
        raise ValueError(
            f"every k and the number of bootstraps must be at least 2, got k {list(ks)}, {bootstraps} bootstraps"
        )
    distinct = len(np.unique(points, axis=0))
    # Small matrices: one thread is faster than waking two, and adds up in one order only.
    with threadpool_limits(limits=1):
        tried = [_try(points, k, minimum, bootstraps, seed) for k in sorted(set(ks)) if k <= distinct]
    evidence = tuple(e for e, _, _ in tried)
    chosen, reason = choose(evidence, minimum=minimum, bootstraps=bootstraps)
    for found, labels, certainty in tried:
        if found.k == chosen:
            return Segmentation(labels, certainty, chosen, evidence, reason)
    return Segmentation(np.zeros(len(points), dtype=np.int64), np.ones(len(points)), 1, evidence, reason)


def choose(evidence: Sequence[Evidence], *, minimum: int, bootstraps: int) -> tuple[int, str]:
    """The k that wins, and why; 1 if none is allowed."""
    allowed = [e for e in evidence if e.allowed]
    if not evidence:
        return 1, "One segment: there are fewer distinct customers than segments to try."
    if not allowed:
        return 1, f"One segment: every other number leaves a segment with fewer than {minimum:,} customers."
    best = max(allowed, key=lambda e: (e.stability, e.k))
    error = best.spread / np.sqrt(bootstraps)
    winner = max(e.k for e in allowed if e.stability >= best.stability - error)
    if winner == best.k:
        return winner, f"{winner} segments: the most stable number (adjusted Rand index {best.stability:.2f})."
    return winner, (
        f"{winner} segments: as stable as the best number, {best.k} (adjusted Rand index {best.stability:.2f} with a "
        f"standard error of {error:.2f}), and they tell more customers apart."
    )


def minimum_size(customers: int, share: float) -> int:
    """How many customers a segment must have: `share` of all, rounded up, and never fewer than two."""
    return max(2, int(np.ceil(round(share * customers, 9))))


def _try(
    points: Points, k: int, minimum: int, bootstraps: int, seed: int
) -> tuple[Evidence, Labels, NDArray[np.float64]]:
    """The evidence for one k, its labels and how certain each is."""
    model = _fit(points, k, FULL_RESTARTS, seed)
    labels = model.labels_.astype(np.int64)
    sizes = np.bincount(labels, minlength=k)
    # The same samples for every k: differences between numbers of segments are then not differences between samples.
    rng = np.random.default_rng(seed)
    same = np.zeros(len(points))
    agreement = np.zeros(bootstraps)
    for b in range(bootstraps):
        sample = points[rng.integers(0, len(points), min(len(points), BOOTSTRAP_ROWS))]
        again = _fit(sample, k, BOOTSTRAP_RESTARTS, seed + b + 1).predict(points).astype(np.int64)
        agreement[b] = adjusted_rand_score(labels, again)
        same += matched(labels, again) == labels
    found = Evidence(
        k=k,
        stability=float(agreement.mean()),
        spread=float(agreement.std(ddof=1)),
        smallest=int(sizes.min()),
        inertia=float(model.inertia_),
        silhouette=_silhouette(points, labels, seed),
        allowed=bool(sizes.min() >= minimum),
    )
    return found, labels, same / bootstraps


def matched(labels: Labels, other: Labels) -> Labels:
    """`other` renamed so that it agrees with `labels` in as many rows as one-to-one renaming can achieve.

    Args:
        labels: from 0, of shape (rows,).
        other: likewise; clusters beyond the number in `labels` become -1.

    Source: Kuhn (1955), "The Hungarian method for the assignment problem".
    """
    names, theirs = np.unique(labels), np.unique(other)
    rows, columns = linear_sum_assignment(contingency_matrix(labels, other), maximize=True)
    renamed = np.full(int(theirs.max()) + 1, -1, dtype=np.int64)
    renamed[theirs[columns]] = names[rows]
    return renamed[other]


def _fit(points: Points, k: int, restarts: int, seed: int) -> KMeans:
    """k-means, or as many centres as there are distinct points if those are fewer."""
    k = k if len(points) > 50 * k else min(k, len(np.unique(points, axis=0)))
    return KMeans(n_clusters=k, n_init=restarts, random_state=seed).fit(points)


def _silhouette(points: Points, labels: Labels, seed: int) -> float | None:
    """The mean silhouette of a seeded sample, where a sample of at least two segments, not all of one row, exists."""
    rows = np.random.default_rng(seed).permutation(len(points))[:SILHOUETTE_ROWS]
    segments = len(np.unique(labels[rows]))
    return float(silhouette_score(points[rows], labels[rows])) if 2 <= segments < len(rows) else None
