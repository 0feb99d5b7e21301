"""What a command is given: the operator's settings, a dataset that can be used, a range of days or as-of dates.

Belongs here: judging them before anything starts, with an exit code and words for the person who typed. Does not: the
commands (`cli`).
"""

from collections.abc import Sequence
from datetime import date
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from cx_assets.dataset import Dataset, ManifestError, load_dataset
from cx_assets.days import days_over
from cx_assets.ingestion.fitting import problems
from cx_assets.privacy.keys import KeyRefusedError
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings

console = Console(highlight=False)


class RefusedError(typer.Exit):
    """A command ends before it has begun, for what it was given can't be used.

    Attributes:
        problems: what has been printed of it, a line each.
    """

    def __init__(self, problems: Sequence[str], code: int) -> None:
        super().__init__(code)
        self.problems = list(problems)


def refuse(problems: Sequence[str], code: int = 1) -> NoReturn:
    """Print what is wrong, and end the command."""
    for line in problems:
        console.print(f"[red]{escape(line)}[/]", soft_wrap=True)
    raise RefusedError(problems, code) from None


def given_settings() -> Settings:
    """The operator's settings, or exit code 1 and which variable is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            variable = f"CX_{problem['loc'][0]}".upper()
            console.print(
                f"[red]{variable}={escape(repr(problem['input']))}: {escape(problem['msg'])}[/]", soft_wrap=True
            )
        raise typer.Exit(1) from None


def usable_dataset(settings: Settings) -> Dataset:
    """The dataset, or exit code 1 and what is wrong with it."""
    try:
        dataset = load_dataset(settings.dataset)
        Protection(dataset, settings).require_key()
        wrong = problems(dataset)
    except (ManifestError, KeyRefusedError) as error:
        wrong = str(error).splitlines()
    if wrong:
        refuse(wrong)
    return dataset


def first_day_kept(dataset: Dataset, settings: Settings) -> str | None:
    """The first day whose raw events are kept; None where all are, and where none of the dataset's days is over."""
    if "ingestion.raw_events" not in settings.retention:
        return None
    from cx_assets.operations.retention import first_day_to_load

    day = first_day_to_load(dataset, settings.retention)
    return day.isoformat() if day in days_over(dataset) else None


def days_between(dataset: Dataset, first: str | None, last: str | None) -> tuple[date, date]:
    """The first and last day of a run, as asked for or all that are over; exit code 2 if they aren't such."""
    keys = [day.isoformat() for day in days_over(dataset)]
    if not keys:
        refuse([f"no day of the dataset is over: it begins on {dataset.first_day}."], 2)
    chosen = range_of(keys, first, last, "a day of the dataset", "FIRST", "LAST")
    return date.fromisoformat(chosen[0]), date.fromisoformat(chosen[1])


def range_of(
    keys: Sequence[str], first: str | None, last: str | None, what: str, first_name: str, last_name: str
) -> tuple[str, str]:
    """The first and last of some partitions, as asked for or all of them; exit code 2 if they aren't such."""
    for name, text in ((first_name, first), (last_name, last)):
        if text is not None and text not in keys:
            refuse([f"{name} {text!r} is not {what}, which has {keys[0]} to {keys[-1]}."], 2)
    chosen = first or keys[0], last or keys[-1]
    if chosen[0] > chosen[1]:
        refuse([f"{first_name} {chosen[0]} is after {last_name} {chosen[1]}."], 2)
    return chosen
