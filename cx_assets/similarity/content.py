"""Neighbours by content: items whose attributes say that they are alike, also items that nobody has bought yet.

Belongs here: which columns describe an item, turning them into weighted tokens, and finding the nearest items by them.
Does not: what is put in for a missing attribute (`warehouse.missing`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from cx_assets.similarity.neighbours import (
    TIE,
    Neighbours,
    Pairs,
    apart,
    best,
    grouped,
    kth_best,
    nearest,
    of_rows,
    require_k,
)
from cx_assets.similarity.products import Products, joined

METHOD = "content"

# Columns of `items` that describe an item without being declared as attributes.
ALSO_DESCRIBES = ("category",)

# What stands for a value that isn't known. It says nothing about an item: two unknowns aren't alike.
UNKNOWN = ("", "unknown")

# A token that more than this share of the profiles has is common. Common tokens make nearly all of the work and little
# of the similarity, so candidates are fetched without them.
COMMON = 0.1

# Profiles fetched by their rare tokens at first, beyond k.
SPARE = 120


def described_by(columns: Sequence[str]) -> list[str]:
    """Of the columns of `items` those that describe an item: the declared attributes and the category.

    Args:
        columns: names; an attribute is one that has its `<name>_imputed` beside it.
    """
    return [c for c in columns if f"{c}_imputed" in set(columns) or c in ALSO_DESCRIBES]


def top_k_content(items: pd.DataFrame, columns: Sequence[str], k: int) -> Neighbours:
    """The k items most like every item, by cosine of the TF-IDF weights of their attributes.

    An attribute with its value is one token, `brand=National`, not the words in it. With n the number of distinct
    profiles (combinations of attribute values) and df(t) the number of those that have token t,

        weight(t) = ln((1 + n) / (1 + df(t))) + 1

    for the tokens that an item has, scaled to length 1. Profiles are counted, not items, so that a manufacturer who
    lists one article under a hundred numbers doesn't make its attributes common.

    Many items share their profile, so profiles are compared, and each item then takes the items of the nearest
    profiles, those of its own first. The result is exact.

    Args:
        items: one row per item; row i is position i of the result.
        columns: the attribute columns to use. Null, empty, `unknown` and what `<column>_imputed` says was filled in
            make no token; neither does a column of numbers, since an equal price says little and a near one nothing.
        k: neighbours to keep per item, at least 1.

    Returns:
        Neighbours with similarities above 0, at most 1; of equally similar items (closer than 1e-8) the lowest
        positions. An item without a known attribute has no neighbours and is nobody's.

    Raises:
        ValueError: if `k` is below 1.
        KeyError: if a column is not there.

    Source: scikit-learn's TfidfTransformer (smoothed idf, L2 norm).
    """
    require_k(k)
    size = len(items)
    codes, profile_of = _profiles(items, columns)
    tokens = _tokens(codes)
    if not tokens.nnz:
        return Neighbours.none(size, METHOD)
    weights = csr_matrix(TfidfTransformer().fit_transform(tokens))
    lists = _nearest_members(_nearest_profiles(weights, k), np.diff(tokens.indptr) > 0, profile_of, k)
    return Neighbours(nearest(_handed_out(lists, profile_of), k, size), METHOD)


def _profiles(items: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct combinations of attribute values, in order of first appearance, and the profile of each item.

    A value is given as its number within its column, -1 for one that is not known.
    """
    coded = pd.DataFrame({c: pd.factorize(known_values(items, c))[0] for c in columns if not _is_number(items[c])})
    if coded.empty:
        return np.full((min(len(items), 1), 1), -1, dtype=np.int64), np.zeros(len(items), dtype=np.int64)
    profile_of = coded.groupby(list(coded.columns), sort=False).ngroup()
    return np.asarray(coded.drop_duplicates(), dtype=np.int64), np.asarray(profile_of, dtype=np.int64)


