"""What is said of a source that can't be read as its manifest says.

Belongs here: words, and what has to be looked up for them. Does not: finding out that something is wrong (`reader`).
"""

import json

from cx_assets.dataset import Dataset
from cx_assets.ingestion.mapping import MappedSource
from cx_assets.ingestion.remote import without_secrets
from cx_assets.manifest import did_you_mean
from cx_assets.privacy.mapping import columns_of, is_identifier
from cx_assets.source import Source


def no_column(column: str, names: list[str], columns: list[str], *, elsewhere: bool) -> str:
    """That files lack a column, what they have, and what to do.

    Args:
        column: what an expression reads.
        names: of the files that lack it.
        columns: of the first of them.
        elsewhere: whether other files of the same source have it.
    """
    more = f" and {len(names) - 1} more file{'s' * (len(names) > 2)}" if len(names) > 1 else ""
    told = f"no column '{column}' in {names[0]}{more}. It has: {', '.join(columns)}."
    if elsewhere:
        return (
            f"{told} Other files of this source have it. Where a file may come without it, write "
            f"may_lack: [{json.dumps(column)}] in the source: then it has no value there."
        )
    near = did_you_mean(column, columns)
    return told + (near if "Did you" in near else "")


def another_delimiter(columns: list[str], source: Source) -> str | None:
    """That a CSV file whose header makes one column is parted by another mark than its source declares; else None."""
    # Found out, it is one column too where a broken line keeps DuckDB from finding the mark, which is told otherwise.
    if source.delimiter is None or len(columns) != 1:
        return None
    mark = max(",;\t|", key=columns[0].count)
    if mark not in columns[0]:
        return None
    return f"the header is one column, and looks parted by {mark!r}: write delimiter: {json.dumps(mark)} in its source"


def hidden_column(dataset: Dataset, mapped: MappedSource, column: str, name: str) -> str:
    """That an expression reads a column which no table may tell, why that is so, and what to do.

    Args:
        dataset: with a part `privacy`.
        mapped: the source that the expression is over.
        column: one of its hidden columns.
        name: what to call the file.
    """
    reads = f"it reads the column '{column}' of {name}"
    out = "so no table may tell it. Take the column out of this expression"
    identifiers = [
        told
        for told, text in mapped.expressions.items()
        if is_identifier(dataset, told) and column.lower() in columns_of((text,))
    ]
    if identifiers:
        return f"{reads}, which {identifiers[0]} is made from (privacy.identifiers), {out}."
    declared = dataset.privacy.personal if dataset.privacy else {}
    own = [told for told, personal in declared.items() if column.lower() in columns_of((personal.expression,))]
    place = f"privacy.personal.{own[0]}" if own else "privacy.personal"
    if mapped.table == "customers":
        return f"{reads}, which is personal ({place}), {out}. To merge customers by it, use customers.merge_keys."
    return (
        f"{reads}, which is called as a personal one of the customers ({place}), {out}. If it is something else in "
        f"{name}, give it another name there."
    )


def kind(source: Source) -> str:
    """What a source is: the format of its files, or a table or query of a database."""
    if source.database is None:
        return str(source.format)
    return f"a {'table' if source.database.table else 'query'} of {source.database.kind}"


def first_line(error: Exception) -> str:
    """The first line of what DuckDB says, with its hint, without credentials."""
    first, *more = str(error).strip().splitlines()
    hint = f". {more[0]}" if more and more[0].startswith("Did you mean") else ""
    return without_secrets(first + hint)


def misfit(error: Exception) -> str:
    """What is wrong with an expression of a manifest, which DuckDB has refused."""
    what = first_line(error)
    for sign, part in (("subquery", "subquery"), ("WINDOW", "window function")):
        if sign in what:
            return f"a {part} can't be used: an expression is made of the columns of its own row"
    if "arguments provided to TRY" in what:
        return "it needs one SQL expression over the columns of a row"
    return what + (". A column that is called as a word of SQL needs double quotes" if "syntax error" in what else "")
