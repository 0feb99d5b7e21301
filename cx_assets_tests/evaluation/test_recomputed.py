"""Every accuracy figure of the backtest against a recomputation from stored lists and events that shares no code."""

from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.backtest import DEPTH, list_rows
from cx_assets.evaluation.backtest_figures import Pool, judged, pooled_rows
from cx_assets.evaluation.figures import JudgedLists, metric_rows
from cx_assets.evaluation.judging import training_before
from cx_assets.evaluation.metrics import ACCURACY_METRICS, accuracy
from cx_assets.evaluation.split import LISTS, Window, truth
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.popularity import RecentPopularity
from cx_assets.rules.mining import RuleSettings
from cx_assets.table import from_frame
from cx_assets_tests.evaluation.recomputed import figures_of, means, relevant_of, shown_to, taken_and_had
from cx_assets_tests.evaluation.samples import shop_events, shop_items

HORIZON = 14
DATES = [datetime(2024, 2, 12), datetime(2024, 2, 26)]
KS = (1, 5, 10, 20)
CLOSE = 1e-9


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """A shop in which some are new on the second date, and some views are nobody's purchases."""
    events = shop_events(items=40)
    late = events["customer_id"].isin(["c001", "c002"]) & (events["occurred_at"] < DATES[1])
    events = events[~late].reset_index(drop=True)
    return events.assign(event_type=np.where(np.arange(len(events)) % 11 == 0, "view", "purchase"))


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    return shop_items(40, not_recommendable=("i03", "i24"))


@pytest.fixture(scope="module")
def stored(events: pd.DataFrame, items: pd.DataFrame) -> dict[datetime, pd.DataFrame]:
    """The lists of three recommenders by as-of date, as the backtest stores them."""
    rules = RuleSettings(min_support=0.02, max_size=2, min_customers=2)
    found = {}
    with duckdb.connect() as connection:
        table = from_frame(connection, events)
        for as_of in DATES:
            training = training_before(table, items, Window(as_of, HORIZON), EventWeights(), rules)
            everyone = np.flatnonzero(np.diff(training.counts.indptr))
            made = [
                list_rows(one.fit(training), training, everyone, version="1").to_pandas()
                for one in (RecentPopularity(), PersonalFrequency(30), Ease(l2=20))
            ]
            found[as_of] = pd.concat(made, ignore_index=True)
    return found


@pytest.fixture(scope="module")
def dates(events: pd.DataFrame, items: pd.DataFrame, stored: dict[datetime, pd.DataFrame]) -> list[JudgedLists]:
    """The same lists, judged by the project."""
    with duckdb.connect() as connection:
        table, catalogue = from_frame(connection, events), from_frame(connection, items)
        return [
            judged(
                from_frame(connection, lists),
                truth(table, catalogue, Window(as_of, HORIZON)),
                as_of=as_of,
                horizon_days=HORIZON,
                depth=DEPTH,
            )
            for as_of, lists in stored.items()
        ]


@pytest.fixture(scope="module")
def expected(
    events: pd.DataFrame, items: pd.DataFrame, stored: dict[datetime, pd.DataFrame]
) -> list[dict[tuple[str, str, str, int], float]]:
    return [means(lists, events, items, as_of, HORIZON, KS) for as_of, lists in stored.items()]


def test_every_metric_of_every_customer_is_that_of_the_plain_loops(
    events: pd.DataFrame, items: pd.DataFrame, stored: dict[datetime, pd.DataFrame], dates: list[JudgedLists]
) -> None:
    compared = 0
    for date in dates:
        taken, had = taken_and_had(events, items, date.date, HORIZON)
        shown = shown_to(stored[date.date])
        for one in date.lists:
            relevant = relevant_of(taken, had, one.which)
            assert list(date.customers[one.which]) == sorted(relevant)
            found = accuracy(one.hit, one.relevant, KS)
            for row, customer in enumerate(date.customers[one.which]):
                own = shown.get((one.recommender, one.which, customer), [])
                for k in KS:
                    for metric, value in figures_of(own, relevant[customer], k).items():
                        assert found[metric, k][row] == pytest.approx(value, abs=CLOSE)
                        compared += 1
    assert compared > 10_000


def test_every_figure_of_a_date_is_the_mean_of_the_plain_loops(
    dates: list[JudgedLists], expected: list[dict[tuple[str, str, str, int], float]]
) -> None:
    for date, plain in zip(dates, expected, strict=True):
        rows = metric_rows(date, KS, had_by=pd.Series(dtype="int64"), customers=40, catalogue=38, resamples=100, seed=0)
        rows = rows[rows["metric"].isin(ACCURACY_METRICS)]
        found = {(r.recommender, r.list, r.metric, r.k): r.value for r in rows.itertuples()}
        assert found == pytest.approx(plain, abs=CLOSE)
        assert len(found) == 3 * 3 * len(ACCURACY_METRICS) * len(KS)


def test_every_figure_over_dates_is_the_mean_of_the_dates_means(
    dates: list[JudgedLists], expected: list[dict[tuple[str, str, str, int], float]]
) -> None:
    for which in LISTS:
        pool = Pool.of(dates, which, KS)
        assert pool is not None
        rows = pooled_rows(pool, which, resamples=100, seed=0)
        found = {(r.recommender, r.list, r.metric, r.k): r.value for r in rows.itertuples()}
        plain = {key: (one + expected[1][key]) / 2 for key, one in expected[0].items() if key[1] == which}
        assert found == pytest.approx(plain, abs=CLOSE)


def test_the_shop_has_all_that_could_go_wrong(
    events: pd.DataFrame, items: pd.DataFrame, stored: dict[datetime, pd.DataFrame]
) -> None:
    taken, had = taken_and_had(events, items, DATES[0], HORIZON)
    # Newcomers, lists that end early, and more relevant items than there are places.
    assert (
        taken_and_had(events, items, DATES[1], HORIZON)[0].keys() - taken_and_had(events, items, DATES[1], HORIZON)[1]
    )
    assert min(len(shown) for shown in shown_to(stored[DATES[0]]).values()) < DEPTH
    assert max(len(relevant) for relevant in relevant_of(taken, had, "both").values()) > min(KS)
    assert timedelta(days=HORIZON) == DATES[1] - DATES[0]
