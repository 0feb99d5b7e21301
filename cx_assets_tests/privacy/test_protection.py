"""Laws of what leaves a dataset's files: no expression, no error and no name of a file tells what is personal."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cx_assets.automation import sensors
from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.ingestion.reader import table_query
from cx_assets.manifest import ManifestError
from cx_assets.privacy.mapping import hidden_columns
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets.table.warehouse import Warehouse, connect
from cx_assets_tests.privacy.canaries import FILES, KEY, MANIFEST, OTHER_KEY, PEOPLE, PRIVACY, write_aviary
from cx_assets_tests.runs import error_of, load_shop, rows, shop_checks, tamper
from cx_assets_tests.shop import TINY, write_tiny


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CX_KEY", KEY)
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))


def complaints(folder: Path, *replacements: tuple[str, str], privacy: str = PRIVACY) -> list[str]:
    """What is wrong with the aviary's manifest after these replacements."""
    path = write_aviary(folder).path
    text = MANIFEST + privacy
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    try:
        return problems(load_dataset(str(path)))
    except ManifestError as error:
        return str(error).splitlines()


def verdict(dataset: Dataset, name: str) -> dg.AssetCheckResult:
    """What a check says of the working database."""
    closed = Warehouse(path=str(Settings().warehouse_path), lock_timeout_seconds=5)
    check = shop_checks(dataset)[name]
    if name.endswith("pseudonyms"):
        return check(warehouse=closed)  # Dagster opens what a check asks for as a resource
    with closed.opened("a test") as warehouse:
        return check(warehouse.query("select * from ingestion.personal_columns"))


@pytest.mark.parametrize(
    ("replacement", "place", "column"),
    [
        (("expression: town", "expression: upper(email)"), "aviary.yaml:14: customers.attributes.town", "email"),
        (("expression: town", "expression: '\"E-MAIL\"'"), "aviary.yaml:14: customers.attributes.town", None),
        (
            ("expression: town", "expression: Full_Name || town"),
            "aviary.yaml:14: customers.attributes.town",
            "Full_Name",
        ),
        (("expression: age", "expression: length(phone)"), "aviary.yaml:15: customers.attributes.age", "phone"),
        (("expression: age", "expression: upper(number)"), "aviary.yaml:15: customers.attributes.age", "number"),
        (("detail: text", "detail: who || text"), "aviary.yaml:24: campaign_responses.columns.detail", "who"),
    ],
)
def test_a_column_made_from_what_is_personal_or_an_id_is_refused_by_line(
    tmp_path: Path, replacement: tuple[str, str], place: str, column: str | None
) -> None:
    (told,) = complaints(tmp_path, replacement)
    assert told.startswith(place)
    if column:
        assert f"it reads the column '{column}' of " in told
        assert "so no table may tell it. Take the column out of this expression." in told
    else:
        assert "It has: town, age." in told


def test_an_events_column_that_is_called_as_a_personal_one_is_refused(tmp_path: Path) -> None:
    path = write_aviary(tmp_path).path
    for name in FILES:
        file = tmp_path / "orders" / f"{name}.csv"
        file.write_text(file.read_text("utf-8").replace("amount", "email", 1), "utf-8")
    path.write_text((MANIFEST + PRIVACY).replace("value: amount", "value: email"), "utf-8")
    told = problems(load_dataset(str(path)))
    assert len(told) == 2  # one per file
    assert all(
        line.startswith(f"aviary.yaml:9: events.0.columns.value: it reads the column 'email' of orders/{name}.csv, ")
        and line.endswith(f"If it is something else in orders/{name}.csv, give it another name there.")
        for name, line in zip(sorted(FILES), sorted(told), strict=True)
    )


