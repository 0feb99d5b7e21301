"""The plain script's lists: two for every customer with reasons, and what goes beside them.

Belongs here: what `plain_script` needs to recommend. Does not: anything of the project that it is compared with.
"""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from cx_assets_tests.benchmarks.plain_evaluation import score_customer_knn, top_items

LIST_LENGTH = 20


def lists(matrix: csr_matrix, neighbours: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Twenty items to repeat and twenty to discover for every customer."""
    repeat = np.full((matrix.shape[0], LIST_LENGTH), -1)
    discovery = np.full((matrix.shape[0], LIST_LENGTH), -1)
    popular = np.argsort(-np.asarray((matrix > 0).sum(axis=0)).ravel(), kind="stable")
    for start in range(0, matrix.shape[0], 500):
        customers = np.arange(start, min(start + 500, matrix.shape[0]))
        scores = score_customer_knn(matrix, neighbours, customers)
        for row, customer in enumerate(customers):
            had = matrix.indices[matrix.indptr[customer] : matrix.indptr[customer + 1]]
            again = top_items(had, matrix.data[matrix.indptr[customer] : matrix.indptr[customer + 1]], LIST_LENGTH)
            repeat[customer, : len(again)] = again
            items, values = (
                part[scores.indptr[row] : scores.indptr[row + 1]] for part in (scores.indices, scores.data)
            )
            new = ~np.isin(items, had)
            found = top_items(items[new], values[new], LIST_LENGTH)
            if len(found) < LIST_LENGTH:
                rest = popular[~np.isin(popular, np.concatenate([had, found]))]
                found = np.concatenate([found, rest[: LIST_LENGTH - len(found)]])
            discovery[customer] = found
    return repeat, discovery


def reasoned_lists(
    lines: pd.DataFrame,
    matrix: csr_matrix,
    neighbours: tuple[np.ndarray, np.ndarray],
    customers: pd.Index,
    items: pd.Index,
) -> pd.DataFrame:
    """Both lists of every customer as a table: one row per filled place, with the reason in words."""
    repeat, discovery = lists(matrix, neighbours)
    again, new = (
        _places(customers, items, found, name) for found, name in ((repeat, "repeat"), (discovery, "discovery"))
    )
    history = lines.groupby(["customer_id", "item_id"], as_index=False).agg(
        times=("occurred_at", "size"), last=("occurred_at", "max")
    )
    again = again.merge(history, on=["customer_id", "item_id"], how="left")
    again["reason"] = (
        "bought " + again["times"].astype(str) + " times, last on " + again["last"].dt.strftime("%Y-%m-%d")
    )
    had = (matrix > 0).astype(np.float32)
    who = neighbours[0]
    rows = np.repeat(np.arange(len(who)), who.shape[1])
    same = csr_matrix((np.ones(who.size, dtype=np.float32), (rows, who.ravel())), shape=(len(who), len(who)))
    support = (same @ had)[customers.get_indexer(new["customer_id"]), items.get_indexer(new["item_id"])]
    new["reason"] = pd.Series(np.asarray(support).ravel().astype(int)).map(
        "bought by {} of 100 similar customers".format
    )
    return pd.concat([again.drop(columns=["times", "last"]), new])


def _places(customers: pd.Index, items: pd.Index, found: np.ndarray, name: str) -> pd.DataFrame:
    rows, ranks = np.nonzero(found >= 0)
    return pd.DataFrame(
        {
            "customer_id": customers.to_numpy()[rows],
            "list": name,
            "rank": ranks + 1,
            "item_id": items.to_numpy()[found[rows, ranks]],
        }
    )


def related(by_customers: pd.DataFrame, by_content: pd.DataFrame) -> pd.DataFrame:
    """Ten items like each item: those that the same customers have first, then those of like attributes."""
    both = pd.concat([by_customers, by_content]).drop_duplicates(["id", "neighbour_id"])
    return both.groupby("id").head(10)


def together(rules: pd.DataFrame) -> pd.DataFrame:
    """Ten items bought with each item, by lift."""
    pairs = rules[rules["antecedents"].map(len) == 1].sort_values("lift", ascending=False)
    pairs = pairs.assign(item_id=pairs["antecedents"].map(min), other_id=pairs["consequents"].map(min))
    return pairs[["item_id", "other_id", "confidence", "lift"]].groupby("item_id").head(10)


def popular(lines: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Fifty items of every segment, by customers."""
    pairs = lines[["customer_id", "item_id"]].drop_duplicates().join(labels.rename("segment"), on="customer_id")
    counts = pairs.groupby(["segment", "item_id"], as_index=False).size().sort_values("size", ascending=False)
    return counts.groupby("segment").head(50)
