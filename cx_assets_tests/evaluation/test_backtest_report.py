"""The backtest's page: who it says leads, that it says no more than is sure, and that its queries make its figures."""

import re
from html import unescape
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from cx_assets.evaluation import tables
from cx_assets.evaluation.backtest_checks import backtest_report_tells_the_figures
from cx_assets.evaluation.backtest_narrative import Extent, runner_up
from cx_assets.evaluation.backtest_plots import kept_apart
from cx_assets.evaluation.backtest_report import content, render, told
from cx_assets.evaluation.backtest_report_asset import backtest_report_asset, extent_of
from cx_assets.evaluation.beyond_accuracy import LIST_METRICS
from cx_assets.evaluation.rejudged import BY_CATEGORY, RARE_ITEMS
from cx_assets.recommendations.segment_popularity import SEGMENTS
from cx_assets.table import from_frame
from cx_assets.table.warehouse import Warehouse
from cx_assets_tests.evaluation.backtest_samples import (
    COHORTS,
    DATES,
    EXTENT,
    LISTS,
    SCALE,
    STRENGTH,
    comparisons,
    metrics,
    page,
    plain,
    said,
    section,
)

pytestmark = pytest.mark.whole


def test_the_best_is_named_with_its_lead_over_the_better_baseline_and_how_sure_that_is() -> None:
    # 0.31 against 0.27 of the two baselines' 0.27 and 0.15: 0.04, which is 15 % of 0.27.
    assert said(STRENGTH) == (
        "Ranker recommends best over 2 dates: NDCG@10 of 0.3100, 0.0400 (+15 %) above Personal frequency decayed, the "
        "better baseline (95 % interval +0.0350 to +0.0450, p < 0.001 by Holm's correction, ahead on 2 of 2 dates)."
    )


def test_the_better_baseline_may_be_popularity() -> None:
    strength = {"blend": 0.3, "popularity": 0.2, "personal_frequency_decayed": 0.1}
    assert "0.1000 (+50 %) above Popularity, the better baseline" in said(strength)


@pytest.mark.parametrize("change", [{"p_holm": 0.06}, {"ci_low": -0.001}])
def test_a_lead_that_is_not_sure_is_not_called_one(change: dict[str, float]) -> None:
    text = said(STRENGTH, **change)
    assert text.startswith(
        "Ranker, the highest, can't be told from Personal frequency decayed, the better baseline: "
        "NDCG@10 of 0.3100 against 0.2700, a difference of +0.0400 ("
    )
    assert "recommends best" not in text


def test_two_that_are_level_at_the_top_are_both_named() -> None:
    strength = {**STRENGTH, "blend": 0.31}
    assert said(strength).startswith(
        "Blend and Ranker, level with each other, recommend best over 2 dates: NDCG@10 of 0.3100,"
    )
    second = runner_up(metrics(strength), comparisons(strength), "both", 10)
    assert str(second) == "Blend and Ranker are level at the top."


def test_level_with_the_baseline_is_no_lead() -> None:
    assert said({"ranker": 0.27, "personal_frequency_decayed": 0.27}).startswith(
        "Ranker and Personal frequency decayed, the better baseline, are level: NDCG@10 of 0.2700 ("
    )


def test_a_baseline_that_is_best_is_said_to_be() -> None:
    assert said({"ranker": 0.2, "blend": 0.1, "popularity": 0.25}).startswith(
        "Popularity, a baseline, is best: NDCG@10 of 0.2500; Ranker, next to it, lies 0.0500 behind ("
    )


def test_of_few_customers_nothing_is_said() -> None:
    assert said(STRENGTH, customers=29) == (
        "Only 29 customers could be judged; below 30 nothing can be said about which recommender is better."
    )
    assert str(runner_up(metrics(), comparisons(customers=29), "both", 10)) == ""


def test_without_a_baseline_there_is_no_lead() -> None:
    assert "no baseline was judged" in said({"ranker": 0.3, "blend": 0.2})
    assert said({"popularity": 0.2}).startswith("Only baselines were judged; Popularity is the higher")


@pytest.mark.parametrize(("second", "words"), [(0.29, "beyond chance"), (0.308, "which may be chance")])
def test_the_lead_over_the_second_is_told_with_whether_it_may_be_chance(second: float, words: str) -> None:
    strength = {**STRENGTH, "blend": second}
    text = str(runner_up(metrics(strength), comparisons(strength), "both", 10))
    assert text.startswith(f"The highest, Ranker, is {0.31 - second:.4f} ahead of the second, Blend, {words} (")


