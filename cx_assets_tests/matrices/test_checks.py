"""Every check of the stage passes on a true fold, and fails on what it is there to find."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd
import pytest

from cx_assets.matrices import checks
from cx_assets.matrices.config import InteractionWeights
from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.table import Table
from cx_assets_tests.matrices.rows import event, frame

AS_OF = datetime(2024, 5, 2)
EVENTS = frame(
    event("a", "x"),
    event("a", "x", event_type="view"),
    event("a", "y", event_type="rating", rating=3.0),
    event("b", "x", event_type="cart", quantity=2.0, value=7.5),
)
MakeTable = Callable[[pd.DataFrame], Table]


def folded(tables: MakeTable) -> pd.DataFrame:
    return fold_interactions(tables(EVENTS), as_of=AS_OF, weights=EventWeights()).df()


def test_a_true_fold_passes(tables: MakeTable) -> None:
    rows = tables(folded(tables))
    customers = tables(pd.DataFrame({"customer_id": ["a", "b", "c"]}))
    items = tables(pd.DataFrame({"item_id": ["x", "y"]}))
    for verdict in (
        checks.interactions_are_finite_and_positive(interactions=rows, interaction_weights=InteractionWeights()),
        checks.interactions_totals_equal_events(interactions=rows, events=tables(EVENTS)),
        checks.interactions_reference_customers_and_items(interactions=rows, customers=customers, items=items),
    ):
        assert verdict.passed, verdict.description


def test_no_events_and_no_interactions_agree(tables: MakeTable) -> None:
    rows = tables(folded(tables).head(0))
    assert checks.interactions_totals_equal_events(interactions=rows, events=tables(EVENTS.head(0))).passed
    assert not checks.interactions_totals_equal_events(interactions=rows, events=tables(EVENTS)).passed


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("weight", 0.0),
        ("weight", float("inf")),
        ("purchases", 9),
        ("quantity", float("inf")),
        ("rating", float("inf")),
        ("first_at", datetime(2024, 5, 1, 13)),
        ("last_at", AS_OF),
    ],
)
def test_a_figure_that_can_not_be_is_found(tables: MakeTable, column: str, value: object) -> None:
    rows = folded(tables)
    rows.loc[0, column] = value
    verdict = checks.interactions_are_finite_and_positive(
        interactions=tables(rows), interaction_weights=InteractionWeights()
    )
    assert not verdict.passed
    assert str(verdict.description).startswith("1 of 3 interactions")


def test_an_evening_that_is_the_next_day_in_utc_is_before_the_midnight_of_its_own_zone(tables: MakeTable) -> None:
    rows = folded(tables)
    rows.loc[0, "last_at"] = datetime(2024, 5, 2, 3, 59)
    for zone, passed in (("America/New_York", True), ("UTC", False)):
        verdict = checks.interactions_are_finite_and_positive(
            interactions=tables(rows), interaction_weights=InteractionWeights(timezone=zone)
        )
        assert verdict.passed is passed


@pytest.mark.parametrize("column", ["events", "purchases", "views", "carts", "ratings", "quantity", "value"])
def test_a_total_that_differs_from_that_of_the_events_is_found(tables: MakeTable, column: str) -> None:
    rows = folded(tables)
    rows.loc[0, column] += 1
    verdict = checks.interactions_totals_equal_events(interactions=tables(rows), events=tables(EVENTS))
    assert not verdict.passed
    assert str(verdict.description).startswith("1 of 7 totals")


@pytest.mark.parametrize(("customers", "items"), [(["a"], ["x", "y"]), (["a", "b"], ["x"])])
def test_an_unknown_customer_or_item_is_found(tables: MakeTable, customers: list[str], items: list[str]) -> None:
    verdict = checks.interactions_reference_customers_and_items(
        interactions=tables(folded(tables)),
        customers=tables(pd.DataFrame({"customer_id": customers})),
        items=tables(pd.DataFrame({"item_id": items})),
    )
    assert not verdict.passed