@pytest.mark.parametrize(
    ("replacement", "complaint"),
    [
        (
            ("expression: town", "expression: upper(email)"),
            "aviary.yaml:14: customers.attributes.town.expression: it reads the column 'email' of people.csv, which is "
            "personal (privacy.personal.email), so no table may tell it. Take the column out of this expression. To "
            "merge customers by it, use customers.merge_keys.",
        ),
        (
            ("expression: age", "expression: number"),
            "aviary.yaml:15: customers.attributes.age.expression: it reads the column 'number' of people.csv, which "
            "customer_id is made from (privacy.identifiers), so no table may tell it. Take the column out of this "
            "expression.",
        ),
        (
            ("detail: text", "detail: phone"),
            "aviary.yaml:24: campaign_responses.columns.detail: no column 'phone' in answers.jsonl. It has: mailing, "
            "at, text.",
        ),
    ],
)
def test_a_refused_column_is_told_with_what_makes_it_personal_and_what_to_do(
    tmp_path: Path, replacement: tuple[str, str], complaint: str
) -> None:
    assert complaints(tmp_path, replacement) == [complaint]


def test_an_id_inside_a_json_value_hides_none_of_the_others(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path)
    expressions = {"customer_id": "payload ->> '$.who'", "item_id": "payload ->> '$.what'", "basket_id": "a || b"}
    assert hidden_columns(dataset, "events", expressions) == {"full_name", "email", "phone"}
    assert hidden_columns(dataset, "events", {"customer_id": "a || B", "basket_id": "c"}) >= {"a", "b", "c"}
    assert hidden_columns(dataset, "campaigns", {"campaign_id": "name"}) == frozenset()
    # Of `user.id` the column is `user`, and `id` is another one.
    assert hidden_columns(dataset, "events", {"customer_id": "user.id"}) == {"full_name", "email", "phone"}


@pytest.mark.whole
def test_a_whole_row_read_by_the_name_of_its_table_has_no_personal_column(tmp_path: Path) -> None:
    assert complaints(tmp_path, ("expression: town", "expression: to_json(unnamed_subquery)")) == []
    database = tmp_path / "data" / "working.duckdb"
    load_shop(database, load_dataset(str(tmp_path / "aviary.yaml")), selection=["raw_customers"])
    told = "".join(town for (town,) in rows(database, "select town from ingestion.raw_customers") if town)
    assert "Ulm" in told
    assert not [text for who, (name, email, _) in PEOPLE.items() for text in (who, name, email) if text in told]


@pytest.mark.parametrize(
    ("privacy", "complaint"),
    [
        ("privacy: {identifiers: [basket_id]}", "privacy.identifiers: customer_id must be among the identifiers"),
        ("privacy: {identifiers: [customer_id, item_id]}", "privacy.identifiers.1: Input should be"),
        ("privacy: {personal: {email: {expression: emial}}}", "no column 'emial' in people.csv."),
        ("privacy: {personal: {customer_id: {expression: email}}}", "the vault keeps customer_id by itself"),
        ("privacy: {personal: {email: {expression: email, keep: safe}}}", "Input should be 'vault' or 'drop'"),
    ],
)
def test_a_part_privacy_that_can_not_be_kept_is_refused_by_line(tmp_path: Path, privacy: str, complaint: str) -> None:
    (told,) = complaints(tmp_path, privacy=f"\n{privacy}\n")
    assert told.startswith("aviary.yaml:2")
    assert complaint in told


def test_a_connection_that_was_not_prepared_reads_nothing(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path)
    with (
        connect(tmp_path / "a.duckdb", "256MB", 1) as connection,
        pytest.raises(duckdb.CatalogException, match="cx_pseudonym_"),
    ):
        connection.execute(table_query(dataset, "campaign_targets", ["customer_id"]))


def test_the_sensor_remembers_files_by_pseudonym_and_still_notices_each(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path / "exports")
    new_event_files = sensors(dataset, Settings())[0]
    with dg.DagsterInstance.ephemeral() as instance:
        first = new_event_files.evaluate_tick(dg.build_sensor_context(instance=instance))
        assert first.cursor
        assert not [name for name in FILES if name in first.cursor]
        again = new_event_files.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=first.cursor))
    assert first.run_requests
    assert again.skip_message == "no new or changed file"


def test_names_of_files_may_be_kept_and_what_the_manifest_itself_says_always_is(tmp_path: Path) -> None:
    kept = write_aviary(tmp_path / "kept", f"{PRIVACY}  file_names: keep\n")
    hidden = write_aviary(tmp_path / "hidden")
    told = [[name for _, _, name in Protection(dataset, Settings()).told_names()] for dataset in (kept, hidden)]
    assert told[0][:2] == [f"orders/{name}.csv" for name in sorted(FILES)]
    assert told[0][2:] == told[1][2:] == ["people.csv", "mailings.csv", "addressees.csv", "answers.jsonl"]
    assert all(name.startswith("orders/") and name.endswith(".csv") and len(name) == 43 for name in told[1][:2])


