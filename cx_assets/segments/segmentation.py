"""Every customer gets scores and a segment: the steps of this stage, put together.

Belongs here: which step follows which, the order of segment ids, and those customers who have nothing to be judged by.
Does not: the steps themselves (`rfm`, `inputs`, `kmeans`, `naming`).
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from cx_assets.segments.inputs import segment_points
from cx_assets.segments.kmeans import Labels, Segmentation, segment
from cx_assets.segments.naming import NO_HISTORY, segment_names
from cx_assets.segments.profiles import NO_SEGMENT, log_figures, standardised_differences
from cx_assets.segments.rfm import rfm_scores


def segment_customers(
    features: pd.DataFrame,
    shares: pd.DataFrame,
    customers: Sequence[str],
    *,
    as_of: datetime,
    ks: Sequence[int],
    minimum: int,
    bootstraps: int,
    seed: int,
) -> tuple[pd.DataFrame, Segmentation]:
    """Scores and segment of every customer.

    Args:
        features: `features.customer_features`, in any order.
        shares: `features.leading_shares`, indexed by customer; every customer of `features` has a row.
        customers: all customer ids, those without history too; customers that only `features` knows are added.
        as_of: carried through.
        ks: numbers of segments to try.
        minimum: customers that a segment must have.
        bootstraps: samples per number of segments.
        seed: of every random choice.

    Returns:
        One row per customer, ordered by id: customer_id, recency_score, frequency_score, monetary_score, rfm,
        segment_id (from 1, the segment with the highest mean value first), segment, certainty, as_of. Without history
        the scores are 0, the segment is 'no history' with id -1, and the certainty is 1. And how the segments were
        found.
    """
    known = features.sort_values("customer_id").set_index("customer_id")
    tastes = shares.loc[known.index]
    found = segment(segment_points(known, tastes), ks, minimum=minimum, bootstraps=bootstraps, seed=seed)
    ids = pd.Series(ranked(found.labels, known[["monetary", "frequency", "items"]]), index=known.index, dtype="int64")
    names: dict[int, str] = {}
    if len(known):
        differences = standardised_differences(log_figures(known), ids)
        names = segment_names(differences, standardised_differences(tastes.apply(np.sqrt), ids))
    rows = rfm_scores(known).assign(segment_id=ids, segment=ids.map(names).astype(object), certainty=found.certainty)
    # One row per customer, whoever knows of them.
    everyone = pd.Index(sorted({*customers, *known.index}), name="customer_id", dtype=object)
    rows = rows.reindex(everyone)
    blank = {
        "recency_score": 0,
        "frequency_score": 0,
        "monetary_score": 0,
        "rfm": "0-0-0",
        "segment_id": NO_SEGMENT,
        "segment": NO_HISTORY,
        "certainty": 1.0,
    }
    whole = dict.fromkeys(("recency_score", "frequency_score", "monetary_score", "segment_id"), "int32")
    rows = rows.fillna(blank).astype(whole)
    return rows.assign(as_of=pd.Timestamp(as_of)).reset_index(), found


def ranked(labels: Labels, figures: pd.DataFrame) -> Labels:
    """Labels renamed 1, 2, ...: the cluster with the highest mean first.

    Args:
        labels: any whole numbers, of shape (rows,).
        figures: what to rank by, the first column first, ties by the next; last by which cluster has the first row.

    Returns:
        int64 of the same shape; it doesn't depend on how the clusters were numbered.
    """
    if not len(labels):
        return labels
    clusters, first = np.unique(labels, return_index=True)
    means = figures.astype(float).groupby(labels).mean().to_numpy()
    order = np.lexsort((first, *(-means[:, c] for c in reversed(range(means.shape[1])))))
    place = np.empty(len(clusters), dtype=np.int64)
    place[order] = np.arange(1, len(clusters) + 1)
    return place[np.searchsorted(clusters, labels)]
