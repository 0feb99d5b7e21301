"""The report page: complete when there is much to show, smaller and still correct when there is little."""

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from cx_assets.evaluation import boards
from cx_assets.evaluation.report import Quality, ReportInput, render

pytestmark = pytest.mark.whole

METRIC = ["recommender", "list", "metric", "k", "value", "ci_low", "ci_high", "customers"]
COMPARISON = [
    "recommender",
    "baseline",
    "list",
    "metric",
    "k",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "customers",
]
ACCURACY = ("precision", "recall", "f1", "ndcg", "map", "mrr", "hit_rate")
STRENGTH = {"ranker": 0.4, "popularity": 0.17, "random": 0.003}
VOID = {"meta", "link", "br", "path", "use", "rect", "line", "circle", "polyline"}


def metrics(customers: int = 200, lists: tuple[str, ...] = ("repeat", "discovery", "both")) -> pd.DataFrame:
    rows = []
    for which in lists:
        for name, value in STRENGTH.items():
            for k in (5, 10, 20):
                rows += [(name, which, m, k, value, value * 0.9, value * 1.1, customers) for m in ACCURACY]
                rows.append((name, which, "coverage", k, 0.1, 0.09, 0.11, customers))
                rows.append((name, which, "novelty", k, 4.0, 3.9, 4.1, customers))
    return pd.DataFrame(rows, columns=METRIC)


def comparisons(customers: int = 200) -> pd.DataFrame:
    rows = [
        ("ranker", name, which, "ndcg", 10, 0.2, 0.1, 0.3, 0.002, customers)
        for which in ("repeat", "discovery", "both")
        for name in ("popularity", "random")
    ]
    return pd.DataFrame(rows, columns=COMPARISON)


def who(judged: int = 200) -> pd.DataFrame:
    rows = [(which, judged, 31, 7, 1000) for which in ("repeat", "discovery", "both")]
    return pd.DataFrame(rows, columns=["list", "judged", "nothing_relevant", "no_history", "relevant"])


def given(**changes: Any) -> ReportInput:
    shop = {
        "title": "A <shop> & more",
        "until": datetime(2024, 3, 29),
        "as_of": datetime(2024, 3, 1),
        "horizon_days": 28,
    }
    segments = pd.DataFrame(
        [("Regulars", 60, 0.8, "come often", "Bread"), ("Others", 40, 0.2, "come seldom", "Tea")],
        columns=["name", "customers", "value_share", "apart", "categories"],
    )
    rules = pd.DataFrame(
        [("category", "Pasta", "Sauce", 0.5, 7.0, 90), ("item", "BUN", "SAUSAGE", 0.4, 9.0, 80)],
        columns=["level", "antecedent", "consequent", "confidence", "lift", "customers"],
    )
    example = {
        "customer_id": "c7",
        "segment": "Regulars",
        "had": ["BREAD"],
        "repeat": [{"item": "BREAD", "reason": "taken 9 times"}],
        "discovery": [{"item": "JAM", "reason": "goes with BREAD"}],
    }
    whole: dict[str, Any] = {
        **shop,
        "metrics": metrics(),
        "comparisons": comparisons(),
        "who": who(),
        "recommendable": 1234,
        "quality": Quality([("Rows delivered", 5000), ("Clean events", 4900)], [("missing customer_id", 99)]),
        "segments": segments,
        "rules": rules,
        "examples": [example],
        "recommender_words": {"ranker": "Mixes them all."},
        "resamples": 1000,
    }
    return ReportInput(**(whole | changes))


NOTHING: dict[str, Any] = {
    "metrics": metrics().iloc[:0],
    "comparisons": comparisons().iloc[:0],
    "who": who(0).assign(nothing_relevant=0, no_history=0, relevant=0),
    "segments": given().segments.iloc[:0],
    "rules": given().rules.iloc[:0],
    "examples": [],
    "quality": Quality([("Rows delivered", 0)], []),
}


