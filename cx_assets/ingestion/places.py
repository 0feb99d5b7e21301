"""The files, URLs and relations that a source of a manifest stands for, and what they are called.

Belongs here: which there are. Does not: reading their rows (`formats`, `reader`).
"""

import gzip
import zlib
from pathlib import Path

from cx_assets.dataset import Dataset
from cx_assets.ingestion.databases import relation_name
from cx_assets.ingestion.formats import reading
from cx_assets.ingestion.mapping import MappedSource
from cx_assets.ingestion.remote import listed, shown
from cx_assets.source import Place, Relation, Source, SourceError, Url


def existing(dataset: Dataset, mapped: MappedSource) -> list[Place]:
    """The source's files that hold anything, or its relation.

    Raises:
        SourceError: if no file matches, or a URL can't be reached.
    """
    source = mapped.source
    if source.database is not None:
        return [Relation(relation_name(source.database, ".".join(map(str, mapped.location))))]
    sizes: dict[Place, int]
    if source.url is not None:
        with reading(source, dataset.folder) as connection:
            sizes = {place: int(state[0]) for place, state in listed(connection, source.url).items()}
    else:
        sizes = {path: path.stat().st_size for path in source.paths(dataset.folder)}
    if not sizes:
        raise SourceError(_missing(dataset, mapped))
    return [place for place, size in sizes.items() if size > 0 and not is_packed_nothing(place)]


def is_packed_nothing(place: Place) -> bool:
    """Whether a file is gzip of nothing at all; one that can't be unpacked isn't, and loading it tells why."""
    if not isinstance(place, Path) or not place.name.lower().endswith(".gz"):
        return False
    try:
        with gzip.open(place) as file:
            return file.read(1) == b""
    except (OSError, EOFError, zlib.error):
        return False


def label(dataset: Dataset, source: Source, place: Place) -> str:
    """What the tables tell as `source_file`: the same on every machine, and free of secrets."""
    if isinstance(place, Relation):
        return place.name
    if isinstance(place, Url):
        return shown(place.address) + source.part
    name = place.relative_to(source.folder(dataset.folder)).as_posix() + source.part
    return f"{source.package}/{name}" if source.package else name


def _missing(dataset: Dataset, mapped: MappedSource) -> str:
    if mapped.source.url is not None:
        return f"no file at {shown(mapped.source.url)}. Put the file there or correct 'url'."
    folder = mapped.source.package or dataset.folder.name
    if (mapped.source.folder(dataset.folder) / str(mapped.source.files)).is_dir():
        return f"'{mapped.source.files}' in {folder} is a folder. Name its files, such as '{mapped.source.files}/*'."
    return f"no file matches '{mapped.source.files}' in {folder}. Put the file there or correct 'files'."