def test_the_first_screen_says_both_and_discovery() -> None:
    header = plain(page().partition("<header>")[2].partition("</header>")[0])
    assert "<h1>Ranker recommends best over 2 dates: NDCG@10 of 0.3100," in header
    # A tenth of both: 0.0310 and a lead of 0.0040, which the interval of this shop doesn't tell from none.
    assert "New items only: Ranker, the highest, can&#39;t be told from Personal frequency decayed" in header
    assert "123,456" in header


def test_every_figure_of_the_leader_boards_is_the_tables_to_four_places() -> None:
    expected = {(which, name): f"{value * SCALE[which]:.4f}" for which in LISTS for name, value in STRENGTH.items()}
    assert told(page()) == expected


def test_where_nothing_was_judged_at_ten_the_page_speaks_of_the_longest_lists() -> None:
    given, compared = metrics(), comparisons()
    given.loc[given["cohort"] == "all", "k"] = 20
    html = render(given, compared.assign(k=20), EXTENT)
    assert "Ranker recommends best over 2 dates: NDCG@20 of 0.3100" in plain(html)
    assert len(told(html)) == 3 * len(STRENGTH)


def test_the_query_under_a_figure_makes_the_figure() -> None:
    html = page()
    queries = [unescape(text) for text in re.findall(r"<pre><code>(.*?)</code></pre>", html, re.DOTALL)]
    # Three boards, one of claims, two trends, two tables of cohorts, two of coverage, one of lists, two of baskets.
    assert len(queries) == 13
    with duckdb.connect() as connection:
        connection.execute("create schema evaluation")
        for spec, frame in ((tables.BACKTEST_METRICS, metrics()), (tables.BACKTEST_COMPARISONS, comparisons())):
            connection.execute(spec.ddl())
            connection.register("given", frame)
            connection.execute(f"insert into {spec.qualified} by name select * from given")
        found = [connection.execute(query).df() for query in queries]
    assert found[0]["recommender"].tolist() == list(STRENGTH)
    assert found[0]["difference"].round(9).tolist()[:2] == [0.04, 0.02]
    assert all(len(frame) for frame in found)


def test_the_trend_has_a_line_for_each_of_the_best_and_for_the_baselines() -> None:
    shown = content(metrics(), comparisons(), EXTENT)["trends"][0]
    assert shown["columns"][1:] == ["Ranker", "Blend", "Personal frequency decayed", "Personal frequency", "Popularity"]
    assert [row["name"] for row in shown["rows"]] == ["2024-04-01", "2024-04-08", "2024-04-29"]
    assert [row["cells"][0] for row in shown["rows"]] == ["0.3090", "0.3100", "0.3110"]
    assert all(f">{name}</text>" in shown["plot"] for name in shown["columns"][1:])
    assert all(f">{day} Apr 2024</text>" in shown["plot"] for day in (1, 8, 29))


def test_the_trend_of_new_items_leaves_out_who_never_recommends_any() -> None:
    given = metrics()
    given.loc[given["recommender"].str.startswith("personal") & (given["list"] == "discovery"), "value"] = 0.0
    both, discovery = content(given, comparisons(), EXTENT)["trends"]
    assert "Personal frequency" in both["columns"]
    assert discovery["columns"][1:] == ["Ranker", "Blend", "Popularity", "Random"]


def test_coverage_is_the_mean_over_the_dates_that_are_apart() -> None:
    # 0.1 on the first and 0.3 on the last date; the one between them overlaps.
    shown = content(metrics(), comparisons(), EXTENT)["coverage"][0]
    assert {row["cells"][0] for row in shown["rows"]} == {"20.00 %"}


def test_cohorts_stand_in_order_and_the_best_of_each_is_marked() -> None:
    shown = content(metrics(), comparisons(), EXTENT)["cohorts"][0]
    assert [row["name"] for row in shown["rows"]] == list(COHORTS)
    assert [cell["best"] for cell in shown["rows"][0]["cells"]] == [True, False, False, False]


def test_segments_and_rare_items_stand_below_the_other_cohorts_and_categories_are_left_out() -> None:
    own = metrics()
    more = [own[own["cohort"] == COHORTS[0]].assign(cohort=name) for name in (BY_CATEGORY, RARE_ITEMS, SEGMENTS[-1])]
    shown = content(pd.concat([*more, own]), comparisons(), EXTENT)["cohorts"][0]
    assert [row["name"] for row in shown["rows"]] == [*COHORTS, SEGMENTS[-1], RARE_ITEMS]


