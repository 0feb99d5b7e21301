"""Every law passes on what the methods make, and fails on what it is there to find."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix, random_array

from cx_assets.similarity import checks, top_k_cosine, top_k_pearson
from cx_assets.table import Table

LAWS = {
    "others": ("others_within_bounds", "are_others_within_bounds"),
    "ranks": ("ranks_are_complete", "ranks_are_complete"),
    "symmetric": ("symmetric", "are_symmetric"),
}
MakeTable = Callable[[pd.DataFrame], Table]


def neighbours() -> pd.DataFrame:
    values = csr_matrix(random_array((30, 15), density=0.4, rng=np.random.default_rng(2)).astype(np.float32))
    ids = [f"c{n:02}" for n in range(30)]
    return pd.concat([found(values, 5).to_frame(ids, "customer_id") for found in (top_k_cosine, top_k_pearson)])


@pytest.mark.parametrize("law", LAWS)
def test_true_neighbours_keep_every_law(tables: MakeTable, law: str) -> None:
    verdict = getattr(checks, LAWS[law][0])(tables(neighbours()), "customer_id")
    assert verdict.passed, verdict.description


@pytest.mark.parametrize(
    ("law", "column", "value"),
    [
        ("others", "neighbour_id", "c00"),
        ("others", "similarity", 1.01),
        ("others", "similarity", -0.5),
        ("others", "similarity", np.inf),
        ("ranks", "rank", 3),
        ("ranks", "rank", 0),
        ("ranks", "similarity", 0.001),
        ("symmetric", "similarity", 0.123),
    ],
)
@pytest.mark.parametrize("asset", ["customer_neighbours", "item_neighbours", "content_neighbours"])
def test_a_wrong_row_breaks_its_law(tables: MakeTable, asset: str, law: str, column: str, value: object) -> None:
    id_column = "customer_id" if asset == "customer_neighbours" else "item_id"
    rows = neighbours().query("method == 'cosine'").reset_index(drop=True)
    mutual = rows.merge(rows, left_on=["customer_id", "neighbour_id"], right_on=["neighbour_id", "customer_id"])
    first = mutual.iloc[0]
    at = rows.index[(rows["customer_id"] == first["customer_id_x"]) & (rows["neighbour_id"] == first["neighbour_id_x"])]
    if column == "neighbour_id":
        value = first["customer_id_x"]
    rows.loc[at, column] = value
    check = getattr(checks, f"{asset}_{LAWS[law][1]}")
    verdict = check(**{asset: tables(rows.rename(columns={"customer_id": id_column}))})
    assert not verdict.passed
    assert "Materialize" in str(verdict.description)
