"""Every way in which a row is wrong or a file looks odd: one is rejected and told, the other read; none is lost."""

from pathlib import Path

import pytest

from cx_assets_tests.reconciliation import unaccounted
from cx_assets_tests.runs import load_shop, rows
from cx_assets_tests.shop import GOOD, write_tiny

SCALE = "rating outside the scale 1 to 5"
REJECTED: dict[str, tuple[dict[str, str], str]] = {
    "no customer": ({"who": ""}, "missing customer_id"),
    "a blank customer": ({"who": "  "}, "missing customer_id"),
    "a customer that is a tab": ({"who": "\t"}, "missing customer_id"),
    "an item that is a space that doesn't break": ({"what": "\u00a0"}, "missing item_id"),
    "no item": ({"what": ""}, "missing item_id"),
    "no time": ({"at": ""}, "missing time"),
    "a time that is a word": ({"at": "yesterday"}, "time does not parse"),
    "30 February": ({"at": "2024-02-30T10:00:00"}, "time does not parse"),
    "the thirteenth month": ({"at": "2024-13-01"}, "time does not parse"),
    "25 o'clock": ({"at": "2024-03-01T25:00:00"}, "time does not parse"),
    "a day written day first": ({"at": "31.03.2024"}, "time does not parse"),
    "seconds since 1970": ({"at": "1709287200"}, "time does not parse"),
    "a time without end": ({"at": "infinity"}, "time does not parse"),
    "a time in the future": ({"at": "2999-01-01T00:00:00"}, "time in the future"),
    "a time before the first day": ({"at": "2024-02-29T23:59:59"}, "time outside the dataset's days"),
    "a time after the last day": ({"at": "2024-03-06T00:00:00"}, "time outside the dataset's days"),
    "an unknown type": ({"kind": "refund"}, "unknown event type"),
    "no type": ({"kind": ""}, "unknown event type"),
    "no quantity": ({"quantity": ""}, "missing quantity"),
    "a quantity in words": ({"quantity": "three"}, "quantity is not a number"),
    "a quantity that is no number (NaN)": ({"quantity": "NaN"}, "quantity is not a number"),
    "an infinite quantity": ({"quantity": "inf"}, "quantity is not a number"),
    "a quantity of zero": ({"quantity": "0"}, "quantity not above 0"),
    "a negative quantity": ({"quantity": "-2"}, "quantity not above 0"),
    "a quantity beyond all bounds": ({"quantity": "1e13"}, "quantity too large"),
    "a quantity of four hundred digits": ({"quantity": "9" * 400}, "quantity is not a number"),
    "no value": ({"value": ""}, "missing value"),
    "a decimal comma where a point is due": ({"value": "2,50"}, "value is not a number"),
    "a value with its currency": ({"value": "2.50 €"}, "value is not a number"),
    "an error of a spreadsheet": ({"value": "#REF!"}, "value is not a number"),
    "an infinite value": ({"value": "-Infinity"}, "value is not a number"),
    "a negative value": ({"value": "-0.01"}, "value below 0"),
    "a value beyond all bounds": ({"value": "1e300"}, "value too large"),
    "a rating without stars": ({"kind": "rating"}, "rating event without a rating"),
    "a rating above the scale": ({"kind": "rating", "rating": "6"}, SCALE),
    "a rating below the scale": ({"kind": "rating", "rating": "0"}, SCALE),
    "a rating in words": ({"kind": "rating", "rating": "five"}, SCALE),
    "a rating that is no number (NaN)": ({"rating": "nan"}, SCALE),
}
IDS = {
    "quotes": 'the "best" one',
    "the delimiter": "a,b",
    "a line break": "two\nlines",
    "an apostrophe and SQL": "'; drop table warehouse.events; --",
    "an emoji of several parts": "👩\u200d🚀",
    "ten thousand characters": "x" * 10_000,
    "zeros before it": "007",
    "the look of a large number": "1e5",
    "the look of nothing": "NULL",
    "the look of a day": "2024-03-01",
    "a hash before it": "#1001",
    "a formula": "=1+1",
    "letters from right to left": "\u05e9\u05dc\u05d5\u05dd",
    "a zero byte": "a\0b",
}
HEADER = ",".join(GOOD) + "\n"


def line(number: int, end: str = "\n") -> str:
    """A good line of CSV; § stands for what makes its event id that of one file only."""
    return ",".join({**GOOD, "id": f"§{number}"}.values()) + end


