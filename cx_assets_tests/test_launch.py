"""What a person is told after a run, whatever the width of the terminal."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from cx_assets.launch import tell_failure
from cx_assets.progress import Progress


def test_the_command_that_shows_a_failed_run_is_on_a_line_of_its_own_and_never_wrapped() -> None:
    console = Console(file=StringIO(), width=40)
    home = Path("/somewhere/with/[brackets]/and/a/long/name/data/dagster")
    tell_failure(console, Progress(console), home)
    lines = console.file.getvalue().splitlines()
    assert lines[-1] == f"  DAGSTER_HOME={home} dagster dev -w workspace.yaml"
