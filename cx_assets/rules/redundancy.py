"""Redundant rules: a longer rule that says no more than a shorter one.

Belongs here: the definition and the test. Does not: any other reason to leave a rule out (`mining`).
"""

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def redundant(rules: pd.DataFrame, baskets: int) -> NDArray[np.bool_]:
    """Which rules a more general rule makes superfluous.

    A rule A -> c is redundant if some rule A' -> c with A' a proper subset of A has at least its confidence. The
    empty A' counts: its confidence is the share of baskets that hold c, so a rule with a lift of at most 1 is
    redundant. In other words, a rule stays if its improvement, the least gain in confidence over all more general
    rules, is above zero.

    Args:
        rules: antecedent, consequent (frozensets), baskets, antecedent_baskets, consequent_baskets; with each rule, all
            rules that are more general must be there too, wanted or not.
        baskets: how many baskets there are in all.

    Returns:
        Shape (rules,), in the order of the rows.

    Source: Bayardo, Agrawal & Gunopulos (1999), "Constraint-based rule mining in large, dense databases", section 2
        (improvement); Balcazar (2010), "Redundancy, deduction schemes, and minimum-size bases for association rules".
    """
    # Confidence from whole counts: equal ratios then give equal doubles, which ratios of shares needn't.
    confidence = rules["baskets"].to_numpy(dtype=np.float64) / rules["antecedent_baskets"].to_numpy(dtype=np.float64)
    base = rules["consequent_baskets"].to_numpy(dtype=np.float64) / baskets
    verdict = np.zeros(len(rules), dtype=bool)
    best: dict[tuple[frozenset[str], frozenset[str]], float] = {}
    antecedents, consequents = rules["antecedent"].tolist(), rules["consequent"].tolist()
    for row in sorted(range(len(rules)), key=lambda r: len(antecedents[r])):
        antecedent, consequent = antecedents[row], consequents[row]
        # What a shorter antecedent reached already holds the best of everything below it.
        shorter = (frozenset(some) for some in combinations(antecedent, len(antecedent) - 1) if some)
        general = max([float(base[row]), *(best[some, consequent] for some in shorter)])
        verdict[row] = confidence[row] <= general
        best[antecedent, consequent] = max(general, float(confidence[row]))
    return verdict
