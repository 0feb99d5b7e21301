"""What the backtest's page claims of the ranker, and which aims it holds that against."""

import pytest

from cx_assets.aims import Aim
from cx_assets.evaluation.backtest_evidence import Evidence
from cx_assets.evaluation.backtest_report import content, render
from cx_assets.evaluation.boards import DASH
from cx_assets_tests.evaluation.backtest_samples import EXTENT, comparisons, metrics

pytestmark = pytest.mark.whole


def test_what_is_claimed_stands_with_both_figures_and_the_lead() -> None:
    rows = content(metrics(), comparisons(), EXTENT)["claims"]["rows"]
    board = metrics()
    overall = board[board["as_of"].isna() & (board["cohort"] == "all") & (board["k"] == 10)]
    own, other = (
        float(
            overall.query(f"protocol == 'horizon' and list == 'both' and metric == 'ndcg' and recommender == '{name}'")[
                "value"
            ].iloc[0]
        )
        for name in ("ranker", "personal_frequency_decayed")
    )
    assert rows[0]["cells"][1] == f"{own:.4f}"
    assert rows[0]["cells"][3] == f"{other:.4f}"
    assert rows[0]["cells"][4].startswith(f"{own - other:.3f}, ")


def test_without_comparisons_nothing_is_claimed() -> None:
    assert content(metrics(), comparisons().iloc[:0], EXTENT)["claims"] is None


def test_an_aim_stands_beside_its_lead_and_what_was_tried_where_it_is_not_reached() -> None:
    here = {"list": "both", "metric": "ndcg", "baseline": "personal_frequency_decayed"}
    missed = Aim.model_validate({**here, "lead": 1e6, "tried": "nothing yet."})
    page = content(metrics(), comparisons(), EXTENT, Evidence(aims=(missed,)))["claims"]
    place = page["columns"].index("Aim") - 1
    assert [row["cells"][place] for row in page["rows"]][:2] == ["+100000000.0 %", DASH]
    assert [one["tried"] for one in page["short"]] == ["nothing yet."]
    html = render(metrics(), comparisons(), EXTENT, Evidence(aims=(missed,)))
    assert "Tried on earlier dates: nothing yet." in html

    reached = missed.model_copy(update={"lead": 1e-9})
    assert content(metrics(), comparisons(), EXTENT, Evidence(aims=(reached,)))["claims"]["short"] == []
