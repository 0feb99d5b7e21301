"""Laws of likelihoods: who is one person comes out likely, the same each time, and nothing compared is told."""

import logging
import sys

import pandas as pd
import pytest

from cx_assets.linkage.comparing import compared_kinds, compared_values
from cx_assets.linkage.scoring import LinkageError, scored_pairs
from cx_assets_tests.linkage.registrations import COMPARE, registrations

TOLD = registrations(100)
VALUES = compared_values(TOLD.records, COMPARE)
KINDS = compared_kinds(COMPARE)


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    return scored_pairs(VALUES, KINDS)


def test_most_second_registrations_are_likely_with_their_first_and_few_others_are(pairs: pd.DataFrame) -> None:
    sure = pairs[pairs["match_weight"] > 5]
    found = set(zip(sure["customer_a"], sure["customer_b"], strict=True))
    assert len(found & set(TOLD.same)) > 0.9 * len(TOLD.same)
    assert len(found - set(TOLD.same)) <= 0.02 * len(found)


def test_pairs_are_two_customers_in_order_and_likelier_one_than_not(pairs: pd.DataFrame) -> None:
    assert (pairs["customer_a"] < pairs["customer_b"]).all()
    assert (pairs["match_weight"] >= 0).all()
    assert not pairs.duplicated(["customer_a", "customer_b"]).any()


def test_the_same_customers_in_another_order_have_the_same_likelihoods(
    pairs: pd.DataFrame, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        again = scored_pairs(VALUES.sample(frac=1, random_state=1), KINDS)
    pd.testing.assert_frame_equal(again, pairs)
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_customers_of_whom_nothing_is_equal_are_no_pairs() -> None:
    records = {"a": {"name": "Anna Roth"}, "b": {"name": "Emil Falk"}, "c": {}}
    assert scored_pairs(compared_values(records, COMPARE), KINDS).empty
    assert scored_pairs(compared_values({}, COMPARE), KINDS).empty


def test_without_splink_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(LinkageError, match=r"pip install 'cx_assets\[linkage\]'"):
        scored_pairs(VALUES, KINDS)


def test_what_splink_raises_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("could not convert 'Anna Roth'")

    monkeypatch.setattr("splink.SettingsCreator", refuse)
    with pytest.raises(LinkageError) as error:
        scored_pairs(VALUES, KINDS)
    assert str(error.value).startswith("Splink could not link the customers (ValueError;")
    assert "Anna" not in str(error.value)
    assert error.value.__suppress_context__
