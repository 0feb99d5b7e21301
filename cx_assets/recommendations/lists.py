"""The published lists: for every customer what to offer again and what to offer new, each place with its reason.

Belongs here: putting ranking, explanation and the fallback together. Does not: scores (`blend`) or popularity per
segment (`popular_items`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cx_assets.recommendations.blend import PARTS, Blend
from cx_assets.recommendations.explanation import Explainer
from cx_assets.recommendations.popular_items import ALL
from cx_assets.recommendations.ranking import BLOCK, RankedLists, joined, of_customers, top
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.similarity.products import threads

PLACES = 20
"""Places of each of the two lists of a customer."""

FALLBACKS = ("segment_popularity", "popularity", "catalogue")
"""Who fills a short discovery list, in this order, as the column `recommender` says."""


def published_lists(
    training: Training, blend: Blend, popular: pd.DataFrame, segments: Mapping[str, str], places: int = PLACES
) -> pa.Table:
    """The two lists of every customer of a training.

    `repeat` holds up to `places` items had before. `discovery` holds exactly `places` that the customer has not had,
    or as many as there are in the catalogue and recommendable. Where the blend offers too few it is filled from what
    is popular in the customer's segment, then with everyone, then by item id; a filled place scores 0.

    Args:
        training: its customers get the lists; those without events too.
        blend: fitted on `training`.
        popular: segment, rank, item_id, customers; as `popular_items` returns it.
        segments: customer_id to segment; a customer may be missing.
        places: places of each list.

    Returns:
        customer_id, list, rank, item_id, score, recommender, reason, as_of; ordered by customer, list and rank.
    """
    explainer = Explainer(training)
    everyone = np.arange(training.shape[0])
    known = np.diff(training.counts.indptr) > 0
    blocks = [everyone[start : start + BLOCK] for start in range(0, len(everyone), BLOCK)]
    # NumPy and SciPy let go of the interpreter while they compute; the blocks come back in their order.
    with ThreadPoolExecutor(threads()) as pool:
        ranked = list(pool.map(lambda block: _ranked(training, blend, block, known, places), blocks))
    repeat, discovery = joined([one[0] for one in ranked]), joined([one[1] for one in ranked])
    leads = np.concatenate([np.empty(0, np.intp), *(one[2] for one in ranked)])
    reasons = _discovery_reasons(explainer, blend, discovery, leads)
    frames = [
        _frame(repeat, "repeat", blend.name, explainer.repeat(repeat.customer, repeat.item)),
        _frame(discovery, "discovery", blend.name, reasons),
        _filled(training, discovery, popular, segments, places),
    ]
    rows = pd.concat(frames, ignore_index=True).sort_values(["customer", "list", "rank"], kind="stable")
    return pa.table(
        {
            "customer_id": _named(training.interactions.customers, rows["customer"]),
            "list": pa.array(rows["list"], pa.string()),
            "rank": pa.array(rows["rank"].to_numpy(np.int32)),
            "item_id": _named(training.interactions.items, rows["item"]),
            "score": pa.array(rows["score"].to_numpy(np.float32)),
            "recommender": pa.array(rows["recommender"], pa.string()),
            "reason": pa.array(rows["reason"], pa.string()),
            "as_of": pa.array(np.full(len(rows), np.datetime64(training.as_of, "us"))),
        }
    )


def _ranked(
    training: Training, blend: Blend, customers: Positions, known: NDArray[np.bool_], places: int
) -> tuple[RankedLists, RankedLists, NDArray[np.intp]]:
    """Of a block of consecutive customers the repeat lists, the discovery lists, and the part behind each new item."""
    parts = blend.parts(customers)
    scores = blend.combined(parts, customers)
    # Of a customer without events the blend knows nothing, but their segment may: the fallback makes their list.
    found = of_customers(top(scores, training, customers, "discovery", places), known)
    lead = _lead(blend.strengths(parts, customers, found.customer - customers[0], found.item))
    return top(scores, training, customers, "repeat", places), found, lead


def _lead(strengths: Mapping[str, NDArray[np.float32]]) -> NDArray[np.intp]:
    """For each pair the part, as its place in `PARTS`, that speaks most strongly for it.

    Weights are left aside: the strongest evidence explains best. Popularity says nothing about the customer, so it
    only leads where no other part speaks.
    """
    size = len(next(iter(strengths.values()))) if strengths else 0
    table = np.zeros((len(PARTS), size), dtype=np.float32)
    for name, values in strengths.items():
        table[PARTS.index(name)] = values * 1e-6 if name == "popularity" else values
    return np.asarray(table.argmax(axis=0), dtype=np.intp)


def _discovery_reasons(
    explainer: Explainer, blend: Blend, lists: RankedLists, leads: NDArray[np.intp]
) -> NDArray[np.object_]:
    reasons = np.empty(len(lists.item), dtype=object)
    for place, name in enumerate(PARTS):
        pairs = np.flatnonzero(leads == place)
        if len(pairs):
            reasons[pairs] = explainer.discovery(blend.parts_[name], lists.customer[pairs], lists.item[pairs])
    return reasons


def _frame(lists: RankedLists, which: str, recommender: str, reasons: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer": lists.customer,
            "list": which,
            "rank": lists.rank,
            "item": lists.item,
            "score": lists.score,
            "recommender": recommender,
            "reason": reasons,
        }
    )


def _filled(
    training: Training, lists: RankedLists, popular: pd.DataFrame, segments: Mapping[str, str], places: int
) -> pd.DataFrame:
    """The places that the blend leaves empty in discovery lists, filled."""
    index = training.interactions
    positions = index.item_positions(popular["item_id"])
    by_segment: dict[str, list[tuple[int, int]]] = {}
    for segment, item, customers in zip(popular["segment"], positions, popular["customers"], strict=True):
        if item >= 0 and training.recommendable[item]:
            by_segment.setdefault(segment, []).append((int(item), int(customers)))
    catalogue = np.flatnonzero(training.recommendable)
    sizes = np.bincount(lists.customer, minlength=training.shape[0])
    ends = np.cumsum(sizes)
    rows: list[tuple[int, str, int, int, float, str, str]] = []
    for customer in np.flatnonzero(sizes < places):
        had = training.counts.indices[training.counts.indptr[customer] : training.counts.indptr[customer + 1]]
        taken = {*had.tolist(), *lists.item[ends[customer] - sizes[customer] : ends[customer]].tolist()}
        rank = int(sizes[customer])
        for item, recommender, reason in _fallback(by_segment, segments.get(index.customers[customer]), catalogue):
            if rank == places:
                break
            if item not in taken:
                taken.add(item)
                rank += 1
                rows.append((int(customer), "discovery", rank, item, 0.0, recommender, reason))
    return pd.DataFrame(rows, columns=["customer", "list", "rank", "item", "score", "recommender", "reason"])


def _fallback(
    by_segment: Mapping[str, list[tuple[int, int]]], segment: str | None, catalogue: NDArray[np.intp]
) -> Iterator[tuple[int, str, str]]:
    """Item, recommender and reason of what a short list is filled with, best first; an item may come twice."""
    own, overall, rest = FALLBACKS
    known = segment is not None and segment != ALL
    return chain(
        (
            (item, own, f"popular in segment {segment}")
            for item, _ in (by_segment.get(str(segment), []) if known else [])
        ),
        ((item, overall, f"popular: {n:,} customers have had it") for item, n in by_segment.get(ALL, [])),
        ((int(item), rest, "new to this customer, from the catalogue") for item in catalogue),
    )


def _named(ids: NDArray[np.object_], positions: pd.Series) -> pa.Array:
    return pa.array(ids, pa.string()).take(pa.array(positions.to_numpy(np.int64)))
