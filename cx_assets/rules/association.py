"""Rules from frequent itemsets: what follows from what, and how strongly.

Belongs here: the candidate rules of a set of itemsets with their figures, by mlxtend. Does not: which of them hold
(`fisher`, `redundancy`) or are wanted (`mining`).
"""

import warnings
from typing import Any

import pandas as pd

with warnings.catch_warnings():
    # Its import makes Python show every deprecation of the whole process.
    from mlxtend.frequent_patterns import association_rules

FIGURES = ["support", "confidence", "lift", "leverage", "conviction"]


def candidate_rules(itemsets: pd.DataFrame, baskets: int) -> pd.DataFrame:
    """Every rule with one consequent that the itemsets give.

    With A and C the shares of baskets that hold the antecedent and the consequent, and B the share that hold both:
    support = B, confidence = B / A, lift = B / (A C), leverage = B - A C, conviction = (1 - C) / (1 - B / A).

    Args:
        itemsets: itemset (list of things), baskets, customers; each set unique and all its subsets there too.
        baskets: how many baskets there are in all.

    Returns:
        antecedent, consequent (frozensets), the figures (conviction is infinite at confidence 1), baskets and customers
        of both sides together, antecedent_baskets, consequent_baskets. No row if no itemset has two things.

    Source: Agrawal, Imielinski & Swami (1993), support and confidence; Brin, Motwani, Ullman & Tsur (1997), lift and
        conviction; Piatetsky-Shapiro (1991), leverage.
    """
    sets = pd.Series([frozenset(itemset) for itemset in itemsets["itemset"]], dtype=object)
    if not (sets.map(len) > 1).any():
        counts = ["baskets", "customers", "antecedent_baskets", "consequent_baskets"]
        return pd.DataFrame(columns=["antecedent", "consequent", *FIGURES, *counts])
    supports = pd.DataFrame({"itemsets": sets, "support": itemsets["baskets"].to_numpy() / baskets})
    # Any support will do: significance is judged over all the rules that were looked at, so none is left out before.
    rules: pd.DataFrame = association_rules(
        supports, num_itemsets=baskets, metric="support", min_threshold=0.0, return_metrics=FIGURES
    ).rename(columns={"antecedents": "antecedent", "consequents": "consequent"})
    rules = rules[rules["consequent"].map(len) == 1].reset_index(drop=True)
    counted = pd.DataFrame({"baskets": itemsets["baskets"].to_numpy(), "customers": itemsets["customers"].to_numpy()})
    position: dict[Any, int] = {itemset: row for row, itemset in enumerate(sets)}
    both = [position[a | c] for a, c in zip(rules["antecedent"], rules["consequent"], strict=True)]
    held = counted["baskets"].to_numpy()
    return rules.assign(
        baskets=held[both],
        customers=counted["customers"].to_numpy()[both],
        antecedent_baskets=held[rules["antecedent"].map(position)],
        consequent_baskets=held[rules["consequent"].map(position)],
    )
