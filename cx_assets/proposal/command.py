"""The command `cx init`.

Belongs here: its arguments and exit code. Does not: what it does (`terminal`, `proposing`).
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape


def init(
    name: Annotated[str, typer.Argument(help="What to call the dataset, as my_shop.")],
    files: Annotated[
        list[str], typer.Option("--from", help="A file, a glob or a folder of exports; may be given several times.")
    ],
    more: Annotated[list[str] | None, typer.Argument(help="Further files, as a shell makes of a glob.")] = None,
) -> None:
    """Look at exported files, propose a manifest for a dataset NAME, and write it beside them to be corrected.

    MORE are further files, looked at like those of --from: a shell makes such of --from exports/*.csv.
    """
    from cx_assets.proposal.delivered import DeliveryError
    from cx_assets.proposal.terminal import propose

    console = Console(highlight=False)
    try:
        propose(console, name, [*files, *(more or [])])
    except DeliveryError as error:
        console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
        raise typer.Exit(1) from None
    except FileExistsError as error:
        console.print(
            f"[red]{escape(str(error.filename))} is there already and stays as it is.[/] "
            "Choose another name, or move it.",
            soft_wrap=True,
        )
        raise typer.Exit(1) from None
