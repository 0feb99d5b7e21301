"""Laws of filling in missing attribute values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cx_assets.sections import MissingPolicy
from cx_assets.warehouse.missing import fill_missing, is_missing


def people(**columns: list[object]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    return pd.DataFrame({"id": [f"c{i}" for i in range(size)], **columns})


def count(counts: pd.DataFrame, column: str) -> tuple[str, int, int, int]:
    row = counts.set_index("column").loc[column]
    return str(row["policy"]), int(row["missing"]), int(row["filled"]), int(row["dropped"])


def test_null_nan_empty_and_blank_text_are_missing_and_zero_and_false_are_not() -> None:
    assert is_missing(pd.Series(["a", "", "  ", None, "nan"])).tolist() == [False, True, True, True, False]
    assert is_missing(pd.Series([0.0, np.nan])).tolist() == [False, True]
    assert is_missing(pd.Series([False, None], dtype=object)).tolist() == [False, True]


def test_a_constant_fills_text_and_the_flag_says_where() -> None:
    filled, counts = fill_missing(people(city=["Rome", None, ""]), {"city": MissingPolicy()}, key="id")
    assert filled["city"].tolist() == ["Rome", "unknown", "unknown"]
    assert filled["city_imputed"].tolist() == [False, True, True]
    assert count(counts, "city") == ("constant", 2, 2, 0)


def test_a_number_given_as_the_constant_of_a_text_column_becomes_text() -> None:
    policy = MissingPolicy(policy="constant", value=0)
    assert fill_missing(people(kids=["2", None]), {"kids": policy}, key="id")[0]["kids"].tolist() == ["2", "0"]


def test_a_numeric_column_takes_a_numeric_constant_and_refuses_text() -> None:
    frame = people(age=[30.0, None])
    filled, _ = fill_missing(frame, {"age": MissingPolicy(value=-1)}, key="id")
    assert filled["age"].tolist() == [30.0, -1.0]
    with pytest.raises(ValueError, match="age: the constant 'unknown' does not fit a column of float64"):
        fill_missing(frame, {"age": MissingPolicy()}, key="id")


@pytest.mark.parametrize(("policy", "expected"), [("mean", 4.0), ("median", 2.0), ("mode", 1.0)])
def test_mean_median_and_mode_by_hand(policy: str, expected: float) -> None:
    frame = people(age=[1.0, None, 1.0, 2.0, 5.0, 11.0])
    filled, counts = fill_missing(frame, {"age": MissingPolicy.model_validate({"policy": policy})}, key="id")
    assert filled["age"].tolist() == [1.0, expected, 1.0, 2.0, 5.0, 11.0]
    assert count(counts, "age") == (policy, 1, 1, 0)


def test_of_several_most_common_values_the_smallest_is_taken() -> None:
    policies = {"city": MissingPolicy(policy="mode"), "age": MissingPolicy(policy="mode")}
    frame = people(city=["b", "a", "b", "a", None], age=[9.0, 9.0, 3.0, 3.0, None])
    filled, _ = fill_missing(frame, policies, key="id")
    assert filled.loc[4, ["city", "age"]].tolist() == ["a", 3.0]


def test_whole_numbers_stay_whole_when_what_fills_them_is() -> None:
    frame = people(age=pd.array([2, None, 4], dtype="Int64"), kids=pd.array([1, None, 2], dtype="Int64"))
    policies = {"age": MissingPolicy(policy="mean"), "kids": MissingPolicy(policy="mean")}
    filled, _ = fill_missing(frame, policies, key="id")
    assert filled["age"].dtype == "Int64"
    assert filled["age"].tolist() == [2, 3, 4]
    assert filled["kids"].dtype == "float64"
    assert filled["kids"].tolist() == [1.0, 1.5, 2.0]


def test_drop_takes_out_the_rows_before_anything_is_averaged() -> None:
    frame = people(city=["x", None, "y", "z"], age=[1.0, 100.0, None, 3.0])
    policies = {"city": MissingPolicy(policy="drop"), "age": MissingPolicy(policy="mean")}
    filled, counts = fill_missing(frame, policies, key="id")
    assert filled["id"].tolist() == ["c0", "c2", "c3"]
    assert filled["age"].tolist() == [1.0, 2.0, 3.0]
    assert not filled["city_imputed"].any()
    assert count(counts, "city") == ("drop", 1, 0, 1)
    assert count(counts, "age") == ("mean", 1, 1, 0)


def test_dropping_every_row_leaves_the_columns() -> None:
    filled, counts = fill_missing(people(city=[None, ""]), {"city": MissingPolicy(policy="drop")}, key="id")
    assert list(filled.columns) == ["id", "city", "city_imputed"]
    assert len(filled) == 0
    assert count(counts, "city") == ("drop", 2, 0, 2)


def test_a_forest_recovers_a_value_that_another_column_determines() -> None:
    plan = ["basic", "gold"] * 30
    price = [5.0 if p == "basic" else 50.0 for p in plan]
    frame = people(plan=[None, None, *plan[2:]], price=[*price[:-2], None, None])
    policies = {"plan": MissingPolicy(policy="predict"), "price": MissingPolicy(policy="predict")}
    filled, counts = fill_missing(frame, policies, key="id")
    assert filled["plan"].tolist() == plan
    assert filled["price"].to_numpy() == pytest.approx(price, abs=1)
    assert count(counts, "plan") == ("predict", 2, 2, 0)
    assert count(counts, "price") == ("predict", 2, 2, 0)


@pytest.mark.parametrize(
    "known",
    [["a"] * 10 + ["b"] * 9, ["a"] * 40, [f"v{i:02}" for i in range(51)] + ["a"] * 2],
    ids=["too few", "one value", "too many values"],
)
def test_a_forest_with_nothing_to_learn_gives_way_to_the_mode_and_says_so(known: list[str]) -> None:
    frame = people(city=[*known, None], size=["s", "l"] * (len(known) // 2) + ["s"] * (len(known) % 2 + 1))
    filled, counts = fill_missing(frame, {"city": MissingPolicy(policy="predict"), "size": MissingPolicy()}, key="id")
    assert filled["city"].iloc[-1] == "a"
    assert count(counts, "city")[0] == "predict->mode"


def test_a_forest_without_other_columns_gives_way_to_the_median_of_numbers() -> None:
    frame = people(age=[float(i) for i in range(30)] + [None])
    filled, counts = fill_missing(frame, {"age": MissingPolicy(policy="predict")}, key="id")
    assert filled["age"].iloc[-1] == 14.5
    assert count(counts, "age")[0] == "predict->median"


@pytest.mark.parametrize("policy", ["mode", "predict"])
def test_text_of_which_nothing_is_known_becomes_unknown(policy: str) -> None:
    frame = people(city=[None, ""])
    filled, counts = fill_missing(frame, {"city": MissingPolicy.model_validate({"policy": policy})}, key="id")
    assert filled["city"].tolist() == ["unknown", "unknown"]
    assert count(counts, "city") == (f"{policy}->constant", 2, 2, 0)


@pytest.mark.parametrize("policy", ["mean", "median", "mode", "predict"])
def test_numbers_of_which_nothing_is_known_are_refused_with_advice(policy: str) -> None:
    with pytest.raises(ValueError, match=r"age: no value is known.*policy 'constant'"):
        fill_missing(people(age=[np.nan]), {"age": MissingPolicy.model_validate({"policy": policy})}, key="id")


@pytest.mark.parametrize("policy", ["mean", "median"])
def test_averaging_text_is_refused_by_the_name_of_the_column(policy: str) -> None:
    with pytest.raises(ValueError, match=f"city: policy '{policy}' needs numbers"):
        fill_missing(people(city=["a", None]), {"city": MissingPolicy.model_validate({"policy": policy})}, key="id")


@pytest.mark.parametrize("strangers", [1, 40, 400])
def test_rows_of_which_nothing_is_known_change_no_value_that_is_filled_in_elsewhere(strangers: int) -> None:
    """A customer that only events name has no attribute, so no event can reach another customer's filled value."""
    rng = np.random.default_rng(5)
    town = rng.choice([f"t{i:02}" for i in range(45)], size=300)
    frame = people(
        town=[None if i == 11 else t for i, t in enumerate(town)],
        plan=[None if i % 7 == 0 else f"p{int(t[1:]) % 3}" for i, t in enumerate(town)],
        age=[None if i % 5 == 0 else float(int(t[1:]) + i % 3) for i, t in enumerate(town)],
    )
    policies = {c: MissingPolicy(policy="predict") for c in ("town", "plan", "age")}
    alone, _ = fill_missing(frame, policies, key="id")
    empty = (
        pd.DataFrame({"id": [f"a{i}" for i in range(strangers)]}).reindex(columns=frame.columns).astype(frame.dtypes)
    )
    among, _ = fill_missing(pd.concat([empty, frame]), policies, key="id")
    pd.testing.assert_frame_equal(among.iloc[strangers:].reset_index(drop=True), alone, check_exact=True)


