"""Encryption of single values, each bound to what it is.

Belongs here: AES-GCM and nothing else. Does not: which keys there are (`keys`) or where what is sealed lies (`vault`).
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class SealBrokenError(Exception):
    """What was sealed was changed, put in another's place, or sealed under another key."""


def new_key() -> bytes:
    """A random AES key of 256 bits."""
    return AESGCM.generate_key(256)


def seal(key: bytes, value: bytes, *bound_to: str) -> bytes:
    """A value encrypted and authenticated together with what it is bound to: nonce, ciphertext, tag.

    Source: NIST SP 800-38D, with a random nonce of 96 bits; a key seals far fewer than the 2^32 values that it may.
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, _bound(bound_to))


def unseal(key: bytes, sealed: bytes, *bound_to: str) -> bytes:
    """The value that was sealed.

    Raises:
        SealBrokenError: if it wasn't sealed with this key, or not for what it is said to be bound to.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(bound_to))
    except (InvalidTag, ValueError):
        raise SealBrokenError(f"the sealed value of {', '.join(bound_to)} can't be opened with this key") from None


def _bound(parts: tuple[str, ...]) -> bytes:
    """Parts as bytes that tell ('a', 'bc') from ('ab', 'c')."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
