"""From baskets to itemsets to rules: the steps put together, with what is asked of each.

Belongs here: the settings, the order of the steps, and the frames that come out. Does not: the steps themselves
(`hmine`, `counting`, `association`, `fisher`, `redundancy`).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.rules.association import FIGURES, candidate_rules
from cx_assets.rules.baskets import PURCHASES, BasketMatrix, item_baskets
from cx_assets.rules.counting import count_sets
from cx_assets.rules.fisher import fisher_p_values, q_values
from cx_assets.rules.hmine import frequent_sets
from cx_assets.rules.redundancy import redundant
from cx_assets.table import Table

ITEMSET_COLUMNS = ["itemset", "size", "support", "baskets", "customers"]
RULE_COLUMNS = ["antecedent", "consequent", *FIGURES, "baskets", "customers", "p_value", "q_value"]


@dataclass(frozen=True)
class RuleSettings:
    """What is asked of itemsets and rules at one level.

    Attributes:
        min_support: the least support of an itemset: a share of the baskets if below 1, else a number of baskets.
        max_size: the most things in an itemset.
        min_customers: the least number of distinct customers behind an itemset or rule.
        min_confidence: the least confidence of a rule.
        fdr: the false discovery rate: the highest q-value of a rule.
        event_types: the types of event that put an item into a basket.
    """

    min_support: float
    max_size: int = 3
    min_customers: int = 10
    min_confidence: float = 0.1
    fdr: float = 0.05
    event_types: tuple[str, ...] = PURCHASES

    def min_baskets(self, baskets: int) -> int:
        """The least number of baskets behind an itemset, of `baskets` in all.

        A customer needs a basket to stand behind an itemset, so it is never below `min_customers`. That also keeps a
        share of a small dataset from meaning one basket, of which every combination of things would be frequent.
        """
        asked = math.ceil(self.min_support * baskets) if self.min_support < 1 else math.ceil(self.min_support)
        return max(asked, self.min_customers, 1)


CATEGORY_SETTINGS = RuleSettings(min_support=0.01, min_confidence=0.2)
ITEM_SETTINGS = RuleSettings(min_support=0.0005, min_confidence=0.1)


@dataclass(frozen=True)
class RuleSet:
    """What mining finds at one level.

    Attributes:
        itemsets: itemset (sorted list), size, support, baskets, customers; by size, then baskets, then things.
        rules: antecedent, consequent (sorted lists), support, confidence, lift, leverage, conviction (nan: infinite),
            baskets, customers, p_value, q_value; by lift, then support, then things.
    """

    itemsets: pd.DataFrame
    rules: pd.DataFrame


def mine_rules(
    baskets: csr_matrix, things: NDArray[Any], customers_of_basket: NDArray[np.int32], settings: RuleSettings
) -> RuleSet:
    """Itemsets and rules of a set of baskets.

    Args:
        baskets: bool CSR of shape (baskets, things), no explicit False.
        things: shape (things,), ascending, unique.
        customers_of_basket: shape (baskets,): whose basket it is, as numbers from 0.
        settings: what is asked of them.
    """
    itemsets = mine_itemsets(BasketMatrix(baskets, things, customers_of_basket), settings)
    return RuleSet(itemsets, rules_from_itemsets(itemsets, baskets.shape[0], settings))


def mine_item_rules(events: Table, settings: RuleSettings = ITEM_SETTINGS) -> pd.DataFrame:
    """The item-level rules of some events: of all, or of those before a cut for a model that is judged after it.

    Args:
        events: at least event_type, basket_id, customer_id, item_id.
        settings: what is asked of itemsets and rules.

    Returns:
        As `RuleSet.rules`.
    """
    by_item = item_baskets(events, settings.event_types)
    return mine_rules(by_item.matrix, by_item.things, by_item.customers, settings).rules


def mine_itemsets(baskets: BasketMatrix, settings: RuleSettings) -> pd.DataFrame:
    """The frequent itemsets of some baskets, as `RuleSet.itemsets`.

    Too few customers behind a set means too few behind any larger one, so what is left still holds all subsets of
    each of its sets.
    """
    total = baskets.matrix.shape[0]
    frames = []
    for members in frequent_sets(baskets.matrix, settings.min_baskets(total), settings.max_size):
        held, customers = count_sets(baskets, members)
        enough = customers >= settings.min_customers
        frames.append(
            pd.DataFrame(
                {
                    "itemset": [baskets.things[row].tolist() for row in members[enough]],
                    "size": members.shape[1],
                    "support": held[enough] / total,
                    "baskets": held[enough],
                    "customers": customers[enough],
                }
            ).sort_values("baskets", ascending=False, kind="stable")
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=ITEMSET_COLUMNS)


def rules_from_itemsets(itemsets: pd.DataFrame, baskets: int, settings: RuleSettings) -> pd.DataFrame:
    """The rules that itemsets of one level support, as `RuleSet.rules`.

    The false discovery rate is taken over every rule with one consequent that the itemsets give, before any is left out
    for its confidence or as redundant: those left over look good because they were chosen.

    Args:
        itemsets: as `RuleSet.itemsets`, with all subsets of each set.
        baskets: how many baskets there are in all.
        settings: what is asked of rules.
    """
    found = candidate_rules(itemsets, baskets)
    both, antecedent, consequent = (
        found[c].to_numpy(dtype=np.int64) for c in ("baskets", "antecedent_baskets", "consequent_baskets")
    )
    p_values = fisher_p_values(both, antecedent, consequent, baskets)
    found = found.assign(p_value=p_values, q_value=q_values(p_values))
    kept = found[
        (found["q_value"] <= settings.fdr)
        & (found["confidence"] >= settings.min_confidence)
        & (found["customers"] >= settings.min_customers)
        & ~redundant(found, baskets)
    ]
    kept = kept.assign(
        antecedent=kept["antecedent"].map(sorted),
        consequent=kept["consequent"].map(sorted),
        conviction=kept["conviction"].astype(np.float64).replace(np.inf, np.nan),
    )
    lift, support, *sides = (kept[c].tolist() for c in ("lift", "support", "antecedent", "consequent"))
    ordered = sorted(range(len(kept)), key=lambda r: (-lift[r], -support[r], *(side[r] for side in sides)))
    return kept.iloc[ordered][RULE_COLUMNS].reset_index(drop=True)
