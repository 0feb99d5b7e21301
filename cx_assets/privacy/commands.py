"""The commands of whoever holds the key: make one, find a customer's pseudonym, look into the vault, forget.

Belongs here: arguments, exit codes and what is printed. Does not: the work (`keys`, `protection`, `vault`).
"""

import getpass
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cx_assets.dataset import Dataset
from cx_assets.privacy.declaration import OWN_ID
from cx_assets.privacy.keys import KeyRefusedError, write_new_key
from cx_assets.privacy.merged import Person, person_of
from cx_assets.privacy.protection import Protection
from cx_assets.privacy.pseudonyms import LENGTH
from cx_assets.privacy.sealing import SealBrokenError
from cx_assets.settings import Settings
from cx_assets.source import SourceError

Customer = Annotated[str, typer.Argument(help="The pseudonym in the tables, or the shop's own id.")]
Purpose = Annotated[str, typer.Option(help="What for; the vault keeps it, with who and when.")]


def add_privacy_commands(
    app: typer.Typer, console: Console, settings: Callable[[], Settings], dataset: Callable[[Settings], Dataset]
) -> None:
    """Give `cx` its commands about personal data.

    Args:
        app: gets them.
        console: prints.
        settings: the operator's settings, or the end of the command.
        dataset: the dataset that they name, or the end of the command.
    """
    commands = _Commands(console, settings, dataset)
    key = typer.Typer(no_args_is_help=True, help="The master key of a dataset with personal data.")
    key.callback()(lambda: None)
    key.command("new")(commands.new_key)
    app.add_typer(key, name="key")
    for name in ("pseudonym", "files", "reveal", "forget"):
        app.command(name)(getattr(commands, name))


class _Commands:
    """What the commands have in common: a console, the settings and the dataset."""

    def __init__(
        self, console: Console, settings: Callable[[], Settings], dataset: Callable[[Settings], Dataset]
    ) -> None:
        self._console, self._settings, self._dataset = console, settings, dataset

    def new_key(
        self, file: Annotated[Path, typer.Argument(help="A file that isn't there yet, outside the data folder.")]
    ) -> None:
        """Write a new random key into FILE, for its owner's eyes only."""
        with self._refusing():
            write_new_key(file, self._settings().data_dir)
        self._console.print(
            f"Written: {file}. Keep a copy in a safe place: without it nobody can open the vault, and pseudonyms can't "
            f"be made again.\nTo use it: export CX_KEY_FILE={file.absolute()}",
            soft_wrap=True,
        )

    def pseudonym(
        self,
        value: Annotated[str, typer.Argument(help="An id as the shop knows it.")],
        column: Annotated[str, typer.Option(help="One of the manifest's identifiers.")] = OWN_ID,
    ) -> None:
        """Print what stands in the tables for an id; needs the key."""
        with self._refusing():
            protection = self._protection()
            identifiers = protection.dataset.privacy.identifiers if protection.dataset.privacy else ()
            if column not in identifiers:
                raise LookupError(f"{column} is no identifier of the manifest, which has: {', '.join(identifiers)}.")
            typer.echo(protection.pseudonyms.of(column, value.strip()))

    def files(self) -> None:
        """Print every file of the dataset with the name that the tables tell it by; needs the key."""
        with self._refusing():
            for table, file, told in self._protection().told_names():
                typer.echo(f"{told}  {file}  ({table})")

    def reveal(self, customer: Customer, purpose: Purpose) -> None:
        """Print who a customer is, from the vault; needs the key, and is written down there."""
        with self._refusing():
            protection, person = self._person(customer)
            for name, text in protection.vault().reveal(person.ids[0], _who(), purpose).items():
                typer.echo(f"{name}: {text}")
        self._tell_kept(person)
        if person.others:
            self._console.print(f"Other ids of the same person: {', '.join(person.others)}.", soft_wrap=True)

    def forget(self, customer: Customer, purpose: Purpose) -> None:
        """Erase a customer's keys in the vault, of all ids that are merged, so that nobody can read who it was.

        There is no way back. Exit code 1 if there may be other ids of the same person.
        """
        with self._refusing():
            protection, person = self._person(customer)
            forgotten = ", ".join(protection.vault().forget(person.ids, _who(), purpose))
        self._tell_kept(person)
        if person.doubt:
            self._console.print(f"Forgotten: {forgotten}.", soft_wrap=True)
            self._console.print(
                f"[yellow]There may be other ids of the same person.[/] {escape(person.doubt)}", soft_wrap=True
            )
            raise typer.Exit(1)
        if person.others:
            told = f"Forgotten: {forgotten}. The vault can't tell who it was, and takes none of them in any more."
        else:
            told = "Forgotten: the vault can't tell who it was, and takes the customer in no more."
        self._console.print(told, soft_wrap=True)

    def _person(self, customer: str) -> tuple[Protection, Person]:
        protection = self._protection()
        return protection, person_of(protection.dataset, self._settings(), _pseudonym(protection, customer))

    def _tell_kept(self, person: Person) -> None:
        if person.kept != person.ids[0]:
            self._console.print(f"{person.ids[0]} is merged into {person.kept}: so the tables have it.", soft_wrap=True)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Tell what can't be done, and end with exit code 1."""
        try:
            yield
        except (KeyRefusedError, LookupError, ValueError, SealBrokenError, SourceError) as error:
            self._console.print(f"[red]{escape(str(error.args[0]))}[/]", soft_wrap=True)
            raise typer.Exit(1) from None

    def _protection(self) -> Protection:
        settings = self._settings()
        dataset = self._dataset(settings)
        if dataset.privacy is None:
            raise LookupError(f"{dataset.path.name} has no part `privacy`: its tables tell ids and files as they are.")
        return Protection(dataset, settings)


def _pseudonym(protection: Protection, customer: str) -> str:
    told = re.fullmatch(f"[0-9a-f]{{{LENGTH}}}", customer)
    return customer if told else protection.pseudonyms.of(OWN_ID, customer.strip())


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
