"""Laws of the lazy table and of `sql`."""

import gc
from datetime import date, datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from cx_assets.table import Table, as_of_date, from_frame, once, sql

ONE_TO_THREE = pd.DataFrame({"n": [1, 2, 3]})


@pytest.fixture
def numbers(connection: duckdb.DuckDBPyConnection) -> Table:
    return Table(connection, "select * from (values (1), (2), (3)) as t(n)")


def frames_seen_by(connection: duckdb.DuckDBPyConnection) -> int:
    return connection.execute("select count(*) from duckdb_views() where view_name like 'frame_%'").fetchone()[0]


def test_a_query_reads_the_tables_that_its_keywords_name(numbers: Table) -> None:
    assert sql("select n + 1 from these where n > 1 order by n", these=numbers).fetchall() == [(3,), (4,)]


def test_a_query_with_ctes_of_its_own_composes_with_one_that_has_them_too(numbers: Table) -> None:
    doubled = sql("with big as (select n from t where n > 1) select n * 2 as n from big", t=numbers)
    query = "\n  WITH big as (select n from t where n > 4) select n from big"
    assert sql(query, t=doubled).fetchall() == [(6,)]


def test_a_table_may_be_bound_to_the_name_that_its_own_query_reads(numbers: Table) -> None:
    t = sql("select n from t where n > 1", t=numbers)
    t = sql("select n from t where n < 3", t=t)
    assert t.fetchall() == [(2,)]


def test_a_recursive_query_stays_recursive(numbers: Table) -> None:
    query = """
        with recursive climb as (
            select min(n) as n from t union all select n + 1 from climb where n < 5
        ) select max(n) from climb
    """
    assert sql(query, t=numbers).fetchone() == (5,)


def test_nothing_runs_before_rows_are_asked_for(numbers: Table) -> None:
    late = sql("select error('ran') as e from t", t=numbers)
    assert late.columns == ["e"]
    with pytest.raises(duckdb.Error, match="ran"):
        late.fetchall()


def test_frames_and_arrow_tables_are_bound_like_tables(numbers: Table) -> None:
    found = sql(
        "select count(*) from t join a using (n) join b using (n)",
        t=numbers,
        a=ONE_TO_THREE,
        b=pa.table({"n": [2, 3, 4]}),
    )
    assert found.fetchone() == (2,)


def test_a_query_over_no_table_is_refused_since_nobody_knows_where_it_would_run() -> None:
    with pytest.raises(ValueError, match="at least one Table"):
        sql("select * from f", f=ONE_TO_THREE)


def test_a_frame_lives_as_long_as_a_query_over_it_and_no_longer(connection: duckdb.DuckDBPyConnection) -> None:
    table = from_frame(connection, pd.DataFrame({"n": [1, 2, 3]}))
    query = sql("select sum(n) from a", a=sql("select n + 1 as n from t", t=table))
    del table
    gc.collect()
    assert query.fetchone() == (9,)
    assert frames_seen_by(connection) == 1
    del query
    gc.collect()
    assert frames_seen_by(connection) == 0


def test_letting_go_of_a_frame_after_its_connection_was_closed_is_quiet() -> None:
    connection = duckdb.connect()
    table = from_frame(connection, ONE_TO_THREE)
    connection.close()
    del table
    gc.collect()


def test_the_index_of_a_frame_is_left_out(connection: duckdb.DuckDBPyConnection) -> None:
    assert from_frame(connection, ONE_TO_THREE.set_index(pd.Index([7, 8, 9], name="i"))).columns == ["n"]


def test_rows_come_as_tuples_frame_arrow_and_count_and_columns_by_name(numbers: Table) -> None:
    assert numbers.fetchall() == [(1,), (2,), (3,)]
    assert numbers.fetchone() == (1,)
    assert numbers.df()["n"].tolist() == [1, 2, 3]
    assert numbers.arrow().column("n").to_pylist() == [1, 2, 3]
    assert numbers.count() == 3
    assert numbers.columns == ["n"]


def test_the_first_row_of_nothing_is_an_error_that_shows_the_query(numbers: Table) -> None:
    with pytest.raises(LookupError, match="where n > 9"):
        sql("select n from t where n > 9", t=numbers).fetchone()


def test_the_as_of_date_is_midnight_after_the_day_of_the_last_event(connection: duckdb.DuckDBPyConnection) -> None:
    times = [datetime(2024, 2, 28, 9), datetime(2024, 2, 29, 23, 59)]
    # Where the clocks are ahead of UTC, the last event is one of the next day already.
    events = from_frame(connection, pd.DataFrame({"occurred_at": times, "day": [date(2024, 2, 28), date(2024, 3, 1)]}))
    assert as_of_date(events) == datetime(2024, 3, 2)


def test_without_events_there_is_no_as_of_date(connection: duckdb.DuckDBPyConnection) -> None:
    events = Table(connection, "select cast(null as date) as day limit 0")
    with pytest.raises(LookupError, match="Materialize raw_events and events first"):
        as_of_date(events)


@pytest.mark.parametrize(("how", "filter_is_first"), [(str, True), (once, False)])
def test_a_filter_stays_behind_what_is_computed_once(numbers: Table, how, filter_is_first: bool) -> None:
    asked = sql(f"with told as (select {how('n / 7')} as part from t) select part from told where part > 0", t=numbers)
    plan = numbers.connection.execute(f"explain {asked.query}").fetchall()[0][1]
    # The plan tells the last step first.
    assert (plan.index("PROJECTION") < plan.index("FILTER")) == filter_is_first


def test_what_is_computed_once_has_its_own_value(numbers: Table) -> None:
    assert sql(f"select {once('case when n > 1 then n end')} as big from t order by n", t=numbers).fetchall() == [
        (None,), (2,), (3,)
    ]  # fmt: skip
