"""What `cx` says to whoever holds the key, and to whoever doesn't."""

import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets_tests.privacy.canaries import FILES, PEOPLE, with_a_vault, write_aviary

OWN_ID, (NAME, EMAIL, PHONE) = next(iter(PEOPLE.items()))


def cx(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The aviary with a filled vault, in the environment of a person who has the key."""
    with_a_vault(write_aviary(tmp_path / "exports"), tmp_path / "data", monkeypatch)


def test_a_customer_is_revealed_by_pseudonym_or_own_id_and_both_are_written_down() -> None:
    pseudonym = cx("pseudonym", OWN_ID).output.strip()
    assert re.fullmatch("[0-9a-f]{32}", pseudonym)
    for customer in (pseudonym, OWN_ID):
        told = cx("reveal", customer, "--purpose", "a complaint")
        assert told.output == f"customer_id: {OWN_ID}\nfull_name: {NAME}\nemail: {EMAIL}\n"
        assert PHONE not in told.output
    vault = Protection(write_aviary(Path(Settings().data_dir) / "again"), Settings()).vault()
    assert [row[2:] for row in vault.accesses()] == [("reveal", pseudonym, "a complaint")] * 2


def test_who_is_forgotten_is_revealed_to_nobody() -> None:
    assert cx("forget", OWN_ID, "--purpose", "asked to").exit_code == 0
    told = cx("reveal", OWN_ID, "--purpose", "a complaint")
    assert told.exit_code == 1
    assert "was forgotten at" in told.output


def test_files_are_told_with_their_names_in_the_tables() -> None:
    lines = cx("files").output.splitlines()
    assert len(lines) == 6
    assert re.fullmatch(rf"orders/[0-9a-f]{{32}}\.csv  orders/{FILES[1]}\.csv  \(events\)", lines[0])


@pytest.mark.parametrize("command", [("doctor",), ("run",), ("reveal", OWN_ID, "--purpose", "x"), ("files",)])
def test_without_a_key_nothing_starts_and_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.delenv("CX_KEY")
    told = cx(*command)
    assert told.exit_code == 1
    assert "Make a key with `cx key new FILE`" in told.output


def test_a_new_key_file_can_be_used_and_its_key_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = cx("key", "new", str(tmp_path / "key"))
    assert told.exit_code == 0
    assert f"export CX_KEY_FILE={tmp_path / 'key'}" in told.output
    assert (tmp_path / "key").read_text("ascii").strip() not in told.output
    monkeypatch.delenv("CX_KEY")
    monkeypatch.setenv("CX_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "other"))
    assert cx("files").exit_code == 0


def test_a_column_that_is_no_identifier_has_no_pseudonym() -> None:
    told = cx("pseudonym", "x", "--column", "item_id")
    assert told.exit_code == 1
    assert told.output.strip() == "item_id is no identifier of the manifest, which has: customer_id, basket_id."


def test_a_dataset_without_privacy_has_nothing_to_reveal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX_DATASET", "complete_journey")
    told = cx("pseudonym", "1000")
    assert told.exit_code == 1
    assert "has no part `privacy`" in told.output