ODD = {
    "begins with a byte order mark": "\ufeff" + HEADER + line(1) + line(2),
    "has the line ends of Windows": (HEADER + line(1) + line(2)).replace("\n", "\r\n"),
    "has the line ends of old Macs": (HEADER + line(1) + line(2)).replace("\n", "\r"),
    "has line ends of two kinds": HEADER + line(1, "\r\n") + line(2),
    "has no line end at its end": (HEADER + line(1) + line(2))[:-1],
    "has empty lines": HEADER + "\n" + line(1) + "\n\n" + line(2) + "\n",
    "begins with a title": "Orders of March\n\n" + HEADER + line(1) + line(2),
    "has a column more": HEADER.replace("\n", ",till\n") + line(1, ",7\n") + line(2, ",8\n"),
    "has a delimiter at the end of every line": HEADER + line(1, ",\n") + line(2, ",\n"),
    "has its columns in another order": "\n".join(
        ",".join(reversed(text.rstrip("\n").split(","))) for text in (HEADER, line(1), line(2))
    ),
    "has every field in quotes": "".join(
        ",".join(f'"{field}"' for field in text.rstrip("\n").split(",")) + "\n" for text in (HEADER, line(1), line(2))
    ),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run over all of them."""
    folder = tmp_path_factory.mktemp("broken_rows")
    twice = {"id": "twice"}
    dataset = write_tiny(
        folder,
        {
            "rejected.csv": [event for event, _ in REJECTED.values()],
            "ids.csv": [{"who": name, "what": name} for name in IDS.values()],
            "copies.csv": [twice, twice, {**twice, "value": "9"}],
            "more copies.csv": [twice],
            "only a header.csv": [],
        },
    )
    for name, text in ODD.items():
        (folder / "events" / f"{name}.csv").write_bytes(text.replace("§", name).encode())
    (folder / "events" / "empty.csv").touch()
    again = HEADER + line(1) + HEADER + line(2)
    (folder / "events" / "header twice.csv").write_text(again.replace("§", "header twice"), "utf-8")
    load_shop(folder / "working.duckdb", dataset)
    return folder / "working.duckdb"


def found(database: Path, table: str, columns: str, file: str) -> list[tuple[object, ...]]:
    return rows(database, f"select {columns} from warehouse.{table} where source_file = '{file}' order by source_row")


def test_every_delivered_row_is_accounted_for_on_its_day(database: Path) -> None:
    assert unaccounted(database) == {}
    delivered = len(REJECTED) + len(IDS) + 4 + 2 * len(ODD) + 3
    assert rows(database, "select count(*) from ingestion.raw_events") == [(delivered,)]


@pytest.mark.parametrize("kind", REJECTED)
def test_a_row_that_breaks_the_contract_is_rejected_with_reason_file_and_row(database: Path, kind: str) -> None:
    event, reason = REJECTED[kind]
    number = list(REJECTED).index(kind) + 1
    columns = {"who": "customer_id", "what": "item_id", "at": "occurred_at", "kind": "event_type"}
    told = ", ".join(f"coalesce({columns.get(name, name)}, '')" for name in event)
    kept = rows(
        database,
        f"select reason, {told} from warehouse.rejected_events "
        f"where source_file = 'events/rejected.csv' and source_row = {number}",
    )
    assert kept == [(reason, *event.values())]


@pytest.mark.parametrize("kind", IDS)
def test_an_unusual_id_is_an_id_as_it_was_delivered(database: Path, kind: str) -> None:
    number = list(IDS).index(kind)
    told = found(database, "events", "customer_id, item_id", "events/ids.csv")
    assert told[number] == (IDS[kind], IDS[kind])
    as_hex = IDS[kind].encode().hex().upper()
    for table in ("customers", "items"):
        key = f"{table.removesuffix('s')}_id"
        told = rows(database, f"select count(*) from warehouse.{table} where hex({key}) = '{as_hex}'")
        assert told == [(1,)]


@pytest.mark.parametrize("kind", ODD)
def test_a_file_that_looks_odd_is_read_whole(database: Path, kind: str) -> None:
    told = found(database, "events", "customer_id, item_id, quantity, value, copies, source_row", f"events/{kind}.csv")
    assert told == [("ann", "tea", 1, 2.5, 1, 1), ("ann", "tea", 1, 2.5, 1, 2)]


def test_equal_rows_of_one_file_or_two_are_one_event_and_another_value_another(database: Path) -> None:
    told = rows(
        database,
        "select value, copies, source_file, source_row from warehouse.events "
        "where source_file like '%copies%' order by value",
    )
    assert told == [(2.5, 3, "events/copies.csv", 1), (9, 1, "events/copies.csv", 3)]


def test_a_header_in_the_middle_of_a_file_is_a_rejected_row(database: Path) -> None:
    assert found(database, "rejected_events", "reason, occurred_at, source_row", "events/header twice.csv") == [
        ("time does not parse", "at", 2)
    ]
    assert found(database, "events", "source_row", "events/header twice.csv") == [(1,), (3,)]
