"""Lists of earlier dates: when they must be made anew, and what is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.backtest import (
    ListStore,
    computed,
    fingerprint,
    fingerprint_before,
    list_rows,
    versions,
)
from cx_assets.evaluation.split import LISTS
from cx_assets.evaluation.tables import BACKTEST_LISTS, LAST_BASKET_LISTS
from cx_assets.recommendations.blend import Blend, BlendWeights
from cx_assets.recommendations.catalogue import contenders
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.popularity import Popularity
from cx_assets.recommendations.ranker import Ranker, RankerSettings
from cx_assets.recommendations.recommender import Training
from cx_assets.recommendations.rewind import Baskets, Days
from cx_assets.table import Table
from cx_assets.table.storage import write
from cx_assets.table.warehouse import Warehouse
from cx_assets_tests.recommendations.samples import AS_OF, SHOP, events_of, items_of, trained

Tables = Callable[[pd.DataFrame], Table]
FIRST, SECOND = datetime(2024, 1, 1), datetime(2024, 1, 8)


def version(recommender: object, given: str = "the data") -> str:
    return versions([recommender], given)[recommender.name]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Ease(l2=300.0), Ease(l2=200.0)),
        (Ease(), Ease(min_customers=9)),
        (PersonalFrequency(30), PersonalFrequency(60)),
        (Blend(), Blend(BlendWeights(item_knn=0.9))),
        (Ranker(RankerSettings(Days(28))), Ranker(RankerSettings(Days(7)))),
        (Ranker(RankerSettings(Days(28))), Ranker(RankerSettings(Baskets()))),
        (Ranker(RankerSettings(seed=0)), Ranker(RankerSettings(seed=1))),
    ],
)
def test_another_setting_is_another_version(one: object, other: object) -> None:
    assert version(one) != version(other)


def test_the_same_settings_are_the_same_version_and_other_data_another() -> None:
    assert version(Ease(l2=300.0)) == version(Ease(l2=300.0))
    assert version(Ease(), "some data") != version(Ease(), "other data")


def test_every_contender_has_a_version_of_its_own() -> None:
    found = versions(contenders(Days(28)), "the data")
    assert len(found) == len(set(found.values())) == len(contenders(Days(28)))


@pytest.mark.parametrize("name", [one.name for one in contenders(Days(28))])
def test_a_version_is_the_same_after_fitting_and_in_another_process(tables: Tables, name: str) -> None:
    events = [(f"c{c}", i, f"2024-01-0{d}") for c in range(6) for i, d in (("x", 1), ("y", 2), ("x", 3))]
    one = next(one for one in contenders(Days(28)) if one.name == name)
    before = version(one)
    one.fit(trained(tables, events))
    assert version(one) == before
    assert " at 0x" not in repr(one)


ROWS = pd.DataFrame(
    {
        "customer": pd.array(["A", "B", "B", None], dtype="str"),
        "item": pd.array(["x", "x", "y", "z"], dtype="str"),
        "value": [1.0, 2.0, 2.0, 3.0],
    }
)


def test_the_order_of_rows_changes_no_fingerprint(tables: Tables) -> None:
    assert fingerprint(tables(ROWS)) == fingerprint(tables(ROWS.iloc[[2, 0, 3, 1]]))


@pytest.mark.parametrize(
    "other",
    [
        ROWS.iloc[:3],
        pd.concat([ROWS, ROWS.iloc[:1]]),
        pd.concat([ROWS.iloc[:3], ROWS.iloc[:1]]),
        ROWS.assign(value=[1.0, 2.0, 2.0, 3.5]),
        ROWS.assign(value=[2.0, 1.0, 2.0, 3.0]),
        ROWS.assign(customer=ROWS["item"], item=ROWS["customer"]),
        ROWS.assign(item=pd.array(["x", "x", "y", None], dtype="str"), customer=ROWS["customer"].fillna("z")),
    ],
    ids=["a row less", "a row twice", "one for another", "a value", "two values changed", "two columns", "two nulls"],
)
def test_any_other_rows_change_the_fingerprint(tables: Tables, other: pd.DataFrame) -> None:
    assert fingerprint(tables(ROWS)) != fingerprint(tables(other.reset_index(drop=True)))


def test_what_comes_at_or_after_the_as_of_date_is_not_in_what_recommenders_are_given(tables: Tables) -> None:
    items = tables(items_of("wxyz"))

    def given(rows: list[tuple[str, ...]], as_of: datetime = AS_OF, settings: str = "some") -> str:
        return fingerprint_before(tables(events_of(rows)), items, as_of, settings)

    later = ("A", "w", "2024-01-11")
    assert given([*SHOP, later]) == given(SHOP)
    assert given(SHOP) != given(SHOP[1:])
    assert given(SHOP) != given(SHOP, settings="others")
    # The same events before another date: the ages of all of them are others.
    assert given(SHOP) != given(SHOP, as_of=datetime(2024, 1, 12))


def test_other_items_are_other_data(tables: Tables) -> None:
    events = tables(events_of(SHOP))
    one, other = (fingerprint_before(events, tables(items_of("wxyz", hidden=h)), AS_OF, "") for h in ("", "x"))
    assert one != other


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(path=str(tmp_path / "w.duckdb")).opened("a test") as opened:
        yield opened


def rows_of(recommender: str, versioned: str, items: str, as_of: datetime | None = None) -> pa.Table:
    """A list of customer A."""
    frame = pd.DataFrame(
        {"recommender": recommender, "list": "both", "customer_id": "A", "rank": range(1, len(items) + 1)}
    )
    frame = frame.assign(item_id=list(items), score=np.float32(0.5), version=versioned)
    if as_of is not None:
        frame = frame.assign(as_of=np.datetime64(as_of, "us"))
    return pa.Table.from_pandas(frame.astype({"rank": "int32"}), preserve_index=False)


def shown(store: ListStore) -> list[tuple[str, str, str]]:
    found = store.rows.df()
    return sorted(zip(found["recommender"], found["version"], found["item_id"], strict=True))


def stored(warehouse: Warehouse, *rows: pa.Table) -> None:
    """What an earlier run has left."""
    store = ListStore(warehouse, BACKTEST_LISTS)
    for part in rows:
        store.add(part)
    write(warehouse.connection, BACKTEST_LISTS, store.rows)


def test_nothing_is_kept_where_nothing_was_stored(warehouse: Warehouse) -> None:
    store = ListStore(warehouse, BACKTEST_LISTS)
    assert store.kept({"ease": "1"}, FIRST) == set()
    assert shown(store) == []


def test_lists_of_the_wanted_version_and_date_are_kept_and_no_others(warehouse: Warehouse) -> None:
    stored(
        warehouse,
        rows_of("ease", "1", "xy", FIRST),
        rows_of("ease", "1", "zw", SECOND),
        rows_of("ranker", "old", "z", FIRST),
        rows_of("gone", "1", "z", FIRST),
    )
    store = ListStore(warehouse, BACKTEST_LISTS)
    assert store.kept({"ease": "1", "ranker": "new", "added": "1"}, FIRST) == {"ease"}
    assert shown(store) == [("ease", "1", "x"), ("ease", "1", "y")]


def test_what_is_added_stands_beside_what_was_kept(warehouse: Warehouse) -> None:
    stored(warehouse, rows_of("ease", "1", "xy", FIRST))
    store = ListStore(warehouse, BACKTEST_LISTS)
    store.kept({"ease": "1"}, FIRST)
    store.add(rows_of("ranker", "new", "z", FIRST))
    assert shown(store) == [("ease", "1", "x"), ("ease", "1", "y"), ("ranker", "new", "z")]
    write(warehouse.connection, BACKTEST_LISTS, store.rows)
    assert ListStore(warehouse, BACKTEST_LISTS).kept({"ease": "1", "ranker": "new"}, FIRST) == {"ease", "ranker"}


def test_a_table_without_as_of_dates_is_kept_by_version_alone(warehouse: Warehouse) -> None:
    store = ListStore(warehouse, LAST_BASKET_LISTS)
    store.add(rows_of("ease", "1", "xy"))
    write(warehouse.connection, LAST_BASKET_LISTS, store.rows)
    again = ListStore(warehouse, LAST_BASKET_LISTS)
    assert again.kept({"ease": "1", "ranker": "1"}) == {"ease"}
    assert shown(again) == [("ease", "1", "x"), ("ease", "1", "y")]


@dataclass
class Silent:
    """Offers nothing to anybody."""

    name: str = "silent"

    def fit(self, training: Training) -> "Silent":
        self.shape_ = training.shape
        return self

    def score(self, customers: NDArray[np.intp]) -> csr_matrix:
        return csr_matrix((len(customers), self.shape_[1]), dtype=np.float32)


def test_rows_are_the_three_lists_of_every_customer_best_first(tables: Tables) -> None:
    training = trained(tables)
    rows = list_rows(Popularity().fit(training), training, np.arange(3), version="7", depth=2).to_pandas()
    # x, y and z have two customers each, w has one; A has had x and y.
    found = {which: rows[(rows["list"] == which) & (rows["customer_id"] == "A")] for which in LISTS}
    assert {which: list(own["item_id"]) for which, own in found.items()} == {
        "repeat": ["x", "y"],
        "discovery": ["z", "w"],
        "both": ["x", "y"],
    }
    assert list(found["discovery"]["rank"]) == [1, 2]
    assert list(found["discovery"]["score"]) == [2.0, 1.0]
    assert set(rows["version"]) == {"7"}
    assert set(rows["recommender"]) == {"popularity"}


def test_a_recommender_that_offers_nothing_has_no_row(tables: Tables) -> None:
    training = trained(tables)
    assert list_rows(Silent().fit(training), training, np.arange(3), version="7").num_rows == 0


def made(recommenders: list[object], known: set[str], build: Callable[[], Training]) -> list[str]:
    wanted = versions(recommenders, "")
    return [name for name, _ in computed(recommenders, build, wanted, known, lambda t: np.arange(t.shape[0]))]


def test_only_what_is_missing_is_computed_and_the_training_is_built_once(tables: Tables) -> None:
    built = []

    def build() -> Training:
        built.append(trained(tables))
        return built[-1]

    recommenders = [Popularity(), PersonalFrequency(), PersonalFrequency(30)]
    assert made(recommenders, {"personal_frequency"}, build) == ["popularity", "personal_frequency_decayed"]
    assert len(built) == 1


def test_where_nothing_is_missing_no_training_is_built() -> None:
    def build() -> Training:
        raise AssertionError("built though nothing is missing")

    assert made([Popularity(), PersonalFrequency()], {"popularity", "personal_frequency"}, build) == []
