"""The master key: where it comes from, what is refused as one, and the keys that are derived from it.

Belongs here: reading, judging and making keys. Does not: using them (`pseudonyms`, `sealing`). No message of this
module quotes a key or a part of one, and a `MasterKey` has no text form that tells it.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cx_assets.settings import Settings

KEY_BYTES = 32
# Of 32 random bytes some 30 differ, and of their 31 steps from one to the next too: fewer than 16 never happens.
ENOUGH_DIFFERENT = 16
# Words whose hash somebody may have taken for a key.
DEFAULTS = ("", "0", "1", "a", "changeme", "cx", "cx_assets", "default", "example", "key", "password", "secret", "test")
HOW_TO = "Make a key with `cx key new FILE`, outside the data folder, and set CX_KEY_FILE=FILE."


class KeyRefusedError(Exception):
    """There is no key that may be used; the message says why and what to do."""


class MasterKey:
    """The one secret that pseudonyms and the vault rest on."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "MasterKey()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a master key is not to be stored")

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose: whoever has them knows neither the master key nor those of another purpose.

        Source: RFC 5869 (HKDF), with SHA-256 and the purpose as `info`.
        """
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"cx_assets 1 {purpose}".encode()).derive(self._secret)


def load_key(settings: Settings) -> MasterKey:
    """The master key of CX_KEY, or of the file that CX_KEY_FILE names.

    Raises:
        KeyRefusedError: if there is none, it is too short or nobody's secret, or others can read its file.
    """
    if settings.key is not None and settings.key_file is not None:
        raise KeyRefusedError("CX_KEY and CX_KEY_FILE are both set. Unset one of them.")
    if settings.key_file is not None:
        return MasterKey(_judged(_read(settings.key_file, settings.data_dir), "the key in CX_KEY_FILE"))
    if settings.key is not None:
        return MasterKey(_judged(settings.key.get_secret_value(), "CX_KEY"))
    raise KeyRefusedError(f"The dataset has personal data, so a key is needed and there is none. {HOW_TO}")


def write_new_key(path: Path, data_dir: Path) -> None:
    """Write a new random key into a new file that only its owner may read.

    Raises:
        KeyRefusedError: if the file is there already, its folder isn't, or it would lie in the data folder.
    """
    _require_outside(path, data_dir)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyRefusedError(f"{path} is there already, and what it is the key of would be lost.") from None
    except OSError as error:
        raise KeyRefusedError(f"{path} can't be written: {error.strerror}.") from None
    with os.fdopen(file, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(KEY_BYTES) + "\n")


def _require_outside(path: Path, data_dir: Path) -> None:
    """A copy of the data folder, to a colleague or as a backup, must not carry the key to it."""
    if any(place.is_relative_to(data_dir.resolve()) for place in (path.resolve(), path.parent.resolve() / path.name)):
        raise KeyRefusedError(
            f"The key file {path} is in the data folder {data_dir}: copies of the data would carry the key to them. "
            "Move it elsewhere."
        )


def _read(path: Path, data_dir: Path) -> str:
    _require_outside(path, data_dir)
    if not path.is_file():
        raise KeyRefusedError(f"CX_KEY_FILE={path}: no such file. {HOW_TO}")
    if path.stat().st_mode & 0o077:
        raise KeyRefusedError(f"CX_KEY_FILE={path} may be used by others than its owner. Run: chmod 600 {path}")
    try:
        return path.read_text("ascii")
    except UnicodeDecodeError:
        raise KeyRefusedError(f"CX_KEY_FILE={path} holds no key as hex or base64. {HOW_TO}") from None
    except OSError as error:
        raise KeyRefusedError(f"CX_KEY_FILE={path} can't be read: {error.strerror}.") from None


def _judged(text: str, name: str) -> bytes:
    """The bytes of a key that may be used."""
    secret = _decoded(text.strip())
    if secret is None:
        raise KeyRefusedError(f"{name} is neither hex nor base64. {HOW_TO}")
    if len(secret) < KEY_BYTES:
        raise KeyRefusedError(f"{name} has {len(secret)} bytes and needs at least {KEY_BYTES}. {HOW_TO}")
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    told = secret in {hashlib.sha256(word.encode()).digest() for word in DEFAULTS} or all(byte < 128 for byte in secret)
    if told or min(len(set(secret)), len(steps)) < ENOUGH_DIFFERENT:
        raise KeyRefusedError(f"{name} is a default, an example or a text, not random bytes. {HOW_TO}")
    return secret


def _decoded(text: str) -> bytes | None:
    if re.fullmatch("([0-9a-fA-F]{2})*", text):
        return bytes.fromhex(text)
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        return None
