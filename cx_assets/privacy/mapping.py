"""The SQL that keeps personal data in their source: what of a file's rows its expressions may see, and as what.

Belongs here: composing it from a manifest. Does not: the functions that it calls (`pseudonyms`, `screening`), without
which a connection refuses it: nothing is read in the clear because somebody forgot to ask for protection.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.merge_keys import column_of
from cx_assets.ingestion.times import utc_timestamp
from cx_assets.linking import SAME_ID
from cx_assets.privacy import screening
from cx_assets.privacy.pseudonyms import SOURCE_FILE, function
from cx_assets.source import Source
from cx_assets.table.schema import literal, quoted

ABOUT_CUSTOMERS = ("events", "customers", "campaign_targets", "campaign_responses")
EXTRACTING = ("->", "->>", "json_extract", "json_extract_string", "struct_extract", "array_extract")
"""What reads a value inside another: a JSON document holds more than the id in it."""
PERSONAL = "personal"
"""The table of the personal columns, which only the vault reads."""


def hidden_columns(dataset: Dataset, table: str, expressions: Mapping[str, str]) -> frozenset[str]:
    """The columns of a source, in lower case, that only the expressions of what becomes a pseudonym may see.

    They are what the personal columns of the manifest are made from, wherever a column is called so; in files of items
    and of campaigns a `name` is another thing, unless they are the customers' files. And they are what the customer is
    told by, and what another identifier alone is made from: an id in an attribute would be one in the clear.

    Args:
        dataset: whose source it is.
        table: what the source feeds.
        expressions: SQL by column of the table.
    """
    privacy = dataset.privacy
    if privacy is None or table == PERSONAL:
        return frozenset()
    told_by = [columns_of((text,), inside=False) for name, text in expressions.items() if is_identifier(dataset, name)]
    customer = columns_of((expressions.get("customer_id", "null"),), inside=False)
    hidden = customer.union(*(columns for columns in told_by if len(columns) == 1))
    if table not in ABOUT_CUSTOMERS and not _reads_customers_files(dataset, table):
        return hidden
    return hidden | columns_of(tuple(column.expression for column in privacy.personal.values()))


def is_identifier(dataset: Dataset, column: str) -> bool:
    """Whether a column's values become pseudonyms."""
    return dataset.privacy is not None and SAME_ID.get(column, column) in dataset.privacy.identifiers


def is_pseudonym(dataset: Dataset, table: str, column: str) -> bool:
    """Whether queries over a table's source give only pseudonyms of a column: of an identifier, or of a merge key.

    A merge key's stand for its text as it is compared; in the tables numbers stand in their place.
    """
    keys = map(column_of, dataset.merge_keys()) if dataset.privacy is not None and table == "customers" else ()
    return is_identifier(dataset, column) or column in keys


def _reads_customers_files(dataset: Dataset, table: str) -> bool:
    if dataset.customers is None:
        return False
    own, customers = getattr(dataset, table).source, dataset.customers.source
    return (own.files, own.url, own.database) == (customers.files, customers.url, customers.database)


@lru_cache
def columns_of(expressions: tuple[str, ...], *, inside: bool = True) -> frozenset[str]:
    """The columns that SQL expressions read, in lower case; those of which only a part is read are left out or not.

    An expression that can't be parsed reads none: that it is wrong is told where it is held against its files.
    """
    with duckdb.connect() as connection:
        parsed = [
            json.loads(connection.execute("select json_serialize_sql(?)", [f"select {text}"]).fetchall()[0][0])
            for text in expressions
        ]
    return frozenset(name.lower() for tree in parsed for name in _column_names(tree, inside=inside))


def _column_names(node: Any, *, inside: bool) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            # Of `user.id` the column is `user`, of which only a part is read.
            yield from node["column_names"][:1] if inside or len(node["column_names"]) == 1 else ()
        if not inside and node.get("function_name") in EXTRACTING:
            return
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        yield from _column_names(child, inside=inside)


def visible(hidden: frozenset[str]) -> str:
    """SQL for the columns of a file that are left when some are hidden; a hidden one need not be there."""
    return f"columns(lambda c: lower(c) not in ({', '.join(map(literal, sorted(hidden)))}))" if hidden else "*"


