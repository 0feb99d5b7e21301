"""The vault: who the customers are, encrypted, in a file of its own.

Belongs here: what is in the file and who looked into it. Does not: cryptography (`sealing`) or reading a delivery
(`protection`). Every customer has a data key, itself sealed under a key derived from the master key; every field is
sealed under its customer's. Without a customer's data key that customer's fields are noise, wherever copies of them
lie. One transaction holds a change: the vault is as before or as after it.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cx_assets.privacy.keys import KeyRefusedError, MasterKey
from cx_assets.privacy.sealing import new_key, seal, unseal

PATIENCE_SECONDS = 60
DATA_KEY = "data key"
TABLES = """
create table if not exists vault (key_check blob not null);
create table if not exists customers (customer text primary key, data_key blob, loaded_at text, forgotten_at text);
create table if not exists fields (customer text, field text, sealed blob not null, primary key (customer, field));
create table if not exists accesses (at text, who text, action text, customer text, purpose text);
"""


@dataclass
class Stored:
    """What a load did to the vault, in customers."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    forgotten: int = 0


class Vault:
    """The vault in a file under a master key.

    Raises:
        KeyRefusedError: if the file was made under another key.
    """

    def __init__(self, path: Path, key: MasterKey) -> None:
        self.path = path
        self._wrapping = key.derived("wrapping of data keys")
        # It tells whether a key is the right one, and nothing of the key.
        self._check = key.derived("check of the vault")
        if path.exists():
            self._require_same_key()

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"

    def found(self) -> None:
        """Make the file where there is none, so that from now on another key is noticed."""
        with self._changing():
            pass

    def store(self, records: Mapping[str, Mapping[str, str]]) -> Stored:
        """Make the vault hold these customers' fields and no others'; who was forgotten stays so.

        Args:
            records: fields by customer, each a text that isn't empty.

        Raises:
            SealBrokenError: if what was there was tampered with; the vault is then as it was.
        """
        done = Stored()
        with self._changing() as file:
            known = {customer: (key, gone) for customer, key, gone in file.execute(
                "select customer, data_key, forgotten_at from customers")}  # fmt: skip
            for customer, fields in records.items():
                sealed_key, forgotten = known.get(customer, (None, None))
                if forgotten:
                    done.forgotten += 1
                    continue
                data_key = unseal(self._wrapping, sealed_key, customer, DATA_KEY) if sealed_key else new_key()
                if not sealed_key:
                    sealed_key = seal(self._wrapping, data_key, customer, DATA_KEY)
                    values = (customer, sealed_key, _now(), None)
                    file.execute("insert into customers values (?, ?, ?, ?)", values)
                    done.added += 1
                elif self._open(file, customer, data_key) == fields:
                    done.unchanged += 1
                    continue
                else:
                    done.changed += 1
                file.execute("delete from fields where customer = ?", (customer,))
                file.executemany(
                    "insert into fields values (?, ?, ?)",
                    [(customer, name, seal(data_key, text.encode(), customer, name)) for name, text in fields.items()],
                )
            gone = [(c,) for c, (_, forgotten) in known.items() if not forgotten and c not in records]
            file.executemany("delete from fields where customer = ?", gone)
            file.executemany("delete from customers where customer = ?", gone)
            done.removed = len(gone)
        return done

    def reveal(self, customer: str, who: str, purpose: str) -> dict[str, str]:
        """A customer's fields; that they were looked at, by whom and what for is written down before.

        Raises:
            LookupError: if the vault doesn't have the customer, or has forgotten them.
            ValueError: if no purpose is given.
        """
        with self._changing() as file:
            data_key = self._data_key(file, customer)
            _note(file, who, "reveal", customer, purpose)
        with self._reading() as file:
            return self._open(file, customer, data_key)

    def forget(self, customers: Sequence[str], who: str, purpose: str) -> list[str]:
        """Erase the data keys of a person's ids, so that no copy of their fields can be read, and the fields with them.

        Later loads don't take them in again.

        Args:
            customers: all ids of one person, the one that was asked for first.
            who: erases them.
            purpose: what for.

        Returns:
            Those that were erased now: some may have been before, or not be in the vault.

        Raises:
            LookupError: if the vault has none of them, or has forgotten them all already.
            ValueError: if no purpose is given.
        """
        with self._changing() as file:
            kept = "select 1 from customers where customer = ? and forgotten_at is null"
            left = [customer for customer in customers if file.execute(kept, (customer,)).fetchone()]
            for customer in left or customers[:1]:
                self._data_key(file, customer)
                _note(file, who, "forget", customer, purpose)
                file.execute(
                    "update customers set data_key = null, forgotten_at = ? where customer = ?", (_now(), customer)
                )
                file.execute("delete from fields where customer = ?", (customer,))
        return left

    def audit(self) -> dict[str, int]:
        """How many customers have each field, after opening every one.

        Raises:
            SealBrokenError: if one of them can't be opened.
        """
        counts: dict[str, int] = {}
        with self._reading() as file:
            for (customer,) in file.execute("select customer from customers where forgotten_at is null").fetchall():
                for name in self._open(file, customer, self._data_key(file, customer)):
                    counts[name] = counts.get(name, 0) + 1
        return counts

    def accesses(self) -> list[tuple[str, str, str, str, str]]:
        """Who did what about whom and what for: `at, who, action, customer, purpose`, in order."""
        with self._reading() as file:
            return file.execute("select at, who, action, customer, purpose from accesses order by rowid").fetchall()

    def _data_key(self, file: sqlite3.Connection, customer: str) -> bytes:
        row = file.execute("select data_key, forgotten_at from customers where customer = ?", (customer,)).fetchone()
        if row is None:
            raise LookupError(f"The vault has no customer {customer}: the customers' master data name none.")
        if row[1]:
            raise LookupError(f"Customer {customer} was forgotten at {row[1]}: nobody can read the fields any more.")
        return unseal(self._wrapping, row[0], customer, DATA_KEY)

    def _open(self, file: sqlite3.Connection, customer: str, data_key: bytes) -> dict[str, str]:
        rows = file.execute("select field, sealed from fields where customer = ? order by rowid", (customer,))
        return {field: unseal(data_key, sealed, customer, field).decode() for field, sealed in rows.fetchall()}

    def _require_same_key(self) -> None:
        with self._reading() as file:
            if file.execute("select key_check from vault").fetchone() != (self._check,):
                raise KeyRefusedError(
                    f"{self.path} was made with another key. Set that key: pseudonyms change with the key, and what is "
                    "in the vault can't be read with another. To begin anew with this key, move the vault and the "
                    "working database away and run all days again."
                )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise LookupError(f"There is no vault at {self.path} yet: a run makes it.")
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            yield file

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on a file that is made when there is none, for its owner's eyes only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(self.path, timeout=PATIENCE_SECONDS, isolation_level=None)) as file:
            file.execute("pragma secure_delete = on")  # what is deleted is overwritten
            file.execute("begin immediate")
            try:
                for statement in filter(str.strip, TABLES.split(";")):
                    file.execute(statement)
                file.execute("insert into vault select ? where not exists (select * from vault)", (self._check,))
                yield file
                file.execute("commit")
            except BaseException:
                file.execute("rollback")
                raise


def _note(file: sqlite3.Connection, who: str, action: str, customer: str, purpose: str) -> None:
    if not purpose.strip():
        raise ValueError("Say what for: the vault keeps the purpose of every access.")
    file.execute("insert into accesses values (?, ?, ?, ?, ?)", (_now(), who, action, customer, purpose.strip()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
