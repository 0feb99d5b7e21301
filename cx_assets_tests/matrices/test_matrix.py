from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cx_assets.matrices.matrix import InteractionMatrix
from cx_assets.table import Table

ROWS = pd.DataFrame(
    {
        "customer_id": ["b", "a", "b", "c"],
        "item_id": ["y", "x", "x", "z"],
        "weight": [2.0, 1.0, 3.0, 4.0],
        "rating": [None, 5.0, 0.0, 1.0],
    }
)


def test_rows_and_columns_are_in_ascending_order_of_their_ids() -> None:
    made = InteractionMatrix.from_frame(ROWS)
    assert made.customers.tolist() == ["a", "b", "c"]
    assert made.items.tolist() == ["x", "y", "z"]
    assert made.matrix.toarray().tolist() == [[1, 0, 0], [3, 2, 0], [0, 0, 4]]
    assert made.matrix.dtype == np.float32
    assert made.shape == (3, 3)


def test_a_table_and_a_frame_make_the_same_matrix(tables: Callable[[pd.DataFrame], Table]) -> None:
    from_table, from_frame = InteractionMatrix.from_table(tables(ROWS)), InteractionMatrix.from_frame(ROWS)
    assert (from_table.matrix != from_frame.matrix).nnz == 0
    assert from_table.customers.tolist() == from_frame.customers.tolist()


def test_a_missing_or_zero_value_fills_no_entry_but_keeps_its_place() -> None:
    made = InteractionMatrix.from_frame(ROWS, "rating")
    assert made.matrix.toarray().tolist() == [[5, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert made.matrix.nnz == 2


def test_an_unknown_id_has_position_minus_1() -> None:
    made = InteractionMatrix.from_frame(ROWS)
    assert made.customer_positions(["c", "nobody", "a"]).tolist() == [2, -1, 0]
    assert made.item_positions(iter(["z"])).tolist() == [2]
    assert made.item_positions([]).tolist() == []


def test_two_rows_for_one_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="1 rows repeat a customer and item"):
        InteractionMatrix.from_frame(pd.concat([ROWS, ROWS.head(1)]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_refused(tables: Callable[[pd.DataFrame], Table], value: float) -> None:
    rows = tables(pd.DataFrame({"customer_id": ["a"], "item_id": ["x"], "known": [True]}))
    bad = InteractionMatrix.from_table
    with pytest.raises(ValueError, match="not finite"):
        bad(Table(rows.connection, f"select *, cast('{value}' as double) as weight from ({rows.query})", rows.sources))


def test_no_rows_make_an_empty_matrix() -> None:
    assert InteractionMatrix.from_frame(ROWS.head(0)).shape == (0, 0)
