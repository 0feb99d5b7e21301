"""Who is merged into whom: customers that share a key, and those that share one with them, and so on.

Belongs here: joining them up, and since when. Does not: the keys, or tables with the ids that remain (`merges`).
"""

from datetime import datetime

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

COLUMNS = ["customer_id", "merged_into", "key_kind", "since"]


def find_merges(told: pd.DataFrame, at_most: int) -> pd.DataFrame:
    """Who is merged into whom: customers that share a key, and those that share one with them, and so on.

    Of such customers the one with the shortest id stays, of several the alphabetically first: of numbers the smallest.

    Args:
        told: as `told_keys` returns it for the keys that count, in any order.
        at_most: a key that more customers have counts for nobody.

    Returns:
        One row per customer that goes: customer_id, merged_into, and key_kind, the kinds of its keys that it shares;
        ordered by customer_id.
    """
    sharing = told.groupby(["key_kind", "key"])["customer_id"].transform("size")
    links = told[(sharing > 1) & (sharing <= at_most)]
    if links.empty:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS[:3]})
    ids = np.array(sorted(links["customer_id"].unique(), key=lambda name: (len(name), name)), dtype=object)
    people = pd.Index(ids).get_indexer(links["customer_id"])
    keys = links.groupby(["key_kind", "key"], sort=True).ngroup().to_numpy()
    size = len(ids) + int(keys.max()) + 1
    graph = csr_matrix((np.ones(len(links), dtype=np.int8), (people, len(ids) + keys)), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(ids)]
    # Ids are in their order, so the first of a component is the one that stays.
    _, first, member = np.unique(component, return_index=True, return_inverse=True)
    kinds = links.groupby("customer_id")["key_kind"].agg(lambda kind: "+".join(sorted(set(kind))))
    merged = pd.DataFrame({"customer_id": ids, "merged_into": ids[first[member]], "key_kind": kinds[ids].to_numpy()})
    return merged[merged["customer_id"] != merged["merged_into"]].sort_values("customer_id").reset_index(drop=True)


def linked_keys(pairs: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Linked customers told as if by a key: those who are linked, and those linked with them, share one.

    Args:
        pairs: customer_a, customer_b, match_weight.
        threshold: the least weight of a pair that links.

    Returns:
        As `told_keys`: customer_id, key_kind, which is `linkage`, and key, a number from 0.
    """
    linked = pairs[pairs["match_weight"] >= threshold]
    ids = np.unique(linked[["customer_a", "customer_b"]].to_numpy(dtype=object).astype(str))
    ends = [pd.Index(ids).get_indexer(linked[end].astype("str")) for end in ("customer_a", "customer_b")]
    graph = csr_matrix((np.ones(len(linked), dtype=np.int8), tuple(ends)), shape=(len(ids), len(ids)))
    keys = connected_components(graph, directed=False)[1] if len(ids) else []
    told = pd.DataFrame({"customer_id": pd.Series(ids, dtype="str"), "key_kind": "linkage", "key": keys})
    return told.astype({"key_kind": "str", "key": "int64"})


def with_since(merges: pd.DataFrame, before: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Merges with the instant since which they stand: that of before for one that stood already, else now."""
    stood = before.set_index(["customer_id", "merged_into"])["since"]
    pairs = pd.MultiIndex.from_frame(merges[["customer_id", "merged_into"]])
    since = stood.reindex(pairs).fillna(pd.Timestamp(now)).to_numpy()
    return merges.assign(since=pd.Series(since, index=merges.index).astype("datetime64[us]"))
