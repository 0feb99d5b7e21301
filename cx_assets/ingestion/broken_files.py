"""Which of a dataset's files DuckDB has stumbled over in a run, and where.

Belongs here: going through them. Does not: looking into one (`broken_lines`).
"""

from collections.abc import Callable

from cx_assets.dataset import Dataset
from cx_assets.ingestion.broken_lines import first_broken_line
from cx_assets.ingestion.mapping import mapped_sources
from cx_assets.ingestion.places import existing, label
from cx_assets.source import Place, Source


def broken_file(
    dataset: Dataset, table: str | None = None, name: Callable[[Source, Place], str] | None = None
) -> str | None:
    """The first line of a table's files that can't be read, and what to do; None where there is none.

    Args:
        dataset: the dataset.
        table: `events`, `customers`, ...; all if left out.
        name: what to call a file; by its `label` if left out.
    """
    for declared, mapped in mapped_sources(dataset):
        for place in existing(dataset, mapped) if table in (None, declared) else ():
            if line := first_broken_line(place, mapped.source):
                return f"{name(mapped.source, place) if name else label(dataset, mapped.source, place)}: {line}"
    return None
