"""A column that not every file has can be used where the manifest says so, and is asked for everywhere else."""

from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import load_dataset
from cx_assets.diagnosis.trial import tried_out
from cx_assets.ingestion.fitting import problems
from cx_assets.manifest import ManifestError
from cx_assets.settings import Settings
from cx_assets_tests.ingestion.sources import MAPPING, events, shop
from cx_assets_tests.ingestion.test_columns import seen, told

GAINED = MAPPING.replace("value: price", 'value: "coalesce(reduced, price)"')


def two_files(folder: Path) -> None:
    """Prices of which the later file tells a reduced one too."""
    (folder / "a.csv").write_text("day,who,what,n,price\n2024-03-01,ann,tea,1,2.50\n", "utf-8")
    (folder / "b.csv").write_text("day,who,what,n,price,reduced\n2024-03-02,bob,tea,1,2.50,2.00\n", "utf-8")


def test_where_a_file_lacks_the_column_it_has_no_value(tmp_path: Path) -> None:
    two_files(tmp_path)
    dataset = shop(tmp_path, "{files: '*.csv', format: csv, may_lack: [reduced]}", mapping=GAINED)
    assert problems(dataset) == []
    assert events(duckdb.connect(), dataset, "source_file", "value") == [("a.csv", "2.50"), ("b.csv", "2.00")]


def test_a_name_is_a_column_s_in_upper_and_lower_case(tmp_path: Path) -> None:
    two_files(tmp_path)
    dataset = shop(tmp_path, "{files: '*.csv', format: csv, may_lack: [Reduced]}", mapping=GAINED)
    assert events(duckdb.connect(), dataset, "value") == [("2.50",), ("2.00",)]


def test_a_field_that_no_line_of_a_day_tells_is_no_other_format(tmp_path: Path) -> None:
    line = '{"day": "2024-03-0%d", "who": "ann", "what": "tea", "n": 1, "price": 2.5%s}\n'
    (tmp_path / "1.jsonl").write_text(line % (1, ', "reduced": 2') + line % (1, ""), "utf-8")
    (tmp_path / "2.jsonl").write_text(line % (2, ""), "utf-8")
    dataset = shop(tmp_path, "{files: '*.jsonl', format: jsonl, may_lack: [reduced]}", mapping=GAINED)
    assert events(duckdb.connect(), dataset, "value") == [("2",), ("2.5",), ("2.5",)]


def test_a_lacking_column_fits_expressions_over_the_types_of_parquet(tmp_path: Path) -> None:
    rows = "select date '2024-03-01' as day, 'ann' as who, 'tea' as what, 1 as n, 2.5::double as price"
    duckdb.sql(f"copy ({rows}) to '{tmp_path}/a.parquet'")
    duckdb.sql(f"copy (select *, 0.5::double as less, ['red'] as tags from ({rows})) to '{tmp_path}/b.parquet'")
    mapping = MAPPING.replace("value: price", 'value: "price - coalesce(less, 0)", store_id: "upper(tags[1])"')
    dataset = shop(tmp_path, "{files: '*.parquet', format: parquet, may_lack: [less, tags]}", mapping=mapping)
    assert problems(dataset) == []
    assert events(duckdb.connect(), dataset, "value", "store_id") == [("2.5", None), ("2.0", "RED")]


@pytest.mark.parametrize("files", ["a", "*"])
def test_the_doctor_reads_a_parquet_file_without_the_column(tmp_path: Path, files: str) -> None:
    rows = "select timestamp '2024-03-01 10:00' as day, 'ann' as who, 'tea' as what, 1 as n, 2.5 as price"
    duckdb.sql(f"copy ({rows}) to '{tmp_path}/a.parquet'")
    mapping = MAPPING.replace("value: price", 'value: price, store_id: "upper(place)"')
    dataset = shop(tmp_path, f"{{files: '{files}.parquet', format: parquet, may_lack: [place]}}", mapping=mapping)
    with tried_out(dataset, Settings()) as trial:
        assert trial.tables["events"].count() == 1


def test_a_column_that_only_other_files_have_is_told_with_what_to_write(tmp_path: Path) -> None:
    two_files(tmp_path)
    assert problems(shop(tmp_path, "{files: '*.csv', format: csv}", mapping=GAINED)) == [
        "shop.yaml:7: events.0.columns.value: no column 'reduced' in a.csv. It has: day, who, what, n, price. "
        'Other files of this source have it. Where a file may come without it, write may_lack: ["reduced"] in the '
        "source: then it has no value there."
    ]


def test_another_column_is_asked_for_as_before(tmp_path: Path) -> None:
    two_files(tmp_path)
    found = problems(shop(tmp_path, "{files: '*.csv', format: csv, may_lack: [voucher]}", mapping=GAINED))
    assert ["no column 'reduced' in a.csv" in text for text in found] == [True]


def test_a_column_that_comes_and_goes_is_neither_new_nor_missing(tmp_path: Path) -> None:
    header, row = "day,who,what,n,price", "2024-03-01,ann,tea,1,2.50"
    dataset = shop(tmp_path, "{files: '*.csv', format: csv, may_lack: [reduced]}")
    found = []
    for name, more in {"a": ("", ""), "b": (",reduced", ",2.00"), "c": ("", ""), "d": (",reduced", ",2.00")}.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([header + more[0], *[row + more[1]] * 60]) + "\n", "utf-8")
        found = seen(dataset, found)
        assert told(found) == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{database: {kind: sqlite, connection: shop.db, table: sales}, may_lack: [reduced]}", "same columns in every"),
        ("{files: '*.csv', format: csv, may_lack: [' ']}", "names of columns, such as"),
    ],
)
def test_what_can_not_be_lacking_is_refused(tmp_path: Path, source: str, complaint: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(shop(tmp_path, "{files: '*.csv', format: csv}").path.read_text("utf-8"), "utf-8")
    path.write_text(path.read_text("utf-8").replace("{files: '*.csv', format: csv}", source), "utf-8")
    with pytest.raises(ManifestError, match=complaint):
        load_dataset(str(path))