def test_an_unknown_column_the_key_and_a_taken_flag_are_refused() -> None:
    frame = people(city=["a"], age=[1.0], age_imputed=[True])
    with pytest.raises(ValueError, match="town: no such column"):
        fill_missing(frame, {"town": MissingPolicy()}, key="id")
    with pytest.raises(ValueError, match="id: is the key"):
        fill_missing(frame, {"id": MissingPolicy()}, key="id")
    with pytest.raises(ValueError, match="no key column 'nr'"):
        fill_missing(frame, {"city": MissingPolicy()}, key="nr")
    with pytest.raises(ValueError, match="age: the column 'age_imputed' exists already"):
        fill_missing(frame, {"age": MissingPolicy(value=0)}, key="id")


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_a_constant_that_is_itself_missing_is_refused(value: str | float | None) -> None:
    with pytest.raises(ValueError, match="city: policy 'constant' needs a value"):
        fill_missing(people(city=["a"]), {"city": MissingPolicy(value=value)}, key="id")


def test_a_misspelt_policy_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"Input should be .drop"):
        MissingPolicy.model_validate({"policy": "averge"})


def test_columns_without_a_policy_are_left_alone() -> None:
    frame = people(city=[None, "a"], note=[None, ""])
    filled, counts = fill_missing(frame, {"city": MissingPolicy()}, key="id")
    pd.testing.assert_series_equal(filled["note"], frame["note"])
    assert counts["column"].tolist() == ["city"]


