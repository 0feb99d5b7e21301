"""The same work as one would otherwise write it: one script, pandas, scikit-learn, implicit and mlxtend, all in memory.

This is what `make bench` compares the project with. It is written as an experienced analyst would: the usual library
call for each step, vectorised where that is the habit, nothing slow on purpose and nothing tuned. Its stages end where
the project's end: with the stage's tables in a DuckDB file. It shares no code with the project; the thresholds are the
project's defaults. What it leaves out and the project does: where each row came from, checks, days that can be loaded
again, confidence intervals, significance of rules, customers behind rules, pruning.

Run as `python -m cx_assets_tests.benchmarks.plain_script SOURCE TARGET`: the folder of the dataset's files, and the
database to write. Prints JSON: seconds by stage, peak resident memory.
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
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

from cx_assets_tests.benchmarks.plain_evaluation import evaluate
from cx_assets_tests.benchmarks.plain_lists import popular, reasoned_lists, related, together
from cx_assets_tests.benchmarks.plain_warehouse import Store, fold, load

CUSTOMER_NEIGHBOURS, ITEM_NEIGHBOURS, CONTENT_NEIGHBOURS = 100, 20, 10
CATEGORY_SUPPORT, ITEM_SUPPORT, MAX_SIZE = 0.01, 0.0005, 3
CATEGORY_CONFIDENCE, ITEM_CONFIDENCE = 0.2, 0.1
SEGMENTS, BOOTSTRAPS = range(3, 9), 15
MIN_CUSTOMERS = 5
HORIZON_DAYS = 28

seconds: dict[str, float] = {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a block under a stage's name."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def interaction_matrix(lines: pd.DataFrame, customers: pd.Index, items: pd.Index) -> csr_matrix:
    """Customers x items, the number of times bought."""
    pairs = lines.groupby(["customer_id", "item_id"], as_index=False).size()
    rows, columns = customers.get_indexer(pairs["customer_id"]), items.get_indexer(pairs["item_id"])
    return csr_matrix((pairs["size"].to_numpy(np.float32), (rows, columns)), shape=(len(customers), len(items)))


def nearest(similarity: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest of each row but the diagonal, in order."""
    np.fill_diagonal(similarity, -np.inf)
    k = min(k, similarity.shape[1] - 1)
    chosen = np.argpartition(-similarity, k, axis=1)[:, :k]
    values = np.take_along_axis(similarity, chosen, axis=1)
    order = np.argsort(-values, axis=1)
    return np.take_along_axis(chosen, order, axis=1), np.take_along_axis(values, order, axis=1)


def neighbour_rows(ids: pd.Index, found: np.ndarray, alike: np.ndarray, method: str) -> pd.DataFrame:
    """Neighbours as a table: one row per thing and neighbour with a similarity above 0."""
    rows, ranks = np.nonzero(alike > 0)
    return pd.DataFrame(
        {
            "id": ids.to_numpy()[rows],
            "neighbour_id": ids.to_numpy()[found[rows, ranks]],
            "method": method,
            "similarity": alike[rows, ranks],
            "rank": ranks + 1,
        }
    )


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


def item_similarity(matrix: csr_matrix) -> tuple[CosineRecommender, np.ndarray, np.ndarray]:
    """Neighbours of all items by implicit's cosine: the model, and for each item its neighbours and how alike."""
    model = CosineRecommender(K=ITEM_NEIGHBOURS + 1)
    model.fit(matrix, show_progress=False)
    found, alike = model.similar_items(np.arange(matrix.shape[1]), N=ITEM_NEIGHBOURS + 1)
    return model, found[:, 1:], alike[:, 1:]


