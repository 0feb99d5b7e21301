"""Laws of the manifest: what it may say, and how it is told where it is wrong."""

from datetime import date
from pathlib import Path

import pytest

from cx_assets.dataset import ManifestError, load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.manifest import key_lines
from cx_assets_tests.corner import GOOD, manifest, write_corner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_corner(tmp_path)


def refusal(folder: Path, *replacements: tuple[str, str]) -> str:
    """What a manifest with these replacements is refused with."""
    with pytest.raises(ManifestError) as error:
        load_dataset(manifest(folder, GOOD, *replacements))
    return str(error.value)


def test_a_good_manifest_is_read_and_fits_its_files(folder: Path) -> None:
    dataset = load_dataset(manifest(folder))
    assert (dataset.first_day, dataset.last_day) == (date(2024, 3, 1), date(2024, 3, 31))
    assert dataset.folder == folder
    assert list(dataset.customer_attributes()) == ["city", "age"]
    assert dataset.item_attributes() == {}
    assert len(list(dataset.days())) == 31
    assert problems(dataset) == []


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


NO_DAY = "corner.yaml:3: first_day: there is no such day; days are written year first, as 2025-01-31"


@pytest.mark.parametrize(
    ("replacement", "complaint"),
    [
        (
            ("last_day: 2024-03-31", "last_day: 2024-02-01"),
            "corner.yaml:4: last_day: 2024-02-01 is before first_day 2024-03-01",
        ),
        (("first_day: 2024-03-01", "first_day: 2024-02-30"), NO_DAY),
        (("first_day: 2024-03-01", "first_day: March"), NO_DAY),
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


def test_a_glob_may_climb_and_descend_but_not_be_absolute(folder: Path) -> None:
    (folder / "shop").mkdir()
    text = GOOD.replace("orders/*.csv", "../orders/**/*.csv").replace("people.csv", "../people.csv")
    dataset = load_dataset(manifest(folder / "shop", text))
    assert problems(dataset) == []
    assert [path.name for path in dataset.events[0].source.paths(dataset.folder)] == ["may.csv"]
    assert "corner.yaml:7: events.0.source.files: a path or glob relative to" in refusal(
        folder, ("orders/*.csv", f"{folder}/orders/*.csv")
    )


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


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        ("valu: {max: 1}", "contract.events.columns.valu: no such column of events. Did you mean 'value'?"),
        ("occurred_at: {required: true}", "contract.events.columns.occurred_at: no such column of events."),
        ("value: {}", "contract.events.columns.value: say what the values must be"),
        ("value: {maximum: 1}", "contract.events.columns.value.maximum: no such key. Did you mean 'max'?"),
        ("store_id: {allowed: [DE, NO]}", "allowed: False is no varchar, which store_id is. YAML reads yes, no, on"),
        ("store_id: {max: 3}", "max: store_id is varchar: only numbers and days have"),
        ("value: {min: low}", "min: 'low' is no double, which value is"),
        ("quantity: {type: bigint, min: 1.5}", "min: 1.5 is no bigint, which quantity is"),
        ("store_id: {type: date, min: 2024-02-30}", "min: '2024-02-30' is no date, which store_id is"),
        ("value: {min: 3, max: 2}", "max: 2 is below min, 3"),
        ("value: {type: date}", "type: value is double by itself; a type is for columns of text"),
        ("value: {pattern: x}", "pattern: value is double: only text has a pattern"),
        ("store_id: {pattern: '['}", "pattern: no regular expression: "),
        ("item_id: {references: items}", "references: the manifest declares no items"),
        ("value: {max: 1, on_broken: explode}", "on_broken: Input should be 'reject_row', 'reject_value' or 'stop'"),
    ],
)
def test_a_contract_that_does_not_fit_is_told_by_its_line(folder: Path, declared: str, complaint: str) -> None:
    contract = f"contract:\n  events:\n    columns:\n      {declared}\n"
    told = refusal(folder, ("customers:\n", f"{contract}customers:\n"))
    assert told.startswith("corner.yaml:16: contract.events.columns.")
    assert complaint in told


def test_how_a_pseudonym_is_written_can_not_be_declared(folder: Path) -> None:
    contract = "privacy: {}\ncontract: {events: {columns: {customer_id: {pattern: 'C.*'}}}}\n"
    told = refusal(folder, ("customers:\n", f"{contract}customers:\n"))
    assert "customer_id is told as a pseudonym (privacy.identifiers)" in told