def test_what_comes_in_is_not_changed() -> None:
    frame = people(city=[None, "a"], age=[1.0, None])
    before = frame.copy(deep=True)
    fill_missing(frame, {"city": MissingPolicy(), "age": MissingPolicy(policy="mean")}, key="id")
    pd.testing.assert_frame_equal(frame, before)


POLICIES = {
    "city": MissingPolicy(policy="mode"),
    "plan": MissingPolicy(policy="predict"),
    "age": MissingPolicy(policy="median"),
    "spend": MissingPolicy(policy="mean"),
    "home": MissingPolicy(policy="drop"),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    size = draw(st.integers(1, 40))
    text = st.sampled_from(["a", "b", "c", "", None])
    number = st.one_of(st.none(), st.integers(-5, 5).map(lambda v: v / 3))
    columns = {c: draw(st.lists(text, min_size=size, max_size=size)) for c in ("city", "plan", "home")}
    numbers = {c: [1.0, *draw(st.lists(number, min_size=size, max_size=size))][:size] for c in ("age", "spend")}
    # The first row stays whatever is dropped, so numbers always have a known value.
    columns["home"][0] = "a"
    return people(**columns, **numbers).astype({"age": float, "spend": float})


@settings(max_examples=40)
@given(frames(), st.randoms(use_true_random=False))
def test_nothing_is_missing_afterwards_flags_are_exact_and_order_does_not_matter(frame: pd.DataFrame, random) -> None:
    filled, counts = fill_missing(frame, POLICIES, key="id")
    kept = ~is_missing(frame["home"])
    assert filled["id"].tolist() == frame.loc[kept, "id"].tolist()
    for column in POLICIES:
        assert not is_missing(filled[column]).any()
        gaps = is_missing(frame[column])[kept]
        assert filled[column + "_imputed"].tolist() == gaps.tolist()
        assert filled.loc[~gaps, column].tolist() == frame.loc[kept, column][~gaps].tolist()

    shuffled = frame.sample(frac=1, random_state=random.randint(0, 9999))
    backwards = dict(reversed(POLICIES.items()))
    other, other_counts = fill_missing(shuffled, backwards, key="id")
    by_id = [f.sort_values("id").reset_index(drop=True) for f in (filled, other)]
    pd.testing.assert_frame_equal(*by_id, check_exact=True)
    pd.testing.assert_frame_equal(counts, other_counts)
