"""How numbers are written, and what is personal."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_assets.proposal.values import number_format, path_separator, personal_kind, truth
from cx_assets.proposal.words import concepts


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def written(amount: float, style: str) -> str:
    text = f"{amount:,.2f}"
    swapped = text.replace(",", " ").replace(".", ",")
    return {
        "english": text, "german": swapped.replace(" ", "."), "french": swapped, "swiss": text.replace(",", "'"),
        "euro": f"{swapped.replace(' ', '.')} €", "dollar": f"${text}", "plain": f"{amount:.2f}",
        "ledger": f"({text[1:]})" if amount < 0 else text,
        "ledger dollar": f"(${text[1:]})" if amount < 0 else f"${text}",
        "behind": f"{swapped[1:].replace(' ', '.')}-" if amount < 0 else swapped.replace(" ", "."),
    }[style]  # fmt: skip


@pytest.mark.parametrize(
    "style",
    [
        "english",
        "german",
        "french",
        "swiss",
        "euro",
        "dollar",
        "plain",
        "ledger",
        "ledger dollar",
        "behind",
    ],
)
@settings(max_examples=30)
@given(amounts=st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=20))
def test_amounts_are_read_as_they_were_meant(
    engine: duckdb.DuckDBPyConnection, style: str, amounts: list[int]
) -> None:  # fmt: skip
    values = [written(amount / 100, style) for amount in amounts if style != "dollar" or amount >= 0] or ["$1.00"]
    guess = number_format(values)
    assert guess is not None
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    read = engine.execute(
        f"select try_cast({guess.expression('given')} as double) from (select unnest([{listed}]) as given)"
    ).fetchall()
    expected = [amount / 100 for amount in amounts if style != "dollar" or amount >= 0] or [1.0]
    assert [round(row[0], 2) for row in read] == expected


@pytest.mark.parametrize("comma_land", [True, False])
@pytest.mark.parametrize("values", [["1,234", "5,678"], ["1.234", "5.678"]])
def test_three_digits_after_a_sign_are_never_sure_where_they_could_be_thousands(
    values: list[str], comma_land: bool
) -> None:  # fmt: skip
    guess = number_format(values, comma_land=comma_land)
    assert guess is not None
    # A point with three digits is what every English file of weights looks like.
    assert guess.sureness <= 0.6 or (values[0] == "1.234" and not comma_land)


@pytest.mark.parametrize("values", [["a1", "b2"], ["2025-01-01"], ["1-2-3"], ["K10029"], []])
def test_what_is_no_number_is_not_taken_for_one(values: list[str]) -> None:
    assert number_format(values) is None


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("contact", ["ann@mail.example", "bob@mail.example"], "email"),
        ("Telefonnummer", ["0221 555 111"], "phone"),
        ("Nachname", ["Köhler"], "name"),
        ("customer_name", ["Ann"], "name"),
        ("Straße", ["Gänseweg 3"], "address"),
        ("Geburtsdatum", ["01.02.1970"], "birth date"),
        ("phone2", ["+49 221 555-1"], "phone"),
    ],
)
def test_personal_columns_are_known_by_name_or_by_values(name: str, values: list[str], kind: str) -> None:
    told = personal_kind(concepts(name), values)
    assert told is not None
    assert told[0] == kind
    assert told[1] >= 0.6


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("city", ["Leeds"]),
        ("product_name", ["Tea"]),
        ("quantity", ["3"]),
        ("kundennr", ["1001"]),
        ("ean", ["4006381333931"]),
    ],
)
def test_what_is_not_personal_is_not_kept_out(name: str, values: list[str]) -> None:
    assert personal_kind(concepts(name), values) is None


def test_yes_and_no_are_known_in_several_languages() -> None:
    assert truth(["ja", "nein", "ja"]) == ("ja",)
    assert truth(["1", "0"]) == ("1",)
    assert truth(["oui", "non"]) == ("oui",)
    assert truth(["ja", "vielleicht"]) is None
    assert truth(["1", "1"]) is None


def test_a_tree_of_categories_is_known_by_what_parts_its_levels() -> None:
    assert path_separator(["Food > Tea > Green", "Food > Tea"]) == " > "
    assert path_separator(["Food/Tea", "Home/Linen"]) == "/"
    assert path_separator(["Food", "Home"]) is None
