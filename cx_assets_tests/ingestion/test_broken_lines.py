"""Laws of looking for the line that can't be read: it is found by its true number, and in a sound file none is."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_assets.ingestion.broken_lines import first_broken_line, first_surplus
from cx_assets.source import Source

CSV = Source(files="a.csv", format="csv")
FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
ROWS = st.lists(st.lists(FIELDS, min_size=3, max_size=3).map(tuple), min_size=1, max_size=6)
any_rows = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder: Path, rows: list[tuple[str, ...]]) -> Path:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("a", "b", "c"), *rows])
    (folder / "a.csv").write_bytes(text.getvalue().encode())
    return folder / "a.csv"


@any_rows
@given(rows=ROWS)
def test_no_line_of_a_sound_file_is_broken_whatever_its_values(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    path = written(tmp_path, rows)
    assert first_broken_line(path, CSV) is None
    assert first_surplus(path, CSV, 3) is None


@any_rows
@given(before=ROWS, after=ROWS)
def test_a_row_of_two_fields_is_found_by_the_line_that_it_begins_in(
    tmp_path: Path, before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    path = written(tmp_path, before)
    line = len(path.read_bytes().decode().splitlines()) if not odd(before) else None
    written(tmp_path, [*before, ("one", "two"), *after])
    told = first_broken_line(path, CSV)
    assert told is not None
    assert "has 2 fields, its header 3." in told
    if line is not None:
        assert told.startswith(f"line {line + 1} ")


def odd(rows: list[tuple[str, ...]]) -> bool:
    """Whether Python's splitlines would split where CSV has no line end."""
    return any(set(field) & set("\v\f\x1c\x1d\x1e\x85\u2028\u2029") for row in rows for field in row)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a;b;c\n1;2;3;\n4;5;6\n", "line 2 has 4 fields"),  # what is empty beyond the last column is a surplus too
        ("a;b;c\n1;2;3;\n4;5;6;\n", None),  # a delimiter at the end of every line is a habit
        ("a;b;c;\n1;2;3;\n", None),
        ("Orders; of March\n\na;b;c\n1;2;3\n4;5;6;7\n", "line 5 has 4 fields"),  # a title is no header
        ("a;b;c\n\n1;2;3\n\n", None),
        ("a;b;c\r1;2;3\r", None),
        ('a;b;c\n1;"2;3";4\n', None),  # with quotes DuckDB is trusted
        ("a;b;c", None),
    ],
)
def test_lines_with_more_fields_than_columns_are_found_where_delimiters_can_be_counted(
    tmp_path: Path, text: str, told: str | None
) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    columns = 4 if text.startswith("a;b;c;") else 3
    found = first_surplus(tmp_path / "a.csv", CSV, columns)
    assert (found is None) == (told is None)
    assert str(found).startswith(str(told))


def test_json_that_is_nested_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": ' + "[" * 100_000 + "\n", "utf-8")
    source = Source(files="a.jsonl", format="jsonl")
    assert first_broken_line(tmp_path / "a.jsonl", source) == "line 3 is nested too deeply. Deliver it flat."


def test_what_is_no_text_file_of_this_machine_is_not_looked_at(tmp_path: Path) -> None:
    assert first_broken_line(tmp_path / "gone.parquet", Source(files="gone.parquet", format="parquet")) is None
