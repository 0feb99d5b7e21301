"""What customers are compared by: how much they like each item, as far as the data tell.

Belongs here: choosing between ratings and counts, and the matrix of the chosen. Does not: comparing (`cosine`,
`pearson`).
"""

from typing import Literal

import numpy as np

from cx_assets.matrices.matrix import InteractionMatrix
from cx_assets.table import Table, sql

Basis = Literal["auto", "ratings", "counts", "weight"]

# Below this share of rated interactions the ratings leave out most of what is known of most customers.
MOSTLY_RATED = 0.5


def cosine_basis(interactions: Table, wanted: Basis) -> Basis:
    """What cosine compares: as `wanted`, or for `auto` ratings if most interactions have one, else counts.

    Args:
        interactions: rows of matrices.interactions.
        wanted: auto, or one of the bases of `tastes`.
    """
    if wanted != "auto":
        return wanted
    rated, all_of_them = sql("select count(rating), count(*) from interactions", interactions=interactions).fetchone()
    return "ratings" if all_of_them and rated >= MOSTLY_RATED * all_of_them else "counts"


def pearson_basis(interactions: Table) -> Basis:
    """What Pearson compares: ratings if there is any, else counts."""
    rated = sql("select count(rating) from interactions", interactions=interactions).fetchone()[0]
    return "ratings" if rated else "counts"


def tastes(interactions: Table, basis: Basis) -> InteractionMatrix:
    """The matrix of what is compared, customers x items.

    Args:
        interactions: rows of matrices.interactions.
        basis: `ratings`, the mean rating of those that have one; if the scale goes down to 0 or below, all are raised
            so that the lowest is 1, since 0 in a sparse matrix means that there is none. `counts`, log(1 + number of
            events): the tenth purchase tells less than the second. `weight`, the interactions' decayed weight.

    Raises:
        ValueError: if `basis` is none of them.
    """
    if basis == "weight":
        return InteractionMatrix.from_table(interactions, "weight")
    if basis == "counts":
        counts = InteractionMatrix.from_table(interactions, "events")
        np.log1p(counts.matrix.data, out=counts.matrix.data)
        return counts
    if basis != "ratings":
        raise ValueError(f"basis must be ratings, counts or weight; it is {basis!r}")
    lowest = sql("select min(rating) from interactions", interactions=interactions).fetchone()[0]
    raised = 1.0 - lowest if lowest is not None and lowest <= 0 else 0.0
    rows = sql(
        f"select customer_id, item_id, rating + {raised!r} as rating from interactions", interactions=interactions
    )
    return InteractionMatrix.from_table(rows, "rating")