@pytest.mark.whole
def test_ids_that_were_loaded_before_there_was_privacy_stop_the_run(tmp_path: Path) -> None:
    database = tmp_path / "data" / "working.duckdb"
    dataset = write_aviary(tmp_path / "exports")
    load_shop(database, dataset, selection=["raw_events"])
    assert verdict(dataset, "raw_events: identifiers_are_pseudonyms").passed
    tamper(database, "update ingestion.raw_events set customer_id = 'kunde-1' where source_row = 1")
    told = verdict(dataset, "raw_events: identifiers_are_pseudonyms")
    assert not told.passed
    assert told.description == (
        "2 of 42 rows of ingestion.raw_events have an identifier in the clear. "
        "Move the working database away and run all days again: deleted rows stay in its file."
    )


@pytest.mark.whole
def test_pseudonyms_change_with_the_key_and_a_vault_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = write_aviary(tmp_path / "exports")
    told = []
    for number, key in enumerate((KEY, KEY, OTHER_KEY)):
        monkeypatch.setenv("CX_KEY", key)
        monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / f"data{number}"))
        database = tmp_path / f"data{number}" / "working.duckdb"
        load_shop(database, dataset, selection=["raw_campaign_targets"])
        told.append({who for (who,) in rows(database, "select customer_id from ingestion.raw_campaign_targets")})
    assert told[0] == told[1]
    assert told[0].isdisjoint(told[2])
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data0"))
    result = load_shop(tmp_path / "data0" / "working.duckdb", dataset, selection=["raw_campaign_targets"],
                       raise_on_error=False)  # fmt: skip
    assert "was made with another key" in error_of(result)
    assert OTHER_KEY not in error_of(result)


@pytest.mark.whole
def test_the_table_of_personal_columns_counts_and_its_check_opens_the_vault(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path / "exports")
    protection = Protection(dataset, Settings())
    database = Settings().warehouse_path
    load_shop(database, dataset, selection=["personal_columns"])
    assert rows(database, "from ingestion.personal_columns order by name") == [
        ("customer_id", "vault", 3), ("email", "vault", 3), ("full_name", "vault", 3), ("phone", "drop", 0),
    ]  # fmt: skip
    name = "personal_columns: the_vault_opens_and_is_complete"
    assert verdict(dataset, name).passed
    protection.vault().store({**protection.vault_records(), "f" * 32: {"email": "who@is.this"}})
    told = verdict(dataset, name)
    assert not told.passed
    assert told.description.startswith("1 of 4 personal columns are in the vault for other customers than told.")


@pytest.mark.whole
def test_an_id_that_a_row_names_is_the_same_pseudonym_as_the_events_and_a_version_tells_of_nobody(
    tmp_path: Path,
) -> None:
    links = "    corrections: {version: rating}\n    cancels: {when: \"kind = 'cancel'\", event_id: id}\n"
    privacy = "privacy: {identifiers: [customer_id, event_id]}\n"
    told = [{"id": "A-1", "rating": "7"}, {"id": "A-1", "kind": "cancel", "rating": "ann@post.example"}]
    manifest = TINY.replace("rating: rating}", "rating: 'null'}").rstrip() + f"\n{links}{privacy}"
    dataset = write_tiny(tmp_path, {"a.csv": told}, manifest=manifest)
    load_shop(Settings().warehouse_path, dataset)
    (sold, cancelled) = rows(
        Settings().warehouse_path,
        "select event_id, cancelled_event_id, version from ingestion.raw_events order by source_row",
    )
    assert len(sold[0]) == 32
    assert sold == (sold[0], sold[0], "7")
    assert cancelled == (sold[0], sold[0], "(withheld)")
    outcomes = rows(Settings().warehouse_path, "select outcome from warehouse.withdrawn_events order by source_row")
    assert outcomes == [("cancelled",), ("cancellation",)]
    assert verdict(dataset, "raw_events: identifiers_are_pseudonyms").passed
