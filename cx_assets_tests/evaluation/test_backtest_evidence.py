"""What the backtest's page tells of the ranker itself, and that the query under each figure makes it."""

import re
from datetime import datetime
from html import unescape
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cx_assets.evaluation import evidence_queries, search, tables
from cx_assets.evaluation.backtest_evidence import Evidence, load
from cx_assets.evaluation.backtest_report import content, render
from cx_assets.evaluation.backtest_report_asset import listed_customers, stored_trials
from cx_assets.evaluation.ranker_study import study_keys
from cx_assets.evaluation.rejudged import BY_CATEGORY
from cx_assets.recommendations.ranker import RankerSettings
from cx_assets.recommendations.tables import RECOMMENDATIONS
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.tables import BASKETS
from cx_assets_tests.evaluation.backtest_samples import EXTENT, LISTS, comparisons, metrics, plain, section

pytestmark = pytest.mark.whole

AS_OF = datetime(2024, 4, 29)
TEST_DAY = datetime(2024, 4, 1)


def calibration() -> pd.DataFrame:
    """Two bins of equal size: 10 % and 50 % foreseen, 5 % and 40 % taken."""
    rows = [
        (which, number, low, low + 0.2, 100, foreseen, taken, taken - 0.02, taken + 0.02, 50, 2)
        for which in LISTS
        for number, low, foreseen, taken in ((1, 0.0, 0.1, 0.05), (2, 0.4, 0.5, 0.4))
    ]
    return pd.DataFrame(rows, columns=tables.CALIBRATION.column_names)


def study() -> pd.DataFrame:
    """Every row that a study has, each figure 0.25 with 0.05 to either side."""
    rows = [(AS_OF, *key, 0.25, 0.2, 0.3, 90, "7") for key in sorted(study_keys(set(LISTS)))]
    return pd.DataFrame(rows, columns=tables.RANKER_STUDY.column_names)


def trials() -> pd.DataFrame:
    """Two trials on one cut, the second of which is better and chosen."""
    found = search.Trials({"old": RankerSettings(), "new": RankerSettings(leaves=15)})
    found.rows = [(datetime(2024, 3, 4), name, which, 0.3 + 0.1 * (name == "new"), 9) for name in found.settings
                  for which in LISTS]  # fmt: skip
    found.customers = {which: {"a", "b"} for which in LISTS}
    return found.table().assign(first_test_day=pd.Timestamp(TEST_DAY), horizon_days=28)


def customers() -> pd.DataFrame:
    rows = [
        (part, f"c{part}", 10 * part, which, rank, f"ITEM {rank} & CO", "ranker", "because")
        for part in (1, 2)
        for which in ("repeat", "discovery")
        for rank in (1, 2, 3)
    ]
    names = ["part", "customer_id", "baskets", "list", "rank", "item", "recommender", "reason"]
    return pd.DataFrame(rows, columns=names)


def by_category() -> pd.DataFrame:
    own = metrics()
    own = own[own["as_of"].isna() & (own["protocol"] == "horizon") & (own["metric"] == "ndcg") & (own["k"] == 10)]
    frames = [own[own["cohort"] == "all"].assign(cohort=BY_CATEGORY, metric=metric) for metric in ("ndcg", "precision")]
    more = [frames[1].assign(metric=metric) for metric in ("recall", "hit_rate")]
    return pd.concat([metrics(), *frames, *more], ignore_index=True)


EVERYTHING = Evidence(calibration(), study(), trials(), customers())


def page(evidence: Evidence = EVERYTHING) -> str:
    return render(by_category(), comparisons(), EXTENT, evidence)


def test_the_probabilities_are_told_with_their_expected_error() -> None:
    shown = section(page(), "probabilities")
    # 10 and 50 % foreseen are 30 on average, 5 and 40 % taken 22.5; they are 5 and 10 apart.
    assert "Both together: of a hundred places 30.0 were foreseen to be taken and 22.5 were" in shown
    assert shown.count('<td class="n">7.5 %</td>') == 3
    assert shown.count("<svg") == 1


def test_every_source_and_group_has_its_line() -> None:
    shown = content(by_category(), comparisons(), EXTENT, EVERYTHING)
    sources = [row["name"] for row in shown["sources"]["rows"]]
    assert sources[-2:] == ["All sources", "Had before"]
    assert "EASE" in sources[:-2]
    assert len(sources) == 9
    groups = [row["name"] for row in shown["groups"]["rows"]]
    assert groups[:2] == ["Full ranker: its NDCG@10", "Nothing, but another seed"]
    assert len(groups) == 11
    assert shown["groups"]["rows"][0]["cells"] == ["0.2500"] * 3
    assert shown["groups"]["rows"][1]["cells"] == ["+0.2500 (+0.2000 to +0.3000)"] * 3


def test_the_chosen_trial_stands_first_and_is_marked() -> None:
    shown = content(by_category(), comparisons(), EXTENT, EVERYTHING)["search"]
    assert [(row["name"], row["style"]) for row in shown["rows"]] == [("new (chosen)", "ours"), ("old", "")]
    assert (shown["cuts"], shown["before"]) == (1, "2024-04-01")


