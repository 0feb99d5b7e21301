"""Laws of merging customers by what is personal: as without privacy, and of the keys nothing but numbers is left."""

import io
import json
import tempfile
from itertools import repeat
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest
from rich.console import Console

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.diagnosis.terminal import diagnose
from cx_assets.diagnosis.trial import tried_out
from cx_assets.ingestion.fitting import problems
from cx_assets.ingestion.reader import table_query
from cx_assets.privacy import protection
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets.source import SourceError
from cx_assets.table import TableSpec, storage
from cx_assets.table.connection import connect
from cx_assets.table.relation import Table
from cx_assets.table.schema import literal
from cx_assets_tests.privacy.canaries import AGAIN, KEY, PEOPLE, PRIVACY, found, write_merging_aviary
from cx_assets_tests.runs import error_of, load_shop, rows
from cx_assets_tests.whole_shop import shipped_instance

MERGES = "select customer_id, merged_into, key_kind from warehouse.customer_merges"
ONCE, TWICE = list(PEOPLE), list(AGAIN)
PAIRS = {(frozenset((ONCE[0], TWICE[0])), "email"), (frozenset((ONCE[1], TWICE[1])), "phone")}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CX_KEY", KEY)
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))


def changed(dataset: Dataset, *replacements: tuple[str, str]) -> Dataset:
    """A dataset with other words in its manifest."""
    text = dataset.path.read_text("utf-8")
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    dataset.path.write_text(text, "utf-8")
    return load_dataset(str(dataset.path))


def failing_load(dataset: Dataset) -> str:
    """What a load of the customers says that fails, configured as shipped."""
    with shipped_instance(Settings()) as instance:
        result = load_shop(
            Settings().warehouse_path, dataset, selection=["raw_customers"], instance=instance, raise_on_error=False
        )
    assert not result.success
    return error_of(result)


def raises_its_text(text: str, **_: object) -> NoReturn:
    raise ValueError(text)


@pytest.mark.whole
@pytest.mark.parametrize(
    "privacy",
    [PRIVACY, "\nprivacy: {personal: {full_name: {expression: full_name}}}\n", ""],
    ids=["personal", "not declared personal", "without privacy"],
)
def test_who_registered_twice_is_merged_by_address_or_number_whatever_is_personal(tmp_path: Path, privacy: str) -> None:
    dataset = write_merging_aviary(tmp_path / "exports", privacy)
    database = Settings().warehouse_path
    load_shop(database, dataset)
    own = {Protection(dataset, Settings()).told_customer(who): who for who in (*PEOPLE, *AGAIN)}
    merges = rows(database, MERGES)
    assert {(frozenset((own[who], own[into])), kind) for who, into, kind in merges} == PAIRS
    renamed = (
        "select distinct delivered_customer_id, customer_id from warehouse.events where delivered_customer_id <> ''"
    )
    assert sorted(rows(database, renamed)) == sorted((who, into) for who, into, _ in merges)


@pytest.mark.whole
def test_of_a_rejected_customer_no_key_is_stored(tmp_path: Path) -> None:
    dataset = write_merging_aviary(tmp_path / "exports")
    _, email, phone = PEOPLE[ONCE[0]]
    with (tmp_path / "exports" / "people.csv").open("a", encoding="utf-8") as people:
        people.writelines(f"{who};Nobody;{email};{phone};Ulm;40\n" for who in ("", ONCE[0]))
    load_shop(Settings().warehouse_path, dataset)
    stored = rows(Settings().warehouse_path, "select reason, delivered from warehouse.rejected_rows order by 1")
    assert [reason for reason, _ in stored] == ["customer_id came before", "missing customer_id"]
    assert [list(json.loads(delivered)) for _, delivered in stored] == [["customer_id", "town", "age"]] * 2
    assert found(tmp_path / "data") == {}


def test_a_key_may_be_made_of_personal_columns_and_ids_while_nothing_else_may(tmp_path: Path) -> None:
    dataset = write_merging_aviary(tmp_path)
    card = ("{email: email, phone: {expression: phone, country: DE}}", "{email: email, phone: number || full_name}")
    assert problems(changed(dataset, card)) == []
    (told,) = problems(changed(dataset, ("town: {expression: town}", "town: {expression: number || full_name}")))
    assert told.startswith("aviary.yaml:14: customers.attributes.town.expression: it reads the column 'number' of")
    (told,) = problems(
        changed(dataset, ("number || full_name}\n    age", "town}\n    age"), ("email: email,", "email: emial,"))
    )
    assert "customers.merge_keys.email: no column 'emial' in people.csv. It has: number, full_name, email" in told


def test_a_connection_that_was_not_prepared_reads_no_key(tmp_path: Path) -> None:
    dataset = write_merging_aviary(tmp_path)
    with connect(None, "256MB", 1) as connection, pytest.raises(duckdb.CatalogException, match="cx_pseudonym_"):
        connection.execute(table_query(dataset, "customers", ["email_key"]))


