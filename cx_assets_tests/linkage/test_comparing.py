"""Laws of what linkage compares: spellings that are no difference, and whom it brings together."""

import pytest

from cx_assets.linkage.comparing import MOST_ALIKE, compared_values
from cx_assets.merging import Compared, ComparedKind


def compared(kind: ComparedKind, text: str, country: str | None = None) -> str | None:
    column = Compared(expression="x", kind=kind, country=country)
    return compared_values({"a": {"x": text}}, {"x": column})["value_x"].item()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("name", "Élodie  MÜLLER-Roth", "elodie muller roth"),
        ("name", "Roth, Anna", "anna roth"),
        ("email", " Ann@Post.Example ", "ann@post.example"),
        ("email", "no address", None),
        ("day", "1980-02-01 00:00:00", "1980-02-01"),
        ("day", "01.02.1980", None),
        ("address", "Ahornweg 12,\tUlm", "ahornweg 12 ulm"),
        ("text", "  Gold ", "gold"),
        ("text", " ", None),
        ("name", "--", None),
    ],
)
def test_a_value_is_compared_as_its_kind_is_written(kind: ComparedKind, text: str, value: str | None) -> None:
    assert compared(kind, text) == value


def test_a_phone_number_is_compared_in_international_form() -> None:
    assert compared("phone", "030 901820", "DE") == compared("phone", "+49 30 901820")


def test_a_column_that_is_called_as_a_kind_is_of_that_kind() -> None:
    columns = {"email": Compared(expression="mail"), "town": Compared(expression="town")}
    (row,) = compared_values({"a": {"email": "A@b.example", "town": "ULM"}}, columns).to_dict("records")
    assert (row["value_email"], row["value_town"]) == ("a@b.example", "ulm")


def test_customers_are_in_the_order_of_their_ids() -> None:
    records = {who: {"x": "1"} for who in ("b", "a", "c")}
    assert compared_values(records, {"x": Compared(expression="x")})["customer_id"].tolist() == ["a", "b", "c"]


def test_names_that_begin_alike_and_addresses_of_other_providers_bring_customers_together() -> None:
    columns = {"name": Compared(expression="n"), "email": Compared(expression="m")}
    records = {
        "a": {"name": "Annegret Roth", "email": "a.roth@post.example"},
        "b": {"name": "Rothe Anne", "email": "a.roth@box.example"},
    }
    values = compared_values(records, columns)
    assert values["block_name"].nunique() == values["block_email"].nunique() == 1


def test_a_value_of_a_crowd_brings_nobody_together_and_is_compared_all_the_same() -> None:
    records = {f"c{n:03}": {"town": "Ulm"} for n in range(MOST_ALIKE + 1)}
    values = compared_values(records, {"town": Compared(expression="town")})
    assert values["block_town"].isna().all()
    assert values["value_town"].eq("ulm").all()
    fewer = compared_values(dict(list(records.items())[1:]), {"town": Compared(expression="town")})
    assert fewer["block_town"].eq("ulm").all()
