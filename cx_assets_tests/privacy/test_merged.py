"""Laws of who is forgotten where customers are merged: the person, under every id that the tables tell of."""

import os
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.privacy.merged import Person, person_of
from cx_assets.privacy.protection import Protection
from cx_assets.settings import DATABASE, Settings
from cx_assets_tests.privacy.canaries import AGAIN, PEOPLE, with_a_vault, write_aviary, write_merging_aviary
from cx_assets_tests.processes import read_until, started
from cx_assets_tests.runs import load_shop

FIRST, OTHER, THIRD = PEOPLE
SECOND = next(iter(AGAIN))
"""The first person's second registration."""


def cx(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Protection:
    """The aviary with those who registered twice and a filled vault, before any run."""
    return with_a_vault(write_merging_aviary(tmp_path / "exports"), tmp_path / "data", monkeypatch)


def write_merges(database: Path, merges: Mapping[str, str]) -> None:
    """A database with who is merged into whom."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema warehouse")
        connection.execute("create table warehouse.customer_merges (customer_id varchar, merged_into varchar)")
        for pair in merges.items():
            connection.execute("insert into warehouse.customer_merges values (?, ?)", pair)


def merge_the_first_two(shop: Protection, database: Path) -> tuple[str, str]:
    """A database in which the second registration is merged into the first; returns the pseudonyms of both."""
    first, second = shop.told_customer(FIRST), shop.told_customer(SECOND)
    write_merges(database, {second: first})
    return first, second


def whom_the_vault_tells(shop: Protection) -> set[str]:
    """The own ids of all who can be revealed."""
    told = {own: cx("reveal", own, "--purpose", "a test") for own in (*PEOPLE, *AGAIN)}
    return {own for own, result in told.items() if result.exit_code == 0}


@pytest.mark.parametrize("asked", [FIRST, SECOND])
def test_a_person_is_forgotten_under_all_merged_ids_whichever_is_named(shop: Protection, asked: str) -> None:
    first, second = merge_the_first_two(shop, Settings().warehouse_path)
    told = cx("forget", asked, "--purpose", "asked to")
    assert told.exit_code == 0
    assert first in told.output
    assert second in told.output
    assert "The vault can't tell who it was, and takes none of them in any more." in told.output
    assert whom_the_vault_tells(shop) == {*PEOPLE, *AGAIN} - {FIRST, SECOND}
    erased = [row[2:] for row in shop.vault().accesses() if row[2] == "forget"]
    assert sorted(erased) == sorted(("forget", who, "asked to") for who in (first, second))


def test_who_is_merged_away_is_told_into_whom_and_who_stays_by_which_other_ids(shop: Protection) -> None:
    first, second = merge_the_first_two(shop, Settings().warehouse_path)
    told = cx("reveal", SECOND, "--purpose", "a complaint").output
    assert f"{second} is merged into {first}: so the tables have it." in told
    told = cx("reveal", FIRST, "--purpose", "a complaint").output
    assert "is merged into" not in told
    assert f"Other ids of the same person: {second}." in told


def test_an_id_that_is_merged_after_its_person_was_forgotten_is_forgotten_by_asking_again(shop: Protection) -> None:
    write_merges(Settings().warehouse_path, {})
    assert cx("forget", FIRST, "--purpose", "asked to").exit_code == 0
    Settings().warehouse_path.unlink()
    _, second = merge_the_first_two(shop, Settings().warehouse_path)
    told = cx("forget", FIRST, "--purpose", "asked to")
    assert told.exit_code == 0
    assert f"Forgotten: {second}." in told.output
    assert "was forgotten at" in cx("forget", FIRST, "--purpose", "asked to").output


def test_before_any_run_only_the_id_is_forgotten_and_what_to_do_is_told(shop: Protection) -> None:
    told = cx("forget", FIRST, "--purpose", "asked to")
    assert told.exit_code == 1
    assert told.output == (
        f"Forgotten: {shop.told_customer(FIRST)}.\nThere may be other ids of the same person. No run has told yet "
        "which customers are one person: `cx run` does. Then repeat this command.\n"
    )
    assert whom_the_vault_tells(shop) == {*PEOPLE, *AGAIN} - {FIRST}


def test_while_a_run_has_the_working_file_the_published_merges_count_and_are_not_the_last_word(
    shop: Protection,
) -> None:
    first, second = merge_the_first_two(shop, Settings().published_dir / DATABASE)
    write_merges(Settings().warehouse_path, {})
    hold = f"import duckdb; held = duckdb.connect({str(Settings().warehouse_path)!r}); print('held'); input()"
    with started("-c", hold, environment=os.environ, listen=True) as run:
        read_until(run, "held")
        told = cx("forget", FIRST, "--purpose", "asked to")
    assert told.exit_code == 1
    assert f"Forgotten: {first}, {second}." in told.output
    assert "There may be other ids of the same person. This is by what is published." in told.output
    assert "Wait for a run that is at work. Then repeat this command." in told.output


def test_a_dataset_that_merges_nobody_asks_no_table(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path / "lone")
    assert person_of(dataset, Settings(), "a") == Person("a", ("a",))


@pytest.mark.whole
def test_a_person_whom_a_run_has_merged_is_forgotten_as_one(shop: Protection) -> None:
    load_shop(Settings().warehouse_path, shop.dataset)
    assert cx("forget", SECOND, "--purpose", "asked to").exit_code == 0
    assert whom_the_vault_tells(shop) == {*PEOPLE, *AGAIN} - {FIRST, SECOND}
