"""A frame that was put together of many small ones is written like any other."""

from pathlib import Path

import pandas as pd

from cx_assets.table import column, from_frame, schema
from cx_assets.table.storage import write
from cx_assets.table.warehouse import Warehouse

SPEC = schema("g", "t", "One row.", *(column(f"c{i}", "varchar", "A text.") for i in range(10)))


def test_a_frame_of_many_pieces_is_written_within_the_memory_of_its_rows(tmp_path: Path) -> None:
    # 8,000 short texts: less than a megabyte. As Arrow, a concatenated column of text keeps its 800 pieces.
    pieces = [pd.DataFrame({name: [f"v{n}"] for name in SPEC.column_names}) for n in range(800)]
    with Warehouse(path=str(tmp_path / "w.duckdb"), memory_limit="100MB").opened("a test") as warehouse:
        write(warehouse.connection, SPEC, from_frame(warehouse.connection, pd.concat(pieces, ignore_index=True)))
        assert warehouse.query("select count(*) from g.t").fetchone() == (800,)