def test_customers_stand_with_both_lists_and_the_reasons() -> None:
    shown = section(page(), "customers")
    assert shown.count('<ol class="items">') == 4
    assert shown.count("ITEM 1 &amp; CO<small>because</small>") == 4
    assert "Customer c2 <small>&middot; 20 baskets</small>" in shown
    assert "data/published/cx.duckdb" in shown


def test_lists_read_as_categories_are_told_for_each_list() -> None:
    shown = content(by_category(), comparisons(), EXTENT)["categories"]
    assert [one["name"] for one in shown] == ["Both together", "Repeat", "Discovery"]
    assert shown[0]["rows"][0]["name"] == "Ranker"
    assert shown[0]["rows"][0]["cells"][:2] == ["0.3100", "0.2790\N{EN DASH}0.3410"]


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("probabilities", "There are no lists of the ranker whose probabilities could be told"),
        ("parts", "The ranker was not taken apart"),
        ("settings", "Settings have not been searched for with these data: <code>cx search</code> does it"),
        ("customers", "Nothing is recommended to anybody yet: <code>cx run</code> makes the lists"),
    ],
)
def test_what_is_not_there_is_left_out_with_a_sentence(part: str, sentence: str) -> None:
    empty = Evidence(calibration().head(0), study().head(0), None, customers().head(0))
    assert sentence not in section(page(), part)
    for evidence in (empty, Evidence()):
        assert sentence in section(page(evidence), part)
    assert "Lists were not judged by category" in plain(render(metrics(), comparisons(), EXTENT))


def test_the_queries_make_the_figures_and_run_where_the_page_says() -> None:
    html = page()
    queries = [unescape(text) for text in re.findall(r"<pre><code>(.*?)</code></pre>", html, re.DOTALL)]
    # The thirteen of the other parts, three lists of categories, and these.
    assert len(queries) == 13 + 3 + 5
    of_published = [query for query in queries if "recommendations.recommendations" in query]
    assert of_published == [evidence_queries.CUSTOMERS_LISTS]
    with duckdb.connect() as connection:
        connection.execute("create schema evaluation")
        load(connection, tables.BACKTEST_METRICS, by_category())
        load(connection, tables.BACKTEST_COMPARISONS, comparisons())
        for spec, frame in EVERYTHING.stored.values():
            load(connection, spec, frame)
        assert all(len(connection.execute(query).df()) for query in queries if query not in of_published)


def test_no_two_elements_of_the_whole_page_share_an_id_and_it_needs_nothing_from_the_network() -> None:
    html = page()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert sorted(ids) == sorted(set(ids))
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", html)
    assert html == page()


# What other jobs made


def test_before_a_run_and_a_search_there_is_nothing_to_tell(tmp_path: Path) -> None:
    with Warehouse(path=str(tmp_path / "working.duckdb")).opened("the test") as warehouse:
        assert stored_trials(warehouse) is None
        assert listed_customers(warehouse) is None


def test_the_middle_customer_of_each_tenth_is_shown_with_three_places_of_each_list(tmp_path: Path) -> None:
    with Warehouse(path=str(tmp_path / "working.duckdb")).opened("the test") as warehouse:
        connection = warehouse.connection
        for name in ("warehouse", "recommendations", "evaluation"):
            connection.execute(f"create schema {name}")
        for spec in (BASKETS, RECOMMENDATIONS, tables.SEARCH_TRIALS):
            connection.execute(spec.ddl())
        connection.execute("create table warehouse.items (item_id varchar, name varchar)")
        connection.execute("insert into warehouse.items values ('i1', 'Milk')")
        # Of forty customers number n has n baskets; who has baskets and no lists isn't shown.
        connection.execute(
            "insert into warehouse.baskets select c || '-' || b, 'c' || lpad(c::varchar, 2, '0'), "
            "timestamp '2024-01-01', 1, 1, 1 from range(1, 51) t(c), range(c) u(b)"
        )
        connection.execute(
            "insert into recommendations.recommendations by name "
            "select 'c' || lpad(c::varchar, 2, '0') as customer_id, l as list, "
            "r as rank, 'i' || r as item_id, 1 as score, 'ranker' as recommender, 'because' as reason, "
            "timestamp '2024-01-01' as as_of "
            "from range(1, 41) t(c), (values ('repeat'), ('discovery')) v(l), range(1, 6) w(r)"
        )
        load(connection, tables.SEARCH_TRIALS, trials())
        found = listed_customers(warehouse)
        stored = stored_trials(warehouse)
    assert found is not None
    assert stored is not None
    assert len(stored) == len(trials())
    assert found["customer_id"].drop_duplicates().tolist() == [f"c{4 * n + 2:02d}" for n in range(10)]
    assert found["baskets"].drop_duplicates().tolist() == [4 * n + 2 for n in range(10)]
    first = found.head(6)
    assert first["list"].tolist() == ["repeat"] * 3 + ["discovery"] * 3
    assert first["item"].tolist() == ["Milk", "i2", "i3"] * 2
