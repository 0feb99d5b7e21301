"""Laws of the master key: what is refused as one, where it may lie, and that nothing tells it."""

import base64
import copy
import hashlib
import pickle
import secrets
from pathlib import Path

import pytest

from cx_assets.definitions import build_definitions
from cx_assets.privacy.keys import KeyRefusedError, MasterKey, load_key, write_new_key
from cx_assets.settings import Settings
from cx_assets_tests.privacy.canaries import KEY, write_aviary

GOOD = bytes.fromhex(KEY)


def refusal(data_dir: Path, **settings: object) -> str:
    """What a key is refused with, which quotes nothing of it."""
    with pytest.raises(KeyRefusedError) as refused:
        load_key(Settings.model_validate({"data_dir": data_dir, **settings}))
    told = str(refused.value)
    assert not settings.get("key") or str(settings["key"]) not in told
    assert refused.value.__cause__ is None
    return told


def key_file(path: Path, text: str = KEY, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_a_missing_key_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        "The dataset has personal data, so a key is needed and there is none. "
        "Make a key with `cx key new FILE`, outside the data folder, and set CX_KEY_FILE=FILE."
    )
    told = refusal(tmp_path / "data", key_file=tmp_path / "none")
    assert told.startswith(f"CX_KEY_FILE={tmp_path / 'none'}: no such file. Make a key with")


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "CX_KEY has 0 bytes and needs at least 32."),
        (KEY[:62], "CX_KEY has 31 bytes and needs at least 32."),
        (base64.b64encode(GOOD[:24]).decode(), "CX_KEY has 24 bytes and needs at least 32."),
        ("not a key at all!", "CX_KEY is neither hex nor base64."),
        (KEY[:-1] + "ü", "CX_KEY is neither hex nor base64."),
        ("00" * 32, "CX_KEY is a default, an example or a text, not random bytes."),
        (bytes(range(200, 232)).hex(), "CX_KEY is a default, an example or a text, not random bytes."),
        ("deadbeef" * 8, "CX_KEY is a default, an example or a text, not random bytes."),
        (hashlib.sha256(b"password").hexdigest(), "CX_KEY is a default, an example or a text, not random bytes."),
        (
            base64.b64encode(b"The quick brown fox jumps over the lazy dog").decode(),
            "CX_KEY is a default, an example or a text, not random bytes.",
        ),
    ],
)
def test_a_short_a_default_and_a_guessable_key_are_refused(tmp_path: Path, key: str, complaint: str) -> None:
    assert refusal(tmp_path, key=key).startswith(f"{complaint} Make a key with `cx key new FILE`")


def test_a_key_is_taken_as_hex_or_base64_from_the_environment_or_a_file(tmp_path: Path) -> None:
    spelled = [KEY, KEY.upper(), base64.b64encode(GOOD).decode(), base64.urlsafe_b64encode(GOOD).decode() + "\n"]
    loaded = [load_key(Settings.model_validate({"data_dir": tmp_path / "data", "key": text})) for text in spelled]
    file = key_file(tmp_path / "key")
    loaded.append(load_key(Settings(data_dir=tmp_path / "data", key_file=file)))
    assert {key.derived("a purpose") for key in loaded} == {MasterKey(GOOD).derived("a purpose")}


def test_random_keys_are_never_taken_for_defaults(tmp_path: Path) -> None:
    for _ in range(200):
        load_key(Settings.model_validate({"data_dir": tmp_path, "key": secrets.token_hex(32)}))


def test_a_key_file_in_the_data_folder_is_refused_also_by_a_link(tmp_path: Path) -> None:
    inside = key_file(tmp_path / "data" / "deep" / "key")
    link = tmp_path / "link"
    link.symlink_to(inside)
    for file in (inside, link, tmp_path / "data" / ".." / "data" / "deep" / "key"):
        assert "is in the data folder" in refusal(tmp_path / "data", key_file=file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path / "key", mode=mode)
    assert refusal(tmp_path / "data", key_file=file) == (
        f"CX_KEY_FILE={file} may be used by others than its owner. Run: chmod 600 {file}"
    )


def test_two_places_for_a_key_are_one_too_many(tmp_path: Path) -> None:
    told = refusal(tmp_path / "data", key=KEY, key_file=key_file(tmp_path / "key"))
    assert told == "CX_KEY and CX_KEY_FILE are both set. Unset one of them."


def test_a_new_key_is_for_its_owner_alone_and_replaces_none(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_new_key(file, tmp_path / "data")
    assert file.stat().st_mode & 0o777 == 0o600
    load_key(Settings(data_dir=tmp_path / "data", key_file=file))
    with pytest.raises(KeyRefusedError, match="is there already"):
        write_new_key(file, tmp_path / "data")
    with pytest.raises(KeyRefusedError, match="is in the data folder"):
        write_new_key(tmp_path / "data" / "key", tmp_path / "data")


def test_neither_a_key_nor_settings_with_one_have_a_form_that_tells_it(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "key": KEY})
    key = load_key(settings)
    shown = [f"{key!r} {key}", repr(settings), str(settings.model_dump()), settings.model_dump_json()]
    assert not any(KEY in text or repr(GOOD) in text for text in shown)
    for store in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not to be stored"):
            store(key)


def test_keys_for_two_purposes_have_nothing_in_common() -> None:
    key = MasterKey(GOOD)
    assert len({key.derived("one"), key.derived("other"), GOOD}) == 3


def test_definitions_of_a_dataset_with_personal_data_are_not_made_without_a_key(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path / "exports")
    with pytest.raises(KeyRefusedError, match="there is none"):
        build_definitions(Settings(data_dir=tmp_path / "data"), dataset)


def test_the_default_dataset_needs_no_key(tmp_path: Path) -> None:
    assert build_definitions(Settings(dataset="complete_journey", data_dir=tmp_path)).assets
