"""Ways to break a file that was delivered.

Belongs here: what is done to the file. Does not: what has to be said of it (`test_files`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import openpyxl

from cx_assets_tests.broken.sound import COLUMNS, HEADER, lines


@dataclass(frozen=True)
class Kind:
    """One way to break a delivery.

    Attributes:
        name: what has happened to it.
        told: what has to be said.
        spoil: how.
    """

    name: str
    told: str
    spoil: Callable[[Path], object]


def holding(content: str | bytes) -> Callable[[Path], object]:
    """A file that holds something else."""
    return lambda path: path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def with_line(line: str, before: list[str] | None = None) -> Callable[[Path], object]:
    """A CSV file whose line after three others, or after `before`, is broken."""
    good = lines()
    return holding(HEADER + "".join(before or good[:3]) + line + "".join(good[3:]))


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def damaged(path: Path) -> None:
    """Rows in the middle of a Parquet file are other bytes; its beginning and its end are as they were."""
    columns = ", ".join(f'md5(i::varchar) as "{name}"' for name in COLUMNS)
    duckdb.sql(f"select {columns} from range(20_000) as r(i)").write_parquet(str(path))
    content = bytearray(path.read_bytes())
    content[1000:200_000] = b"\x7f" * 199_000
    path.write_bytes(content)


def workbook(path: Path, sheet: str, *rows: tuple[str, ...]) -> None:
    book = openpyxl.Workbook()
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    book.save(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.csv")
