"""The same work as one would otherwise write it: one script, pandas, scikit-learn, implicit and mlxtend, all in memory.

This is what `make bench` compares the project with. It is written as an experienced analyst would: the usual library
call for each step, vectorised where that is the habit, nothing slow on purpose and nothing tuned. It shares no code
with the project; the thresholds are the project's defaults. What it leaves out and the project does: rejected events,
checks, confidence intervals, significance of rules, customers behind rules, pruning, reasons, stored tables.

Run as `python -m cx_assets_tests.benchmarks.plain_script FOLDER`; prints JSON: seconds by stage, peak resident memory.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from mlxtend.frequent_patterns import association_rules, fpgrowth
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

from cx_assets_tests.benchmarks.plain_evaluation import evaluate, score_customer_knn, top_items

CUSTOMER_NEIGHBOURS, ITEM_NEIGHBOURS, CONTENT_NEIGHBOURS, LIST_LENGTH = 100, 20, 10, 20
CATEGORY_SUPPORT, ITEM_SUPPORT, MAX_SIZE = 0.01, 0.0005, 3
CATEGORY_CONFIDENCE, ITEM_CONFIDENCE = 0.2, 0.1
HORIZON_DAYS = 28

seconds: dict[str, float] = {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a block under a stage's name."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def load(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read, drop what can't be used, fill what is missing, and join the category."""
    lines = pd.read_parquet(folder / "transactions.parquet").rename(
        columns={"household_id": "customer_id", "product_id": "item_id", "transaction_timestamp": "occurred_at"}
    )
    items = pd.read_parquet(folder / "products.parquet").rename(
        columns={"product_id": "item_id", "product_category": "category"}
    )
    texts = ["department", "brand", "category", "product_type", "package_size"]
    items[texts] = items[texts].fillna("unknown")
    lines = lines.dropna(subset=["customer_id", "item_id", "occurred_at", "basket_id"]).drop_duplicates()
    lines = lines[(lines["quantity"] > 0) & (lines["sales_value"] >= 0)]
    lines = lines.merge(items[["item_id", "category"]], on="item_id", how="left")
    lines["category"] = lines["category"].fillna("unknown")
    return lines.sort_values("occurred_at", ignore_index=True), items


def interaction_matrix(lines: pd.DataFrame, customers: pd.Index, items: pd.Index) -> csr_matrix:
    """Customers x items, the number of times bought."""
    pairs = lines.groupby(["customer_id", "item_id"]).size()
    rows = customers.get_indexer(pairs.index.get_level_values(0))
    columns = items.get_indexer(pairs.index.get_level_values(1))
    return csr_matrix((pairs.to_numpy(np.float32), (rows, columns)), shape=(len(customers), len(items)))


def nearest(similarity: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest of each row but the diagonal, in order."""
    np.fill_diagonal(similarity, -np.inf)
    k = min(k, similarity.shape[1] - 1)
    chosen = np.argpartition(-similarity, k, axis=1)[:, :k]
    values = np.take_along_axis(similarity, chosen, axis=1)
    order = np.argsort(-values, axis=1)
    return np.take_along_axis(chosen, order, axis=1), np.take_along_axis(values, order, axis=1)


def customer_similarity(matrix: csr_matrix) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Neighbours of customers by cosine and by Pearson, through the dense matrices that the libraries give."""
    logged = matrix.copy()
    logged.data = np.log1p(logged.data)
    cosine = cosine_similarity(logged, dense_output=True)
    pearson = np.corrcoef(logged.toarray(), dtype=np.float32)
    return {
        "cosine": nearest(np.asarray(cosine), CUSTOMER_NEIGHBOURS),
        "pearson": nearest(pearson, CUSTOMER_NEIGHBOURS),
    }


def item_similarity(matrix: csr_matrix) -> CosineRecommender:
    """Neighbours of all items by implicit's cosine."""
    model = CosineRecommender(K=ITEM_NEIGHBOURS + 1)
    model.fit(matrix, show_progress=False)
    model.similar_items(np.arange(matrix.shape[1]), N=ITEM_NEIGHBOURS + 1)
    return model


def content_similarity(items: pd.DataFrame, block: int = 1000) -> np.ndarray:
    """Neighbours of all items by TF-IDF over their attributes, a thousand items at a time.

    The whole product would be 92,000 x 92,000; so it is taken in blocks of rows, each made dense to pick from.
    """
    text = items["department"] + " " + items["brand"] + " " + items["category"] + " " + items["product_type"]
    vectors = TfidfVectorizer(dtype=np.float32).fit_transform(text + " " + items["package_size"])
    found = np.empty((len(items), CONTENT_NEIGHBOURS), dtype=np.int32)
    for start in range(0, len(items), block):
        scores = (vectors[start : start + block] @ vectors.T).toarray()
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -1
        chosen = np.argpartition(-scores, CONTENT_NEIGHBOURS, axis=1)[:, :CONTENT_NEIGHBOURS]
        order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1)
        found[start : start + block] = np.take_along_axis(chosen, order, axis=1)
    return found


