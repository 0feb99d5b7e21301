from pathlib import Path

import pandas as pd
import pytest

from cx_assets.similarity import described_by
from cx_assets_tests.matrices.rows import NOON, SEED, event, frame, rated
from cx_assets_tests.runs import failed, rows, verdicts
from cx_assets_tests.similarity.chain import catalogue, run

NEIGHBOURS = """
    select method, customer_id, neighbour_id, round(similarity, 5), "rank" from similarity.customer_neighbours
    order by all
"""


def test_the_seed_example_goes_through_the_assets(tmp_path: Path) -> None:
    result = run(tmp_path / "cx.duckdb", rated(SEED))
    assert rows(tmp_path / "cx.duckdb", NEIGHBOURS) == [
        ("cosine", "A", "B", pytest.approx(0.94), 1),
        ("cosine", "B", "A", pytest.approx(0.94), 1),
        ("pearson", "A", "B", pytest.approx(-0.5), 1),
        ("pearson", "B", "A", pytest.approx(-0.5), 1),
    ]
    assert failed(result) == {}
    # Three of interactions, three of each table of neighbours, and the structure of all four.
    assert len(verdicts(result)) == 3 + 3 * 3 + 4


def test_without_ratings_log_counts_are_compared(tmp_path: Path) -> None:
    counts = {"a": {"x": 1, "y": 3}, "b": {"x": 3, "y": 1}}
    events = frame(*(event(c, i) for c, had in counts.items() for i, times in had.items() for _ in range(times)))
    result = run(tmp_path / "cx.duckdb", events)
    # log 2 and log 4 are as 1 and 2: (1 * 2 + 2 * 1) / 5.
    found = rows(tmp_path / "cx.duckdb", NEIGHBOURS)
    assert [row[0::3] for row in found[::2]] == [("cosine", pytest.approx(0.8)), ("pearson", pytest.approx(-1))]
    assert failed(result) == {}


def test_few_ratings_among_many_purchases_are_compared_by_pearson_only(tmp_path: Path) -> None:
    bought = [event(c, i) for c in "AB" for i in ("p", "q", "r", "s")]
    events = pd.concat([rated(SEED), frame(*bought)], ignore_index=True)
    result = run(tmp_path / "cx.duckdb", events.assign(event_id=[f"e{n}" for n in range(len(events))]))
    assert [row[3] for row in rows(tmp_path / "cx.duckdb", NEIGHBOURS)[::2]] == [1.0, pytest.approx(-0.5)]
    shown = result.asset_materializations_for_node("customer_neighbours")[0].metadata
    assert (shown["cosine_on"].value, shown["pearson_on"].value) == ("counts", "ratings")


def test_the_basis_of_cosine_can_be_chosen(tmp_path: Path) -> None:
    database = tmp_path / "cx.duckdb"
    run(database, rated(SEED), config={"customer_neighbours": {"cosine_on": "weight", "k": 1}})
    # Each rated each item once at the same time: the weights are equal.
    assert [row[3] for row in rows(database, NEIGHBOURS) if row[0] == "cosine"] == [1.0, 1.0]


def test_a_scale_that_goes_down_to_0_is_raised_so_that_a_0_is_a_rating(tmp_path: Path) -> None:
    lowered = {c: {i: rating - 3 for i, rating in given.items()} for c, given in SEED.items()}
    run(tmp_path / "cx.duckdb", rated(lowered))
    assert [row[3] for row in rows(tmp_path / "cx.duckdb", NEIGHBOURS) if row[0] == "pearson"] == [-0.5, -0.5]


@pytest.mark.parametrize("events", [frame(event("a", "x")), frame(event("a", "x"), event("a", "y"))])
def test_one_customer_has_no_neighbours_and_every_check_passes(tmp_path: Path, events: pd.DataFrame) -> None:
    result = run(tmp_path / "cx.duckdb", events)
    assert rows(tmp_path / "cx.duckdb", NEIGHBOURS) == []
    assert failed(result) == {}


def test_content_neighbours_cover_items_that_nobody_has_had(tmp_path: Path) -> None:
    items = catalogue(frame(event("a", "x"), event("a", "y"), event("a", "z")))
    items.loc[1, "category"] = "unknown"
    items.loc[1, "brand_imputed"] = True
    run(tmp_path / "cx.duckdb", frame(event("a", "x")), items)
    query = 'select item_id, neighbour_id, "rank" from similarity.content_neighbours order by all'
    assert rows(tmp_path / "cx.duckdb", query) == [("x", "z", 1), ("z", "x", 1)]


def test_an_item_is_described_by_its_category_and_its_declared_attributes() -> None:
    columns = ["item_id", "name", "category", "recommendable", "brand", "brand_imputed", "in_master"]
    assert described_by(columns) == ["category", "brand"]


def test_the_interactions_say_as_of_when(tmp_path: Path) -> None:
    run(tmp_path / "cx.duckdb", frame(event("a", "x")))
    day_after = pd.Timestamp(NOON).normalize() + pd.Timedelta(days=1)
    assert rows(tmp_path / "cx.duckdb", "select as_of from matrices.interactions") == [(day_after,)]
