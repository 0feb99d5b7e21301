"""The backtest on a shop of a hundred days, by the job that operators run: lists, what a second run costs, figures."""

import shutil
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from cx_assets.evaluation.backtest_report import told as figures_on
from cx_assets.evaluation.metrics import ACCURACY_METRICS
from cx_assets.evaluation.rejudged import BY_CATEGORY
from cx_assets.evaluation.terminal import comparison, leader_boards
from cx_assets.recommendations.catalogue import contenders
from cx_assets.recommendations.rewind import Days
from cx_assets.recommendations.segment_popularity import SEGMENTS
from cx_assets.settings import DATABASE
from cx_assets_tests.evaluation.backtest_runs import (
    DATES,
    FIRST,
    HORIZON,
    LAST,
    Run,
    backtest,
    backtested_shop,
    loaded_shop,
    settings_of,
)
from cx_assets_tests.evaluation.recomputed import means
from cx_assets_tests.runs import error_of, failed, frame, rows, tamper, verdicts

pytestmark = pytest.mark.whole

NAMES = [one.name for one in contenders(Days(HORIZON))]
KS = (5, 10, 20)
LISTS = "select * from evaluation.backtest_lists order by all"
JUDGED = ("backtest_metrics", "backtest_comparisons")
KEPT = [f"{table} of these lists and data is there already" for table in sorted(JUDGED)]
LAST_BASKETS = "select * from evaluation.last_basket_lists order by all"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loaded_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return backtested_shop(tmp_path_factory.getbasetemp())


@pytest.fixture
def copied(whole: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole.folder, tmp_path / "shop"))


def test_every_check_of_the_backtest_passes(whole: Run) -> None:
    assert failed(whole.result) == {}
    checked = {name.split(": ")[0] for name in verdicts(whole.result)}
    tables = {"backtest_lists", "last_basket_lists", "backtest_metrics", "backtest_comparisons", "backtest_report"}
    assert checked >= {*tables, "calibration", "ranker_study"}


def test_there_are_lists_of_every_contender_for_every_date(whole: Run) -> None:
    found = set(rows(whole.database, "select distinct as_of, recommender from evaluation.backtest_lists"))
    assert found == {(date, name) for date in DATES for name in NAMES}


def test_everybody_with_a_past_has_a_list_of_what_is_popular_for_every_date(whole: Run) -> None:
    listed = rows(
        whole.database,
        "select as_of, count(distinct customer_id) from evaluation.backtest_lists where recommender = 'popularity' "
        "group by as_of order by as_of",
    )
    known = "select count(distinct customer_id) from warehouse.events where occurred_at < timestamp '{}'"
    assert listed == [(date, rows(whole.database, known.format(date))[0][0]) for date in DATES]


def test_lists_of_a_date_and_recommender_have_one_version(whole: Run) -> None:
    query = "select as_of, recommender, count(distinct version) from evaluation.backtest_lists group by all"
    assert {count for *_, count in rows(whole.database, query)} == {1}


def test_a_second_run_computes_no_list_of_any_date_and_changes_no_row(whole: Run, copied: Path) -> None:
    before = frame(whole.database, LISTS)
    again = backtest(copied, assets=("backtest_lists",))
    assert [line for line in again.log if "2024" in line] == [
        f"{date}: {len(NAMES)} of {len(NAMES)} recommenders have their lists already" for date in (FIRST, LAST)
    ]
    pd.testing.assert_frame_equal(frame(again.database, LISTS), before)


def test_a_second_run_computes_no_list_of_a_last_basket(copied: Path) -> None:
    again = backtest(copied, assets=("last_basket_lists",))
    assert [line for line in again.log if "last basket" in line] == []


def test_a_second_run_changes_no_list_of_a_last_basket(whole: Run, copied: Path) -> None:
    before = frame(whole.database, LAST_BASKETS)
    again = backtest(copied, assets=("last_basket_lists",))
    pd.testing.assert_frame_equal(frame(again.database, LAST_BASKETS), before)


def test_a_second_run_judges_nothing_anew_and_changes_no_figure(whole: Run, copied: Path) -> None:
    again = backtest(copied, assets=JUDGED)
    assert sorted(line for line in again.log if "there already" in line) == KEPT
    for table in JUDGED:
        query = f"select * from evaluation.{table} order by all"
        pd.testing.assert_frame_equal(frame(again.database, query), frame(whole.database, query))


