"""The number of a line within its order is proposed as what tells two equal lines apart."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import Guess
from cx_assets.proposal.proposing import proposed


def event_id_of(folder: Path, numbers: Sequence[object], name: str = "line_no") -> Guess | None:
    """What is proposed for lines of orders, three of each, whose numbers repeat from order to order."""
    lines = [
        f"O{n // 3},{numbers[n % len(numbers)]},2024-03-{n // 3 % 28 + 1:02} 10:00:00,c{n // 3 % 9},p{n % 11},4.50"
        for n in range(120)
    ]
    path = folder / "orders.csv"
    path.write_text("\n".join([f"order_no,{name},ordered_at,customer_id,sku,amount", *lines]) + "\n", "utf-8")
    (source,) = proposed("my_shop", files_named([str(path)]))[0].of("events")
    return source.guess("event_id")


def test_orders_and_the_numbers_of_their_lines_are_ids_together(tmp_path: Path) -> None:
    guess = event_id_of(tmp_path, [1, 2, 3])
    assert guess is not None
    assert guess.expression == "order_no || '-' || line_no"
    assert guess.examples == ("O0-1", "O0-2", "O0-3")


@pytest.mark.parametrize(
    ("numbers", "name"),
    [([1, 1, 2], "line_no"), ([1, 2, ""], "line_no"), ([1, 2, 3], "gift")],
    ids=["not different", "not everywhere", "called otherwise"],
)
def test_what_does_not_number_all_lines_of_an_order_is_no_part_of_an_id(
    tmp_path: Path, numbers: list[object], name: str
) -> None:
    assert event_id_of(tmp_path, numbers, name) is None


def test_lines_that_have_ids_of_their_own_need_no_other(tmp_path: Path) -> None:
    guess = event_id_of(tmp_path, range(120))
    assert guess is not None
    assert guess.expression == "line_no"
