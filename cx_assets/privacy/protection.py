"""All that a run needs to keep a dataset's personal data out of its tables, from one key.

Belongs here: putting the key, the pseudonyms, the screening and the vault together for a dataset. Does not: what each
of them does. Nothing is loaded before it is needed: definitions of a dataset can be looked at without its key.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property, partial

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.extensions import load_extension
from cx_assets.ingestion.formats import file_query, prepare
from cx_assets.ingestion.mapping import MappedSource, as_text, compared_source, mapped_sources, personal_source
from cx_assets.ingestion.merge_keys import column_of, normalised
from cx_assets.ingestion.places import existing, label
from cx_assets.privacy.declaration import OWN_ID
from cx_assets.privacy.discretion import discreet
from cx_assets.privacy.functions import can_use
from cx_assets.privacy.keys import load_key
from cx_assets.privacy.mapping import file_name
from cx_assets.privacy.pseudonyms import SOURCE_FILE, Pseudonyms
from cx_assets.privacy.screening import FUNCTION, Screening
from cx_assets.privacy.vault import Vault
from cx_assets.settings import Settings
from cx_assets.source import Place, Source
from cx_assets.table.schema import quoted


class Protection:
    """What stands between a dataset's files and its tables.

    Args:
        dataset: with a part `privacy` or without.
        settings: for where the key and the vault are.
    """

    def __init__(self, dataset: Dataset, settings: Settings) -> None:
        self.dataset = dataset
        self._settings = settings

    def require_key(self) -> None:
        """Make sure that there is a key to be used, and that it is the vault's.

        Raises:
            KeyRefusedError: if there is none.
        """
        if self.dataset.privacy is not None:
            self.vault()

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """The pseudonyms under the operator's key."""
        return Pseudonyms(load_key(self._settings))

    def vault(self) -> Vault:
        """The vault under the operator's key.

        Raises:
            KeyRefusedError: if there is no key to be used, or the vault was made with another.
        """
        return Vault(self._settings.vault_path, load_key(self._settings))

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection run queries over the dataset's files; without a part `privacy` it can already.

        A run has one connection: what was computed for one table is there for the next.

        Raises:
            KeyRefusedError: if there is no key to be used, or the vault was made with another.
        """
        if self.dataset.privacy is None or can_use(connection, FUNCTION):
            return
        self.vault().found()
        # Rows that spill to disk before they are pseudonyms would be there in the clear; httpfs holds the cipher.
        load_extension(connection, "httpfs")
        connection.execute("set temp_file_encryption = true")
        for column in (*self.dataset.privacy.identifiers, SOURCE_FILE):
            self.pseudonyms.register(connection, column)
        for name, key in self.dataset.merge_keys().items():
            self.pseudonyms.register(connection, column_of(name), partial(normalised, name=name, key=key))
        rows = personal_rows(self.dataset, list(self.dataset.privacy.personal))
        Screening(text for _, fields in rows for text in fields.values()).register(connection)

    def told_name(self, source: Source, path: Place) -> str:
        """The name that the tables tell a file by."""
        before, hidden, after = file_name(self.dataset, source, label(self.dataset, source, path))
        return f"{before}{self.pseudonyms.of(SOURCE_FILE, hidden)}{after}" if hidden else before

    def told_names(self) -> Iterator[tuple[str, str, str]]:
        """Table, file and the name that the table tells it by, of all files of the dataset."""
        for table, mapped in mapped_sources(self.dataset):
            for path in existing(self.dataset, mapped):
                yield table, label(self.dataset, mapped.source, path), self.told_name(mapped.source, path)

    def vault_records(self) -> dict[str, dict[str, str]]:
        """What the vault is to hold: by customer's pseudonym the vaulted fields and the shop's own id."""
        vaulted = self.dataset.privacy.vaulted if self.dataset.privacy else ()
        records: dict[str, dict[str, str]] = {}
        for own_id, fields in personal_rows(self.dataset, vaulted):
            records.setdefault(self.pseudonyms.of(OWN_ID, own_id), {OWN_ID: own_id, **fields})
        return records

    def compared_records(self) -> dict[str, dict[str, str]]:
        """What linkage compares, by customer as the tables tell them; of an id that comes twice the first row."""
        source, records = compared_source(self.dataset), dict[str, dict[str, str]]()
        if source is not None and self.dataset.linkage is not None:
            for own_id, fields in _rows_in_memory(self.dataset, source, list(self.dataset.linkage.compare)):
                records.setdefault(self.told_customer(own_id), fields)
        return records

    def told_customer(self, own_id: str) -> str:
        """A customer's id as the tables tell it."""
        return own_id if self.dataset.privacy is None else self.pseudonyms.of(OWN_ID, own_id)


def personal_rows(dataset: Dataset, names: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The own ids of the delivered customers with what some personal columns say, where they say anything."""
    source = personal_source(dataset)
    if source is not None:
        yield from _rows_in_memory(dataset, source, names)


def _rows_in_memory(
    dataset: Dataset, source: MappedSource, names: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Own ids with some columns, read on a connection that has no file and may not spill into one."""
    with discreet(dataset, "customers"), duckdb.connect(":memory:") as connection:
        connection.execute("set temp_directory = ''")
        prepare(connection, source.source, dataset.folder)
        for path in existing(dataset, source):
            rows = connection.execute(_personal_query(path, source, names))
            while batch := rows.fetchmany(10_000):
                for own_id, *texts in batch:
                    yield own_id, {name: text for name, text in zip(names, texts, strict=True) if text}


def _personal_query(path: Place, mapped: MappedSource, names: Sequence[str]) -> str:
    """The customers of one file, by their own trimmed ids, with some personal columns."""
    wanted = ("customer_id", *names)
    columns = ", ".join(f"trim({as_text(mapped.expressions[name])}) as {quoted(name)}" for name in wanted)
    return f"select * from (select {columns} from ({file_query(path, mapped.source)})) where customer_id <> ''"
