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
    key = typer.Typer(no_args_is_help=True, help="The master key of a dataset with personal data.")
    app.add_typer(key, name="key")

    @contextmanager
    def refusing() -> Iterator[None]:
        try:
            yield
        except (KeyRefusedError, LookupError, ValueError, SealBrokenError, SourceError) as error:
            console.print(f"[red]{escape(str(error.args[0]))}[/]", soft_wrap=True)
            raise typer.Exit(1) from None

    def protection() -> Protection:
        given = settings()
        found = dataset(given)
        if found.privacy is None:
            raise LookupError(f"{found.path.name} has no part `privacy`: its ids are told as they are.")
        return Protection(found, given)

    def pseudonym_of(keeper: Protection, customer: str) -> str:
        as_told = re.fullmatch(f"[0-9a-f]{{{LENGTH}}}", customer)
        return customer if as_told else keeper.pseudonyms.of(OWN_ID, customer.strip())

    def who() -> str:
        return f"{getpass.getuser()}@{socket.gethostname()}"

    @key.command("new")
    def new(
        file: Annotated[Path, typer.Argument(help="A file that isn't there yet, outside the data folder.")],
    ) -> None:
        """Write a new random key into FILE, for its owner's eyes only."""
        with refusing():
            write_new_key(file, settings().data_dir)
        console.print(
            f"Written: {file}. Keep a copy in a safe place: without it nobody can open the vault, and", soft_wrap=True
        )
        console.print(
            f"pseudonyms can't be made again. To use it: export CX_KEY_FILE={file.absolute()}", soft_wrap=True
        )

    @app.command()
    def pseudonym(
        value: Annotated[str, typer.Argument(help="An id as the shop knows it.")],
        column: Annotated[str, typer.Option(help="One of the manifest's identifiers.")] = OWN_ID,
    ) -> None:
        """Print what stands in the tables for an id; needs the key."""
        with refusing():
            keeper = protection()
            known = keeper.dataset.privacy.identifiers if keeper.dataset.privacy else ()
            if column not in known:
                raise LookupError(f"{column} is not an identifier of the manifest, which has: {', '.join(known)}.")
            typer.echo(keeper.pseudonyms.of(column, value.strip()))

    @app.command("files")
    def list_files() -> None:
        """Print every file of the dataset with the name that the tables tell it by; needs the key."""
        with refusing():
            for table, file, told in protection().told_names():
                typer.echo(f"{told}  {file}  ({table})")

    @app.command()
    def reveal(customer: Customer, purpose: Purpose) -> None:
        """Print who a customer is, from the vault; needs the key, and is written down there."""
        with refusing():
            keeper = protection()
            for name, text in keeper.vault().reveal(pseudonym_of(keeper, customer), who(), purpose).items():
                typer.echo(f"{name}: {text}")

    @app.command()
    def forget(customer: Customer, purpose: Purpose) -> None:
        """Erase a customer's key in the vault, so that nobody can read who it was; there is no way back."""
        with refusing():
            keeper = protection()
            keeper.vault().forget(pseudonym_of(keeper, customer), who(), purpose)
        console.print("Forgotten: the vault can't tell who it was, and takes the customer in no more.")
