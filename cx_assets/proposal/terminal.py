"""What `cx init` prints, and where it writes.

Belongs here: the order of what is printed, and the file. Does not: the guesses, or how they are laid out (`board`).
"""

import re
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.manifest import ManifestError
from cx_assets.proposal.board import board
from cx_assets.proposal.delivered import DeliveryError, files_named, near
from cx_assets.proposal.guesses import Proposal
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed


def propose(console: Console, name: str, patterns: list[str]) -> Path:
    """Look at files, print what they seem to be, and write a manifest beside them.

    Args:
        console: to print on.
        name: of the dataset: lower-case letters, digits and _.
        patterns: files, globs or folders.

    Returns:
        The manifest.

    Raises:
        DeliveryError: if the name doesn't do, files are missing, or none of them holds events.
        FileExistsError: if there is such a manifest already: it may have been corrected by hand.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise DeliveryError(f"{name!r}: a dataset's name has lower-case letters, digits and _, as my_shop.")
    paths = files_named(patterns)
    proposal, folder = proposed(name, paths)
    manifest = folder / f"{name}.yaml"
    text = manifest_text(proposal)
    for source in proposal.sources:
        for line in board(source, console.width):
            console.print(line, soft_wrap=True)
    for line in _remarks(proposal):
        console.print(line, soft_wrap=True)
    try:
        with manifest.open("x", encoding="utf-8") as file:
            file.write(text)
    except PermissionError as error:
        raise DeliveryError(f"{manifest}: can't be written. Copy the files to a folder of your own.") from error
    console.print(f"\nWritten: [bold]{escape(near(manifest))}[/]", soft_wrap=True)
    try:
        wrong = problems(load_dataset(str(manifest)))
    except ManifestError as error:
        wrong = str(error).splitlines()
    for line in wrong:
        console.print(f"  [yellow]to correct[/]  {escape(line)}", soft_wrap=True)
    console.print("Correct it as its comments say, those that are UNSURE first, then")
    console.print(f"  CX_DATASET={escape(near(manifest))} cx doctor", soft_wrap=True)
    return manifest


def _remarks(proposal: Proposal) -> list[str]:
    days = f"{proposal.first_day} to {proposal.last_day}" if proposal.first_day else "[yellow]none could be read[/]"
    lines = [f"\n  days      {days}"]
    lines += [f"  check     {escape(note)}" for source in proposal.sources for note in source.notes]
    lines += [f"  not used  {escape(glob)}: {escape(why)}" for glob, why in proposal.unused]
    return lines + [f"  doubt     {escape(doubt)}" for doubt in proposal.doubts]
