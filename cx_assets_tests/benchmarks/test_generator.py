from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_assets.dataset import load_dataset
from cx_assets_tests.benchmarks.generator import JITTER_DAYS, clone, replicate, write_manifest


@pytest.fixture
def purchases():
    lines = 400
    return pa.table(
        {
            "household_id": pa.array(np.arange(lines) // 40 + 1, pa.int64()),
            "basket_id": pa.array(np.arange(lines) // 4 + 1000, pa.int64()),
            "product_id": pa.array(np.arange(lines) % 37, pa.int64()),
            "quantity": pa.array(np.ones(lines), pa.int64()),
            "transaction_timestamp": pa.array(
                [datetime(2017, 1 + n // 40, 1 + (n // 4) % 10, 12) for n in range(lines)], pa.timestamp("us")
            ),
        }
    )


def test_a_factor_multiplies_lines_customers_and_baskets(purchases, tmp_path):
    replicate(purchases, 3, tmp_path / "t.parquet")

    larger = pq.read_table(tmp_path / "t.parquet")

    assert larger.schema == purchases.schema
    assert larger.num_rows == 3 * purchases.num_rows
    for column in ("household_id", "basket_id"):
        assert len(larger[column].unique()) == 3 * len(purchases[column].unique())


def test_a_clone_stays_near_the_original_but_is_not_the_same(purchases):
    other = clone(purchases, 1)
    swapped = np.mean(other["product_id"].to_numpy() != purchases["product_id"].to_numpy())
    moved = other["transaction_timestamp"].to_numpy() - purchases["transaction_timestamp"].to_numpy()

    assert 0 < swapped < 0.2
    assert 0 < np.abs(moved).max() <= np.timedelta64(JITTER_DAYS, "D")
    assert set(other["product_id"].to_pylist()) <= set(purchases["product_id"].to_pylist())


def test_a_basket_stays_together_and_inside_the_datasets_days(purchases):
    other = clone(purchases, 2)
    times, baskets = other["transaction_timestamp"].to_numpy(), other["basket_id"].to_numpy()
    original = purchases["transaction_timestamp"].to_numpy()

    assert times.min() >= original.min()
    assert times.max() <= original.max()
    assert all(len(set(times[baskets == basket])) == 1 for basket in set(baskets.tolist()))


def test_clones_differ_from_each_other_and_come_out_the_same_again(purchases):
    assert clone(purchases, 1) == clone(purchases, 1)
    assert clone(purchases, 1)["product_id"] != clone(purchases, 2)["product_id"]


def test_a_factor_below_one_is_refused(purchases, tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        replicate(purchases, 0, tmp_path / "t.parquet")


def test_the_manifest_is_valid_and_points_to_the_larger_file(purchases, tmp_path):
    replicate(purchases, 2, tmp_path / "transactions.parquet")

    dataset = load_dataset(str(write_manifest(2, tmp_path)))

    assert dataset.name == "complete_journey_x2"
    assert dataset.events[0].source.paths(dataset.folder) == [tmp_path / "transactions.parquet"]