def item_correlation(matrix: csr_matrix, block: int = 1000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pearson between the columns of enough customers, a thousand at a time: positions, neighbours, how alike.

    The covariance follows from the sparse product and the means, so that nothing but a block is ever dense.
    """
    logged = matrix.copy()
    logged.data = np.log1p(logged.data)
    enough = np.flatnonzero(np.diff(matrix.tocsc().indptr) >= MIN_CUSTOMERS)
    columns = csr_matrix(logged[:, enough].T)
    n = matrix.shape[0]
    mean = columns.mean(axis=1).A1
    spread = np.sqrt(columns.multiply(columns).mean(axis=1).A1 - mean**2)
    found, alike = [], []
    for start in range(0, len(enough), block):
        part = slice(start, start + block)
        scores = (columns[part] @ columns.T).toarray() / n - np.outer(mean[part], mean)
        scores /= np.outer(spread[part], spread)
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -1
        chosen = np.argpartition(-scores, ITEM_NEIGHBOURS, axis=1)[:, :ITEM_NEIGHBOURS]
        values = np.take_along_axis(scores, chosen, axis=1)
        order = np.argsort(-values, axis=1)
        found.append(enough[np.take_along_axis(chosen, order, axis=1)])
        alike.append(np.take_along_axis(values, order, axis=1))
    return enough, np.concatenate(found), np.concatenate(alike)


def content_similarity(items: pd.DataFrame, block: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of all items by TF-IDF over their attributes, a thousand items at a time, and how alike they are.

    The whole product would be 92,000 x 92,000; so it is taken in blocks of rows, each made dense to pick from.
    """
    text = items["department"] + " " + items["brand"] + " " + items["category"] + " " + items["product_type"]
    vectors = TfidfVectorizer(dtype=np.float32).fit_transform(text + " " + items["package_size"])
    found = np.empty((len(items), CONTENT_NEIGHBOURS), dtype=np.int32)
    alike = np.empty((len(items), CONTENT_NEIGHBOURS), dtype=np.float32)
    for start in range(0, len(items), block):
        scores = (vectors[start : start + block] @ vectors.T).toarray()
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -1
        chosen = np.argpartition(-scores, CONTENT_NEIGHBOURS, axis=1)[:, :CONTENT_NEIGHBOURS]
        values = np.take_along_axis(scores, chosen, axis=1)
        order = np.argsort(-values, axis=1)
        found[start : start + block] = np.take_along_axis(chosen, order, axis=1)
        alike[start : start + block] = np.take_along_axis(values, order, axis=1)
    return found, alike


def segments(lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """RFM, standardised, and k-means with the k whose clusters come out the same on bootstrap samples."""
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
    dice = np.random.default_rng(0)
    fits = {k: KMeans(k, n_init=10, random_state=0).fit(features) for k in SEGMENTS}
    stability = {}
    for k, fit in fits.items():
        agreement = []
        for _ in range(BOOTSTRAPS):
            sample = features[dice.integers(0, len(features), len(features))]
            again = KMeans(k, n_init=2, random_state=0).fit(sample).predict(features)
            agreement.append(adjusted_rand_score(fit.labels_, again))
        stability[k] = np.mean(agreement)
    best = fits[max(stability, key=lambda k: stability[k])]
    return customers.join(scores.add_suffix("_score")).reset_index(), pd.Series(best.labels_, customers.index)


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


def stored_rules(rules: pd.DataFrame) -> pd.DataFrame:
    """Rules with lists in place of frozen sets, which no database knows."""
    return rules.assign(antecedents=rules["antecedents"].map(sorted), consequents=rules["consequents"].map(sorted))


def main(folder: Path, target: Path) -> None:
    """Do all of it, stage by stage."""
    store = Store(target)
    with stage("load and clean"):
        lines, items = load(folder, store)
    with stage("interactions"):
        store.put("interactions", fold(lines))
        customers = pd.Index(np.sort(lines["customer_id"].unique()))
        bought = pd.Index(np.sort(lines["item_id"].unique()))
        matrix = interaction_matrix(lines, customers, bought)
    with stage("customer similarity"):
        neighbours = customer_similarity(matrix)
        rows = [neighbour_rows(customers, *found, method) for method, found in neighbours.items()]
        store.put("customer_neighbours", pd.concat(rows))
    with stage("item similarity"):
        _, found, alike = item_similarity(matrix)
        enough, correlated, correlation = item_correlation(matrix)
        places = np.zeros((len(bought), ITEM_NEIGHBOURS), dtype=np.int64)
        values = np.zeros((len(bought), ITEM_NEIGHBOURS), dtype=np.float32)
        places[enough], values[enough] = correlated, correlation
        by_customers = neighbour_rows(bought, found, alike, "cosine")
        rows = [by_customers, neighbour_rows(bought, places, values, "pearson")]
        store.put("item_neighbours", pd.concat(rows))
    with stage("content similarity"):
        found, alike = content_similarity(items)
        by_content = neighbour_rows(pd.Index(items["item_id"]), found, alike, "content")
        store.put("content_neighbours", by_content)
    with stage("segments"):
        features, labels = segments(lines)
        store.put("customer_features", features)
        store.put("customer_segments", labels.rename("segment").reset_index())
        store.put("segment_profiles", features.assign(segment=labels.to_numpy()).groupby("segment").mean())
    with stage("rules"):
        known = lines[lines["category"] != "unknown"]
        by_category = basket_rules(known, "category", CATEGORY_SUPPORT, CATEGORY_CONFIDENCE)
        by_item = basket_rules(lines, "item_id", ITEM_SUPPORT, ITEM_CONFIDENCE)
        store.put("rules", pd.concat([stored_rules(by_category), stored_rules(by_item)]))
    with stage("recommendations"):
        store.put("recommendations", reasoned_lists(lines, matrix, neighbours["cosine"], customers, bought))
        store.put("similar_items", related(by_customers, by_content))
        store.put("bought_together", together(by_item))
        store.put("popular_items", popular(lines, labels))
    with stage("evaluation"):
        cut = lines["occurred_at"].max().normalize() + pd.Timedelta(days=1 - HORIZON_DAYS)
        past, future = lines[lines["occurred_at"] < cut], lines[lines["occurred_at"] >= cut]
        trained = interaction_matrix(past, customers, bought)
        figures = evaluate(
            trained,
            interaction_matrix(future, customers, bought),
            customer_similarity(trained),
            item_similarity(trained)[0],
            basket_rules(past, "item_id", ITEM_SUPPORT, ITEM_CONFIDENCE),
            bought,
        )
        store.put("metrics", figures.reset_index())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "total_seconds": sum(seconds.values()), "peak_mib": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
