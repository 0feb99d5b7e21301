"""Laws of the vault: what is in it can be read with the key, as whose it is, until it is forgotten."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cx_assets.privacy.keys import KeyRefusedError, MasterKey
from cx_assets.privacy.sealing import SealBrokenError, seal, unseal
from cx_assets.privacy.vault import Stored, Vault
from cx_assets_tests.privacy.canaries import KEY, OTHER_KEY, found

ANN, BOB = "a" * 32, "b" * 32
FIELDS = {"email": "ann.canary@post.example", "name": "Ann Canary"}
RECORDS = {ANN: FIELDS, BOB: {"email": "bob.canary@post.example"}}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path / "vault.sqlite", MasterKey(bytes.fromhex(KEY)))
    made.store(RECORDS)
    return made


def statement(vault: Vault, text: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(vault.path)) as file, file:
        return file.execute(text).fetchall()


def test_what_was_stored_is_revealed_and_who_asked_what_for_is_kept(vault: Vault) -> None:
    assert vault.reveal(ANN, "op@host", "a complaint") == FIELDS
    assert [row[1:] for row in vault.accesses()] == [("op@host", "reveal", ANN, "a complaint")]


def test_without_a_purpose_nothing_is_revealed(vault: Vault) -> None:
    with pytest.raises(ValueError, match="Say what for"):
        vault.reveal(ANN, "op@host", "  ")
    assert vault.accesses() == []


def test_the_file_tells_nobody_and_is_its_owners_alone(vault: Vault) -> None:
    assert vault.path.stat().st_mode & 0o777 == 0o600
    assert found(vault.path.parent, [*FIELDS.values(), KEY, bytes.fromhex(KEY).decode("latin-1")]) == {}
    assert KEY not in repr(vault)


def test_loading_the_same_again_changes_no_byte_of_what_is_kept(vault: Vault) -> None:
    before = statement(vault, "select * from customers"), statement(vault, "select * from fields")
    assert vault.store(RECORDS) == Stored(unchanged=2)
    assert (statement(vault, "select * from customers"), statement(vault, "select * from fields")) == before


def test_a_load_adds_changes_and_removes_as_the_delivery_says_and_keeps_data_keys(vault: Vault) -> None:
    keys = statement(vault, f"select data_key from customers where customer = '{ANN}'")
    new = {**FIELDS, "email": "ann@new.example"}
    assert vault.store({ANN: new, "c" * 32: {"name": "Cy"}}) == Stored(added=1, changed=1, removed=1)
    assert vault.reveal(ANN, "op", "x") == new
    assert statement(vault, f"select data_key from customers where customer = '{ANN}'") == keys
    assert vault.audit() == {"email": 1, "name": 2}


def test_a_failed_load_leaves_the_vault_as_it_was(vault: Vault) -> None:
    statement(vault, f"update fields set sealed = zeroblob(40) where customer = '{BOB}'")
    before = vault.path.read_bytes()
    with pytest.raises(SealBrokenError):
        vault.store({"c" * 32: {"name": "Cy"}, **RECORDS})
    assert vault.path.read_bytes() == before


def test_who_is_forgotten_can_be_read_no_more_not_even_from_a_copy_of_the_fields(vault: Vault, tmp_path: Path) -> None:
    copy = Vault(Path(shutil.copy(vault.path, tmp_path / "copy.sqlite")), MasterKey(bytes.fromhex(KEY)))
    (key,) = statement(vault, f"select data_key from customers where customer = '{ANN}'")[0]
    vault.forget([ANN], "op@host", "asked to")
    assert isinstance(key, bytes)
    assert key not in vault.path.read_bytes()
    with pytest.raises(LookupError, match="was forgotten at"):
        vault.reveal(ANN, "op@host", "a complaint")
    statement(copy, f"update customers set data_key = (select data_key from customers where customer = '{BOB}')")
    with pytest.raises(SealBrokenError):
        copy.reveal(ANN, "op@host", "another's key")
    assert vault.reveal(BOB, "op", "x") == RECORDS[BOB]


def test_who_is_forgotten_is_not_taken_in_again(vault: Vault) -> None:
    vault.forget([ANN], "op@host", "asked to")
    assert vault.store(RECORDS) == Stored(unchanged=1, forgotten=1)
    assert vault.audit() == {"email": 1}


def test_a_person_is_forgotten_under_all_ids_at_once_that_the_vault_still_has(vault: Vault) -> None:
    assert vault.forget(["f" * 32, ANN], "op@host", "asked to") == [ANN]
    assert vault.forget([ANN, BOB], "op@host", "asked to") == [BOB]
    assert [row[1:] for row in vault.accesses()] == [("op@host", "forget", who, "asked to") for who in (ANN, BOB)]
    with pytest.raises(LookupError, match=f"Customer {ANN} was forgotten at"):
        vault.forget([ANN, BOB], "op@host", "asked to")


def test_a_field_in_anothers_place_is_noticed(vault: Vault) -> None:
    statement(vault, f"update fields set field = 'swapped' where customer = '{ANN}' and field = 'name'")
    with pytest.raises(SealBrokenError, match="swapped"):
        vault.audit()


def test_another_key_is_refused_before_anything_is_done(vault: Vault) -> None:
    before = vault.path.read_bytes()
    with pytest.raises(KeyRefusedError, match="was made with another key"):
        Vault(vault.path, MasterKey(bytes.fromhex(OTHER_KEY)))
    assert vault.path.read_bytes() == before


def test_an_unknown_customer_and_a_vault_that_is_not_there_are_told(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="The vault has no customer"):
        vault.reveal("f" * 32, "op", "x")
    with pytest.raises(LookupError, match="There is no vault at"):
        Vault(tmp_path / "none.sqlite", MasterKey(bytes.fromhex(KEY))).audit()


def test_what_a_value_is_bound_to_is_not_just_its_letters() -> None:
    key = bytes.fromhex(KEY)
    sealed = seal(key, b"x", "a", "bc")
    assert unseal(key, sealed, "a", "bc") == b"x"
    with pytest.raises(SealBrokenError):
        unseal(key, sealed, "ab", "c")
    assert seal(key, b"x", "a", "bc") != sealed
