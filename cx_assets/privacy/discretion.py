"""Errors that don't quote personal data.

Belongs here: what is told instead. Does not: the tables' own errors (`table.io_manager`), told by the same rule. DuckDB
quotes the row that it can't read, and Dagster keeps what is raised in a run.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.manifest import ManifestError
from cx_assets.source import SourceError


@contextmanager
def discreet(dataset: Dataset, table: str) -> Iterator[None]:
    """Let nothing delivered be quoted by errors where a dataset has personal data: what is raised is logged and kept.

    Raises:
        SourceError: instead of an error of DuckDB or of the manifest, without its cause.
    """
    try:
        yield
    except (duckdb.Error, SourceError, ManifestError) as error:
        if dataset.privacy is None:
            raise
        line = re.search(r"\b[Ll]ine:? (\d+)", str(error))
        raise SourceError(
            f"{table}: a file can't be read as {dataset.path.name} says{f', in line {line[1]}' if line else ''}. "
            "More would quote what was delivered, and be kept in logs: `cx doctor` tells it at the terminal."
        ) from None
