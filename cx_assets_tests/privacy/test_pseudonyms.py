"""Laws of pseudonyms: the same for the same, another for anything else, and nothing without the key."""

import hashlib
import hmac

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_assets.privacy.functions import REMEMBERED
from cx_assets.privacy.keys import MasterKey
from cx_assets.privacy.pseudonyms import Pseudonyms, function
from cx_assets_tests.privacy.canaries import KEY, OTHER_KEY

ONE, OTHER = (Pseudonyms(MasterKey(bytes.fromhex(key))) for key in (KEY, OTHER_KEY))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


def test_a_pseudonym_is_the_begin_of_an_hmac_under_a_derived_key() -> None:
    key = MasterKey(bytes.fromhex(KEY)).derived("pseudonyms")
    mac = hmac.new(key, b"customer_id\0ann", hashlib.sha256).hexdigest()
    assert ONE.of("customer_id", "ann") == mac[:32]


def test_pseudonyms_are_stable_for_a_key_from_one_process_to_the_next() -> None:
    assert ONE.of("customer_id", "ann") == "301c6b324b229fd45b6f272c9f5b20e6"


@settings(max_examples=25)
@given(TEXTS, TEXTS)
def test_two_values_have_two_pseudonyms_and_one_has_one(a: str, b: str) -> None:
    assert (ONE.of("customer_id", a) == ONE.of("customer_id", b)) == (a == b)


@settings(max_examples=25)
@given(TEXTS)
def test_another_key_and_another_column_give_another_pseudonym(value: str) -> None:
    assert len({ONE.of("customer_id", value), ONE.of("basket_id", value), OTHER.of("customer_id", value)}) == 3


@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), st.just(""), TEXTS), max_size=30))
def test_queries_give_the_same_as_python_and_keep_what_is_empty_or_null(values: list[str | None]) -> None:
    with duckdb.connect() as connection:
        ONE.register(connection, "customer_id")
        query = f"select {function('customer_id')}(t) from (select unnest(?::varchar[]) as t)"
        told = [text for (text,) in connection.execute(query, [values]).fetchall()]
    assert told == [ONE.of("customer_id", value) if value else value for value in values]


def test_more_values_than_are_remembered_keep_their_pseudonyms(connection: duckdb.DuckDBPyConnection) -> None:
    ONE.register(connection, "event_id")
    name, rows = function("event_id"), REMEMBERED + 5_000
    query = f"select count(distinct {name}(i::varchar)), max({name}((i % 3)::varchar)) from range({rows}) as r(i)"
    assert connection.execute(query).fetchall() == [(rows, max(ONE.of("event_id", str(i)) for i in range(3)))]