def segments(lines: pd.DataFrame) -> pd.Series:
    """RFM, standardised, k-means with k by silhouette."""
    now = lines["occurred_at"].max()
    customers = lines.groupby("customer_id").agg(
        recency=("occurred_at", lambda at: (now - at.max()).days),
        frequency=("basket_id", "nunique"),
        monetary=("sales_value", "sum"),
        breadth=("item_id", "nunique"),
        first=("occurred_at", "min"),
    )
    customers["tenure"] = (now - customers.pop("first")).dt.days
    scores = pd.DataFrame(
        {
            name: pd.qcut(customers[name].rank(method="first"), 5, labels=False) + 1
            for name in ("recency", "frequency", "monetary")
        }
    )
    shares = pd.crosstab(lines["customer_id"], lines["category"], values=lines["sales_value"], aggfunc="sum")
    shares = shares.div(shares.sum(axis=1), axis=0).fillna(0)
    top = shares.sum().nlargest(10).index
    features = StandardScaler().fit_transform(np.hstack([np.log1p(customers), scores, shares[top]]))
    fits = [KMeans(k, n_init=10, random_state=0).fit(features) for k in range(2, 9)]
    best = max(fits, key=lambda fit: silhouette_score(features, fit.labels_))
    return pd.Series(best.labels_, customers.index)


def basket_rules(lines: pd.DataFrame, thing: str, support: float, confidence: float) -> pd.DataFrame:
    """Rules by FP-growth over a sparse boolean frame of the things that are frequent at all."""
    held = lines[["basket_id", thing]].drop_duplicates()
    baskets = held["basket_id"].nunique()
    counts = held[thing].value_counts()
    held = held[held[thing].isin(counts.index[counts >= support * baskets])]
    rows, _ = pd.factorize(held["basket_id"])
    columns, names = pd.factorize(held[thing])
    matrix = csr_matrix((np.ones(len(held), dtype=bool), (rows, columns)), shape=(baskets, len(names)))
    frame = pd.DataFrame.sparse.from_spmatrix(matrix, columns=names.astype(str))
    itemsets = fpgrowth(frame, min_support=support, max_len=MAX_SIZE, use_colnames=True)
    rules = association_rules(itemsets, num_itemsets=baskets, metric="confidence", min_threshold=confidence)
    return rules[(rules["consequents"].map(len) == 1) & (rules["lift"] > 1)]


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


def main(folder: Path) -> None:
    """Do all of it, stage by stage."""
    with stage("load and clean"):
        lines, items = load(folder)
    with stage("interactions"):
        customers = pd.Index(np.sort(lines["customer_id"].unique()))
        bought = pd.Index(np.sort(lines["item_id"].unique()))
        matrix = interaction_matrix(lines, customers, bought)
    with stage("customer similarity"):
        neighbours = customer_similarity(matrix)
    with stage("item similarity"):
        item_similarity(matrix)
    with stage("content similarity"):
        content_similarity(items)
    with stage("segments"):
        segments(lines)
    with stage("rules"):
        basket_rules(lines[lines["category"] != "unknown"], "category", CATEGORY_SUPPORT, CATEGORY_CONFIDENCE)
        basket_rules(lines, "item_id", ITEM_SUPPORT, ITEM_CONFIDENCE)
    with stage("recommendations"):
        lists(matrix, neighbours["cosine"])
    with stage("evaluation"):
        cut = lines["occurred_at"].max().normalize() + pd.Timedelta(days=1 - HORIZON_DAYS)
        past, future = lines[lines["occurred_at"] < cut], lines[lines["occurred_at"] >= cut]
        trained = interaction_matrix(past, customers, bought)
        rules = basket_rules(past, "item_id", ITEM_SUPPORT, ITEM_CONFIDENCE)
        evaluate(
            trained,
            interaction_matrix(future, customers, bought),
            customer_similarity(trained),
            item_similarity(trained),
            rules,
            bought,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "total_seconds": sum(seconds.values()), "peak_mib": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
