"""The same lists judged on rare items and on categories: worked out by hand, and once more in plain loops."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.backtest_figures import judged
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.metrics import accuracy
from cx_assets.evaluation.rejudged import (
    BY_CATEGORY,
    METRICS,
    RARE_ITEMS,
    by_category,
    first_places,
    on_rare_items,
    rejudged_rows,
)
from cx_assets.evaluation.split import Window, truth
from cx_assets.table import Table
from cx_assets_tests.evaluation.recomputed import figures_of, relevant_of, shown_to, taken_and_had
from cx_assets_tests.recommendations.samples import events_of, items_of

Tables = Callable[[pd.DataFrame], Table]
AS_OF = datetime(2024, 6, 1)
EARLIER = AS_OF - timedelta(days=28)
DEPTH = 20
LISTS = ("repeat", "discovery", "both")


def lists_of(shown: dict[str, str], which: str = "both") -> pd.DataFrame:
    """Lists of one recommender, a letter for an item."""
    rows = [("ease", which, who, n, item) for who, items in shown.items() for n, item in enumerate(items, start=1)]
    return pd.DataFrame(rows, columns=["recommender", "list", "customer_id", "rank", "item_id"])


def pairs_of(taken: dict[str, str]) -> pd.DataFrame:
    """What customers took, a letter for an item; all of it new to them."""
    rows = [(who, item, False, True) for who, items in taken.items() for item in items]
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "had_before", "has_history"])


def one_date(tables: Tables, shown: dict[str, str], taken: dict[str, str]) -> JudgedLists:
    return judged(tables(lists_of(shown)), pairs_of(taken), as_of=AS_OF, horizon_days=28, depth=DEPTH)


def figures(date: JudgedLists, k: int) -> dict[str, dict[str, float]]:
    """Every figure of every customer of the one list of both."""
    (own,) = [one for one in date.lists if one.which == "both"]
    found = accuracy(own.hit, own.relevant, [k])
    return {
        str(who): {metric: float(found[metric, k][i]) for metric in METRICS}
        for i, who in enumerate(date.customers["both"])
    }


def test_a_category_counts_at_its_first_place_and_the_list_moves_up(tables: Tables) -> None:
    # a and b are fruit, c and d bread, e milk. The list reads fruit, bread, milk; bread was taken twice, milk once.
    catalogue = items_of("abcde", categories=["fruit", "fruit", "bread", "bread", "milk"])
    date = one_date(tables, {"A": "abce"}, {"A": "cde"})
    found = figures(by_category(date, pairs_of({"A": "cde"}), catalogue), 3)["A"]
    # Hits at places 2 and 3 of 3, of two categories.
    gain = 1 / np.log2(3) + 1 / np.log2(4)
    ideal = 1 + 1 / np.log2(3)
    expected = {"precision": 2 / 3, "recall": 1, "f1": 0.8, "ndcg": gain / ideal, "hit_rate": 1}
    assert found == pytest.approx(expected)


def test_another_item_of_the_category_that_was_taken_is_right(tables: Tables) -> None:
    date = one_date(tables, {"A": "a"}, {"A": "b"})
    found = figures(by_category(date, pairs_of({"A": "b"}), items_of("ab", categories=["fruit", "fruit"])), 1)
    assert found["A"]["ndcg"] == 1


def test_an_unknown_category_is_neither_shown_nor_foreseen(tables: Tables) -> None:
    catalogue = items_of("abcd", categories=["unknown", "fruit", "", "unknown"])
    taken = {"A": "bc", "B": "d"}
    date = one_date(tables, {"A": "ab", "B": "ab"}, taken)
    # b moves up to the first place, and c doesn't count; of what B took no category is known.
    assert figures(by_category(date, pairs_of(taken), catalogue), 1) == {"A": dict.fromkeys(METRICS, 1.0)}


def test_a_category_that_the_warehouse_filled_in_is_not_known(tables: Tables) -> None:
    catalogue = items_of("ab", categories=["fruit", "fruit"]).assign(category_imputed=[True, False])
    date = one_date(tables, {"A": "a"}, {"A": "ab"})
    assert figures(by_category(date, pairs_of({"A": "ab"}), catalogue), 1)["A"]["hit_rate"] == 0


def test_a_customer_who_is_shown_nothing_is_judged_on_no_category(tables: Tables) -> None:
    date = one_date(tables, {"B": "a"}, {"A": "a"})
    found = figures(by_category(date, pairs_of({"A": "a"}), items_of("a")), 1)
    assert found == {"A": dict.fromkeys(METRICS, 0.0)}


def test_first_places_stay_in_order_and_close_the_gaps() -> None:
    shown = np.array([[3, 1, 3, 2, 1], [-1, 4, -1, 4, 0], [5, 5, 5, 5, 5], [-1, -1, -1, -1, -1]])
    assert first_places(shown).tolist() == [
        [3, 1, 2, -1, -1],
        [4, 0, -1, -1, -1],
        [5, -1, -1, -1, -1],
        [-1, -1, -1, -1, -1],
    ]


def test_only_rare_items_can_be_right_and_places_stay(tables: Tables) -> None:
    # Of what A took only c is rare. It stands third.
    had_by = pd.Series({"a": 100, "b": 21, "c": 20, "d": 4})
    date = one_date(tables, {"A": "abc"}, {"A": "abcd"})
    found = figures(on_rare_items(date, pairs_of({"A": "abcd"}), had_by), 3)["A"]
    assert found == pytest.approx({"precision": 1 / 3, "recall": 1, "f1": 0.5, "ndcg": 0.5, "hit_rate": 1})


def test_a_rare_item_that_nobody_is_shown_is_missed(tables: Tables) -> None:
    date = one_date(tables, {"A": "c"}, {"A": "cde"})
    found = figures(on_rare_items(date, pairs_of({"A": "cde"}), pd.Series({"c": 5, "d": 5, "e": 20})), 1)["A"]
    assert found["recall"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("had", [4, 21, None])
def test_a_customer_who_took_no_rare_item_is_not_judged_on_them(tables: Tables, had: int | None) -> None:
    date = one_date(tables, {"A": "c", "B": "d"}, {"A": "c", "B": "d"})
    had_by = pd.Series({"d": 5} | ({"c": had} if had else {}))
    assert set(figures(on_rare_items(date, pairs_of({"A": "c", "B": "d"}), had_by), 1)) == {"B"}


def test_nothing_judged_gives_no_rows(tables: Tables) -> None:
    events, items = tables(events_of([("A", "a", "2024-01-01")])), tables(items_of("a"))
    found = rejudged_rows([JudgedLists([], np.empty(0, dtype=object), None, None)], events, items, resamples=9, seed=0)
    assert found.empty
    assert "cohort" in found


CATEGORIES = {"fruit": "abcde", "bread": "fgh", "milk": "ijk", "unknown": "lm"}
CATEGORY_OF = {item: name for name, items in CATEGORIES.items() for item in items}


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """A shop of 13 items, some of them rare, from four months before the last date to the end of its horizon."""
    draw = np.random.default_rng(3)
    weight = np.linspace(1, 0.02, len(CATEGORY_OF))
    rows = [
        (f"c{draw.integers(30):02d}", str(item), f"{AS_OF + timedelta(days=int(day)):%Y-%m-%d}")
        for day, item in zip(
            draw.integers(-120, 28, size=420), draw.choice(list(CATEGORY_OF), 420, p=weight / weight.sum()), strict=True
        )
    ]
    return events_of(rows)


def random_lists(seed: int) -> pd.DataFrame:
    """Lists of two recommenders for most customers, of up to twelve items each."""
    draw = np.random.default_rng(seed)
    parts = []
    for recommender in ("ease", "random"):
        for which in LISTS:
            shown = {
                f"c{n:02d}": "".join(draw.permutation(list(CATEGORY_OF))[: draw.integers(1, 13)])
                for n in range(30)
                if draw.random() < 0.9
            }
            parts.append(lists_of(shown, which).assign(recommender=recommender))
    return pd.concat(parts, ignore_index=True)


def in_plain_loops(
    lists: pd.DataFrame, events: pd.DataFrame, as_of: datetime, cohort: str
) -> dict[tuple[str, str, str], float]:
    """The means of one date, one customer at a time."""
    taken, had = taken_and_had(events, items_of(CATEGORY_OF), as_of, 28)
    customers = {item: sum(item in items for items in had.values()) for item in CATEGORY_OF}
    shown, found = shown_to(lists), {}
    for recommender in ("ease", "random"):
        for which in LISTS:
            own = []
            for customer, items in relevant_of(taken, had, which).items():
                listed = shown.get((recommender, which, customer), [])
                if cohort == RARE_ITEMS:
                    wanted = {item for item in items if 5 <= customers[item] <= 20}
                else:
                    listed = list(dict.fromkeys(CATEGORY_OF[item] for item in listed if CATEGORY_OF[item] != "unknown"))
                    wanted = {CATEGORY_OF[item] for item in items} - {"unknown"}
                if wanted:
                    own.append(figures_of(listed, wanted, 10))
            for metric in METRICS:
                found[recommender, which, metric] = sum(one[metric] for one in own) / len(own)
    return found


@pytest.mark.parametrize("cohort", [RARE_ITEMS, BY_CATEGORY])
def test_figures_over_dates_are_the_mean_of_those_in_plain_loops(
    tables: Tables, events: pd.DataFrame, cohort: str
) -> None:
    catalogue = items_of(CATEGORY_OF, categories=list(CATEGORY_OF.values()))
    dates, plain = [], []
    for number, as_of in enumerate((EARLIER, AS_OF)):
        lists = random_lists(number)
        pairs = truth(tables(events), tables(catalogue), Window(as_of, 28))
        dates.append(judged(tables(lists), pairs, as_of=as_of, horizon_days=28, depth=DEPTH))
        plain.append(in_plain_loops(lists, events, as_of, cohort))
    rows = rejudged_rows(dates, tables(events), tables(catalogue), resamples=100, seed=0)
    rows = rows[rows["cohort"] == cohort]
    assert set(rows["k"]) == {10}
    assert ((rows["ci_low"] <= rows["value"]) & (rows["value"] <= rows["ci_high"])).all()
    found = {(row.recommender, row.list, row.metric): row.value for row in rows.itertuples()}
    assert found == pytest.approx({key: (plain[0][key] + plain[1][key]) / 2 for key in plain[0]})
    assert 0 < min(found.values()) < max(found.values()) <= 1
