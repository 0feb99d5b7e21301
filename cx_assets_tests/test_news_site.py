"""A site of articles, on which nobody buys anything, goes through everything."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cx_assets.dataset import load_dataset
from cx_assets.examples.news_site import write_news_site
from cx_assets.settings import Settings
from cx_assets_tests.runs import failed
from cx_assets_tests.whole_shop import execute

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dg.ExecuteInProcessResult, Settings]]:
    """The run of everything and where it worked."""
    folder = tmp_path_factory.mktemp("news_site")
    settings = Settings(data_dir=folder / "data")
    manifest = write_news_site(folder, readers=80, articles=80)
    with dg.DagsterInstance.ephemeral() as instance:
        yield execute(settings, instance, load_dataset(str(manifest))), settings


@pytest.fixture(scope="module")
def published(site: tuple[dg.ExecuteInProcessResult, Settings]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(site[1].published_dir / "cx.duckdb"), read_only=True) as connection:
        yield connection


def test_everything_passes_and_is_published(site: tuple[dg.ExecuteInProcessResult, Settings]) -> None:
    # Of eighty readers, segments are told to be shaky, which blocks nothing.
    assert failed(site[0]).keys() <= {"customer_segments: segments_are_stable"}
    assert (site[1].published_dir / "report.html").is_file()


def test_its_own_event_types_count_as_the_manifest_weighs_them(published: duckdb.DuckDBPyConnection) -> None:
    types = published.execute("select distinct event_type from warehouse.events order by all").fetchall()
    assert types == [("like",), ("read",), ("view",)]
    # Of pairs with a single event, whose weight is that of its type when its age is taken off.
    weights = dict(
        published.execute(
            """
            select e.event_type, median(i.weight * power(2, date_diff('second', e.occurred_at, i.as_of) / 86400 / 90))
            from matrices.interactions i join warehouse.events e using (customer_id, item_id)
            where i.events = 1 group by e.event_type
            """
        ).fetchall()
    )
    assert weights["read"] == pytest.approx(1, abs=1e-3)
    assert weights["view"] == pytest.approx(0.1, abs=1e-4)


def test_visits_without_numbers_become_sessions(published: duckdb.DuckDBPyConnection) -> None:
    longest, articles = published.execute(
        """
        select max(pause), avg(articles) from (
            select max(pause) as pause, count(*) as articles from (
                select basket_id, date_diff('minute', lag(occurred_at) over visit, occurred_at) as pause
                from warehouse.events window visit as (partition by basket_id order by occurred_at)
            ) group by basket_id
        )
        """
    ).fetchall()[0]
    assert longest <= 30
    assert 2 < articles < 10


def test_everybody_who_reads_is_recommended_something(published: duckdb.DuckDBPyConnection) -> None:
    readers, served = published.execute(
        """
        select (select count(distinct customer_id) from warehouse.events), count(distinct customer_id)
        from recommendations.recommendations
        """
    ).fetchall()[0]
    assert readers == served == 80


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    def digest(folder: Path) -> dict[str, str]:
        write_news_site(folder, readers=5, articles=12)
        found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    assert digest(tmp_path / "one") == digest(tmp_path / "two")
