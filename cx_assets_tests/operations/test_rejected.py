"""What `cx rejected` tells of rejected rows, of what is published and of what isn't, and that fixed rows come home."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.publishing.files import publish
from cx_assets.settings import Settings
from cx_assets.table.warehouse import writing
from cx_assets.warehouse.tables import EVENTS, REJECTED_EVENTS
from cx_assets_tests.runs import load_shop, opened, run, shop_assets, shop_checks, verdicts
from cx_assets_tests.shop import write_tiny

pytestmark = pytest.mark.whole

FILES: dict[str, list[dict[str, object]]] = {
    "a.csv": [{}, {}, {"quantity": "0"}, {"at": "2024-03-02T09:00:00", "value": "two"}],
    "b.csv": [{"at": "2024-03-02T10:00:00", "quantity": "-1", "who": "bob"}, {"at": "2024-03-03T10:00:00"}],
}
Cx = Callable[..., Result]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's folder after a run; made once, and copied for each test."""
    folder = tmp_path_factory.mktemp("shop")
    load_shop(Settings(data_dir=folder / "data").warehouse_path, write_tiny(folder, FILES))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def loaded(made: Path, settings: Settings, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return settings.warehouse_path


@pytest.fixture
def dataset(loaded: Path, tmp_path: Path) -> Dataset:
    return load_dataset(str(tmp_path / "tiny_shop.yaml"))


@pytest.fixture
def cx(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cx:
    monkeypatch.setenv("CX_DATA_DIR", str(settings.data_dir))
    return lambda *arguments: CliRunner().invoke(app, ["rejected", *map(str, arguments)])


def figures(output: str) -> dict[str, list[str]]:
    """The counts of events that are printed: by day, and of all days."""
    lines = [line.rsplit(maxsplit=5) for line in output.splitlines() if line[:2] == "  " and line[2].isdigit()]
    return {name.strip(): counts for name, *counts in lines}


def test_before_any_load_there_is_nothing_to_ask(cx: Cx) -> None:
    told = cx()
    assert (told.exit_code, told.output.strip()) == (1, "Nothing has been loaded yet: run `cx run`.")


def test_where_the_last_run_stopped_before_rows_were_judged_status_is_named(cx: Cx, settings: Settings) -> None:
    settings.data_dir.mkdir()
    with opened(settings.warehouse_path):
        pass
    told = cx("--working")
    said = "The last run stopped before rows were judged: `cx status` tells why."
    assert (told.exit_code, told.output.strip()) == (1, said)


@pytest.mark.usefixtures("loaded")
def test_rejected_rows_are_told_by_reason_with_a_place_and_the_counts_of_their_days(cx: Cx) -> None:
    told = cx()
    assert told.exit_code == 0
    assert "2  quantity not above 0, as in events/a.csv row 3" in told.output
    assert "1  value is not a number, as in events/a.csv row 4" in told.output
    assert "3  in all" in told.output
    assert figures(told.output) == {
        "2024-03-01": ["3", "1", "1", "1", "0"],
        "2024-03-02": ["2", "0", "0", "2", "0"],
        "3 days": ["6", "2", "1", "3", "0"],
    }
    assert "row 3:" not in told.output


@pytest.mark.parametrize(
    ("choice", "places"),
    [
        (("--reason", "QUANTITY"), ["events/a.csv row 3", "events/b.csv row 1"]),
        (("--file", "b.csv"), ["events/b.csv row 1"]),
        (("--day", "2024-03-02"), ["events/a.csv row 4", "events/b.csv row 1"]),
        (("--first", "2024-03-02"), ["events/a.csv row 4", "events/b.csv row 1"]),
        (("--last", "2024-03-01"), ["events/a.csv row 3"]),
        (("--limit", "1"), ["events/a.csv row 3"]),
        (("--file", "a.csv", "--day", "2024-03-02"), ["events/a.csv row 4"]),
    ],
)
@pytest.mark.usefixtures("loaded")
def test_chosen_rows_are_listed_by_their_place(cx: Cx, choice: tuple[str, ...], places: list[str]) -> None:
    listed = [line.split(":")[0] for line in cx(*choice).output.splitlines() if line.startswith("events/")]
    assert listed == places


@pytest.mark.usefixtures("loaded")
def test_a_listed_row_says_what_was_delivered(cx: Cx) -> None:
    told = cx("--file", "b.csv").output
    assert "events/b.csv row 1: quantity not above 0\n" in told
    assert "occurred_at '2024-03-02T10:00:00', customer_id 'bob', item_id 'tea'" in told
    assert "quantity '-1'" in told


@pytest.mark.usefixtures("loaded")
def test_what_a_limit_leaves_out_is_counted(cx: Cx) -> None:
    assert "… and 2 more: --limit, --csv or --parquet tell them all" in cx("--limit", 1).output


def test_rejected_values_of_rows_that_are_kept_are_told_as_such(cx: Cx, settings: Settings, tmp_path: Path) -> None:
    contract = "contract: {events: {columns: {basket_id: {pattern: 'B.', on_broken: reject_value}}}}\n"
    dataset = write_tiny(tmp_path, {"a.csv": [{"basket": "B1"}, {"basket": "C1"}]}, more=contract)
    load_shop(settings.warehouse_path, dataset)
    told = cx("--file", "a.csv").output
    assert "1  basket_id does not match B. (the value alone; its row is kept), as in events/a.csv row 2" in told
    assert "value 'C1', delivered_as 'events', column_name 'basket_id'" in told


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.usefixtures("loaded")
def test_chosen_rows_are_exported_whole(cx: Cx, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"rejected.{kind}"
    assert f"written: {path}, 2 rows" in cx("--reason", "quantity", f"--{kind}", path).output
    rows = duckdb.sql(f"select source_file, source_row, reason, customer_id, quantity from '{path}'").fetchall()
    assert [tuple(map(str, row)) for row in rows] == [
        ("events/a.csv", "3", "quantity not above 0", "ann", "0"),
        ("events/b.csv", "1", "quantity not above 0", "bob", "-1"),
    ]


@pytest.mark.usefixtures("loaded")
def test_a_file_that_cannot_be_written_is_told(cx: Cx, tmp_path: Path) -> None:
    told = cx("--csv", tmp_path / "nowhere" / "rejected.csv")
    assert told.exit_code == 1
    assert "rejected.csv can't be written" in told.output


@pytest.mark.usefixtures("loaded")
def test_a_choice_that_nothing_fits_is_answered_with_what_there_is(cx: Cx) -> None:
    told = cx("--reason", "sniff").output
    assert "None fits what was asked. In all 3 rows are rejected: quantity not above 0; value is not a number." in told


def test_without_rejected_rows_it_says_so(cx: Cx, settings: Settings, tmp_path: Path) -> None:
    load_shop(settings.warehouse_path, write_tiny(tmp_path, {"a.csv": [{}]}))
    assert "There is none: every delivered row keeps the contract." in cx().output


def test_what_is_published_is_told_unless_the_last_run_is_asked_for(
    cx: Cx, loaded: Path, dataset: Dataset, settings: Settings
) -> None:
    with opened(loaded) as connection:
        publish(connection, [RAW_EVENTS, EVENTS, REJECTED_EVENTS], "<html>", settings.published_dir)
    write_tiny(dataset.folder, {"a.csv": [{}, {"quantity": "0"}], "b.csv": []})
    load_shop(loaded, dataset)
    assert "of what was published" in cx().output
    assert "3  in all" in cx().output
    assert "1  quantity not above 0, as in events/a.csv row 2" in cx("--working").output


def test_while_a_run_writes_its_database_can_not_be_asked(cx: Cx, loaded: Path) -> None:
    with writing(loaded, 1, "a run"):
        told = cx()
    assert told.exit_code == 1
    assert "is being written by process" in told.output


def test_a_day_beside_a_range_is_refused(cx: Cx) -> None:
    assert cx("--day", "2024-03-01", "--last", "2024-03-02").exit_code == 2


def test_after_a_fix_the_day_alone_brings_its_rows_home_and_the_counts_add_up(
    cx: Cx, loaded: Path, dataset: Dataset
) -> None:
    fixed = {**FILES, "a.csv": [*FILES["a.csv"][:3], {"at": "2024-03-02T09:00:00", "value": "2.00"}]}
    write_tiny(dataset.folder, fixed)
    law = shop_checks(dataset)["events: nothing_is_lost"]
    result = run(loaded, [*shop_assets(dataset), law], days=("2024-03-02", "2024-03-02"))
    assert verdicts(result)["events: nothing_is_lost"].passed
    assert figures(cx().output) == {
        "2024-03-01": ["3", "1", "1", "1", "0"],
        "2024-03-02": ["2", "1", "0", "1", "0"],
        "3 days": ["6", "3", "1", "2", "0"],
    }
