"""Where a row holds a list, such as the lines of an order, each element can be a row, and no row is lost by it."""

import json
from pathlib import Path

import duckdb
import pytest

from cx_assets.diagnosis.trial import tried_out
from cx_assets.ingestion.fitting import problems
from cx_assets.manifest import ManifestError
from cx_assets.settings import Settings
from cx_assets_tests.ingestion.sources import MAPPING, events, shop

LINES = (
    MAPPING.replace("item_id: what", "item_id: \"element ->> 'sku'\"")
    .replace("quantity: n", "quantity: \"element ->> 'n'\"")
    .replace("value: price", "value: \"element ->> 'price'\"")
)
ORDERS = [
    {
        "day": "2024-03-01",
        "who": "ann",
        "lines": [{"sku": "tea", "n": 1, "price": 2.5}, {"sku": "jam", "n": 2, "price": 6.5}],
    },
    {"day": "2024-03-02", "who": "bob", "lines": [{"sku": "tea", "n": 1, "price": 2.5}]},
]
BOUGHT = [("ann", "jam", "2", "6.5"), ("ann", "tea", "1", "2.5"), ("bob", "tea", "1", "2.5")]
TOLD = ("customer_id", "item_id", "quantity", "value")


def written(folder: Path, orders: list[dict[str, object]]) -> None:
    """Orders as JSON lines."""
    (folder / "orders.jsonl").write_text("\n".join(map(json.dumps, orders)) + "\n", "utf-8")


def test_each_line_of_a_nested_order_is_a_row(tmp_path: Path) -> None:
    written(tmp_path, ORDERS)
    dataset = shop(tmp_path, "{files: orders.jsonl, format: jsonl, unnest: lines}", mapping=LINES)
    assert problems(dataset) == []
    assert sorted(events(duckdb.connect(), dataset, *TOLD)) == BOUGHT


def test_lists_of_parquet_are_read_as_those_of_json(tmp_path: Path) -> None:
    written(tmp_path, ORDERS)
    duckdb.sql(f"copy (from read_json('{tmp_path}/orders.jsonl')) to '{tmp_path}/orders.parquet'")
    dataset = shop(tmp_path, "{files: orders.parquet, format: parquet, unnest: lines}", mapping=LINES)
    assert sorted(events(duckdb.connect(), dataset, *TOLD)) == BOUGHT
    with tried_out(dataset, Settings()) as trial:
        assert len(trial.tables["events"].df()) == len(BOUGHT)


def test_columns_that_are_numbered_can_be_made_a_list(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(
        "day,who,a1,n1,a2,n2\n2024-03-01,ann,jam,2,tea,1\n2024-03-02,bob,tea,1,,\n", "utf-8"
    )
    source = "{files: wide.csv, format: csv, unnest: '[{sku: a1, n: n1}, {sku: a2, n: n2}]'}"
    dataset = shop(tmp_path, f"{source}\n    where: \"element ->> 'sku' <> ''\"", mapping=LINES)
    assert sorted(events(duckdb.connect(), dataset, *TOLD[:3])) == [row[:3] for row in BOUGHT]


@pytest.mark.parametrize("lines", [[], None, "none"])
def test_a_row_without_elements_is_rejected_and_not_lost(tmp_path: Path, lines: object) -> None:
    written(tmp_path, [*ORDERS, {"day": "2024-03-03", "who": "eve", "lines": lines}])
    dataset = shop(tmp_path, "{files: orders.jsonl, format: jsonl, unnest: lines}", mapping=LINES)
    with tried_out(dataset, Settings()) as trial:
        rejected = trial.tables["rejected_events"].df()
    assert rejected[["reason", "customer_id"]].values.tolist() == [["missing item_id", "eve"]]


def test_two_lists_of_a_file_are_two_sources_whose_rows_are_told_apart(tmp_path: Path) -> None:
    written(tmp_path, [{**ORDERS[0], "gifts": [{"sku": "cup", "n": 1}]}])
    sources = [f"{{files: orders.jsonl, format: jsonl, unnest: {name}}}" for name in ("lines", "gifts")]
    dataset = shop(tmp_path, *sources, mapping=LINES)
    assert events(duckdb.connect(), dataset, "source_file", "source_row", "item_id") == [
        ("orders.jsonl#gifts", 1, "cup"),
        ("orders.jsonl#lines", 1, "tea"),
        ("orders.jsonl#lines", 2, "jam"),
    ]


def test_a_list_that_no_file_has_is_named_with_its_line(tmp_path: Path) -> None:
    written(tmp_path, ORDERS)
    (told,) = problems(shop(tmp_path, "{files: orders.jsonl, format: jsonl, unnest: line}", mapping=LINES))
    assert "source.unnest: no column 'line' in orders.jsonl#line. It has: day, who, lines." in told
    assert "Did you mean 'lines'?" in told


def test_a_database_takes_lists_apart_itself(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="unnest: a database takes lists apart in its query"):
        shop(tmp_path, "{database: {kind: sqlite, connection: shop.db, table: sales}, unnest: lines}")
