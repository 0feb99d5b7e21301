"""Laws of what is withheld: who a text or a number tells of, and what looks alike and tells of nobody."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion.reader import table_query
from cx_assets.privacy.protection import Protection
from cx_assets.privacy.screening import WITHHELD, Screening, screened, screened_number
from cx_assets.settings import Settings
from cx_assets.table.connection import connect
from cx_assets_tests.privacy.canaries import FILES, KEY, PEOPLE, found, write_aviary
from cx_assets_tests.runs import load_shop, rows

OWN_ID, (_, _, PHONE) = next(iter(PEOPLE.items()))
SPELLED = ("+491517774821", "-491517774821", "491517774821.0", "4.91517774821e11", "00491517774821")
GOOD = {"12.5", "1234567", "41", "491517774820", "49151777482.5"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CX_KEY", KEY)
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))


def let_through(screening: Screening, query: str, texts: Sequence[str]) -> list[str | None]:
    """What a query makes of texts."""
    with duckdb.connect() as connection:
        screening.register(connection)
        return [connection.execute(f"select {query} from (select ? as t)", [text]).fetchall()[0][0] for text in texts]


def slipped(folder: Path, *, casting: bool) -> Dataset:
    """The aviary with a phone number of digits as an age and, in several spellings, as what orders were worth."""
    path = write_aviary(folder).path
    with (folder / "people.csv").open("a", encoding="utf-8") as people:
        people.write(f"kunde-4829-zq;Al Ox;al@ox.example;{PHONE.replace(' ', '')[3:]};;{PHONE.replace(' ', '')}\n")
    with (folder / "orders" / f"{FILES[0]}.csv").open("a", encoding="utf-8") as orders:
        orders.writelines(
            f"2024-03-02T10:00:00;{OWN_ID};seed;purchase;n{number};o{number};1;{text}\n"
            for number, text in enumerate((*SPELLED, *sorted(GOOD)))
        )
    if casting:
        text = path.read_text("utf-8").replace("expression: age,", "expression: try_cast(age as double),")
        path.write_text(text.replace("value: amount", "value: try_cast(amount as double)"), "utf-8")
    return load_dataset(str(path))


def test_addresses_numbers_and_whole_names_are_known_but_no_towns_and_short_words() -> None:
    screening = Screening(
        ["Rose", "Rosa Luna Canary", "+49 (30) 123-45678", "New Town", "New Town", "New Town", "12345"]
    )
    withheld = ["ROSA LUNA CANARY", "493012345678", "+49 30 12345678", "mail x@y.example now", "rosaluna-canary"]
    assert [text for text in withheld if not screening.withholds(text)] == []
    kept = ["rose", "Rosa", "New Town", "12345", "user @ home", "1082185", "49301234567"]
    assert [text for text in kept if screening.withholds(text)] == []


def test_a_short_whole_name_is_known_however_it_is_spaced_and_punctuated() -> None:
    screening = Screening(["Bob Lee", "Li Na", "José  Ruiz"])
    withheld = ["Bob Lee", " BOB  LEE", "bob_lee", "Li Na", "li-na", "José\u00a0Ruiz"]
    assert let_through(screening, screened("t"), withheld) == [None] * len(withheld)
    kept = ["Bob", "Lee", "Lee Bob", "Bob Lees", "LiNa"]
    assert let_through(screening, screened("t"), kept) == kept


def test_a_first_name_is_none_though_it_is_spelled_as_somebodys_whole_name_without_the_space() -> None:
    screening = Screening(["Jo Anna", "Al Ice", "J. Li", "Anna"])
    kept = ["Joanna", "Alice", "alice", "J. Li", "Anna"]
    assert let_through(screening, screened("t"), kept) == kept


def test_a_number_is_known_by_its_digits_whatever_its_sign_point_and_exponent() -> None:
    screening = Screening(
        ["+49 151 7774821", "030 1234567", "0151.7774822", "4930000000000", "ann12345678@post.example"]
    )
    withheld = [*SPELLED, "301234567", "0151.7774822", "4.93e12"]
    assert let_through(screening, screened_number("t"), withheld) == [WITHHELD] * len(withheld)
    kept = [*GOOD, "12345678", "1e300", "nan", "301234567.5", "", "0.30000000000000004"]
    assert let_through(screening, screened_number("t"), kept) == kept


def test_a_number_that_was_delivered_as_a_double_is_known_as_a_text() -> None:
    screening = Screening(["491517774821.0"])
    assert let_through(screening, screened("t"), ["+49 151 7774821", "491517774821.0"]) == [None, None]
    assert Screening(["1234567.0"]).withholds("1234567") is False


@pytest.mark.parametrize("casting", [False, True], ids=["as delivered", "cast by the manifest"])
def test_a_phone_number_as_an_age_or_a_price_is_withheld_and_prices_are_not(tmp_path: Path, casting: bool) -> None:
    dataset = slipped(tmp_path, casting=casting)
    with connect(None, "256MB", 1) as connection:
        Protection(dataset, Settings()).prepare(connection)
        ages = connection.execute(table_query(dataset, "customers", ["age"])).fetchall()
        events = table_query(dataset, "events", ["item_id", "value"])
        told = connection.execute(f"select value from ({events}) where item_id = 'seed'").fetchall()
    assert ages[-1][0] == WITHHELD
    assert [value for (value,) in told[: len(SPELLED)]] == [WITHHELD] * len(SPELLED)
    assert {float(value) for (value,) in told[len(SPELLED) :]} == set(map(float, GOOD))


@pytest.mark.whole
def test_nobody_is_found_in_the_tables_by_a_phone_number_in_a_column_of_numbers(tmp_path: Path) -> None:
    load_shop(Settings().warehouse_path, slipped(tmp_path / "exports", casting=True))
    query = "select reason, count(*) from warehouse.rejected_events where item_id = 'seed' group by all"
    assert rows(Settings().warehouse_path, query) == [("value is not a number", len(SPELLED))]
    assert found(tmp_path / "data", [PHONE, PHONE[1:]]) == {}
