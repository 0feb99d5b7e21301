"""Files of the same kind as one.

Belongs here: which files belong together, by header and name, and the glob of each such group. Does not: patterns
(`globs`), reading rows (`samples`), or what the columns mean (`columns`, `roles`).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cx_assets.proposal.delivered import Delivered
from cx_assets.proposal.globs import closed_globs, open_glob, stem

# A file with a smaller share of another's columns is no earlier version of it.
GREW_FROM = 0.5


@dataclass(frozen=True)
class Group:
    """Files that one source of a manifest names: of one header, or of headers that hold one another.

    Attributes:
        files: sorted by path.
        glob: relative to the manifest's folder; matches these files and no other that was given.
        table: the temporary table that holds a sample of their rows, as delivered: CSV as text, Parquet as typed.
        whole: whether the sample is all there is.
        page: the encoding where the files don't tell, as all they hold is ASCII: that of the files beside them.
        closed: whether the glob names these files only, as others that are called alike have other columns.
        inside: columns of the sample that are values inside of delivered ones, and their SQL over these.
        nested: delivered columns that were taken apart so, and the name of the elements of a list.
        unnest: SQL for the list whose elements are rows, if there is one.
        where: SQL for which rows are events; None for all.
        notes: what is to be known of lists that aren't read, sentences.
    """

    files: tuple[Delivered, ...]
    glob: str
    table: str
    whole: bool = True
    page: str = "utf-8"
    closed: bool = False
    inside: tuple[tuple[str, str], ...] = ()
    nested: tuple[str, ...] = ()
    unnest: str | None = None
    where: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person calls the files: their glob, with the sheet of a workbook that has several."""
        return f"{self.glob}#{self.first.sheet}" if self.first.sheet else self.glob

    @property
    def title(self) -> str:
        """The part of the name that says what the files hold: the sheet's, or the file's without folder and ending."""
        return self.first.sheet or self.glob.rsplit("/", 1)[-1].split(".")[0]

    @property
    def first(self) -> Delivered:
        """The first file, which speaks for the others."""
        return self.files[0]

    @cached_property
    def partial(self) -> dict[str, tuple[Delivered, ...]]:
        """Columns that not every file has, and the files that have them.

        Nothing is made of one by itself: of all rows of the other files nothing would be known.
        """
        names = dict.fromkeys(name for file in self.files for name in file.columns)
        having = {name: tuple(file for file in self.files if name in file.columns) for name in names}
        return {name: files for name, files in having.items() if len(files) < len(self.files)}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be known of the files together, sentences."""
        found = [
            f"{name} is in {len(files)} of {len(self.files)} files ({_first_names(files)}): nothing is made of it. To "
            f"use it, write may_lack: [{json.dumps(name)}] in the source: it has no value in the others."
            for name, files in self.partial.items()
        ]
        if self.closed:
            found.append(
                f"{self.glob} names these files only: others are called alike and have other columns. Widen it for "
                "those that are to come."
            )
        return (*found, *self.notes)

    @property
    def encoding(self) -> str:
        """The encoding that reads all files: text in ASCII is also text in any other."""
        told = {file.encoding for file in self.files} - {"ascii"}
        return min(told, key=lambda page: page == "utf-8") if told else self.page

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.path.stat().st_size for file in self.files)


def grouped(files: Sequence[Delivered], folder: Path) -> list[Group]:
    """Files by header and by name without its numbers, each group with the widest glob that matches nothing else.

    Args:
        files: all that were given.
        folder: what the globs are relative to; all files are below it.
    """
    pages = {file.encoding for file in files if file.format == "csv"} - {"ascii"}
    page = pages.pop() if len(pages) == 1 else "utf-8"
    everything = {file.path for file in files}
    groups: list[Group] = []
    for members in _of_one_header(_series(files, folder), everything, folder):
        by_path = {member.path: member for member in members}
        pattern = open_glob(by_path.keys(), everything, folder)
        named = [(list(by_path), pattern)] if pattern else closed_globs(list(by_path), everything, folder)
        for paths, glob in named:
            some = tuple(by_path[path] for path in sorted(paths))
            groups.append(Group(some, glob, f"sample_{len(groups)}", page=page, closed=pattern is None))
    return sorted(groups, key=lambda group: group.glob)


def _series(files: Sequence[Delivered], folder: Path) -> list[list[Delivered]]:
    """Files whose names differ in numbers and dates only, and whose columns only became more or fewer."""
    called: dict[tuple[str, str, str, str], list[Delivered]] = defaultdict(list)
    for file in files:
        called[file.format, file.delimiter, file.sheet, stem(file.path.relative_to(folder).as_posix())].append(file)
    return [series for alike in called.values() for series in _nested(alike)]


def _nested(files: Sequence[Delivered]) -> list[list[Delivered]]:
    """Files in series in each of which the columns of one hold those of another, in whatever order."""
    found: list[list[Delivered]] = []
    for file in sorted(files, key=lambda file: len(file.columns)):
        fits = [series for series in found if _grew(series[0], file) and set(series[-1].columns) <= set(file.columns)]
        if fits:
            fits[0].append(file)
        else:
            found.append([file])
    return found


def _grew(small: Delivered, large: Delivered) -> bool:
    return len(small.columns) >= GREW_FROM * len(large.columns)


def _of_one_header(
    series: Sequence[list[Delivered]], everything: set[Path], folder: Path
) -> Iterator[list[Delivered]]:  # fmt: skip
    """Series of the same columns and folder as one, where one glob can name them: of January and of February."""
    alike: dict[tuple[object, ...], list[list[Delivered]]] = defaultdict(list)
    for members in series:
        first, columns = members[0], frozenset(name for member in members for name in member.columns)
        place = Path(stem(first.path.relative_to(folder).as_posix())).parent
        alike[first.format, first.delimiter, first.sheet, columns, place].append(members)
    for some in alike.values():
        together = [member for members in some for member in members]
        one = open_glob([member.path for member in together], everything, folder)
        yield from [together] if one else some


def _first_names(files: Sequence[Delivered]) -> str:
    names = [file.path.name for file in files]
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]}, ..., {names[-1]}"
