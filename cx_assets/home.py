"""Dagster's instance folder: where it is, and what must be in it.

Belongs here: preparing `DAGSTER_HOME`. Does not: using the instance.
"""

import os
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from cx_assets.settings import Settings


class HomeError(Exception):
    """The instance folder can't be made or written."""


def home_of(settings: Settings) -> Path:
    """The instance folder, be it there or not: the operator's `DAGSTER_HOME`, or one in the data folder."""
    return Path(os.environ.get("DAGSTER_HOME") or settings.home)


def prepare_home(settings: Settings) -> Path:
    """Make the instance folder if there is none, with the configuration that ships, and let Dagster know of it.

    A `DAGSTER_HOME` that the operator has set is left alone.

    Raises:
        HomeError: if it can't be made or written.
    """
    home = home_of(settings)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            with as_file(files("cx_assets") / "dagster.yaml") as shipped:
                shutil.copyfile(shipped, home / "dagster.yaml")
    except OSError as error:
        variable = "DAGSTER_HOME" if os.environ.get("DAGSTER_HOME") else "CX_DATA_DIR"
        raise HomeError(
            f"{variable}: {home} can't be written: {error.strerror} ({error.filename}). Choose another folder, or let "
            "this user write there. Nothing was changed."
        ) from error
    os.environ["DAGSTER_HOME"] = str(home)
    return home