def test_lists_of_another_version_are_judged_anew(copied: Path) -> None:
    changed = "update evaluation.backtest_lists set version = 'another' where recommender = 'ease'"
    tamper(settings_of(copied).warehouse_path, changed)
    again = backtest(copied, assets=JUDGED)
    assert again.result.success, error_of(again.result)
    assert [line for line in again.log if "there already" in line] == []


def test_a_range_of_dates_equals_its_dates_one_by_one_the_last_first(whole: Run, loaded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(loaded, tmp_path / "shop"))
    for date in (LAST, FIRST):
        run = backtest(folder, date, date, assets=("backtest_lists",))
        assert run.result.success, error_of(run.result)
    pd.testing.assert_frame_equal(frame(run.database, LISTS), frame(whole.database, LISTS))


def test_a_recommender_without_lists_costs_only_itself(whole: Run, copied: Path) -> None:
    tamper(settings_of(copied).warehouse_path, "delete from evaluation.backtest_lists where recommender = 'ease'")
    again = backtest(copied, assets=("backtest_lists",))
    computed = [line for line in again.log if "already" not in line and "2024" in line]
    assert computed == [f"{FIRST}: ease", f"{LAST}: ease"]
    pd.testing.assert_frame_equal(frame(again.database, LISTS), frame(whole.database, LISTS))


def test_an_event_between_the_dates_makes_the_lists_of_the_later_one_anew(whole: Run, copied: Path) -> None:
    one = f"select min(event_id) from warehouse.events where day = '{FIRST}'"
    tamper(settings_of(copied).warehouse_path, f"delete from warehouse.events where event_id = ({one})")
    again = backtest(copied, assets=("backtest_lists",))
    counts = [line for line in again.log if "already" in line]
    assert [line.split(": ")[1].split(" of ")[0] for line in counts] == [str(len(NAMES)), "0"]
    versions = "select distinct version from evaluation.backtest_lists where as_of = timestamp '{}'"
    kept, made = (
        [set(rows(database, versions.format(date))) for database in (whole.database, again.database)] for date in DATES
    )
    assert kept[0] == kept[1]
    assert not made[0] & made[1]


def test_a_date_whose_horizon_is_not_over_is_refused(copied: Path) -> None:
    tamper(settings_of(copied).warehouse_path, "delete from warehouse.events where day >= '2024-06-01'")
    refused = backtest(copied, LAST, LAST, assets=("backtest_lists",))
    assert not refused.result.success
    # 05-06 and 28 days are 06-03; the events end with 05-31.
    assert f"{LAST} can't be judged yet: its horizon ends on 2024-06-03" in error_of(refused.result)
    assert "Choose as-of dates up to 2024-05-04" in error_of(refused.result)


@pytest.fixture(scope="module")
def metrics(whole: Run) -> pd.DataFrame:
    return frame(whole.database, "select * from evaluation.backtest_metrics")


@pytest.fixture(scope="module")
def plain(whole: Run) -> list[dict[tuple[str, str, str, int], float]]:
    """The accuracy of each date, computed again from the stored tables alone."""
    events = frame(whole.database, "select * from warehouse.events")
    items = frame(whole.database, "select item_id, recommendable from warehouse.items")
    lists = frame(whole.database, LISTS)
    return [means(lists[lists["as_of"] == date], events, items, date, HORIZON, KS) for date in DATES]


def figures(metrics: pd.DataFrame, as_of: datetime | None, protocol: str = "horizon") -> dict[tuple[str, ...], float]:
    own = metrics[(metrics["protocol"] == protocol) & (metrics["cohort"] == "all")]
    own = own[own["as_of"].isna() if as_of is None else own["as_of"] == as_of]
    own = own[own["metric"].isin(ACCURACY_METRICS)]
    return {(row.recommender, row.list, row.metric, row.k): row.value for row in own.itertuples()}


@pytest.mark.parametrize("number", [0, 1])
def test_the_figures_of_a_date_are_those_of_a_recomputation_from_the_stored_tables(
    metrics: pd.DataFrame, plain: list[dict[tuple[str, str, str, int], float]], number: int
) -> None:
    assert figures(metrics, DATES[number]) == pytest.approx(plain[number], abs=1e-9)
    assert {key[0] for key in plain[number]} == set(NAMES)


def test_the_figures_over_dates_are_of_dates_whose_horizons_do_not_overlap(metrics: pd.DataFrame) -> None:
    # The two dates are a week apart, so only the last counts.
    assert DATES[1] - DATES[0] < timedelta(days=HORIZON)
    for protocol in ("horizon", "next_basket"):
        assert figures(metrics, None, protocol) == pytest.approx(figures(metrics, DATES[1], protocol), abs=1e-9)


