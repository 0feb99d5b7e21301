"""Files of a series stay one source when an export gains a column, and others that are called alike stay apart."""

from pathlib import Path

import pytest

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.proposal.delivered import files_named, looked_at
from cx_assets.proposal.groups import Group, grouped
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed


def groups_of(folder: Path, headers: dict[str, str]) -> list[Group]:
    for name, header in headers.items():
        (folder / name).write_text(f"{header}\n{','.join('1' for _ in header.split(','))}\n", "utf-8")
    return grouped([looked_at(folder / name) for name in headers], folder)


def test_a_column_that_comes_later_leaves_a_series_one_glob_that_finds_next_month(tmp_path: Path) -> None:
    early = {f"sold_2025-0{month}.csv": "id,at,sku" for month in (1, 2, 3, 4)}
    late = {f"sold_2025-0{month}.csv": "id,at,sku,voucher" for month in (5, 6)}
    (group,) = groups_of(tmp_path, early | late)
    assert group.glob == "sold_*.csv"
    assert [(name, len(files)) for name, files in group.partial.items()] == [("voucher", 2)]
    assert group.remarks == (
        "voucher is in 2 of 6 files (sold_2025-05.csv, sold_2025-06.csv): nothing is made of it. To use it, write "
        'may_lack: ["voucher"] in the source: it has no value in the others.',
    )


def test_a_day_among_months_is_of_their_series(tmp_path: Path) -> None:
    (group,) = groups_of(
        tmp_path, dict.fromkeys(["sold_2025-05.csv", "sold_2025-06.csv", "sold_2025-06-16.csv"], "a,b")
    )
    assert group.glob == "sold_*.csv"


def test_columns_in_another_order_are_the_same_columns(tmp_path: Path) -> None:
    (group,) = groups_of(tmp_path, {"sold_1.csv": "a,b", "sold_2.csv": "b,a"})
    assert (group.glob, group.partial) == ("sold_*.csv", {})


def test_files_of_one_header_stay_together_beside_others_that_are_called_alike(tmp_path: Path) -> None:
    old = {f"sold_2025-{month:02}.csv": "id,at,sku" for month in (1, 2, 3, 4, 9, 10)}
    new = {f"sold_2025-{month:02}.csv": "id,day,article" for month in (11, 12)}
    found = groups_of(tmp_path, old | new)
    assert [(group.glob, len(group.files)) for group in found] == [
        ("sold_2025-0[12349].csv", 5), ("sold_2025-10.csv", 1), ("sold_2025-1[12].csv", 2),
    ]  # fmt: skip
    assert all("others are called alike and have other columns" in group.remarks[0] for group in found)


def test_a_table_that_holds_all_columns_of_a_tiny_one_is_no_later_version_of_it(tmp_path: Path) -> None:
    found = groups_of(tmp_path, {"export_1.csv": "sku,name", "export_2.csv": "sku,name,order,customer,day"})
    assert [group.glob for group in found] == ["export_1.csv", "export_2.csv"]


@pytest.mark.parametrize("header", ["order_id,ordered_at,customer_id,sku", "sku,customer_id,ordered_at,order_id"])
def test_what_is_proposed_for_a_series_fits_every_file_of_it(tmp_path: Path, header: str) -> None:
    cells = {"order_id": "o{n}", "ordered_at": "2025-0{m}-1{d} 10:00", "customer_id": "c{d}", "sku": "p{k}"}
    for month, columns in ((1, "order_id,ordered_at,customer_id,sku"), (2, f"{header},quantity")):
        row = ",".join(cells.get(name, "2") for name in columns.split(","))
        lines = [row.format(n=n, m=month, d=n % 10, k=n % 7) for n in range(60)]
        (tmp_path / f"sold_{month}.csv").write_text("\n".join([columns, *lines]) + "\n", "utf-8")
    proposal, folder = proposed("my_shop", files_named([str(tmp_path)]))
    manifest = folder / "my_shop.yaml"
    manifest.write_text(manifest_text(proposal), "utf-8")
    (events,) = proposal.sources
    made = {guess.key: guess.expression for guess in events.guesses}
    assert made["item_id"] == "sku"
    assert "quantity" not in made
    assert "CHECK: quantity is in 1 of 2 files" in " ".join(manifest.read_text("utf-8").split())
    assert problems(load_dataset(str(manifest))) == []
