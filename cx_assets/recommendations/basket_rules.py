"""Basket rules: whoever has had the one side of a rule is offered the other.

Belongs here: which rules apply to a customer, and scoring by them. Does not: mining rules (`rules`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.sparse import ranges, row_of_entry


@dataclass(frozen=True)
class RuleBook:
    """Rules over the positions of items.

    Attributes:
        antecedents: float32 CSR of shape (rules, items): 1 where the item is in the antecedent.
        sizes: float32, shape (rules,): items in the antecedent.
        consequent: shape (rules,): the item that follows.
        confidence: float32, shape (rules,).
        lift: float32, shape (rules,).
    """

    antecedents: csr_matrix
    sizes: NDArray[np.float32]
    consequent: NDArray[np.intp]
    confidence: NDArray[np.float32]
    lift: NDArray[np.float32]

    def applying(self, had: csr_matrix) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row of `had` and rule, for each rule whose whole antecedent the row has had; by row, then rule.

        Args:
            had: float32 CSR of shape (n, items), 1 where had.
        """
        met = csr_matrix(had @ self.antecedents.T)
        met.sort_indices()
        rows, rules = row_of_entry(met), met.indices
        whole = met.data >= self.sizes[rules]
        return rows[whole], rules[whole].astype(np.intp)


def rule_book(rules: pd.DataFrame | None, items: NDArray[np.object_]) -> RuleBook:
    """Rules by the positions of their items.

    Args:
        rules: antecedent and consequent (lists of item ids), confidence, lift; None for no rules. A rule with several
            consequents is one rule for each.
        items: item_id, ascending.

    Raises:
        ValueError: if a rule names an item that isn't there.
    """
    if rules is None or rules.empty:
        rules = pd.DataFrame({"antecedent": [], "consequent": [], "confidence": [], "lift": []})
    single = rules[["antecedent", "consequent", "confidence", "lift"]].explode("consequent", ignore_index=True)
    index = pd.Index(items, dtype=object)
    sizes = single["antecedent"].map(len).to_numpy(dtype=np.intp)
    members = [item for antecedent in single["antecedent"] for item in antecedent]
    columns = index.get_indexer(pd.Index(members, dtype=object))
    consequent = index.get_indexer(pd.Index(single["consequent"].tolist(), dtype=object))
    if (columns < 0).any() or (consequent < 0).any():
        raise ValueError("a rule names an item that is not in the catalogue: mine rules from the same events and items")
    owner, _ = ranges(np.zeros(len(sizes), dtype=np.intp), sizes)
    return RuleBook(
        csr_matrix((np.ones(len(columns), np.float32), (owner, columns)), shape=(len(single), len(items))),
        sizes.astype(np.float32),
        consequent.astype(np.intp),
        single["confidence"].to_numpy(dtype=np.float32),
        single["lift"].to_numpy(dtype=np.float32),
    )


@dataclass
class BasketRules:
    """Items by the highest confidence of a rule that applies to the customer.

        score(c, i) = max over the rules A -> i with all of A had by c, of confidence(A -> i)

    Source: Sarwar, Karypis, Konstan & Riedl (2000), "Analysis of recommendation algorithms for e-commerce", section
        3.2.
    """

    name: str = "rules"
    book_: RuleBook = field(init=False, repr=False)
    had_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Take the rules of the training data; without rules nothing is offered."""
        self.book_ = rule_book(training.rules, training.interactions.items)
        self.had_ = training.had
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Highest confidence per item; as `Recommender.score`."""
        shape = (len(customers), self.had_.shape[1])
        rows, rules = self.book_.applying(self.had_[customers])
        if not len(rows):
            return csr_matrix(shape, dtype=np.float32)
        pair = rows * shape[1] + self.book_.consequent[rules]
        order = np.argsort(pair, kind="stable")
        starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
        best = np.maximum.reduceat(self.book_.confidence[rules][order], starts)
        row, item = np.divmod(pair[order][starts], shape[1])
        return csr_matrix((best, (row, item)), shape=shape)
