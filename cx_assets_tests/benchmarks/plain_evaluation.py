"""The plain script's evaluation: seven recommenders scored on the last 28 days, in blocks of customers.

Belongs here: what `plain_script` needs to score and judge. Does not: anything of the project, with which it is compared.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

Neighbours = tuple[np.ndarray, np.ndarray]
CUTS = (5, 10, 20)
BLOCK = 500


def score_customer_knn(matrix: csr_matrix, neighbours: Neighbours, customers: np.ndarray) -> np.ndarray:
    """Dense scores: what the neighbours bought, weighted by how alike they are."""
    who, alike = neighbours[0][customers], neighbours[1][customers]
    rows = np.repeat(np.arange(len(customers)), who.shape[1])
    weights = csr_matrix((alike.ravel(), (rows, who.ravel())), shape=(len(customers), matrix.shape[0]))
    return (weights @ matrix).toarray()


def top_items(scores: np.ndarray, k: int) -> np.ndarray:
    """The k best columns of each row, best first."""
    chosen = np.argpartition(-scores, k, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def metrics(shown: np.ndarray, relevant: set[int], k: int) -> dict[str, float]:
    """The usual figures of one customer's list at k."""
    hits = np.array([item in relevant for item in shown[:k]], dtype=float)
    found = hits.sum()
    discounts = 1 / np.log2(np.arange(2, k + 2))
    precision, recall = found / k, found / len(relevant)
    ranks = np.flatnonzero(hits) + 1
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if found else 0.0,
        "ndcg": (hits * discounts).sum() / discounts[: min(k, len(relevant))].sum(),
        "map": (np.arange(1, len(ranks) + 1) / ranks).sum() / min(k, len(relevant)),
        "mrr": 1 / ranks[0] if len(ranks) else 0.0,
        "hit_rate": float(found > 0),
    }


def score_rules(matrix: csr_matrix, rules: pd.DataFrame, bought: pd.Index, customers: np.ndarray) -> np.ndarray:
    """Dense scores: the best confidence of a rule whose antecedent the customer has bought."""
    scores = np.zeros((len(customers), matrix.shape[1]), dtype=np.float32)
    had = matrix[customers].tocsc() > 0
    index = {str(item): position for position, item in enumerate(bought)}
    for antecedent, consequent, confidence in zip(
        rules["antecedents"], rules["consequents"], rules["confidence"], strict=True
    ):
        who = had[:, [index[item] for item in antecedent]].sum(axis=1).A1 == len(antecedent)
        column = index[next(iter(consequent))]
        scores[who, column] = np.maximum(scores[who, column], confidence)
    return scores


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
    recommenders: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "random": lambda who: dice.random((len(who), trained.shape[1]), dtype=np.float32),
        "popularity": lambda who: np.tile(popularity, (len(who), 1)),
        "personal frequency": lambda who: trained[who].toarray(),
        "customer knn cosine": lambda who: score_customer_knn(trained, neighbours["cosine"], who),
        "customer knn pearson": lambda who: score_customer_knn(trained, neighbours["pearson"], who),
        "item knn": lambda who: (trained[who] @ item_model.similarity).toarray(),
        "rules": lambda who: score_rules(trained, rules, bought, who),
    }
    judged = np.flatnonzero((np.diff(future.indptr) > 0) & (np.diff(trained.indptr) > 0))
    rows = []
    for name, score in recommenders.items():
        for start in range(0, len(judged), BLOCK):
            customers = judged[start : start + BLOCK]
            scores = score(customers)
            had = trained[customers].toarray() > 0
            for kind, allowed in (("both", None), ("repeat", had), ("discovery", ~had)):
                shown = top_items(scores if allowed is None else np.where(allowed, scores, -np.inf), max(CUTS))
                for row, customer in enumerate(customers):
                    taken = future.indices[future.indptr[customer] : future.indptr[customer + 1]]
                    relevant = set(taken if allowed is None else taken[allowed[row, taken]])
                    if relevant:
                        rows += [
                            {"recommender": name, "list": kind, "k": k, **metrics(shown[row], relevant, k)} for k in CUTS
                        ]
    return pd.DataFrame(rows).groupby(["recommender", "list", "k"]).mean()
