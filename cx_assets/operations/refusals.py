"""A `cx run` that was refused before it began, of which Dagster knows nothing: noted in the data folder.

Belongs here: noting one, and finding it again. Does not: what is refused (`arguments`), or whether a run has begun
since (`looking`). What is noted is what was printed, and no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from pydantic import ValidationError

from cx_assets.arguments import RefusedError
from cx_assets.home import home_of
from cx_assets.operations.status import Refusal
from cx_assets.settings import Settings

NOTE = "refused_run.json"


@contextmanager
def noting_refusal(settings: Settings) -> Iterator[None]:
    """Note down that a run is refused, if it is, for `cx status`.

    Before there is any history nobody watches the project, and whoever typed has read it: nothing is made for a note.
    """
    try:
        yield
    except RefusedError as refused:
        if settings.data_dir.is_dir() and (home_of(settings) / "dagster.yaml").exists():
            _note(settings, Refusal(at=datetime.now(UTC), problems=refused.problems))
        raise


def _note(settings: Settings, refusal: Refusal) -> None:
    note = settings.data_dir / NOTE
    half = note.with_suffix(".half")
    # What is wrong has been printed; that it can't be noted too would only hide it.
    with suppress(OSError):
        half.write_text(refusal.model_dump_json(indent=1), "utf-8")
        half.replace(note)


def last_refusal(settings: Settings) -> Refusal | None:
    """The last run that was refused; None if none was, or nobody can read the note."""
    try:
        return Refusal.model_validate_json((settings.data_dir / NOTE).read_text("utf-8"))
    except (OSError, ValidationError):
        return None
