"""What no column may carry by accident: a row whose fields moved by one has an address where its quantity should be.

Belongs here: knowing a personal text where none belongs. Does not: the columns that are declared personal, which no
other expression can see (`mapping`). A text is withheld where it holds an e-mail address, or is what the customers'
source says of hardly more than one customer in a personal column, however it is spaced and punctuated; a number where
it has the value of such a text of digits. Single words are not looked for: a first name is a town's name too.
"""

import re
from collections import Counter
from collections.abc import Iterable

import duckdb

from cx_assets.privacy.functions import let_use

FUNCTION = "cx_screened"
NUMBERS = "cx_screened_number"
WITHHELD = "(withheld)"
SHARED_BY = 2
SHORTEST = 8
"""Digits of a number, letters of a text with something else behind a space: what has fewer is not looked for."""
SHORTEST_NAME = 4
"""Letters of two words or more: Li Na is a whole name. It is looked for only where its words stand apart, for without
the space Al Ice and Jo Anna are first names."""

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_WHOLE_DOUBLE = re.compile(r"[+-]?(\d+)\.0*")


class Screening:
    """Knows the personal texts of a delivery.

    Args:
        texts: what the personal columns say, one per customer and column.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counted = Counter(plain(text) for text in texts if telling(text))
        self._known = {text for text, customers in counted.items() if customers <= SHARED_BY}
        self._numbers = {float(text) for text in self._known if text.isdecimal()}

    def __repr__(self) -> str:
        return "Screening()"

    def withholds(self, text: str) -> bool:
        """Whether a text tells of a person."""
        if "@" in text and _ADDRESS.search(text):
            return True
        known = plain(text)
        return known in self._known and (len(known) >= SHORTEST or not text.strip().isalnum())

    def withholds_number(self, text: str) -> bool:
        """Whether the text of a number tells of a person: its sign, leading zeros, point and exponent say nothing."""
        try:
            return abs(float(text)) in self._numbers or self.withholds(text)
        except ValueError:
            return self.withholds(text)

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let queries on a connection use `FUNCTION` and `NUMBERS`: a text, or what is told where it is withheld."""
        let_use(connection, FUNCTION, lambda text: None if self.withholds(text) else text)
        let_use(connection, NUMBERS, lambda text: WITHHELD if self.withholds_number(text) else text)


def screened(text: str) -> str:
    """SQL for a text, or for null where it is withheld; most texts are too short to be looked at, or one short word."""
    return (
        f"case when length({text}) <= {SHORTEST_NAME} "
        f"or length({text}) < {SHORTEST} and regexp_full_match({text}, '[0-9A-Za-z]*') "
        f"then {text} else {FUNCTION}({text}) end"
    )


def screened_number(text: str) -> str:
    """SQL for the text of a number, or for `WITHHELD`; most numbers are too short, as written and as they count."""
    # No coalesce around the function: DuckDB 1.5 has let go of the memory of a long answer by then.
    return (
        f"case when length({text}) >= {SHORTEST} or abs(try_cast({text} as double)) >= 1e{SHORTEST - 1} "
        f"then {NUMBERS}({text}) else {text} end"
    )


def telling(text: str) -> bool:
    """Whether a personal text is long enough to be nothing else: a phone number, a whole name, an address."""
    words = [any(map(str.isalpha, word)) for word in text.split()]
    letters = sum(map(str.isalpha, text))
    named = letters >= SHORTEST_NAME if sum(words) > 1 else letters >= SHORTEST and len(words) > 1
    return "@" in text or named or sum(map(str.isdigit, plain(text))) >= SHORTEST


def plain(text: str) -> str:
    """A text without case, spaces and punctuation; of a whole number that was read as a double, without its `.0`."""
    whole = _WHOLE_DOUBLE.fullmatch(text.strip())
    return "".join(filter(str.isalnum, (whole[1] if whole else text).casefold()))