def test_every_protocol_has_figures_of_every_list_and_all_lie_within_their_intervals(metrics: pd.DataFrame) -> None:
    found = set(metrics.loc[metrics["as_of"].isna(), ["protocol", "list"]].itertuples(index=False, name=None))
    lists = ("repeat", "discovery", "both")
    assert found == {(p, which) for p in ("horizon", "next_basket", "last_basket") for which in lists}
    key = ["protocol", "as_of", "recommender", "list", "metric", "k", "cohort"]
    assert not metrics.duplicated(key).any()
    assert (metrics["ci_low"] <= metrics["value"] + 1e-9).all()
    assert (metrics["value"] <= metrics["ci_high"] + 1e-9).all()
    share = metrics[metrics["metric"].isin(ACCURACY_METRICS)]
    assert share["value"].between(0, 1).all()


def test_the_lists_of_every_contender_are_also_judged_by_category_and_by_segment(metrics: pd.DataFrame) -> None:
    for names in ({BY_CATEGORY}, set(SEGMENTS)):
        own = metrics[metrics["cohort"].isin(names) & (metrics["list"] == "both")]
        assert set(own["recommender"]) == set(NAMES)
        assert (own["protocol"] == "horizon").all()
        assert own["as_of"].isna().all()


def test_a_lead_is_the_difference_of_the_figures_and_every_pair_is_compared(whole: Run, metrics: pd.DataFrame) -> None:
    found = frame(whole.database, "select * from evaluation.backtest_comparisons where protocol = 'horizon'")
    pairs = set(zip(found["recommender"], found["baseline"], strict=True))
    assert pairs == {(a, b) for a in NAMES for b in NAMES if a != b}
    overall = figures(metrics, None)
    for row in found.itertuples():
        key = (row.list, row.metric, row.k)
        assert row.difference == pytest.approx(overall[row.recommender, *key] - overall[row.baseline, *key], abs=1e-9)
    assert found["p_value"].between(0, 1).all()
    assert (found["p_holm"] >= found["p_value"]).all()
    assert (found["dates_ahead"] <= found["dates"]).all()
    assert (found["dates"] == 1).all()


def test_the_page_is_published_beside_the_database_and_is_the_one_that_was_checked(whole: Run) -> None:
    stored = rows(whole.database, "select as_of, html from evaluation.backtest_report")
    page = (settings_of(whole.folder).backtest_dir / "report.html").read_text("utf-8")
    assert stored == [(DATES[-1], page)]
    overall = frame(
        whole.database,
        "select list, recommender, \"value\" from evaluation.backtest_metrics where protocol = 'horizon' "
        "and as_of is null and cohort = 'all' and metric = 'ndcg' and k = 10",
    )
    assert figures_on(page) == {(row.list, row.recommender): f"{row.value:.4f}" for row in overall.itertuples()}


def told(shown: object) -> str:
    output = StringIO()
    Console(file=output, width=200).print(shown)
    return output.getvalue()


def test_the_leader_boards_name_every_contender_of_every_protocol(whole: Run) -> None:
    boards = told(leader_boards(settings_of(whole.folder).backtest_dir / DATABASE))
    assert boards.count("NDCG@10") == 3
    assert all(boards.count(f"\n{name} ") == (2 if name == "rules" else 3) for name in NAMES)


def test_a_comparison_tells_both_figures_and_their_difference(whole: Run) -> None:
    shown = told(comparison(settings_of(whole.folder).backtest_dir / DATABASE, "popularity", "random"))
    lead = rows(
        whole.database,
        "select difference from evaluation.backtest_comparisons where protocol = 'horizon' and list = 'both' "
        "and metric = 'ndcg' and k = 10 and recommender = 'popularity' and baseline = 'random'",
    )[0][0]
    assert "popularity over random: the days after the as-of date" in shown
    assert f"{lead:+.4f}" in shown


def test_a_comparison_with_an_unknown_recommender_names_those_that_there_are(whole: Run) -> None:
    with pytest.raises(LookupError, match=r"no recommender 'magic'. It has .*popularity"):
        comparison(settings_of(whole.folder).backtest_dir / DATABASE, "popularity", "magic")


def test_before_a_backtest_the_command_to_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="run `cx backtest`"):
        comparison(tmp_path / DATABASE, "popularity", "random")
