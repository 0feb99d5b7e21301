"""Laws of what makes two e-mail addresses, phone numbers or other keys equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.ingestion.merge_keys import key_numbers, normalised, normalised_email, normalised_phone
from cx_assets.merging import MergeKey

EMAIL, PHONE, CARD = MergeKey(expression="e"), MergeKey(expression="p", country="DE"), MergeKey(expression="c")


@pytest.mark.parametrize(
    "spelling",
    ["ann@post.example", " Ann@Post.Example ", "ANN@POST.EXAMPLE\n", "\uff41nn@post.example", "ann\uff20post.example"],
)
def test_an_email_address_is_the_same_in_any_case_width_and_with_blanks_around(spelling: str) -> None:
    assert normalised_email(spelling) == "ann@post.example"


@pytest.mark.parametrize(
    "text", ["", "ann", "ann@", "@post.example", "ann@post", "a b@post.example", "a@b@post.example"]
)
def test_what_is_no_email_address_is_not_compared(text: str) -> None:
    assert normalised_email(text) is None


def test_dots_and_tags_matter_except_with_the_providers_named() -> None:
    told = "A.nn+Shop@box.example"
    assert normalised_email(told) == "a.nn+shop@box.example"
    assert normalised_email(told, ["box.example"], ["box.example"]) == "ann@box.example"
    assert normalised_email(told, ["other.example"], ["other.example"]) == "a.nn+shop@box.example"
    assert normalised_email("+@box.example", (), ["box.example"]) is None


@pytest.mark.parametrize(
    "spelling", ["030 901820", "+49 30 901820", "0049-30-901820", "+49 (0)30 / 90 18 20", "03090 1820"]
)
def test_a_phone_number_is_the_same_in_national_and_international_spelling(spelling: str) -> None:
    assert normalised_phone(spelling, "DE") == normalised_phone("+4930901820")


def test_without_a_country_only_international_numbers_are_compared() -> None:
    assert normalised_phone("030 901820") is None
    assert normalised_phone("+49 30 901820") == "tel:+49-30-901820"


@pytest.mark.parametrize("text", ["", "none", "12", "call after six", "+49 1234567890123456789"])
def test_what_can_be_no_phone_number_is_not_compared(text: str) -> None:
    assert normalised_phone(text, "DE") is None


def test_two_extensions_of_one_number_are_two_keys() -> None:
    assert normalised_phone("+49 30 901820 ext. 7") != normalised_phone("+49 30 901820 ext. 8")


def test_another_key_is_compared_as_it_is_but_for_blanks_around() -> None:
    assert normalised(" aB1 ", "card", CARD) == "aB1"
    assert normalised("  ", "card", CARD) is None
    assert normalised("A@b.example", "contact", MergeKey(expression="x", kind="email")) == "a@b.example"


@given(
    st.lists(st.one_of(st.none(), st.sampled_from(["a@x.example", "A@x.example ", "b@x.example", "no"])), max_size=20)
)
def test_numbers_are_equal_where_keys_are_and_tell_nothing_but_a_place(values: list[str | None]) -> None:
    numbers = key_numbers(values, "email", EMAIL)
    normal = [None if value is None else normalised(value, "email", EMAIL) for value in values]
    assert numbers == [None if text is None else normal.index(text) + 1 for text in normal]