class Balanced(HTMLParser):
    """Fails where tags don't nest, and collects ids, links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []
        self.anchors += [values["href"][1:]] if (values.get("href") or "").startswith("#") else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(html: str) -> Balanced:
    page = Balanced()
    page.feed(html)
    assert page.open == []
    return page


def text_of(html: str) -> str:
    return " ".join(" ".join(read(html).said).split())


def test_the_page_tells_when_as_of_over_which_horizon_and_on_whom_it_judged() -> None:
    text = text_of(render(given()))
    assert "As of 1 Mar 2024" in text
    assert "Horizon 28 days" in text
    assert "Customers judged 200" in text
    assert "Customers excluded 38" in text


def test_the_last_day_of_the_data_is_the_one_before_the_as_of_instant() -> None:
    text = text_of(render(given()))
    assert text.count("data up to 28 March 2024") == 2
    assert "28 days (up to 28 March 2024)" in text


def test_the_page_shows_every_part_and_links_to_each() -> None:
    html = render(given())
    page = read(html)
    parts = ["leaders", "tradeoffs", "metrics", "segments", "rules", "customers", "quality", "method"]
    assert page.anchors == parts
    assert set(parts) <= set(page.ids)
    # three leader boards, repeat against discovery, three trade-offs, segments
    assert html.count("<svg") == 8


def test_every_id_in_the_page_is_there_once() -> None:
    ids = read(render(given())).ids
    assert len(ids) == len(set(ids))


def test_every_plot_is_well_formed_and_takes_its_colours_from_the_page() -> None:
    for plot in re.findall(r"<svg.*?</svg>", render(given()), flags=re.DOTALL):
        read(plot)
        assert "var(--ink)" in plot
        assert not re.search(r"#0[1-6]a[1-6]a[1-6]", plot)


def test_the_page_needs_nothing_from_the_network() -> None:
    html = render(given())
    assert "<script" not in html
    assert "@import" not in html
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", html)
    assert not re.search(r"url\((?!#)", html)


def test_names_from_the_data_cannot_break_the_page() -> None:
    html = render(given())
    assert "A &lt;shop&gt; &amp; more" in html
    assert "<shop>" not in html


def test_every_metric_stands_at_every_k_with_its_interval() -> None:
    text = text_of(render(given()))
    for k in (5, 10, 20):
        assert text.count(f"First {k} places") == 3
    assert "10.00 % 9.00\N{EN DASH}11.00" in text
    assert "0.400 0.360\N{EN DASH}0.440" in text


def test_the_page_is_the_same_for_the_same_input() -> None:
    assert render(given()) == render(given())


def test_nothing_to_show_gives_a_page_without_the_parts_that_would_be_empty() -> None:
    html = render(given(**NOTHING))
    assert read(html).anchors == ["quality", "method"]
    assert "There is nothing to judge yet" in html
    assert "No event was rejected" in html
    assert "<svg" not in html


def test_one_customer_gets_figures_but_no_claim() -> None:
    text = text_of(render(given(metrics=metrics(1), comparisons=comparisons(1), who=who(1))))
    assert "Only 1 customers could be judged" not in text
    assert "Only 1 customer could be judged" in text
    assert "beats popularity (" not in text


@pytest.mark.parametrize("missing", ["rules", "segments", "examples"])
def test_a_part_without_rows_is_left_out_alone(missing: str) -> None:
    page = read(render(given(**{missing: NOTHING[missing]})))
    assert {"rules": "rules", "segments": "segments", "examples": "customers"}[missing] not in page.anchors
    assert len(page.anchors) == 7


def test_a_list_that_nobody_is_judged_on_is_left_out_alone() -> None:
    html = render(given(metrics=metrics(lists=("discovery", "both"))))
    assert "forest-repeat" not in html
    assert "forest-discovery" in html


def test_a_recommender_that_shows_nothing_has_a_dash_for_novelty() -> None:
    rows = metrics()
    silent = (rows["recommender"] == "random") & (rows["list"] == "discovery")
    rows.loc[silent, ["value", "ci_low", "ci_high"]] = 0.0
    html = render(given(metrics=rows.loc[~(silent & (rows["metric"] == "novelty"))]))
    assert ">\N{EN DASH}<" in html


def test_ks_without_ten_are_reported_at_the_longest() -> None:
    rows = metrics()
    assert boards.board_k(rows.loc[rows["k"] == 5]) == 5
    assert "NDCG@5" in render(given(metrics=rows.loc[rows["k"] == 5]))


def test_the_main_plot_is_an_image_and_a_sentence_where_there_is_none() -> None:
    assert boards.main_plot(metrics()).startswith("![NDCG by recommender](data:image/png;base64,iVBOR")
    assert boards.main_plot(metrics().iloc[:0]) == "No list could be judged."
