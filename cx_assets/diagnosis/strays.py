"""Files beside those of a manifest that no source of it names: often a delivery under a new name.

Belongs here: finding them. Does not: what is in them.
"""

from pathlib import Path

from cx_assets.dataset import Dataset
from cx_assets.ingestion.mapping import mapped_sources

DATA_SUFFIXES = (
    ".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz",
    ".json.gz", ".parquet", ".xlsx",
)  # fmt: skip


def unused_files(dataset: Dataset) -> list[Path]:
    """Data files in the folders of the sources that no source matches, sorted; what a package ships is no delivery."""
    matched: set[Path] = set()
    folders: set[Path] = set()
    for _, mapped in mapped_sources(dataset):
        if mapped.source.package is None:
            paths = mapped.source.paths(dataset.folder)
            matched.update(paths)
            folders.update(path.parent for path in paths)
    found = {path for folder in folders for path in folder.iterdir() if is_data(path)}
    return sorted(found - matched)


def is_data(path: Path) -> bool:
    """Whether a path is a file of rows, by its name; hidden files, such as a half-written one, are not."""
    return path.name.lower().endswith(DATA_SUFFIXES) and not path.name.startswith(".") and path.is_file()
