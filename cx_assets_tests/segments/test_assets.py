"""Laws of the stage as a whole."""

import duckdb
import pandas as pd
import pytest
from pydantic import ValidationError

from cx_assets.segments.assets import SegmentConfig
from cx_assets_tests.segments.shop import run_stage, shop_events


def test_kinds_of_customers_become_segments_with_names_and_profiles(connection: duckdb.DuckDBPyConnection) -> None:
    stage = run_stage(connection, shop_events(90))
    segments = stage.customer_segments.df()
    regulars = [f"c{c:03}" for c in range(0, 90, 3)]
    assert sorted(segments.loc[segments["segment_id"] == 1, "customer_id"]) == regulars
    profiles = stage.segment_profiles.df()
    assert profiles["segment_id"].tolist() == sorted(segments["segment_id"].unique())
    assert profiles["segment"].is_unique
    first = profiles.iloc[0]
    assert first["segment"] == "Frequent big spenders"
    assert first["customers"] == 30
    assert first["share_of_value"] > 0.5
    assert any(trait.startswith("spends more: ") for trait in first["traits"])


def test_the_evidence_is_in_the_metadata_as_a_table_and_a_picture(connection: duckdb.DuckDBPyConnection) -> None:
    metadata = run_stage(connection, shop_events(90)).metadata
    assert metadata["segments"] >= 3
    assert "**chosen**" in metadata["evidence"].value
    assert metadata["plot"].value.startswith("![Stability")
    assert "data:image/png;base64,iVBOR" in metadata["plot"].value


@pytest.mark.whole
def test_running_again_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    events = shop_events(45)
    names = ("customer_features", "customer_segments", "segment_profiles")
    first = [getattr(run_stage(connection, events), name).fetchall() for name in names]
    shuffled = events.sample(frac=1, random_state=3)
    again = [getattr(run_stage(connection, shuffled), name).fetchall() for name in names]
    assert first == again


def test_a_customer_without_events_has_a_row_and_no_history(connection: duckdb.DuckDBPyConnection) -> None:
    stage = run_stage(connection, shop_events(30), strangers=("zoe",))
    segments = stage.customer_segments.df()
    assert len(segments) == 31
    zoe = segments.set_index("customer_id").loc["zoe"]
    columns = ["recency_score", "frequency_score", "monetary_score", "rfm", "segment_id", "segment"]
    assert zoe[columns].tolist() == [0, 0, 0, "0-0-0", -1, "no history"]
    last = stage.segment_profiles.df().iloc[-1]
    assert last[["segment_id", "customers", "value"]].tolist() == [-1, 1, 0.0]
    assert last["summary"] == "1 customers without an event before the as-of date."


@pytest.mark.parametrize("customers", [1, 2, 5])
def test_a_handful_of_customers_is_one_segment(connection: duckdb.DuckDBPyConnection, customers: int) -> None:
    stage = run_stage(connection, shop_events(customers))
    assert set(stage.customer_segments.df()["segment"]) == {"All customers"}
    profile = stage.segment_profiles.df().iloc[0]
    # Nothing to compare with.
    assert profile[["segment_id", "customers", "share_of_customers", "share_of_value"]].tolist() == [1, customers, 1, 1]
    assert list(profile["traits"]) == []


def test_customers_who_are_all_alike_are_one_segment(connection: duckdb.DuckDBPyConnection) -> None:
    one = shop_events(1)
    alike = [one.assign(customer_id=f"c{c}", basket_id=one["basket_id"] + f"-{c}") for c in range(20)]
    stage = run_stage(connection, pd.concat(alike))
    assert set(stage.customer_segments.df()["segment_id"]) == {1}
    assert set(stage.customer_segments.df()["rfm"]) == {"3-3-3"}


def test_configuration_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValidationError):
        SegmentConfig(fewest=1)
    with pytest.raises(ValidationError):
        SegmentConfig(bootstraps=1)
    with pytest.raises(ValidationError, match="fewest"):
        SegmentConfig(fewest=6, most=5)
