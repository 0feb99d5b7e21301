"""Laws of the columns that files deliver: a new, missing or retyped one is noticed before the load, and named."""

import os
from functools import partial
from pathlib import Path

import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion import columns
from cx_assets.ingestion.checks import judged_columns
from cx_assets.ingestion.columns import Row, changes_of, look
from cx_assets.ingestion.places import label
from cx_assets_tests.ingestion.sources import shop
from cx_assets_tests.runs import failed, load_shop, rows

HEADER = "day,who,what,n,price"
GOOD = "2024-03-01,ann,tea,1,2.50"
CSV = '{files: "*.csv", format: csv}'


def write(folder: Path, name: str, header: str = HEADER, row: str = GOOD, count: int = 60) -> None:
    """A file of equal rows."""
    (folder / name).write_text("\n".join([header, *[row] * count]) + "\n", "utf-8")


def seen(dataset: Dataset, before: list[Row] | None = None) -> list[Row]:
    return look(dataset, before or [], partial(label, dataset))


def told(found: list[Row]) -> list[str]:
    return [text for _, text in changes_of(found)]


def stopping(folder: Path) -> Dataset:
    """A dataset whose contract stops a run for changed columns."""
    path = shop(folder, CSV).path
    path.write_text(path.read_text("utf-8") + "contract: {events: {on_changed_columns: stop}}\n", "utf-8")
    return load_dataset(str(path))


def test_the_kinds_of_columns_are_found_out_from_their_values(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "one,two,three,four,five", "01.02.2024,-1.234\\,5,7e2,x1,".replace("\\,", "."))
    kinds = [(row["column_name"], row["kind"]) for row in seen(shop(tmp_path, CSV))]
    assert kinds == [("one", "time"), ("two", "number"), ("three", "number"), ("four", "text"), ("five", "empty")]


def test_files_with_the_same_columns_are_nothing_to_speak_of(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write(tmp_path, name)
    assert told(seen(shop(tmp_path, CSV))) == []


@pytest.mark.parametrize(
    ("header", "row", "change"),
    [
        (f"{HEADER},colour", f"{GOOD},red", "b.csv: the column 'colour' is new"),
        ("day,who,what,n", "2024-03-01,ann,tea,1", "b.csv: the column 'price' is missing"),
        (HEADER, "2024-03-01,ann,tea,1,much", "b.csv: the column 'price' is text, and was number"),
        (HEADER, "today,ann,tea,1,2.50", "b.csv: the column 'day' is text, and was time"),
        (HEADER, "2024-03-01,ann,tea,1,", "b.csv: the column 'price' has no value any more"),
    ],
)
def test_a_new_missing_or_retyped_column_is_named(tmp_path: Path, header: str, row: str, change: str) -> None:
    dataset = shop(tmp_path, CSV)
    write(tmp_path, "a.csv")
    before = seen(dataset)
    write(tmp_path, "b.csv", header, row)
    assert told(seen(dataset, before)) == [change]


def test_files_follow_one_another_by_where_they_are_and_not_by_what_tables_call_them(tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    write(tmp_path, "b.csv", f"{HEADER},colour", f"{GOOD},red")
    pseudonyms = {"a.csv": "9f", "b.csv": "03", "c.csv": "71"}
    dataset = shop(tmp_path, CSV)
    first = look(dataset, [], lambda _, place: pseudonyms[Path(str(place)).name])
    assert told(first) == ["03: the column 'colour' is new"]
    write(tmp_path, "c.csv", f"{HEADER},colour", f"{GOOD},red")
    assert told(look(dataset, first, lambda _, place: pseudonyms[Path(str(place)).name])) == []


def test_text_may_look_like_anything_and_few_rows_may_lack_values(tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    write(tmp_path, "b.csv", row="2024-03-01,7,8,1,2.50")
    write(tmp_path, "c.csv", row="2024-03-01,ann,tea,1,", count=3)
    assert told(seen(shop(tmp_path, CSV))) == []


def test_a_wrong_value_here_and_there_makes_no_other_kind(tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    write(tmp_path, "b.csv", row="\n".join([GOOD] * 19 + ["2024-03-01,ann,tea,1,much"]), count=3)
    assert told(seen(shop(tmp_path, CSV))) == []


def test_a_file_that_was_looked_at_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = shop(tmp_path, CSV)
    write(tmp_path, "a.csv")
    before = seen(dataset)
    monkeypatch.setattr(columns, "_sampled", lambda *_: pytest.fail("opened"))
    assert seen(dataset, before) == before


def test_a_file_that_is_no_longer_there_is_remembered(tmp_path: Path) -> None:
    dataset = shop(tmp_path, CSV)
    write(tmp_path, "a.csv")
    before = seen(dataset)
    (tmp_path / "a.csv").unlink()
    write(tmp_path, "b.csv", row="2024-03-01,ann,tea,1,much")
    assert told(seen(dataset, before)) == ["b.csv: the column 'price' is text, and was number"]


def test_a_change_is_told_once_where_it_only_warns_and_until_it_is_undone_where_it_stops(tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    for dataset, again in ((shop(tmp_path, CSV), False), (stopping(tmp_path), True)):
        first = seen(dataset)
        write(tmp_path, "b.csv", row="2024-03-01,ann,tea,1,much")
        second = seen(dataset, first)
        assert len(told(second)) == 1
        write(tmp_path, "c.csv", row="2024-03-01,ann,tea,1,much")
        assert (told(seen(dataset, second)) != []) is again
        write(tmp_path, "b.csv")
        write(tmp_path, "c.csv")
        assert told(seen(dataset, second)) == []
        (tmp_path / "b.csv").unlink()
        (tmp_path / "c.csv").unlink()


@pytest.mark.parametrize(
    ("row", "warns"),
    [
        ("2024-03-01,ann,tea,1,much", False),
        ("2024-03-01,ann,tea,1,2.50,red", True),
    ],
)
def test_a_new_column_never_stops_a_run_and_others_do_if_the_contract_says_so(
    tmp_path: Path, row: str, warns: bool
) -> None:
    write(tmp_path, "a.csv")
    write(tmp_path, "b.csv", HEADER + ",colour" * (row.count(",") - 4), row)
    verdict = judged_columns(stopping(tmp_path), seen(stopping(tmp_path)))
    assert (verdict.passed, verdict.warns) == (False, warns)


@pytest.mark.whole
def test_a_run_that_stops_for_a_column_loads_nothing(tmp_path: Path) -> None:
    dataset, database = stopping(tmp_path), tmp_path / "data" / "working.duckdb"
    write(tmp_path, "a.csv")
    load_shop(database, dataset)
    write(tmp_path, "b.csv", row="2024-03-02,ann,tea,1,much")
    os.utime(tmp_path / "a.csv")
    verdicts = failed(load_shop(database, dataset, checked=True, raise_on_error=False))
    assert verdicts["delivered_columns: columns_are_as_before"].startswith(
        "b.csv: the column 'price' is text, and was number. If it is meant to be so"
    )
    assert rows(database, "select count(*) from ingestion.raw_events") == [(60,)]
