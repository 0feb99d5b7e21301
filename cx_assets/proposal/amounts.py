"""What a line of an order was worth: which column of money tells it, or what it is made of.

Belongs here: amounts that are an order's and no line's, and products of a price of one and how many. Does not: the
other columns of an event (`events`), or how numbers are written (`values`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from cx_assets.proposal.choosing import Choice
from cx_assets.proposal.columns import Column
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import LIKELY, Guess
from cx_assets.proposal.roles import name_score

# From fewer orders of several lines nothing is concluded.
ENOUGH = 10
# The share of orders whose lines all tell the same from which on it is the order's, whatever typing errors there are.
SAME = 0.98
# The share of orders whose lines add up to the order's amount from which on that is no chance.
ADDS_UP = 0.8
# As sure as one can be of an order's amount as its lines' value.
NO_LINE = 0.3
# Shares that are given as discounts are few.
FEW_SHARES = 21


@dataclass(frozen=True)
class OrderAmount:
    """A column of money that tells the same on all lines of an order.

    Attributes:
        column: the column.
        orders: how many orders of several lines were looked at.
        share: of these orders, those in which it is so.
    """

    column: Column
    orders: int
    share: float

    @property
    def told(self) -> str:
        """What it is, for a person."""
        return (
            f"{self.column.name} is the same on all lines of an order, in {self.share:.0%} of {self.orders:,} orders "
            "of several lines: it is what the order was worth, not the line"
        )


@dataclass(frozen=True)
class Product:
    """What a line may have been worth.

    Attributes:
        sql: over the delivered columns.
        columns: those that it is made of.
        told: for a person.
    """

    sql: str
    columns: tuple[str, ...]
    told: str


def order_amounts(
    connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[Column], picks: Mapping[str, Choice]
) -> list[OrderAmount]:
    """The columns of money that tell the same on all lines of an order, and differ between orders."""
    money = [c for c in columns if c.number is not None and name_score("value", c) > 0]
    if "basket_id" not in picks or not money:
        return []
    numbers = ", ".join(f"{number_sql(column)} as m{n}" for n, column in enumerate(money))
    kinds = ", ".join(f"count(distinct m{n}) as kinds_{n}, min(m{n}) as m{n}" for n in range(len(money)))
    counts = ", ".join(f"count(*) filter (kinds_{n} = 1), count(distinct m{n})" for n in range(len(money)))
    # Lines that were delivered twice make no order of several.
    orders, *told = connection.execute(
        f"""
        with lines as (
            select trim({picks["basket_id"].column.sql}::varchar) as basket, {numbers}
            from (select distinct * exclude (cx_order) from {group.table})
        ),
        orders as (select basket, {kinds} from lines where basket <> '' group by basket having count(*) > 1)
        select count(*), {counts} from orders
        """
    ).fetchall()[0]
    return [
        OrderAmount(column, orders, same / orders)
        for column, same, different in zip(money, told[::2], told[1::2], strict=True)
        if orders >= ENOUGH and same >= SAME * orders and different > 1
    ]


def line_value(
    connection: duckdb.DuckDBPyConnection,
    group: Group,
    columns: Sequence[Column],
    picks: Mapping[str, Choice],
    amounts: Sequence[OrderAmount],
    plain: Guess,
) -> Guess:
    """What a line was worth, corrected where the column of money that fits best is an order's amount or a price of one.

    Args:
        connection: where the sample is.
        group: the files.
        columns: theirs.
        picks: the chosen ones.
        amounts: columns that tell an order's amount.
        plain: the guess that takes the chosen column as it is.
    """
    value = picks["value"].column
    own = next((amount for amount in amounts if amount.column == value), None)
    if own is not None:
        check = f"{own.told}. Leave value out, or deliver what each line was worth. "
        return replace(plain, sureness=min(plain.sureness, NO_LINE), check=check + plain.check)
    quantity = picks["quantity"].column if "quantity" in picks else None
    discount = next((c for c in columns if "discount" in c.concepts and c.number is not None), None)
    products = _products(value, quantity, discount)
    proved = _proved(connection, group, picks["basket_id"].column, amounts, products) if amounts else None
    if proved is not None:
        product, amount, share = proved
        check = (
            f"What the line was worth: {product.told}. Its lines add up to {amount.name} in {share:.0%} of the orders."
        )
        return replace(plain, expression=product.sql, columns=product.columns, sureness=0.95 * share, check=check)
    if quantity is None or not is_unit_price(value):
        return plain
    return _times(plain, products[1], _known(discount, products), discount)


def _times(plain: Guess, product: Product, discounted: Product | None, discount: Column | None) -> Guess:
    """A price of one times how many, less a discount of which it is clear what it is."""
    made = discounted or product
    check = f"What the line was worth: it looks like the price of one, so {made.told} is taken. "
    if discount is not None and discounted is None:
        check += f"Whether {discount.name} is an amount or a share, and of what, can't be told: it isn't taken off. "
    check += f"If it is the line's already: value: {plain.expression}"
    return replace(
        plain, expression=made.sql, columns=made.columns, sureness=min(plain.sureness, LIKELY), check=check
    )  # fmt: skip


def is_unit_price(column: Column) -> bool:
    """Whether a name speaks of the price of one."""
    name = column.name.lower()
    price = any(word in name for word in ("price", "preis", "prix", "precio", "prezzo", "prijs"))
    return "unit" in column.concepts or ("whole" not in column.concepts and price)


def number_sql(column: Column) -> str:
    """A column's numbers, null where there is none."""
    text = column.number.expression(column.sql) if column.number and column.type == "VARCHAR" else column.sql
    return f"try_cast({text} as double)"


