"""Whatever is held of the events' files, what is asked of it is what a run reads."""

from pathlib import Path

import duckdb
import pytest

from cx_assets.diagnosis.reading import hold_events
from cx_assets_tests.ingestion.sources import COLUMNS, events, shop

PARQUET = '{files: "*.parquet", format: parquet}'
MAPPING = """\
    columns: {{occurred_at: day, customer_id: WHO, item_id: '"The item"', event_type: "'purchase'", quantity: n,
              value: {value}}}
"""
ROWS = """
    select date '2024-03-01' + i::int as day, 'c' || i as who, i as "The item", 2 as n, 2.5::double as price,
        {'price': 3.5} as told, 'x' as unused
    from range(5) as r(i)
"""


def write(path: Path) -> None:
    """Five rows with a column that no manifest here names."""
    duckdb.connect().execute(f"copy ({ROWS}) to '{path}' (format parquet)").close()


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("price", ["day", "who", "The item", "n", "price", "cx_source_row"]),
        ("price * n", ["day", "who", "The item", "n", "price", "cx_source_row"]),
        ("told.price", None),
        ("\"coalesce(columns('pri.*'), 0)\"", None),
        ("'unnamed_subquery.price'", None),
    ],
)
def test_of_a_lone_parquet_file_the_columns_are_held_that_the_manifest_names(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, value: str, held: list[str] | None
) -> None:
    write(tmp_path / "a.parquet")
    dataset = shop(tmp_path, PARQUET, mapping=MAPPING.format(value=value))
    found = hold_events(connection, dataset, COLUMNS)
    every = ["day", "who", "The item", "n", "price", "told", "unused", "cx_source_row"]
    assert [row[0] for row in connection.execute("describe held").fetchall()] == (held or every)
    assert found.file == "a.parquet"
    told = connection.execute(f"from ({found.query()}) order by source_row").fetchall()
    assert told == events(connection, dataset, "*")
    chosen = connection.execute(found.query("select 'a.parquet' as source_file, 3 as source_row")).fetchall()
    assert chosen == told[2:3]


@pytest.mark.parametrize("sources", [[PARQUET], ['{files: "a.*", format: parquet}', '{files: "b.*", format: parquet}']])
def test_of_several_files_the_mapped_rows_are_held_with_the_file_of_each(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, sources: list[str]
) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.parquet")
    dataset = shop(tmp_path, *sources, mapping=MAPPING.format(value="price"))
    found = hold_events(connection, dataset, COLUMNS)
    assert found.file is None
    told = connection.execute(f"from ({found.query()}) order by source_file, source_row").fetchall()
    assert told == events(connection, dataset, "*")
    chosen = connection.execute(found.query("select 'b.parquet' as source_file, 3 as source_row")).fetchall()
    assert chosen == told[7:8]
