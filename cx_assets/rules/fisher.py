"""Significance of rules: could the two sides meet this often by chance?

Belongs here: Fisher's exact test for many rules at once and the false discovery rate over them. Does not: which rules
to look at (`association`).

The test takes baskets as independent. Baskets of one customer aren't quite, so a p-value flatters a rule that few
customers stand behind: read it beside the number of customers.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, hypergeom

Counts = NDArray[np.int64]


def fisher_p_values(both: Counts, antecedent: Counts, consequent: Counts, baskets: int) -> NDArray[np.float64]:
    """One-sided p-values of Fisher's exact test: the chance of at least `both` baskets if the sides were independent.

    Args:
        both: shape (rules,): baskets that hold antecedent and consequent.
        antecedent: shape (rules,): baskets that hold the antecedent.
        consequent: shape (rules,): baskets that hold the consequent.
        baskets: how many baskets there are in all.

    Returns:
        Shape (rules,). With the margins fixed, the overlap is hypergeometric; a p-value below the smallest double is 0.

    Source: Fisher (1935); for rules: Webb (2007), "Discovering significant patterns", section 3.
    """
    if not len(both):
        return np.zeros(0)
    return np.asarray(hypergeom.sf(both - 1, baskets, consequent, antecedent), dtype=np.float64)


def q_values(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest false discovery rate at which each hypothesis would be accepted.

    Args:
        p_values: shape (hypotheses,), of all that were tested, not only of those that look well.

    Source: Benjamini & Hochberg (1995), "Controlling the false discovery rate".
    """
    if not len(p_values):
        return np.zeros(0)
    # scipy refuses a p-value that rounding has put a hair outside 0 to 1.
    return np.asarray(false_discovery_control(np.clip(p_values, 0.0, 1.0), method="bh"), dtype=np.float64)