def _products(price: Column, quantity: Column | None, discount: Column | None) -> list[Product]:
    """What a line's value may be made of, the simplest first."""
    p, found = number_sql(price), [Product(price.sql, (price.name,), price.name)]
    if quantity is None:
        return found
    q, names, times = number_sql(quantity), (price.name, quantity.name), f"{price.name} times {quantity.name}"
    found.append(Product(f"{p} * {q}", names, times))
    if discount is not None:
        d, name, all_names = f"coalesce({number_sql(discount)}, 0)", discount.name, (*names, discount.name)
        found += [
            Product(f"{p} * {q} * (1 - {d})", all_names, f"{times}, less {name} as a share"),
            Product(f"{p} * {q} * (1 - {d} / 100)", all_names, f"{times}, less {name} in percent"),
            Product(f"{p} * {q} - {d}", all_names, f"{times}, less {name}"),
            Product(f"({p} - {d}) * {q}", all_names, f"{price.name} less {name}, times {quantity.name}"),
        ]
    return found


def _known(discount: Column | None, products: Sequence[Product]) -> Product | None:
    """The product that takes a discount off, if its values can only be shares: an amount is sometimes 1 or more."""
    if discount is None or discount.number is None:
        return None
    number = discount.number
    share = number.low >= 0 and number.high < 1 and not number.whole and discount.distinct <= FEW_SHARES
    return products[2] if share else None


def _proved(
    connection: duckdb.DuckDBPyConnection,
    group: Group,
    basket: Column,
    amounts: Sequence[OrderAmount],
    products: Sequence[Product],
) -> tuple[Product, Column, float] | None:
    """The product that adds up to an order's amount in most orders, that amount, and the share of orders; or None."""
    sums = ", ".join(f"sum(try_cast({product.sql} as double)) as p{n}" for n, product in enumerate(products))
    best: tuple[Product, Column, float] | None = None
    for amount in amounts:
        # A cent for each line that was rounded.
        close = ", ".join(f"avg((abs(p{n} - amount) <= 0.01 * lines)::int)" for n in range(len(products)))
        shares = connection.execute(
            f"""
            with lines as (select distinct * exclude (cx_order) from {group.table}),
            orders as (
                select min({number_sql(amount.column)}) as amount, count(*) + 0.1 as lines, {sums}
                from lines group by trim({basket.sql}::varchar)
            )
            select {close} from orders where amount is not null
            """
        ).fetchall()[0]
        for product, share in zip(products, shares, strict=True):
            if share is not None and share >= ADDS_UP and (best is None or share > best[2]):
                best = (product, amount.column, float(share))
    return best