def test_a_lead_on_baskets_is_relative_to_personal_frequency() -> None:
    rows = content(metrics(), comparisons(), EXTENT)["baskets"][0]["rows"]
    # 0.31 over 0.26 is 19.2 %, and of itself nobody has a lead.
    assert rows[0]["cells"] == ["0.1550", "+19.2 %", "0.3100", "+19.2 %"]
    assert rows[3]["cells"][1] == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("left", "part", "sentence"),
    [
        ("cohort == 'all'", "cohorts", "figures by cohort are left out"),
        ("protocol != 'last_basket'", "baskets", "The last basket was not judged: its board is left out"),
        ("protocol != 'next_basket'", "baskets", "The next basket was not judged: its board is left out"),
        ("metric != 'coverage'", "lists", "accuracy against coverage is left out"),
        (f"metric not in {LIST_METRICS}", "lists", "their table is left out"),
        ("as_of.isna() or as_of == @DATES[2]", "trend", "fewer than two as-of dates"),
    ],
)
def test_what_was_not_computed_is_left_out_with_a_sentence(left: str, part: str, sentence: str) -> None:
    shown = section(page(), part)
    without = section(page(metrics().query(left)), part)
    assert sentence not in shown
    assert sentence in without
    assert without.count("<table>") < shown.count("<table>")


def test_without_any_figure_the_page_says_that_there_is_none() -> None:
    html = render(metrics().head(0), comparisons().head(0), Extent(None, None, 0, 0, 0))
    assert "<h1>Nothing could be judged.</h1>" in html
    assert "there is no leader board" in html
    assert told(html) == {}


def test_the_page_needs_nothing_from_the_network() -> None:
    html = page()
    assert "<script" not in html
    assert "@import" not in html
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", html)
    assert not re.search(r"url\((?!#)", html)
    # The names of SVG's vocabularies aren't fetched.
    assert set(re.findall(r"https?://[^\s\"'<]*", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_no_two_elements_of_the_page_share_an_id() -> None:
    ids = re.findall(r'\bid="([^"]+)"', page())
    assert sorted(ids) == sorted(set(ids))


def test_the_same_figures_make_the_same_page() -> None:
    assert page() == page()


def test_names_at_the_ends_of_lines_keep_their_order_and_a_gap() -> None:
    assert kept_apart([0.5, 0.51, 0.1], 0.1) == pytest.approx([0.455, 0.555, 0.1])
    assert kept_apart([0.3], 0.1) == [0.3]


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("", "", []),
        ('data-recommender="ranker">0.3100<', 'data-recommender="ranker">0.3101<', ["ranker"]),
        ("Personal frequency decayed", "Somebody", ["personal_frequency_decayed"]),
        ('data-list="both" data-recommender="random"', "", ["random"]),
    ],
)
def test_the_check_finds_a_page_that_says_something_else(old: str, new: str, broken: list[str]) -> None:
    html = page().replace(old, new) if old else page()
    with duckdb.connect() as connection:
        verdict = backtest_report_tells_the_figures(
            from_frame(connection, pd.DataFrame({"html": [html]})), from_frame(connection, metrics())
        )
    assert isinstance(verdict, dg.AssetCheckResult)
    assert verdict.passed == (not broken)
    assert all(name in str(verdict.metadata["examples"].value) for name in broken)


def test_the_asset_is_one_row_with_the_last_date(tmp_path: Path) -> None:
    lists = pd.DataFrame({"as_of": [*DATES, DATES[0]], "customer_id": ["a", "b", "a", "c"]})
    empty = (
        pd.DataFrame(columns=tables.CALIBRATION.column_names),
        pd.DataFrame(columns=tables.RANKER_STUDY.column_names),
    )
    warehouse = Warehouse(path=str(tmp_path / "working.duckdb"), lock_timeout_seconds=5)
    with duckdb.connect() as connection:
        stored = from_frame(connection, lists)
        assert extent_of(stored) == Extent(DATES[0], DATES[2], 3, 3, 4)
        row = backtest_report_asset()(dg.build_asset_context(), warehouse, metrics(), comparisons(), stored, *empty)
    assert isinstance(row, pd.DataFrame)
    assert row["as_of"].tolist() == [pd.Timestamp(DATES[2])]
    assert told(row["html"].iloc[0])["both", "ranker"] == "0.3100"
