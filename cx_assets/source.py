"""Where rows of one kind are: in files of a package or beside the manifest, at a URL, or in a database.

Belongs here: what a manifest may say of it, and finding the files. Does not: reading rows (`ingestion.formats`), or
reaching what is elsewhere (`ingestion.remote`, `ingestion.databases`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from cx_assets.encodings import encoding_name
from cx_assets.manifest import ManifestError, Part, did_you_mean

Format = Literal["parquet", "csv", "jsonl", "excel"]
# Of SQL that makes a list so many characters tell it from another in the names of files.
LABEL = 40
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SourceError(Exception):
    """A source that can't be read as its manifest says."""


@dataclass(frozen=True)
class Url:
    """A file that DuckDB reads over the network."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Relation:
    """A table of a database, or a query over it.

    Attributes:
        name: what the tables tell as `source_file`: the database as the manifest names it, then the table or query.
    """

    name: str

    def __str__(self) -> str:
        return self.name


Place = Path | Url | Relation
"""One thing that rows are read from."""


class Database(Part):
    """A table of a database, or a query over it; it is only ever read."""

    kind: Literal["postgres", "mysql", "sqlite"] = Field(description="Which database it is.")
    connection: str = Field(
        description="`${NAME}`: the environment variable that holds the connection string; of SQLite also a path from "
        "the manifest's folder."
    )
    table: str | None = Field(default=None, description="The table, with its schema if need be: sales.orders.")
    query: str | None = Field(default=None, description="Instead of `table`: one select statement in its own SQL.")
    key: str | None = Field(
        default=None, description="A unique column of whole numbers from 1: it is told as source_row."
    )
    watermark: str | None = Field(
        default=None, description="A column that grows with every change of a row: by it the sensor finds changed days."
    )
    lookback: int = Field(
        default=60,
        ge=0,
        description="How far behind the greatest watermark a row may be committed: minutes, or steps of a number.",
    )

    @field_validator("connection")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        # The text itself is not repeated: it may hold a password.
        if not VARIABLE.fullmatch(value) and ("://" in value or "=" in value or "$" in value or not value.strip()):
            raise ValueError("name the environment variable that holds the connection string, as ${SHOP_DSN}")
        return value

    @model_validator(mode="after")
    def _one_relation(self) -> "Database":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        if self.variable is None and self.kind != "sqlite":
            raise ValueError("connection: name the environment variable that holds it, as ${SHOP_DSN}")
        return self

    @property
    def variable(self) -> str | None:
        """The environment variable that holds the connection string, if one does."""
        found = VARIABLE.fullmatch(self.connection)
        return found[1] if found else None


class Source(Part):
    """Where rows of one kind are: files in an installed package or beside the manifest, a URL, or a database."""

    package: str | None = Field(default=None, description="An installed Python package that holds the files.")
    files: str | None = Field(
        default=None, description="A path or glob, relative to the package or to the manifest's folder."
    )
    url: str | None = Field(default=None, description="Instead of `files`: s3://bucket/path or glob, http(s)://path.")
    database: Database | None = Field(default=None, description="Instead of `files`: a table or query.")
    format: Format | None = Field(default=None, description="How the files are written.")
    sheet: str | None = Field(default=None, description="Excel only: the sheet; the first if left out.")
    delimiter: str | None = Field(default=None, description="CSV only: what separates fields; found out if left out.")
    encoding: str = Field(default="utf-8", description="CSV only: the characters' code, such as windows-1252.")
    decimal: Literal[".", ","] | None = Field(
        default=None, description="What numbers written as text have before their decimals; thousands may be grouped."
    )

    may_lack: tuple[str, ...] = Field(
        default=(),
        description="Columns that not every file has, such as one that was gained later: they have no value there.",
    )
    unnest: str | None = Field(
        default=None,
        description="A column that holds a list, or SQL that makes one: each `element` of it is a row of its own.",
    )

    @field_validator("files")
    @classmethod
    def _relative(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip() or Path(value).is_absolute()):
            raise ValueError("a path or glob relative to the manifest's folder (or the package), such as orders/*.csv")
        if value is not None and any("**" in part and part != "**" for part in value.split("/")):
            raise ValueError("** stands for any folders and is a part of its own, such as orders/**/*.csv")
        return value

    @field_validator("url")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("s3", "http", "https") or not parts.netloc:
            raise ValueError("a URL begins with s3://, https:// or http://; for files of this machine use 'files'")
        if "@" in parts.netloc:
            raise ValueError("a URL may not hold a user or a password: credentials come from the environment only")
        if parts.scheme != "s3" and "*" in value:
            raise ValueError("HTTP can't list files: name each as an entry of its own, or use s3:// for a glob")
        return value

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, value: str | None) -> str | None:
        if value is not None and (not 1 <= len(value.encode()) <= 4 or any(c in value for c in '"\r\n')):
            raise ValueError("what stands between fields, such as ';': up to four bytes, no quotes or line breaks")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        encoding_name(value)
        return value

    @field_validator("unnest")
    @classmethod
    def _names_a_list(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("a column that holds a list, such as line_items, or SQL that makes one")
        return value

    @field_validator("may_lack")
    @classmethod
    def _columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(name.strip() for name in value):
            raise ValueError("names of columns, such as [discount]")
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> "Source":
        if sum(origin is not None for origin in (self.files, self.url, self.database)) != 1:
            raise ValueError("give one of files, url and database")
        if self.package is not None and self.files is None:
            raise ValueError("a package has files: give 'files'")
        if self.database is None and self.format is None:
            raise ValueError("format: say how the files are written: parquet, csv, jsonl or excel")
        if self.database is not None and self.format is not None:
            raise ValueError("format: a database has none; leave it out")
        if self.may_lack and self.database is not None:
            raise ValueError("may_lack: a table or query has the same columns in every row; leave it out")
        if self.unnest is not None and self.database is not None:
            raise ValueError("unnest: a database takes lists apart in its query; leave it out")
        if self.sheet is not None and self.format != "excel":
            raise ValueError("sheet: only Excel files have sheets")
        return self

    @property
    def part(self) -> str:
        """What a file's name is followed by where the source takes a part of it: a sheet, the elements of a list."""
        elements = "_".join(re.findall(r"\w+", self.unnest))[:LABEL] or "elements" if self.unnest else None
        parts = (self.sheet, elements)
        return "".join(f"#{part}" for part in parts if part)

    def lacking(self, columns: Iterable[str]) -> list[str]:
        """Those of the columns that a file may lack which are not among its own; upper and lower case are the same."""
        own = {column.lower() for column in columns}
        return [name for name in dict.fromkeys(self.may_lack) if name.lower() not in own]

    def folder(self, manifest_folder: Path) -> Path:
        """The folder that `files` is relative to.

        Raises:
            ManifestError: if the package isn't installed.
        """
        if self.package is None:
            return manifest_folder
        try:
            spec = find_spec(self.package)
        except ModuleNotFoundError:  # of `a.b` when there is no `a`
            spec = None
        if spec is None or not spec.submodule_search_locations:
            near = did_you_mean(self.package, list(packages_distributions()))
            hint = near if "Did you" in near else f" Install it: pip install {self.package}."
            raise ManifestError(f"the package {self.package!r} is not installed.{hint}")
        return Path(spec.submodule_search_locations[0])

    def paths(self, manifest_folder: Path) -> list[Path]:
        """The files that exist now, sorted by name; none of a source that isn't files."""
        if self.files is None:
            return []
        return sorted(path for path in self.folder(manifest_folder).glob(self.files) if path.is_file())
