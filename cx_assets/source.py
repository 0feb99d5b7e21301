"""Where files of one kind are: in an installed package, or beside the manifest.

Belongs here: finding the files. Does not: reading them (`ingestion.reader`).
"""

from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from cx_assets.manifest import ManifestError, Part, did_you_mean


class SourceError(Exception):
    """A file that can't be read as its manifest says."""


class Source(Part):
    """Files of one kind: in an installed package, or beside the manifest."""

    package: str | None = Field(default=None, description="An installed Python package that holds the files.")
    files: str = Field(description="A path or glob, relative to the package or to the manifest's folder.")
    format: Literal["parquet", "csv", "jsonl"] = Field(description="How the files are written.")
    delimiter: str | None = Field(default=None, description="CSV only: what separates fields; found out if left out.")
    encoding: Literal["utf-8", "utf-16", "latin-1"] = Field(
        default="utf-8", description="CSV only: the characters' code."
    )

    @field_validator("files")
    @classmethod
    def _relative(cls, value: str) -> str:
        if not value.strip() or Path(value).is_absolute():
            raise ValueError("a path or glob relative to the manifest's folder (or the package), such as orders/*.csv")
        return value

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
        """The files that exist now, sorted by name."""
        return sorted(path for path in self.folder(manifest_folder).glob(self.files) if path.is_file())
