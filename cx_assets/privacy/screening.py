"""What no column may carry by accident: a row whose fields moved by one has an address where its quantity should be.

Belongs here: knowing a personal text where none belongs. Does not: the columns that are declared personal, which no
other expression can see (`mapping`). A text is withheld where it holds an e-mail address, or is what the customers'
source says of hardly more than one customer in a personal column, however it is spaced and punctuated. Short words are
not looked for: a first name is a town's name too.
"""

import re
from collections import Counter
from collections.abc import Iterable

import duckdb

from cx_assets.privacy.functions import let_use

FUNCTION = "cx_screened"
WITHHELD = "(withheld)"
SHARED_BY = 2
SHORTEST = 8
"""Digits of a number, letters of a name: what has fewer is not looked for."""

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


class Screening:
    """Knows the personal texts of a delivery.

    Args:
        texts: what the personal columns say, one per customer and column.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counted = Counter(plain(text) for text in texts if telling(text))
        self._known = {text for text, customers in counted.items() if customers <= SHARED_BY}

    def __repr__(self) -> str:
        return "Screening()"

    def withholds(self, text: str) -> bool:
        """Whether a text tells of a person."""
        return bool("@" in text and _ADDRESS.search(text)) or plain(text) in self._known

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let queries on a connection use `FUNCTION`: a text, or null where it is withheld."""
        let_use(connection, FUNCTION, lambda text: None if self.withholds(text) else text)


def screened(text: str) -> str:
    """SQL for a text, or for null where it is withheld; most texts are too short to be looked at."""
    return (
        f"case when length({text}) < {SHORTEST} and not contains({text}, '@') then {text} else {FUNCTION}({text}) end"
    )


def telling(text: str) -> bool:
    """Whether a personal text is long enough to be nothing else: a phone number, a whole name, an address."""
    words = len(text.split()) > 1 and sum(map(str.isalpha, text)) >= SHORTEST
    return "@" in text or words or sum(map(str.isdigit, text)) >= SHORTEST


def plain(text: str) -> str:
    """A text without case, spaces and punctuation."""
    return "".join(filter(str.isalnum, text.casefold()))
