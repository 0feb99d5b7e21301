"""Whoever asks a command for help is told what each of its arguments and options is."""

from collections.abc import Iterator

import pytest
from click import Command, Group
from typer.main import get_command
from typer.testing import CliRunner

from cx_assets.cli import app


def commands(command: Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Every command, with the words that it is called by."""
    if isinstance(command, Group):
        for name, below in command.commands.items():
            yield from commands(below, (*words, name))
    else:
        yield words, command


@pytest.mark.parametrize(
    ("words", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in commands(get_command(app))]
)
def test_help_says_what_each_argument_and_option_is(words: tuple[str, ...], command: Command) -> None:
    told = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "300", "TERMINAL_WIDTH": "300"}).output
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", None)] == []
    assert [parameter.name for parameter in command.params if getattr(parameter, "help", "") not in told] == []