def protected_query(
    dataset: Dataset, table: str, rows: str, expressions: Mapping[str, str], *, row: str, source_file: str
) -> str:
    """A query over a file's rows as their tables may have them.

    Identifiers and merge keys are pseudonyms before anything else sees them; what personal columns are made from is
    seen by nothing else; and where a text that isn't declared personal tells of a person all the same, it is withheld.
    Spaces around an identifier are no part of it, as for the contract.

    Args:
        dataset: with a part `privacy`.
        table: what the rows feed.
        rows: a query over the file as delivered.
        expressions: SQL that gives a text, by column.
        row: the column with a row's number.
        source_file: SQL for the name that the tables tell the file by.
    """
    own = {name: text for name, text in expressions.items() if is_pseudonym(dataset, table, name)}
    others = {name: text for name, text in expressions.items() if name not in own}
    pseudonyms = "".join(
        f"{function(SAME_ID.get(name, name))}(trim({text})) as {_inner(name)}, " for name, text in own.items()
    )
    inner = f"select {pseudonyms}{visible(hidden_columns(dataset, table, expressions))} from ({rows})"
    mapped = [f"{_inner(name)} as {quoted(name)}" for name in own] + [f"{t} as {quoted(n)}" for n, t in others.items()]
    middle = f"select {', '.join([*mapped, row])} from ({inner})"
    screened = [f"{_screened(dataset, table, name)} as {quoted(name)}" for name in others]
    outer = [*map(quoted, own), *screened, f"{source_file} as source_file", f"{row} as source_row"]
    return f"select {', '.join(outer)} from ({middle})"


def _inner(name: str) -> str:
    return f"cx_pseudonym_of_{name}"


def _screened(dataset: Dataset, table: str, name: str) -> str:
    """SQL for a column's text, or for what is told in its place."""
    column = quoted(name)
    if table not in ABOUT_CUSTOMERS:
        return column
    kind = dataset.customer_attributes()[name].type if name in dataset.customer_attributes() else "varchar"
    if table == "events" and name in ("quantity", "value", "rating"):
        kind = "double"
    told = column
    if name in ("occurred_at", "responded_at"):
        typed = utc_timestamp(column)
    elif table == "events" and name == "version":
        typed = f"coalesce(cast(try_cast({column} as double) as varchar), cast({utc_timestamp(column)} as varchar))"
        told = screening.screened_number(column)
    elif kind != "varchar":
        typed = f"try_cast(nullif(trim({column}), '') as {kind})"
        told = screening.screened_number(column) if kind in ("double", "bigint") else column
    else:
        return screening.screened(column)
    # What should be a number or a time and is none can be anything; a number can be a phone's.
    return f"case when {typed} is null and trim({column}) <> '' then {literal(screening.WITHHELD)} else {told} end"


def file_name(dataset: Dataset, source: Source, label: str) -> tuple[str, str, str]:
    """A file's name as the tables may tell it, in three parts of which the second becomes a pseudonym.

    What a manifest itself says of a name stays: the folders before the first wildcard, and the suffix.
    """
    if source.files is None:
        # What the * of a URL stood for isn't told apart from the rest of it; a table or query has no name of its own.
        several = source.url is not None and any(sign in source.url for sign in "*?[")
        if dataset.privacy is None or dataset.privacy.file_names == "keep" or not several:
            return label, "", ""
        return "", label, PurePosixPath(label).suffix
    folders = PurePosixPath(source.files).parts
    wild = next((i for i, part in enumerate(folders) if any(sign in part for sign in "*?[")), None)
    if dataset.privacy is None or dataset.privacy.file_names == "keep" or wild is None or source.package:
        return label, "", ""
    before = "".join(f"{part}/" for part in folders[:wild])
    return before, label, PurePosixPath(label).suffix


def file_name_sql(dataset: Dataset, source: Source, label: str) -> str:
    """SQL for the name that the tables tell a file by."""
    before, hidden, after = file_name(dataset, source, label)
    middle = f" || {function(SOURCE_FILE)}({literal(hidden)}) || {literal(after)}" if hidden else ""
    return f"{literal(before)}{middle}"
