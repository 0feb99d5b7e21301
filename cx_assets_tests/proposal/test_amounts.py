"""What a line was worth: never the amount of its whole order, and of a unit price the product that adds up to it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import LIKELY, SURE, SourceProposal
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed

# Of three lines of an order: how many, the price of one, and the discount as a share.
LINES = ((2, 10.0, 0.0), (1, 4.5, 0.1), (3, 7.25, 0.2))
Worth = Callable[[int, float, float], float]


def shop(
    folder: Path, columns: str, worth: Worth, discount: Worth = lambda _quantity, _price, share: share
) -> SourceProposal:
    """What is proposed for forty orders of three lines, each with some of the columns that a shop may export."""
    rows = []
    for order in range(40):
        lines = [(quantity + order % 2, price + order, share) for quantity, price, share in LINES]
        total = sum(round(worth(*line), 2) for line in lines)
        for item, (quantity, price, share) in enumerate(lines):
            cells = {
                "order_id": 500 + order, "ordered_at": f"2025-03-{order % 28 + 1:02} 10:{order:02}",
                "customer_id": f"c{order % 9}", "sku": f"p{item}{order % 5}",
                "quantity": quantity, "unit_price": f"{price:.2f}", "total": f"{total:.2f}",
                "discount": f"{discount(quantity, price, share):g}",
                "line_amount": f"{worth(quantity, price, share):.2f}",
            }  # fmt: skip
            rows.append(",".join(str(cells[name]) for name in columns.split(",")))
    (folder / "sold.csv").write_text("\n".join([columns, *rows]) + "\n", "utf-8")
    proposal, place = proposed("my_shop", files_named([str(folder / "sold.csv")]))
    (place / "my_shop.yaml").write_text(manifest_text(proposal), "utf-8")
    return proposal.sources[0]


KEYS = "order_id,ordered_at,customer_id,sku,quantity"


def test_the_amount_of_an_order_is_no_sure_value_of_its_lines(tmp_path: Path) -> None:
    source = shop(tmp_path, f"{KEYS},total", lambda quantity, price, _: quantity * price)
    value = source.guess("value")
    assert value is not None
    assert (value.expression, value.sureness < LIKELY) == ("total", True)
    text = " ".join((tmp_path / "my_shop.yaml").read_text("utf-8").replace("#", "").split())
    assert "CHECK: total is the same on all lines of an order, in 100% of 40 orders of several lines" in text
    assert "UNSURE, 30%" in text


def test_an_amount_that_varies_within_orders_is_taken_instead(tmp_path: Path) -> None:
    source = shop(tmp_path, f"{KEYS},total,line_amount", lambda quantity, price, _: quantity * price)
    value = source.guess("value")
    assert value is not None
    assert value.expression == "line_amount"
    assert value.sureness >= SURE
    assert dict(source.left_out)["total"] == "the order's amount, the same on each of its lines"


PRICE, QUANTITY = "try_cast(unit_price as double)", "try_cast(quantity as double)"
DISCOUNT = "coalesce(try_cast(discount as double), 0)"


@pytest.mark.parametrize(
    ("worth", "discount", "made"),
    [
        (lambda n, p, _: n * p, lambda *_: 0.0, f"{PRICE} * {QUANTITY}"),
        (lambda n, p, d: n * p * (1 - d), lambda _n, _p, d: d, f"{PRICE} * {QUANTITY} * (1 - {DISCOUNT})"),
        (lambda n, p, d: n * p * (1 - d), lambda _n, _p, d: 100 * d, f"{PRICE} * {QUANTITY} * (1 - {DISCOUNT} / 100)"),
        (lambda n, p, d: n * p - 10 * d, lambda _n, _p, d: 10 * d, f"{PRICE} * {QUANTITY} - {DISCOUNT}"),
        (lambda n, p, d: n * (p - 10 * d), lambda _n, _p, d: 10 * d, f"({PRICE} - {DISCOUNT}) * {QUANTITY}"),
    ],
    ids=["none", "share", "percent", "amount", "amount of one"],
)
def test_a_discount_is_taken_off_as_it_adds_up_to_the_order(
    tmp_path: Path, worth: Worth, discount: Worth, made: str
) -> None:
    source = shop(tmp_path, f"{KEYS},unit_price,discount,total", worth, discount)
    value = source.guess("value")
    assert value is not None
    assert value.expression == made
    assert "Its lines add up to total in 100% of the orders." in value.check
    assert value.sureness >= SURE


def test_where_nothing_adds_up_a_product_is_unsure_and_an_unclear_discount_is_told_of(tmp_path: Path) -> None:
    source = shop(tmp_path, f"{KEYS},unit_price,discount", lambda n, p, _: n * p, lambda _n, _p, d: d * 30)
    value = source.guess("value")
    assert value is not None
    assert value.expression == f"{PRICE} * {QUANTITY}"
    assert "Whether discount is an amount or a share, and of what, can't be told: it isn't taken off." in value.check
    assert value.sureness < LIKELY


def test_a_discount_that_is_always_a_fraction_is_a_share(tmp_path: Path) -> None:
    value = shop(tmp_path, f"{KEYS},unit_price,discount", lambda n, p, _: n * p).guess("value")
    assert value is not None
    assert value.expression == f"{PRICE} * {QUANTITY} * (1 - {DISCOUNT})"


def test_orders_of_one_line_each_that_were_delivered_twice_say_nothing(tmp_path: Path) -> None:
    rows = [f"{n},2025-03-{n % 28 + 1:02} 10:00,c{n % 9},p{n % 11},{n}.50" for n in range(40)]
    header = "order_id,ordered_at,customer_id,sku,total"
    (tmp_path / "sold.csv").write_text("\n".join([header, *rows, *rows]) + "\n", "utf-8")
    proposal, _ = proposed("my_shop", files_named([str(tmp_path)]))
    value = proposal.sources[0].guess("value")
    assert value is not None
    assert (value.expression, value.sureness >= SURE) == ("total", True)
