"""Pseudonyms: what stands in the tables for whom and what an identifier names.

Belongs here: computing them, in Python and as functions of DuckDB, so that the key is in no text of SQL. Does not:
which columns have them (`mapping` asks the manifest). A pseudonym is the same wherever its value comes up, so tables
still join, and without the key nobody can try out names on it, as can be done with a plain hash.
"""

import hmac
from collections.abc import Callable

import duckdb

from cx_assets.privacy.functions import let_use
from cx_assets.privacy.keys import MasterKey

SOURCE_FILE = "source_file"
LENGTH = 32


class Pseudonyms:
    """The pseudonyms under one key: 128 bits of HMAC-SHA256 over the column's name and the value, as hex.

    Columns are told apart: a customer and a basket of the same number have nothing in common.

    Source: RFC 2104; a truncated HMAC by NIST SP 800-107 rev. 1, 5.3.3.
    """

    def __init__(self, key: MasterKey) -> None:
        self._key = key.derived("pseudonyms")

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def of(self, column: str, value: str) -> str:
        """The pseudonym of a value of a column."""
        return hmac.digest(self._key, _message(column, value), "sha256").hex()[:LENGTH]

    def register(
        self, connection: duckdb.DuckDBPyConnection, column: str, compared: Callable[[str], str | None] = str
    ) -> None:
        """Let queries on a connection use `function(column)`.

        Args:
            connection: knows no such function yet.
            column: whose values they are.
            compared: what a value is taken for before it gets its pseudonym; None has none.
        """
        started = hmac.new(self._key, _message(column, ""), "sha256")

        def pseudonym(text: str) -> str | None:
            value = compared(text)
            if not value:
                return value
            mac = started.copy()
            mac.update(value.encode())
            return mac.hexdigest()[:LENGTH]

        let_use(connection, function(column), pseudonym)


def _message(column: str, value: str) -> bytes:
    return f"{column}\0{value}".encode()


def function(column: str) -> str:
    """The name that DuckDB knows the pseudonyms of a column by; an empty text stays one, null stays null."""
    return f"cx_pseudonym_{column}"
