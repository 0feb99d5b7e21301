"""The guesses are legible at any width: SQL breaks at blanks only, and a sample time is whole."""

from pathlib import Path

import pytest
from rich.markup import render

from cx_assets.proposal.board import board
from cx_assets.proposal.delivered import Delivered
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess, Personal, SourceProposal

TIMES = ("2025-01-06T20:21:51+00:00", "2025-01-06T19:07:10+00:00")
PRODUCT = (
    "try_cast(unit_price as double) * try_cast(quantity as double) * (1 - coalesce(try_cast(discount as double), 0))"
)
SOURCE = SourceProposal(
    "events",
    Group((Delivered(Path("sold_1.csv"), "csv", ("a",)),), "sold_[0-9].csv", "sample_0"),
    0.8,
    "it tells who, what and when",
    (
        Guess("occurred_at", "ordered_at", ("ordered_at",), TIMES, 0.85),
        Guess("item_id", "sku", ("sku",), ("An [item] of a very long name", "B"), 0.99),
        Guess("value", PRODUCT, ("unit_price",), ("44.09", "21.39"), 0.5),
    ),
    personal=(Personal("mail", "mail", "mail", "email", 1.0),),
)


def shown(width: int) -> list[str]:
    return [render(line).plain.rstrip() for line in board(SOURCE, width)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_line_breaks_a_word_or_a_time_and_none_is_longer_than_the_terminal(width: int) -> None:
    lines = shown(width)
    words = {word for line in lines for word in line.split()}
    assert set(PRODUCT.split()) <= words
    assert TIMES[0] in {word.strip(",") for word in words}
    if width >= 80:
        assert max(map(len, lines)) <= width


def test_at_80_columns_what_is_long_stands_below_its_row() -> None:
    assert shown(80) == [
        "events  sold_[0-9].csv  (1 file; likely, 80%)",
        "             made of          for example                how sure",
        "occurred_at  ordered_at       2025-01-06T20:21:51+00:00  sure, 85%",
        "item_id      sku              An [item] of a ve...       sure, 99%",
        "value                         44.09                      UNSURE, 50%",
        "             try_cast(unit_price as double) * try_cast(quantity as double) * (1",
        "             - coalesce(try_cast(discount as double), 0))",
        "mail         kept out: email                             sure, 100%",
    ]


def test_where_all_of_it_fits_it_is_one_table_with_two_examples() -> None:
    lines = shown(200)
    assert len(lines) == 6
    assert ", ".join(TIMES) in lines[2]