def test_an_attribute_of_the_whole_row_has_a_pseudonym_of_a_key_at_most(tmp_path: Path) -> None:
    dataset = write_merging_aviary(tmp_path / "exports")
    load_shop(
        Settings().warehouse_path,
        changed(dataset, ("expression: town", "expression: to_json(unnamed_subquery)")),
        selection=["raw_customers"],
    )
    assert "Ulm" in str(rows(Settings().warehouse_path, "select town from ingestion.raw_customers"))
    assert found(tmp_path / "data", [ONCE[0], *PEOPLE[ONCE[0]]]) == {}


def broken_far_down(folder: Path) -> int:
    """Break the customers' file where looking at its first rows doesn't notice it; returns the line."""
    file = folder / "people.csv"
    head, first, *_ = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([head, *repeat(first, 30_000), f"{first};one;too;many"]) + "\n", "utf-8")
    return 30_002


@pytest.mark.whole
def test_a_broken_row_of_customers_is_told_by_line_and_quoted_in_no_log(tmp_path: Path) -> None:
    dataset = write_merging_aviary(tmp_path / "exports")
    line = broken_far_down(tmp_path / "exports")
    assert f"customers: a file can't be read as aviary.yaml says, in line {line}. More" in failing_load(dataset)
    assert found(tmp_path / "data", [f"in line {line}"])
    assert found(tmp_path / "data") == {}
    told = f"people.csv: line {line} has 9 fields, its header 6."
    with pytest.raises(SourceError, match=f"^{told}"), tried_out(dataset, Settings()):
        raise AssertionError("a broken file was read")


@pytest.mark.whole
def test_an_error_while_a_key_is_compared_quotes_nothing_and_the_search_would_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "normalised", raises_its_text)
    dataset = write_merging_aviary(tmp_path / "exports")
    assert "More would quote what was delivered, and be kept in logs" in failing_load(dataset)
    assert found(tmp_path / "data") == {}

    def tells_all(spec: TableSpec, rows: Table, error: duckdb.Error) -> NoReturn:
        raise RuntimeError(str(error))

    monkeypatch.setattr(storage, "_tell", tells_all)
    failing_load(dataset)
    assert found(tmp_path / "data")


def test_what_the_doctor_holds_spills_and_prints_has_nobody_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    dataset = write_merging_aviary(tmp_path / "exports")
    settings = Settings(dataset=str(dataset.path), rejected_limit=0.5)
    with tried_out(dataset, settings) as trial:
        held = trial.tables["raw_customers"]
        assert held.connection.execute("select current_setting('temp_file_encryption')").fetchall() == [(True,)]
        names = held.connection.execute("select table_name from duckdb_tables()").fetchall()
        told = [str(held.connection.execute(f"select * from {name}").fetchall()) for (name,) in names]
        (tmp_path / "data" / "held.txt").write_text("\n".join([*told, str(trial.tables["customer_merges"].fetchall())]))
        assert held.connection.execute("select email_key, phone_key from raw_customers").fetchall()[3:] == [
            (1, 4), (5, 2),
        ]  # fmt: skip
    screen = io.StringIO()
    diagnose(Console(file=screen, width=250), dataset, settings)
    assert "merged    2 customers into others: 1 by email, 1 by phone" in screen.getvalue()
    assert "time does not parse: occurred_at is '(withheld)', as in orders/" in screen.getvalue()
    assert "unknown event type: event_type is nothing, as in orders/" in screen.getvalue()
    people = [text for who, told in {**PEOPLE, **AGAIN}.items() for text in (who, *told)]
    (tmp_path / "data" / "screen.txt").write_text(screen.getvalue(), "utf-8")
    assert found(tmp_path / "data", ["raw_customers", "Ulm", "not in the master data"])
    assert found(tmp_path / "data", people) == {}


@pytest.mark.whole
def test_what_duckdb_spills_while_keys_are_read_has_nobody_in_it(tmp_path: Path) -> None:
    dataset = write_merging_aviary(tmp_path / "exports")
    file = tmp_path / "exports" / "people.csv"
    head, *people = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([head, *people * 40_000]) + "\n", "utf-8")
    spilled = tmp_path / "spilled"
    with connect(None, "30MB", 1) as connection:
        connection.execute(f"set temp_directory = {literal(str(spilled))}")
        Protection(dataset, Settings()).prepare(connection)
        columns = ["customer_id", "town", "email_key", "phone_key"]
        connection.execute(f"create temp table loaded as {table_query(dataset, 'customers', columns)}")
        # It did spill, and all that it spilled is encrypted: not even what is no secret can be read.
        assert sum(path.stat().st_size for path in spilled.iterdir()) > 1_000_000
        assert found(spilled, ["people.csv"]) == found(spilled) == {}
