"""A dataset of nothing but ratings goes through everything, and its planted tastes are found."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.bootstrap import Intervals, paired_difference
from cx_assets.evaluation.config import LIST_DEPTH
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.metrics import accuracy
from cx_assets.settings import Settings
from cx_assets_tests.rated_films import write_rated_films
from cx_assets_tests.runs import failed, verdicts
from cx_assets_tests.whole_shop import execute, tables_in

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dg.ExecuteInProcessResult, Settings]]:
    """The run of everything and where it worked."""
    folder = tmp_path_factory.mktemp("rated_films")
    settings = Settings(data_dir=folder / "data")
    with dg.DagsterInstance.ephemeral() as instance:
        yield execute(settings, instance, write_rated_films(folder)), settings


@pytest.fixture(scope="module")
def published(
    films: tuple[dg.ExecuteInProcessResult, Settings],
) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(films[1].published_dir / "cx.duckdb"), read_only=True) as connection:
        yield connection


def lead(published: duckdb.DuckDBPyConnection, ours: str, theirs: str) -> Intervals:
    """By how much one recommender's discoveries are ahead of another's in NDCG@10, in pairs over customers."""
    rows = published.execute("select * from evaluation.judged_lists where list = 'discovery'").to_arrow_table()
    judged = JudgedLists.from_arrow(rows, LIST_DEPTH)
    ndcg = {one.recommender: accuracy(one.hit, one.relevant, [10])["ndcg", 10] for one in judged.lists}
    return paired_difference(ndcg[ours][:, None], ndcg[theirs][:, None], resamples=1000, seed=0)


def errors(published: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """RMSE by predictor."""
    frame = published.execute("select * from evaluation.rating_errors where metric = 'rmse'").df()
    return frame.set_index("predictor")


def test_everything_passes_and_is_published(films: tuple[dg.ExecuteInProcessResult, Settings]) -> None:
    result, settings = films
    assert failed(result) == {}
    assert {
        "evaluation_report: published_recommender_beats_popularity",
        "metrics: metrics_are_complete",
        "rating_errors: rating_errors_are_complete",
        "rating_errors: rating_errors_are_possible",
    } <= verdicts(result).keys()
    counts = tables_in(settings.published_dir / "cx.duckdb")
    # Nobody bought anything.
    assert counts["warehouse.baskets"] == 0
    assert counts["matrices.interactions"] == counts["warehouse.events"]
    assert counts["evaluation.rating_errors"] == 10


def test_ratings_are_all_that_there_is(published: duckdb.DuckDBPyConnection) -> None:
    told = published.execute("select distinct event_type, rating is null from warehouse.events").fetchall()
    assert told == [("rating", False)]
    spread = published.execute(
        "select stddev(m) from (select avg(rating) as m from warehouse.events group by customer_id)"
    ).fetchall()[0][0]
    assert spread > 0.3  # everyone has a mean of their own


def test_predictions_by_pearson_neighbours_are_surely_closer_than_those_by_means(
    published: duckdb.DuckDBPyConnection,
) -> None:
    found = errors(published)
    for baseline in ("global_mean", "item_mean", "customer_mean", "biases"):
        assert found.loc["pearson_neighbours", "ci_high"] < found.loc[baseline, "ci_low"]


def test_lists_by_pearson_neighbours_are_surely_better_than_random_ones(
    published: duckdb.DuckDBPyConnection,
) -> None:
    assert lead(published, "customer_knn_pearson", "random").low[0] > 0


def test_lists_by_pearson_neighbours_are_surely_better_than_popular_items(
    published: duckdb.DuckDBPyConnection,
) -> None:
    assert lead(published, "customer_knn_pearson", "popularity").low[0] > 0


def test_the_same_seed_writes_the_same_films(tmp_path: Path) -> None:
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_rated_films(tmp_path / name, customers=5, items=30, days=10)
        written.append((tmp_path / name / "ratings.csv").read_bytes())
    assert written[0] == written[1]
    stars = pd.read_csv(tmp_path / "first" / "ratings.csv")
    assert not stars.duplicated(["viewer", "film"]).any()
    assert set(stars["stars"]) <= set(np.arange(1, 6))
