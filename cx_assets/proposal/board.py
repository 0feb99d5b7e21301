"""The guesses of one source as a person reads them in a terminal.

Belongs here: how they are laid out, whatever the terminal's width. Does not: what else is printed (`terminal`).

SQL is there to be copied, so it is broken at blanks only, and a time that is cut short tells nothing: Rich's own tables
break both where a column ends.
"""

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.markup import escape

from cx_assets.proposal.guesses import LIKELY, SURE, Guess, SourceProposal, told

# An example that is longer is cut, unless it is a time.
LONG = 20
# With less room than this for what is made of which column, one example is shown instead of two.
ROOM = 24
GAP = "  "


class Row(NamedTuple):
    """One guess.

    Attributes:
        key: what is made.
        made: of what, in SQL.
        examples: delivered values.
        sureness: 0 to 1; None of the heading.
    """

    key: str
    made: str
    examples: tuple[str, ...]
    sureness: float | None


HEADING = Row("", "made of", ("for example",), None)


def board(source: SourceProposal, width: int) -> Iterator[str]:
    """The guesses of a source, line by line, in Rich's markup.

    Args:
        source: what is proposed.
        width: of the terminal; only what has no blank to be broken at is longer.
    """
    count = len(source.group.files)
    files = f"{count} files" if count > 1 else "1 file"
    yield f"[bold]{escape(f'{source.table}  {source.group.name}  ({files}; {told(source.sureness)})')}[/]"
    rows = [
        HEADING,
        *(Row(g.key, g.expression, _examples(g), g.sureness) for g in (*source.guesses, *source.attributes)),
        *(Row(entry.name, f"kept out: {entry.what}", (), entry.sureness) for entry in source.personal),
    ]
    if _room(rows, width) < ROOM:
        rows = [row._replace(examples=row.examples[:1]) for row in rows]
    yield from _table(rows, _room(rows, width), width)


def _table(rows: Sequence[Row], room: int, width: int) -> Iterator[str]:
    """Rows in columns; what is made of more than there is room for stands below its row."""
    keys = max(cell_len(row.key) for row in rows)
    inline = max((cell_len(row.made) for row in rows if cell_len(row.made) <= room), default=0)
    shown = max(cell_len(", ".join(row.examples)) for row in rows)
    for row in rows:
        fits = cell_len(row.made) <= room
        cells = (_padded(row.key, keys), _padded(row.made if fits else "", inline))
        examples = _padded(", ".join(row.examples), shown)
        yield f"{escape(GAP.join((*cells, examples)))}{GAP}{_coloured(row.sureness)}"
        if not fits:
            indent = " " * keys + GAP
            for line in textwrap.wrap(row.made, width - len(indent), break_long_words=False, break_on_hyphens=False):
                yield escape(indent + line)


def _room(rows: Sequence[Row], width: int) -> int:
    """What the other columns leave for what is made of what."""
    others = (
        max(cell_len(row.key) for row in rows),
        max(cell_len(", ".join(row.examples)) for row in rows),
        max(cell_len(_sure(row.sureness)) for row in rows),
    )
    return max(width - sum(others) - 3 * len(GAP), len(HEADING.made))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _examples(guess: Guess) -> tuple[str, ...]:
    if guess.key == "occurred_at":
        return guess.examples[:2]
    return tuple(text if len(text) <= LONG else f"{text[: LONG - 3]}..." for text in guess.examples[:2])


def _sure(sureness: float | None) -> str:
    return "how sure" if sureness is None else told(sureness)


def _coloured(sureness: float | None) -> str:
    if sureness is None:
        return f"[bold]{_sure(None)}[/]"
    colour = "green" if sureness >= SURE else "default" if sureness >= LIKELY else "yellow"
    return f"[{colour}]{told(sureness)}[/]"
