"""Folding events into interactions: all that one customer did with one item before the as-of date, in one row.

Belongs here: the fold and the weights that it uses. Does not: the configuration that operators see (`config`) or the
matrix that is made of the rows (`matrix`). Every stage that trains on the past folds with this one function, so that
the published models and the backtests mean the same by an interaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cx_assets.ingestion.times import UTC, local_time
from cx_assets.table import Table, sql
from cx_assets.table.schema import instant, literal

# An event never fades to nothing: a weight of 0 would take the pair out of the matrix, however often it was bought.
FAINTEST = 1e-12


@dataclass(frozen=True)
class EventWeights:
    """What one event of each type counts on the as-of date, and how fast that fades.

    Attributes:
        purchase: weight of a purchase; above 0, as are the others.
        cart: weight of an item laid into the cart.
        view: weight of a view.
        rating: weight of a rating, whatever it says: the rating itself is in the column `rating`.
        half_life_days: the days after which an event counts half.
        others: weights of the dataset's own event types, by name.
        timezone: the dataset's, by its IANA name: an age is told by its clocks.

    Raises:
        ValueError: if one of them is not above 0.
    """

    purchase: float = 1.0
    cart: float = 0.3
    view: float = 0.1
    rating: float = 0.5
    half_life_days: float = 90.0
    others: Mapping[str, float] = field(default_factory=dict)
    timezone: str = UTC

    def __post_init__(self) -> None:
        for name, value in (*self.by_type().items(), ("half_life_days", self.half_life_days)):
            if not 0 < value < float("inf"):
                raise ValueError(f"EventWeights.{name} must be above 0 and finite; it is {value!r}")

    def by_type(self) -> dict[str, float]:
        """The weight of every event type."""
        own = {"purchase": self.purchase, "cart": self.cart, "view": self.view, "rating": self.rating}
        return own | dict(self.others)


def fold_interactions(events: Table, *, as_of: datetime, weights: EventWeights) -> Table:
    """One row per customer and item that had an event before `as_of`.

    The weight is the sum over the pair's events of

        weight of the event's type * 0.5 ** (age in days / half-life),

    the age being counted in seconds up to `as_of`, by the clocks of the dataset's zone.

    Sums are taken over decimals. Sums of doubles depend on the order in which threads happen to add them, and the same
    events would give tables that differ in their last digits from run to run.

    Args:
        events: rows of warehouse.events (customer_id, item_id, event_type, day, occurred_at, quantity, value,
            rating).
        as_of: a midnight; events of the days before it count.
        weights: what the event types count and how they fade.

    Returns:
        customer_id, item_id (varchar); events, purchases, views, carts, ratings (bigint); quantity, value (double);
        rating (double, the mean, null without ratings); first_at, last_at (timestamp); weight (float, above 0); as_of
        (timestamp). Ordered by customer_id, item_id.
    """
    at, until = local_time("occurred_at", weights.timezone), instant(as_of)
    type_weight = " ".join(
        f"when {literal(name)} then cast({float(weight)!r} as double)" for name, weight in weights.by_type().items()
    )
    return sql(
        f"""
        with known as (
            select *, date_diff('second', {at}, {until}) / cast(86400 as double) as age_days
            from events
            where day < {until}
        ), weighted as (
            select
                *,
                case event_type {type_weight} end
                    * greatest(
                        power(cast(0.5 as double), age_days / cast({float(weights.half_life_days)!r} as double)),
                        cast({FAINTEST!r} as double)
                    ) as event_weight
            from known
        )
        select
            customer_id,
            item_id,
            count(*) as events,
            count(*) filter (where event_type = 'purchase') as purchases,
            count(*) filter (where event_type = 'view') as views,
            count(*) filter (where event_type = 'cart') as carts,
            count(*) filter (where event_type = 'rating') as ratings,
            cast(sum(cast(quantity as decimal(38, 6))) as double) as quantity,
            cast(sum(cast("value" as decimal(38, 6))) as double) as "value",
            cast(sum(cast(rating as decimal(38, 6))) as double) / nullif(count(rating), 0) as rating,
            min(occurred_at) as first_at,
            max(occurred_at) as last_at,
            cast(sum(cast(event_weight as decimal(38, 18))) as float) as weight,
            {until} as as_of
        from weighted
        group by customer_id, item_id
        order by customer_id, item_id
        """,
        events=events,
    )
