"""Each law of the stage holds on a good shop and fails on a spoilt one."""

from collections.abc import Callable, Iterator

import dagster as dg
import duckdb
import pytest

from cx_assets.segments import checks
from cx_assets.table import Table, sql
from cx_assets_tests.segments.shop import Stage, run_stage, shop_events


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Run once: no law changes a table, and spoilt tables are queries over these."""
    with duckdb.connect() as connection:
        yield run_stage(connection, shop_events(60), strangers=("zoe",))


def with_column(table: Table, column: str, value: str, where: str = "true") -> Table:
    """`table` with one column set to a SQL expression in some rows."""
    return sql(f"select * replace (case when {where} then {value} else {column} end as {column}) from t", t=table)


def without(table: Table, where: str) -> Table:
    return sql(f"select * from t where not ({where})", t=table)


def twice(table: Table, where: str) -> Table:
    return sql(f"select * from t union all select * from t where {where}", t=table)


LAWS: list[tuple[dg.AssetChecksDefinition, list[str]]] = [
    (checks.customer_features_are_finite, ["customer_features"]),
    (checks.customer_features_cover_customers_with_events, ["customer_features", "events"]),
    (checks.monetary_adds_up_to_the_value_of_events, ["customer_features", "events"]),
    (checks.every_customer_has_one_segment, ["customer_segments", "customers"]),
    (checks.scores_are_fifths, ["customer_segments"]),
    (checks.segments_are_large_enough, ["customer_segments"]),
    (checks.segments_are_stable, ["customer_segments"]),
    (checks.profiles_cover_the_segments, ["segment_profiles", "customer_segments"]),
    (checks.profiles_add_up, ["segment_profiles", "customer_segments", "customer_features"]),
]


@pytest.mark.parametrize(("check", "tables"), LAWS, ids=[c.check_key.name for c, _ in LAWS])
def test_a_good_shop_keeps_every_law(stage: Stage, check: dg.AssetChecksDefinition, tables: list[str]) -> None:
    verdict = check(**{name: getattr(stage, name) for name in tables})
    assert verdict.passed, verdict.description


Spoil = Callable[[Table], Table]
BROKEN: list[tuple[dg.AssetChecksDefinition, str, Spoil, int]] = [
    (
        checks.customer_features_are_finite,
        "customer_features",
        lambda t: with_column(t, "monetary", "'nan'::double", "customer_id = 'c001'"),
        1,
    ),
    (
        checks.customer_features_are_finite,
        "customer_features",
        lambda t: with_column(t, "recency_days", "-1", "customer_id = 'c001'"),
        1,
    ),
    (
        checks.customer_features_are_finite,
        "customer_features",
        lambda t: with_column(t, "share_values", "share_values[1:0]", "customer_id = 'c001'"),
        1,
    ),
    (
        checks.customer_features_are_finite,
        "customer_features",
        lambda t: with_column(
            t, "share_values", "list_transform(share_values, lambda s: s * 2)", "customer_id < 'c003'"
        ),
        3,
    ),
    (
        checks.customer_features_cover_customers_with_events,
        "customer_features",
        lambda t: without(t, "customer_id = 'c004'"),
        1,
    ),
    (checks.customer_features_cover_customers_with_events, "events", lambda t: without(t, "customer_id = 'c004'"), 1),
    (
        checks.monetary_adds_up_to_the_value_of_events,
        "customer_features",
        lambda t: with_column(t, "monetary", "monetary + 1", "customer_id = 'c002'"),
        1,
    ),
    (
        checks.monetary_adds_up_to_the_value_of_events,
        "customer_features",
        lambda t: with_column(t, "monetary", "'nan'::double", "customer_id = 'c002'"),
        1,
    ),
    (checks.every_customer_has_one_segment, "customer_segments", lambda t: without(t, "customer_id = 'c002'"), 1),
    (
        checks.every_customer_has_one_segment,
        "customer_segments",
        lambda t: twice(t, "customer_id in ('c002', 'c003')"),
        2,
    ),
    (checks.every_customer_has_one_segment, "customers", lambda t: without(t, "customer_id = 'c002'"), 1),
    (
        checks.scores_are_fifths,
        "customer_segments",
        lambda t: with_column(t, "recency_score", "0", "customer_id = 'c002'"),
        1,
    ),
    (checks.scores_are_fifths, "customer_segments", lambda t: with_column(t, "rfm", "'5'", "customer_id = 'c002'"), 1),
    (
        checks.scores_are_fifths,
        "customer_segments",
        lambda t: with_column(t, "certainty", "1.5", "customer_id = 'c002'"),
        1,
    ),
    (
        checks.scores_are_fifths,
        "customer_segments",
        lambda t: with_column(t, "segment", "'big'", "customer_id = 'zoe'"),
        1,
    ),
    (
        checks.segments_are_large_enough,
        "customer_segments",
        lambda t: with_column(t, "segment_id", "9", "customer_id = 'c002'"),
        1,
    ),
    (
        checks.segments_are_stable,
        "customer_segments",
        lambda t: with_column(t, "certainty", "0.5", "segment_id = 1"),
        1,
    ),
    (checks.profiles_cover_the_segments, "segment_profiles", lambda t: without(t, "segment_id = 1"), 1),
    (
        checks.profiles_cover_the_segments,
        "segment_profiles",
        lambda t: with_column(t, "customers", "customers + 1", "segment_id = 1"),
        2,
    ),
    (checks.profiles_cover_the_segments, "segment_profiles", lambda t: twice(t, "segment_id = 1"), 2),
    (checks.profiles_add_up, "segment_profiles", lambda t: without(t, "segment_id = 1"), 4),
    (checks.profiles_add_up, "segment_profiles", lambda t: with_column(t, "value", "value + 5", "segment_id = 1"), 1),
]


@pytest.mark.parametrize(("check", "spoilt", "spoil", "broken"), BROKEN)
def test_a_spoilt_table_breaks_the_law_and_the_rows_are_counted(
    stage: Stage, check: dg.AssetChecksDefinition, spoilt: str, spoil: Spoil, broken: int
) -> None:
    tables = next(names for law, names in LAWS if law is check)
    given = {name: getattr(stage, name) for name in tables}
    verdict = check(**{**given, spoilt: spoil(given[spoilt])})
    assert not verdict.passed
    assert verdict.metadata["broken"].value == broken
    assert verdict.description
