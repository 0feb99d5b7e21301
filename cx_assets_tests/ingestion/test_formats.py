"""Laws of files beyond plain CSV: gzip, Excel, folders that are columns, other encodings and decimals."""

import gzip
import json
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest

from cx_assets.encodings import NAMES
from cx_assets.ingestion.fitting import problems
from cx_assets.ingestion.formats import reading
from cx_assets.ingestion.reader import file_days, table_query
from cx_assets.proposal.delivered import looked_at
from cx_assets.source import SourceError
from cx_assets_tests.ingestion.sources import COLUMNS, MAPPING, events, shop

CSV = "day;who;what;n;price\n2024-03-01;Müller;tea;1;2,50\n2024-03-02;Šimek €;tea;2;1.234,5\n"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A workbook whose second sheet holds events: typed cells, texts among numbers, an empty row."""
    book = openpyxl.Workbook()
    orders = book.create_sheet("Orders")
    for row in (
        ["day", "who", "what", "n", "price"],
        [datetime(2024, 3, 1, 10, 30, 15), "007", "tea", 1, 2.5],
        [None] * 5,
        [date(2024, 3, 2), 7, "tea", "two", "1,5"],
        ["soon", 8, "tea", 3, 1234567.25],
    ):
        orders.append(row)
    book.save(tmp_path / "a.xlsx")
    return tmp_path


def test_a_sheet_is_read_as_text_with_times_year_first_and_empty_rows_counted_but_not_read(
    connection: duckdb.DuckDBPyConnection, sheet: Path
) -> None:
    dataset = shop(sheet, "{files: a.xlsx, format: excel, sheet: Orders}")
    assert problems(dataset) == []
    assert events(connection, dataset, "source_file", "source_row", "occurred_at", "customer_id", "quantity") == [
        ("a.xlsx#Orders", 1, "2024-03-01 10:30:15", "007", "1"),
        ("a.xlsx#Orders", 3, "2024-03-02 00:00:00", "7", "two"),
        ("a.xlsx#Orders", 4, "soon", "8", "3"),
    ]
    assert events(connection, dataset, "value") == [("2.5",), ("1,5",), ("1234567.25",)]
    assert file_days(dataset, {str(sheet / "a.xlsx")}) == [date(2024, 3, 1), date(2024, 3, 2)]


@pytest.mark.parametrize("above", [[["Orders of March"]], [["Orders"], [], ["from", "2024-03-01"], []], [[]]])
def test_a_title_above_a_sheet_s_header_is_no_mistake(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, above: list[list[str]]
) -> None:
    book = openpyxl.Workbook()
    page = book.create_sheet("Orders")
    for row in (*above, ["day", "who", "what", "n", "price"], [datetime(2024, 3, 1, 10, 30), "007", "tea", 1, 2.5]):
        page.append(row)
    book.save(tmp_path / "a.xlsx")
    dataset = shop(tmp_path, "{files: a.xlsx, format: excel, sheet: Orders}")
    assert problems(dataset) == []
    told = events(connection, dataset, "source_row", "occurred_at", "customer_id", "value")
    assert told == [(1, "2024-03-01 10:30:00", "007", "2.5")]


def test_a_note_beside_a_row_makes_no_title_of_a_sheet_s_header(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (["sku", "title"], ["p1", "tea"], ["p2", "jam", "sold out"]):
        page.append(row)
    book.save(tmp_path / "a.xlsx")
    assert looked_at(tmp_path / "a.xlsx").columns == ("sku", "title")


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(sheet: Path) -> None:
    (told,) = problems(shop(sheet, "{files: a.xlsx, format: excel, sheet: Order}"))
    assert told.startswith("shop.yaml:6: events.0.source: a.xlsx#Order can't be read as excel: ")
    assert 'Sheet "Order" not found' in told
    assert "Orders" in told


def test_a_file_that_is_no_workbook_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("no zip")
    (told,) = problems(shop(tmp_path, "{files: a.xlsx, format: excel}"))
    assert "a.xlsx can't be read as excel: IO Error: Failed to open zip" in told


def test_gzip_is_unpacked_and_its_encoding_and_line_are_told(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    line = {"day": "2024-03-01", "who": "ann", "what": "tea", "n": 1, "price": 2}
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
    dataset = shop(tmp_path, "{files: a.csv.gz, format: csv, delimiter: ;}", "{files: b.jsonl.gz, format: jsonl}")
    assert events(connection, dataset, "source_file", "source_row", "customer_id") == [
        ("a.csv.gz", 1, "Müller"),
        ("a.csv.gz", 2, "Šimek €"),
        ("b.jsonl.gz", 1, "ann"),
    ]
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode("cp1250")))
    assert any("a.csv.gz: line 2 is not UTF-8" in told for told in problems(dataset))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode())[:-12])
    with pytest.raises(SourceError, match=r"^a\.csv\.gz: not a whole gzip file .* Deliver it again\.$"):
        events(connection, dataset, "customer_id")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_folder_that_names_a_column_gives_it_as_text(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    for day in ("2024-03-01", "2024-03-02"):
        folder = tmp_path / "in" / f"day={day}"
        folder.mkdir(parents=True)
        rows = connection.sql("select 'ann' as who, 'tea' as what, 1 as n, 2.5 as price")
        form = {"csv": "(format csv)", "jsonl": "(format json)", "parquet": "(format parquet)"}[kind]
        connection.execute(f"copy ({rows.sql_query()}) to '{folder}/part.{kind}' {form}")
    dataset = shop(tmp_path, f"{{files: 'in/*/*.{kind}', format: {kind}}}")
    assert problems(dataset) == []
    assert events(connection, dataset, "source_file", "occurred_at", "value") == [
        (f"in/day=2024-03-01/part.{kind}", "2024-03-01", "2.5"),
        (f"in/day=2024-03-02/part.{kind}", "2024-03-02", "2.5"),
    ]
    late = {str(tmp_path / "in" / "day=2024-03-02" / f"part.{kind}")}
    assert file_days(dataset, late) == [date(2024, 3, 2)]


def test_windows_1252_is_read_and_another_code_than_the_declared_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV.encode("windows-1252"))
    source = "{files: a.csv, format: csv, delimiter: ;, encoding: windows-1252, decimal: ','}"
    dataset = shop(tmp_path, source)
    assert problems(dataset) == []
    # A connection that has the encodings already: they take seconds to load.
    with reading(dataset.events[0].source, tmp_path) as connection:
        assert events(connection, dataset, "customer_id", "value") == [("Müller", "2.50"), ("Šimek €", "1234.5")]
    (tmp_path / "a.csv").write_bytes(CSV.encode())
    with pytest.raises(SourceError, match=r"a\.csv: line 2 is UTF-8, as is the whole file, and not windows-1252"):
        table_query(dataset, "events", COLUMNS)
    (tmp_path / "a.csv").write_bytes(CSV.encode("windows-1252").replace(b"tea", b"\x81"))
    with pytest.raises(
        SourceError, match=r"a\.csv: line 2 is not windows-1252\. Save the file as windows-1252 or state"
    ):
        table_query(dataset, "events", COLUMNS)


def test_a_sum_of_texts_with_decimal_commas_can_be_computed_and_what_is_computed_is_left_alone(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("day;who;what;n;price\n2024-03-01;a;x;2;1.250,50\n2024-03-01;b;x;1;12.5\n", "utf-8")
    source = "{files: a.csv, format: csv, delimiter: ;, decimal: ','}"
    assert events(connection, shop(tmp_path, source), "value") == [
        ("1250.50",),
        ("12.5 (not written with a decimal ',')",),
    ]
    product = MAPPING.replace("value: price", "value: decimal_comma(price) * n::int")
    assert events(connection, shop(tmp_path, source, mapping=product), "value") == [("2501.0",), (None,)]


def test_every_encoding_that_a_manifest_may_name_is_read_as_python_reads_it(tmp_path: Path) -> None:
    source = shop(tmp_path, "{files: a.csv, format: csv, encoding: windows-1252}").events[0].source
    wrong = {}
    with reading(source, tmp_path) as connection:
        for codec, name in NAMES.items():
            text = "".join(c for c in map(chr, range(0xA1, 0x2122)) if c.isalpha() and codable(c, codec))[:400]
            assert len(text) > 20, codec
            (tmp_path / "a.csv").write_bytes(f"a;b\n{text};1\n".encode(codec))
            read = f"read_csv('{tmp_path}/a.csv', all_varchar = true, delim = ';', encoding = '{name}')"
            try:
                found = connection.execute(f"select a from {read}").fetchall()
            except duckdb.Error as error:
                found = str(error)[:100]
            if found != [(text,)]:
                wrong[codec] = found
    assert wrong == {}


def codable(character: str, codec: str) -> bool:
    try:
        return character.encode(codec).decode(codec) == character
    except UnicodeError:
        return False


def test_a_look_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    dataset = shop(tmp_path, '{files: "*.parquet", format: parquet}')
    source = dataset.events[0].source
    with reading(source, tmp_path) as one:
        one.execute("create temp table seen as select 1")
        one.execute("set timezone = 'Europe/Berlin'")
    with reading(source, tmp_path) as other:
        assert other.execute("select count(*) from duckdb_tables() where table_name = 'seen'").fetchall() == [(0,)]
        assert other.execute("select current_setting('timezone')").fetchall() == [("UTC",)]


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_gzip_of_nothing_is_an_empty_file_as_no_bytes_are(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    rows = {
        "csv": "day,who,what,n,price\n2024-03-01,1,2,3,4\n",
        "jsonl": '{"day": "2024-03-01", "who": 1, "what": 2, "n": 3, "price": 4}\n',
    }
    (tmp_path / f"a.{name}.gz").write_bytes(gzip.compress(rows[name].encode()))
    (tmp_path / f"b.{name}.gz").write_bytes(gzip.compress(b""))
    (tmp_path / f"c.{name}.gz").touch()
    dataset = shop(tmp_path, f"{{files: '*.{name}.gz', format: {name}}}")
    assert problems(dataset) == []
    assert {file for (file,) in events(connection, dataset, "source_file")} == {f"a.{name}.gz"}
