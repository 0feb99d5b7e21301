"""Which day and which session an event belongs to, and which types it may have."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cx_assets.dataset import Dataset, ManifestError, load_dataset
from cx_assets.warehouse.contract import judge
from cx_assets.warehouse.events import accepted
from cx_assets_tests.corner import GOOD, manifest, write_corner
from cx_assets_tests.warehouse.test_contract import con as con
from cx_assets_tests.warehouse.test_contract import delivered


def corner(folder: Path, more: str) -> Dataset:
    """The corner shop, whose manifest says more."""
    return load_dataset(
        manifest(write_corner(folder), GOOD, ("title: A corner shop\n", f"title: A corner shop\n{more}"))
    )


def told(con: duckdb.DuckDBPyConnection, dataset: Dataset, *events: dict[str, Any]) -> list[tuple[Any, ...]]:
    judged = judge(delivered(con, dataset, *events), dataset)
    return accepted(judged, dataset.session_gap_minutes).df().itertuples(index=False)


@pytest.fixture
def berlin(tmp_path: Path) -> Dataset:
    return corner(tmp_path, "timezone: Europe/Berlin\n")


@pytest.mark.parametrize(
    ("text", "instant", "day"),
    [
        # An hour ahead in winter, two in summer.
        ("2024-03-02 00:30:00", datetime(2024, 3, 1, 23, 30), date(2024, 3, 2)),
        ("2024-03-31 12:00:00", datetime(2024, 3, 31, 10), date(2024, 3, 31)),
        ("2024-03-01T23:30:00Z", datetime(2024, 3, 1, 23, 30), date(2024, 3, 2)),
        ("2024-03-02T00:30:00-05:00", datetime(2024, 3, 2, 5, 30), date(2024, 3, 2)),
        # Clocks go from two to three.
        ("2024-03-31 01:59:59", datetime(2024, 3, 31, 0, 59, 59), date(2024, 3, 31)),
        ("2024-03-31 02:30:00", datetime(2024, 3, 31, 1, 30), date(2024, 3, 31)),
        ("2024-03-31 03:00:00", datetime(2024, 3, 31, 1), date(2024, 3, 31)),
    ],
)
def test_a_time_without_an_offset_is_local_and_days_are_local_days(
    con: duckdb.DuckDBPyConnection, berlin: Dataset, text: str, instant: datetime, day: date
) -> None:
    (event,) = told(con, berlin, {"occurred_at": text})
    assert (event.occurred_at, event.day.date()) == (instant, day)


def test_of_the_hour_that_comes_twice_the_later_is_meant(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dataset = corner(tmp_path, "timezone: America/New_York\n").model_copy(update={"last_day": date(2024, 11, 30)})
    rows = [{"occurred_at": text} for text in ("2024-11-03 01:30:00", "2024-11-03T01:30:00-04:00")]
    found = sorted(event.occurred_at for event in told(con, dataset, *rows))
    assert found == [datetime(2024, 11, 3, 5, 30), datetime(2024, 11, 3, 6, 30)]


def test_the_last_local_day_ends_with_its_own_midnight(con: duckdb.DuckDBPyConnection, berlin: Dataset) -> None:
    rows = [
        {"occurred_at": f"2024-{text}"} for text in ("02-29 23:59:59", "03-01 00:00", "03-31 23:59:59", "04-01 00:00")
    ]
    reasons = judge(delivered(con, berlin, *rows), berlin).df().sort_values("source_row")["reason"]
    outside = "time outside the dataset's days"
    assert reasons.where(reasons.notna(), "").tolist() == [outside, "", "", outside]


def test_a_zone_that_does_not_exist_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"timezone: no such time zone: 'Europe/Berln'\. Did you mean 'Europe/Berlin'"
    ):
        corner(tmp_path, "timezone: Europe/Berln\n")


def sessions(con: duckdb.DuckDBPyConnection, dataset: Dataset, *events: tuple[str, str]) -> dict[str, list[str]]:
    """The times of day by basket, from customers and times."""
    found: dict[str, list[str]] = {}
    rows = [{"customer_id": customer, "occurred_at": f"2024-03-{text}"} for customer, text in events]
    for event in told(con, dataset, *rows):
        found.setdefault(event.basket_id, []).append(f"{event.occurred_at:%H:%M}")
    return found


def test_a_pause_longer_than_the_gap_begins_a_new_session(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dataset = corner(tmp_path, "session_gap_minutes: 30\n")
    found = sessions(con, dataset, ("a", "02 09:00"), ("a", "02 09:30"), ("a", "02 10:01"), ("b", "02 09:40"))
    assert found == {
        "a:2024-03-02 09:00:00": ["09:00", "09:30"],
        "a:2024-03-02 10:01:00": ["10:01"],
        "b:2024-03-02 09:40:00": ["09:40"],
    }


def test_a_session_ends_with_its_day(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dataset = corner(tmp_path, "session_gap_minutes: 30\n")
    found = sessions(con, dataset, ("a", "02 23:59"), ("a", "03 00:01"))
    assert found == {"a:2024-03-02 23:59:00": ["23:59"], "a:2024-03-03 00:01:00": ["00:01"]}


def test_a_basket_that_is_told_stays(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dataset = corner(tmp_path, "session_gap_minutes: 30\n")
    (event,) = told(con, dataset, {"basket_id": "order 7"})
    assert event.basket_id == "order 7"


def test_an_event_type_of_the_datasets_own_is_accepted_and_another_rejected(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = corner(tmp_path, "event_types:\n  read: {weight: 2, meaning: An article was read}\n")
    judged = judge(delivered(con, dataset, {"event_type": "Read"}, {"event_type": "heard"}), dataset).df()
    assert dict(zip(judged["event_type"], judged["reason"].fillna(""), strict=True)) == {
        "read": "",
        "heard": "unknown event type",
    }


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("event_types: {view: {weight: 1, meaning: Seen}}\n", "every dataset has the event type view"),
        ("event_types: {Read: {weight: 1, meaning: Read}}\n", "lower-case letters, digits and _"),
        ("event_types: {read: {weight: 0, meaning: Read}}\n", "should be greater than 0"),
        ("event_types: {read: {weight: 1}}\n", "this key is required"),
        ("basket_event_types: [read]\n", "basket_event_types: no event type 'read'"),
        ("basket_event_types: []\n", "basket_event_types"),
        ("session_gap_minutes: 0\n", "should be greater than 0"),
    ],
)
def test_types_and_sessions_that_mean_nothing_are_refused(tmp_path: Path, more: str, complaint: str) -> None:
    with pytest.raises(ManifestError) as error:
        corner(tmp_path, more)
    assert complaint in str(error.value)
