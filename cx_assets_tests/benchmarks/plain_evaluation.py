"""The plain script's evaluation: seven recommenders scored on the last 28 days, in blocks of customers.

Belongs here: what `plain_script` needs to score and judge. Does not: anything of the project that it is compared with.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

Neighbours = tuple[np.ndarray, np.ndarray]
CUTS = (5, 10, 20)
DISCOUNTS = 1 / np.log2(np.arange(2, max(CUTS) + 2))
BLOCK = 500


def score_customer_knn(matrix: csr_matrix, neighbours: Neighbours, customers: np.ndarray) -> csr_matrix:
    """What the neighbours bought, weighted by how alike they are."""
    who, alike = neighbours[0][customers], neighbours[1][customers]
    rows = np.repeat(np.arange(len(customers)), who.shape[1])
    weights = csr_matrix((alike.ravel(), (rows, who.ravel())), shape=(len(customers), matrix.shape[0]))
    return weights @ matrix


def score_rules(matrix: csr_matrix, rules: pd.DataFrame, bought: pd.Index, customers: np.ndarray) -> csr_matrix:
    """The best confidence of a rule whose antecedent the customer has bought."""
    scores = np.zeros((len(customers), matrix.shape[1]), dtype=np.float32)
    had = matrix[customers].tocsc() > 0
    index = {str(item): position for position, item in enumerate(bought)}
    for antecedent, consequent, confidence in zip(
        rules["antecedents"], rules["consequents"], rules["confidence"], strict=True
    ):
        held = had[:, [index[item] for item in antecedent]].sum(axis=1).A1
        who = held == len(antecedent)
        column = index[next(iter(consequent))]
        scores[who, column] = np.maximum(scores[who, column], confidence)
    return csr_matrix(scores)


def top_items(items: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray:
    """The k items with the highest scores, best first."""
    if len(items) > k:
        chosen = np.argpartition(-scores, k)[:k]
        items, scores = items[chosen], scores[chosen]
    return items[np.argsort(-scores, kind="stable")]


def metrics(shown: np.ndarray, relevant: set[int], k: int) -> dict[str, float]:
    """The usual figures of one customer's list at k."""
    ranks = np.array([place for place, item in enumerate(shown[:k].tolist(), start=1) if item in relevant])
    found = len(ranks)
    precision, recall = found / k, found / len(relevant)
    ideal = DISCOUNTS[: min(k, len(relevant))].sum()
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if found else 0.0,
        "ndcg": DISCOUNTS[ranks - 1].sum() / ideal if found else 0.0,
        "map": (np.arange(1, found + 1) / ranks).sum() / min(k, len(relevant)) if found else 0.0,
        "mrr": 1 / ranks[0] if found else 0.0,
        "hit_rate": float(found > 0),
    }


def evaluate(
    trained: csr_matrix,
    future: csr_matrix,
    neighbours: dict[str, Neighbours],
    item_model: CosineRecommender,
    rules: pd.DataFrame,
    bought: pd.Index,
) -> pd.DataFrame:
    """Every recommender's figures on both kinds of items, for the list of repeats, of discoveries and of both."""
    dice = np.random.default_rng(0)
    popularity = np.asarray((trained > 0).sum(axis=0)).ravel().astype(np.float32)
    recommenders: dict[str, Callable[[np.ndarray], csr_matrix | np.ndarray]] = {
        "random": lambda who: dice.random((len(who), trained.shape[1]), dtype=np.float32),
        "popularity": lambda who: np.broadcast_to(popularity, (len(who), len(popularity))),
        "personal frequency": lambda who: trained[who],
        "customer knn cosine": lambda who: score_customer_knn(trained, neighbours["cosine"], who),
        "customer knn pearson": lambda who: score_customer_knn(trained, neighbours["pearson"], who),
        "item knn": lambda who: trained[who] @ item_model.similarity,
        "rules": lambda who: score_rules(trained, rules, bought, who),
    }
    judged = np.flatnonzero((np.diff(future.indptr) > 0) & (np.diff(trained.indptr) > 0))
    everything = np.arange(trained.shape[1])
    rows = []
    for name, score in recommenders.items():
        for start in range(0, len(judged), BLOCK):
            customers = judged[start : start + BLOCK]
            scores, had = score(customers), trained[customers].toarray() > 0
            for row, customer in enumerate(customers):
                if isinstance(scores, np.ndarray):
                    items, values = everything, scores[row]
                else:
                    part = slice(scores.indptr[row], scores.indptr[row + 1])
                    items, values = scores.indices[part], scores.data[part]
                taken = future.indices[future.indptr[customer] : future.indptr[customer + 1]]
                for kind, allowed in (("both", None), ("repeat", had[row]), ("discovery", ~had[row])):
                    keep = slice(None) if allowed is None else allowed[items]
                    relevant = set((taken if allowed is None else taken[allowed[taken]]).tolist())
                    if not relevant:
                        continue
                    shown = top_items(items[keep], values[keep], max(CUTS))
                    rows += [{"recommender": name, "list": kind, "k": k, **metrics(shown, relevant, k)} for k in CUTS]
    return pd.DataFrame(rows).groupby(["recommender", "list", "k"]).mean()
