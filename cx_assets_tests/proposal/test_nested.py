"""Orders that hold their lines and their customer are read line by line, and no object is taken for an id."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import SourceProposal
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed
from cx_assets_tests.ingestion.sources import events

START = datetime(2025, 3, 1, 9)
Line = Mapping[str, object]


def lines_of(order: int) -> list[dict[str, Any]]:
    """One to three lines of an order."""
    return [
        {"sku": f"p{(order + n) % 17}", "title": "Tea", "qty": n + 1, "line_total": 2.5 * (n + 1)}
        for n in range(order % 3 + 1)
    ]


def orders() -> list[Line]:
    """Ninety orders of fifteen customers, some of them refunded in part."""
    return [
        {
            "order_id": f"O-{order}",
            "created_at": f"{START + timedelta(hours=7 * order):%Y-%m-%dT%H:%M:%S}+01:00",
            "customer": {"id": f"c{order % 15}", "email": f"c{order % 15}@mail.example", "address": {"city": "Köln"}},
            "line_items": lines_of(order),
            "refunds": [{"sku": f"p{order % 17}", "amount": 2.5}] if order % 10 == 0 else [],
        }
        for order in range(90)
    ]


def written(folder: Path, rows: Sequence[Line]) -> Path:
    """Rows as JSON lines."""
    path = folder / "orders.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    return path


def events_of(folder: Path, file: Path) -> SourceProposal:
    """What is proposed for a file; its manifest stands in the folder, and fits."""
    proposal, _ = proposed("my_shop", files_named([str(file)]))
    (folder / "my_shop.yaml").write_text(manifest_text(proposal), "utf-8")
    assert problems(load_dataset(str(folder / "my_shop.yaml"))) == []
    (source,) = proposal.of("events")
    return source


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_every_line_of_every_order_is_read(tmp_path: Path, format_: str) -> None:
    file = written(tmp_path, orders())
    if format_ == "parquet":
        duckdb.sql(f"copy (from read_json('{file}')) to '{file.with_suffix('.parquet')}'")
        file = file.with_suffix(".parquet")
    source = events_of(tmp_path, file)
    made = {guess.key: guess.columns for guess in source.guesses}
    assert made["customer_id"] == ("customer.id",)
    assert made["item_id"] == ("element.sku",)
    dataset = load_dataset(str(tmp_path / "my_shop.yaml"))
    read = events(duckdb.connect(), dataset, "customer_id", "item_id", "value::double")
    sold = [(f"c{order % 15}", line["sku"], line["line_total"]) for order in range(90) for line in lines_of(order)]
    assert sorted(read) == sorted(sold)


def test_what_is_not_read_is_told_and_an_address_is_left_out(tmp_path: Path) -> None:
    source = events_of(tmp_path, written(tmp_path, orders()))
    (note,) = source.notes
    assert note.startswith("refunds is a list of objects (sku, amount) and not read. It seems to take back")
    assert "unnest: refunds" in note
    left_out = dict(source.left_out)
    assert left_out["customer.email"] == "email of a person"
    assert "customer.address.city" in left_out


def test_a_list_beside_an_item_of_the_row_s_own_makes_no_rows(tmp_path: Path) -> None:
    rows = [
        {"seen_at": order["created_at"], "user": f"u{n % 9}", "sku": f"p{n % 11}", "shown": [{"sku": "p1"}]}
        for n, order in enumerate(orders())
    ]
    source = events_of(tmp_path, written(tmp_path, rows))
    assert source.group.unnest is None
    assert {guess.key: guess.expression for guess in source.guesses}["item_id"] == "sku"
    assert any("shown is a list of objects (sku) and not read" in note for note in source.notes)


def test_rows_without_lines_are_left_out_and_told(tmp_path: Path) -> None:
    views: list[Line] = [{**order, "order_id": None, "line_items": [], "refunds": []} for order in orders()[:30]]
    source = events_of(tmp_path, written(tmp_path, [*orders(), *views]))
    assert "line_items is empty in 14.3% of the rows looked at: where leaves them out." in source.notes
    read = events(duckdb.connect(), load_dataset(str(tmp_path / "my_shop.yaml")), "item_id")
    assert len(read) == sum(len(lines_of(order)) for order in range(90))


def test_what_an_order_was_worth_is_no_value_of_its_lines_whatever_its_id_is_called(tmp_path: Path) -> None:
    rows: list[Line] = [
        {
            "id": 450_000 + n, "created_at": order["created_at"], "customer_id": f"c{n % 15}",
            "total_price": f"{sum(line['line_total'] for line in lines_of(n)):.2f}",
            "line_items": [
                {"id": 10 * n + k, "sku": line["sku"], "quantity": line["qty"], "price": "2.50"}
                for k, line in enumerate(lines_of(n))
            ],
        }
        for n, order in enumerate(orders())
    ]  # fmt: skip
    source = events_of(tmp_path, written(tmp_path, rows))
    made = {guess.key: guess.columns for guess in source.guesses}
    assert made["basket_id"] == ("id",)
    assert made["value"] == ("element.price", "element.quantity")
    without: list[Line] = [
        {**row, "line_items": [{"sku": line["sku"]} for line in lines_of(n)]} for n, row in enumerate(rows)
    ]
    assert events_of(tmp_path, written(tmp_path, without)).guess("value") is None


def test_of_a_day_and_a_time_the_time_is_taken(tmp_path: Path) -> None:
    rows = [
        {"event_date": "20250301", "event_timestamp": 1740819600000000 + n, "user_id": f"u{n % 9}", "sku": f"p{n % 11}"}
        for n in range(90)
    ]
    guess = events_of(tmp_path, written(tmp_path, rows)).guess("occurred_at")
    assert guess is not None
    assert guess.columns == ("event_timestamp",)
