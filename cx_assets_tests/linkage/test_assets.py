"""Laws of linkage in a run: it merges where it is better, nowhere else, back again, and tells nobody's name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import dagster as dg
import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.definitions import build_definitions
from cx_assets.ingestion import labelled_pairs
from cx_assets.ingestion.fitting import problems
from cx_assets.manifest import ManifestError
from cx_assets.settings import Settings
from cx_assets.table import Table
from cx_assets_tests.linkage.registrations import (
    KEYS_ALONE,
    LINKED,
    MASTERS,
    Registrations,
    registrations,
    write_labels,
    write_people,
    write_registrations,
)
from cx_assets_tests.privacy.canaries import KEY
from cx_assets_tests.privacy.canaries import found as found_in
from cx_assets_tests.runs import error_of, failed, load_shop, opened, rows, shop_checks, tamper, verdicts
from cx_assets_tests.shop import TINY
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

MERGES = "select customer_id, merged_into, key_kind from warehouse.customer_merges order by all"
EVENTS = "select event_id, customer_id, delivered_customer_id from warehouse.events order by all"
FIGURES = "select * from warehouse.linkage_judgement order by rule, metric"
PAIRS = "select * from warehouse.linkage_pairs order by all"
CHECK = "linkage_judgement: linkage_beats_the_exact_rule"


@dataclass(frozen=True)
class Linked:
    """A shop after a run with linkage and after one without, and what the check said."""

    folder: Path
    told: Registrations
    linked: Path
    by_keys: Path
    complaints: dict[str, str]
    verdict: str


def dataset(folder: Path, more: str) -> Dataset:
    (folder / "tiny_shop.yaml").write_text(TINY + MASTERS + more, "utf-8")
    return load_dataset(str(folder / "tiny_shop.yaml"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Linked:
    folder, told = tmp_path_factory.mktemp("linked"), registrations()
    write_registrations(folder, told)
    linked, by_keys = folder / "linked.duckdb", folder / "by_keys.duckdb"
    result = load_shop(linked, dataset(folder, LINKED), checked=True)
    load_shop(by_keys, dataset(folder, KEYS_ALONE))
    return Linked(folder, told, linked, by_keys, failed(result), str(verdicts(result)[CHECK].description))


def test_linkage_that_is_better_merges_most_second_registrations_into_their_first(shop: Linked) -> None:
    merged = {(into, customer) for customer, into, _ in rows(shop.linked, MERGES)}
    by_keys = {(into, customer) for customer, into, _ in rows(shop.by_keys, MERGES)}
    right = set(shop.told.same)
    assert len(by_keys & right) < 0.6 * len(right)
    assert len(merged & right) > 0.9 * len(right)
    assert len(merged - right) <= 2
    assert {"linkage", "email+linkage"} <= {kind for *_, kind in rows(shop.linked, MERGES)}
    assert by_keys <= merged


def test_events_are_under_the_customer_who_counts_and_keep_their_own_id(shop: Linked) -> None:
    into = {customer: to for customer, to, _ in rows(shop.linked, MERGES)}
    for event, customer, delivered in rows(shop.linked, EVENTS):
        own = delivered or customer
        assert customer == into.get(own, own), event
    assert {customer for _, customer, _ in rows(shop.linked, EVENTS)}.isdisjoint(into)


def test_the_figures_of_both_rules_and_the_verdict_stand_in_a_table_and_a_check(shop: Linked) -> None:
    told = {(rule, metric): (value, low) for rule, metric, value, low, *_ in rows(shop.linked, FIGURES)}
    assert set(told) == {
        *((rule, metric) for rule in ("exact", "linkage") for metric in ("precision", "recall", "f1")),
        ("difference", "f1"),
    }
    assert told["difference", "f1"][1] > 0
    assert told["linkage", "precision"][1] >= 0.9
    assert rows(shop.linked, "select distinct accepted from warehouse.linkage_judgement") == [(True,)]
    assert CHECK not in shop.complaints
    assert shop.verdict.startswith("Linkage merges: its lead in F1 is surely")
    assert f"recall {told['linkage', 'recall'][0]:.3f}" in shop.verdict


def test_no_check_complains_of_linked_customers(shop: Linked) -> None:
    assert not [name for name in shop.complaints if "linkage" in name or "merges" in name]


def test_taking_linkage_out_sets_its_customers_apart_again_on_all_days(shop: Linked, tmp_path: Path) -> None:
    copyfile(shop.linked, tmp_path / "w.duckdb")
    load_shop(tmp_path / "w.duckdb", dataset(shop.folder, KEYS_ALONE), days=("2024-03-05", "2024-03-05"))
    assert rows(tmp_path / "w.duckdb", MERGES) == rows(shop.by_keys, MERGES)
    assert rows(tmp_path / "w.duckdb", EVENTS) == rows(shop.by_keys, EVENTS)


def test_rows_of_customers_and_labels_in_another_order_make_the_same_tables(shop: Linked, tmp_path: Path) -> None:
    told = shop.told
    turned = Registrations(told.rows[::-1], told.same[::-1], [(b, a) for a, b in told.different[::-1]])
    load_shop(tmp_path / "w.duckdb", write_registrations(tmp_path, turned))
    for query in (MERGES, PAIRS, FIGURES):
        assert rows(tmp_path / "w.duckdb", query) == rows(shop.linked, query)


def test_linkage_that_labels_speak_against_merges_nobody_and_the_check_says_why(shop: Linked, tmp_path: Path) -> None:
    given = write_registrations(tmp_path, shop.told)
    write_labels(tmp_path, shop.told, wrong=True)
    result = load_shop(tmp_path / "w.duckdb", given, checked=True)
    assert result.success
    assert rows(tmp_path / "w.duckdb", MERGES) == rows(shop.by_keys, MERGES)
    assert failed(result)[CHECK].startswith("Merges go by keys alone: on the pairs to choose by no likelihood")


def test_no_compared_value_reaches_a_table(shop: Linked) -> None:
    with opened(shop.linked) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        held = "\n".join(str(connection.execute(f"select * from {name}").fetchall()) for (name,) in names)
    assert "c1000" in held
    compared = {row[column] for row in shop.told.rows for column in ("who", "mail", "born") if row[column]}
    assert [text for text in compared if text in held] == []


def test_a_pair_of_somebody_who_is_not_there_is_found_by_its_check(shop: Linked, tmp_path: Path) -> None:
    copyfile(shop.linked, tmp_path / "w.duckdb")
    tamper(tmp_path / "w.duckdb", "insert into warehouse.linkage_pairs values ('c1000', 'z', 1), ('c1002', 'c1000', 1)")
    check = shop_checks(dataset(shop.folder, LINKED))["linkage_pairs: linked_customers_are_two_that_are_there"]
    with opened(tmp_path / "w.duckdb") as connection:
        pairs, delivered = (
            Table(connection, f"select * from {name}")
            for name in ("warehouse.linkage_pairs", "ingestion.raw_customers")
        )
        result = check(pairs, delivered)
    assert isinstance(result, dg.AssetCheckResult)
    assert (result.passed, result.metadata["broken"].value) == (False, 2)


def test_a_labelled_customer_who_was_not_delivered_is_told_by_the_line(shop: Linked, tmp_path: Path) -> None:
    given = write_registrations(tmp_path, shop.told)
    labels = tmp_path / "labelled.csv"
    labels.write_text(labels.read_text("utf-8") + "c1000,nobody,no\n", "utf-8")
    result = load_shop(tmp_path / "w.duckdb", given, raise_on_error=False)
    line = len(labels.read_text("utf-8").splitlines())
    assert f"labelled.csv:{line}: a labelled customer is not among the delivered ones (1 such lines)" in error_of(
        result
    )
    assert "nobody" not in error_of(result)


PRIVACY = """
privacy:
  identifiers: [customer_id, event_id]
  personal:
    full_name: {expression: who}
    born: {expression: born, keep: drop}