def known_values(items: pd.DataFrame, column: str) -> pd.Series:
    """The values of a column that are known to be so, null elsewhere: no stand-in, and nothing that was filled in.

    Every model reads attributes through here. What the warehouse put in for a missing value is fitted on the master
    data as they are today, so in a backtest it would carry later knowledge into an earlier list.
    """
    values = items[column].where(~items[column].isin(UNKNOWN))
    filled_in = f"{column}_imputed"
    return values.where(~items[filled_in].astype(bool)) if filled_in in items else values


def _is_number(values: pd.Series) -> bool:
    return is_numeric_dtype(values) and not is_bool_dtype(values)


def _tokens(codes: NDArray[np.int64]) -> csr_matrix:
    """Profiles x tokens: 1 where a profile has the token."""
    offsets = np.concatenate([[0], np.cumsum(codes.max(axis=0, initial=-1) + 1)])
    profiles, columns = np.nonzero(codes >= 0)
    tokens = codes[profiles, columns] + offsets[columns]
    return csr_matrix((np.ones(len(tokens)), (profiles, tokens)), shape=(len(codes), int(offsets[-1])))


def _nearest_profiles(weights: csr_matrix, k: int) -> Pairs:
    """Pairs of different profiles with their cosine, among them the k nearest of every profile.

    Candidates are found by their rare tokens. What was not fetched has a product of rare tokens of at most `last`, and
    common tokens add at most the length of the profile's own common part, since the other's is at most 1. A profile
    whose k-th candidate isn't above that is compared in full.
    """
    size = weights.shape[0]
    everyone = np.arange(size)
    is_common = np.bincount(weights.indices, minlength=weights.shape[1]) > COMMON * size
    # There are at most 1 / COMMON common tokens per attribute, so this is a few columns.
    common = weights[:, np.flatnonzero(is_common)].toarray()
    common_length = np.sqrt((common * common).sum(axis=1))
    parts, pending = [], []
    rare = csr_matrix(weights[:, np.flatnonzero(~is_common)])
    for found in Products(rare).largest(everyone, k + 1 + SPARE, above=0.0):
        rows, columns, by_rare = apart(found.pairs)
        pairs = rows, columns, by_rare + np.einsum("pt,pt->p", common[rows], common[columns])
        bound = np.maximum(found.last, 0.0) + common_length[found.asked]
        sure = kth_best(pairs, k, size)[found.asked] > bound + TIE
        pending.append(found.asked[~sure])
        parts.append(best(of_rows(pairs, found.asked[sure], size), k, size))
    in_full = Products(weights).largest(np.concatenate(pending), k + 1, above=0.0)
    return joined([*parts, *(best(apart(found.pairs), k, size) for found in in_full)])


def _nearest_members(pairs: Pairs, has_tokens: NDArray[np.bool_], profile_of: NDArray[np.int64], k: int) -> Pairs:
    """For every profile the k + 1 items nearest to it, its own among them: profile, item, similarity.

    Args:
        pairs: the k nearest profiles of every profile.
        has_tokens: for each profile, whether it has a token.
        profile_of: for each item, its profile.
        k: as of `top_k_content`.
    """
    own = np.flatnonzero(has_tokens)
    profiles, others, similarities = grouped(joined([(own, own, np.ones(len(own))), pairs]))
    by_profile = np.argsort(profile_of, kind="stable")
    counts = np.bincount(profile_of, minlength=len(has_tokens))
    starts = np.cumsum(counts) - counts
    # More than k + 1 items of one profile are never needed: they are equals, of which the lowest positions go first.
    pair, place = _spans(starts[others], np.minimum(counts[others], k + 1))
    return best((profiles[pair], by_profile[place], similarities[pair]), k + 1, len(profile_of))


def _handed_out(lists: Pairs, profile_of: NDArray[np.int64]) -> Pairs:
    """The list of its profile, for each item: item, other item, similarity."""
    profiles, members, similarities = lists
    counts = np.bincount(profiles, minlength=int(profile_of.max(initial=-1)) + 1)
    starts = np.cumsum(counts) - counts
    item, place = _spans(starts[profile_of], counts[profile_of])
    return item, members[place], similarities[place]


def _spans(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of many spans, one span after the other: which span each is of, and the number."""
    span = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(span)) - np.repeat(np.cumsum(counts) - counts, counts)
    return span, starts[span] + within
