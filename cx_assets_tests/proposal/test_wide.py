"""Items of an order that stand side by side in its row are each read, and columns that are only numbered are none."""

from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import SURE, SourceProposal
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed
from cx_assets_tests.ingestion.sources import events

ORDERS = 120


def items_of(order: int) -> list[tuple[str, int, float]]:
    """One to three different items of an order: which, how many, the price of one."""
    return [(f"sku-{(order * 3 + n * 5) % 23}", n + 1, 2.5 + order % 7 + n) for n in range(order % 3 + 1)]


def source_of(folder: Path, names: str) -> SourceProposal:
    """What is proposed for orders with room for three items each; names are those of one, with a # for its number."""
    rows = []
    for order in range(ORDERS):
        cells = [str(cell) for item in items_of(order) for cell in item] + [""] * 3 * (2 - order % 3)
        total = sum(pieces * price for _, pieces, price in items_of(order))
        rows.append(",".join([str(order), f"2025-03-{order % 28 + 1:02} 10:{order % 60:02}", f"c{order % 17}", *cells]))
        rows[-1] += f",{total}"
    header = ["order_id", "ordered_at", "customer_id", *(names.replace("#", str(n)) for n in (1, 2, 3)), "order_total"]
    (folder / "orders.csv").write_text("\n".join([",".join(header), *rows]) + "\n", "utf-8")
    proposal, _ = proposed("my_shop", files_named([str(folder)]))
    (folder / "my_shop.yaml").write_text(manifest_text(proposal), "utf-8")
    (source,) = proposal.of("events")
    return source


@pytest.mark.parametrize(
    "names", ["item#,qty#,price#", "Product #,Quantity #,Unit price #", "sku_#,sku_#_qty,sku_#_price"]
)
def test_each_item_of_a_row_is_an_event(tmp_path: Path, names: str) -> None:
    source = source_of(tmp_path, names)
    value = source.guess("value")
    assert value is not None
    assert value.sureness >= SURE
    dataset = load_dataset(str(tmp_path / "my_shop.yaml"))
    assert problems(dataset) == []
    read = events(duckdb.connect(), dataset, "basket_id", "item_id", "quantity::int", "value::double")
    sold = [(str(n), sku, pieces, pieces * price) for n in range(ORDERS) for sku, pieces, price in items_of(n)]
    assert sorted(read) == sorted(sold)
    assert any("seem to be the items of one order" in note for note in source.notes)


def test_columns_that_hold_other_things_than_one_another_are_no_items(tmp_path: Path) -> None:
    rows = [f"{n},2025-03-{n % 28 + 1:02} 10:00,c{n % 17},sku-{n % 23},art-{n % 5},5.5" for n in range(ORDERS)]
    (tmp_path / "orders.csv").write_text(
        "\n".join(["order_id,ordered_at,customer_id,article1,article2,amount", *rows]) + "\n", "utf-8"
    )
    proposal, _ = proposed("my_shop", files_named([str(tmp_path)]))
    (source,) = proposal.of("events")
    assert source.group.unnest is None