"""


def test_with_privacy_declared_linkage_merges_pseudonyms_and_nobody_is_found_in_what_is_written(
    shop: Linked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CX_KEY", KEY)
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))
    exports = tmp_path / "exports"
    exports.mkdir()
    given = write_registrations(exports, shop.told, LINKED + PRIVACY)
    database = tmp_path / "data" / "working.duckdb"
    with shipped_instance(Settings()) as instance:
        load_shop(database, given, instance=instance)
    assert rows(database, "select distinct accepted from warehouse.linkage_judgement") == [(True,)]
    assert len(rows(database, MERGES)) > 0.8 * len(shop.told.same)
    assert all(len(customer) == 32 for customer, *_ in rows(database, MERGES))
    people = [row[column] for row in shop.told.rows[:9] for column in ("number", "who", "mail", "born") if row[column]]
    assert found_in(tmp_path / "data", people) == {}
    with opened(database) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        held = "\n".join(str(connection.execute(f"select * from {name}").fetchall()) for (name,) in names)
    assert [text for text in people if text in held] == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("    labels: labelled.csv\n", ""), "linkage.labels: this key is required"),
        (lambda text: text.replace("labelled.csv", "/labelled.csv"), "labels: a path from the manifest's folder"),
        (
            lambda text: text.replace("kind: day", "kind: birthday"),
            "compare.born.kind: Input should be 'name', 'email'",
        ),
        (
            lambda text: text.replace("{name: who, email: mail, born: {expression: born, kind: day}}", "{name: who}"),
            "linkage.compare: ",
        ),
        (lambda text: text + "    least_precision: 1\n", "least_precision: Input should be less than 1"),
        (lambda text: text + "    threshold: 1\n", "threshold: no such key. There is: labels, compare"),
    ],
)
def test_what_a_manifest_says_wrongly_of_linkage_is_told_by_its_line(
    tmp_path: Path, change: Callable[[str], str], complaint: str
) -> None:
    with pytest.raises(ManifestError) as error:
        dataset(tmp_path, change(LINKED))
    assert complaint in str(error.value)
    assert str(error.value).startswith("tiny_shop.yaml:")


def test_what_would_stop_linkage_is_told_before_a_run(
    shop: Linked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = write_registrations(tmp_path, shop.told, LINKED.replace("name: who", "name: full_name"))
    labels = tmp_path / "labelled.csv"
    labels.write_text(labels.read_text("utf-8") + "c1000,c1000,no\n", "utf-8")
    find_spec = labelled_pairs.find_spec
    monkeypatch.setattr(labelled_pairs, "find_spec", lambda name: None if name == "splink" else find_spec(name))
    missing, label, column = problems(given)
    assert missing == (
        "tiny_shop.yaml:19: merge_customers.linkage: linkage needs Splink, which is not installed. "
        "Install it: pip install 'cx_assets[linkage]'."
    )
    assert label.startswith("tiny_shop.yaml:19: merge_customers.linkage.labels: labelled.csv:")
    assert column.startswith("tiny_shop.yaml:21: merge_customers.linkage.compare.name: no column 'full_name'")
    with pytest.raises(ManifestError, match="pip install"):
        build_definitions(Settings(data_dir=tmp_path / "data"), given)


def test_a_dataset_without_linkage_has_none_of_its_tables_and_one_with_it_loads_them_by_day(
    shop: Linked, tmp_path: Path
) -> None:
    def steps(more: str) -> set[Any]:
        project = build_definitions(Settings(data_dir=tmp_path / "data"), dataset(shop.folder, more))
        job = project.resolve_job_def("daily_events")
        return {key.to_user_string() for key in job.asset_layer.executable_asset_keys}

    assert steps(LINKED) - steps(KEYS_ALONE) == {"linkage_pairs", "linkage_judgement"}


def test_customers_that_came_since_are_linked_by_the_next_run(shop: Linked, tmp_path: Path) -> None:
    given = write_registrations(tmp_path, shop.told)
    copyfile(shop.linked, tmp_path / "w.duckdb")
    first = {**shop.told.rows[0], "number": "c9999", "mail": f"x{shop.told.rows[0]['mail']}"}
    write_people(tmp_path, [*shop.told.rows, first])
    load_shop(tmp_path / "w.duckdb", given, days=("2024-03-05", "2024-03-05"))
    assert ("c9999", "c1000", "linkage") in rows(tmp_path / "w.duckdb", MERGES)
