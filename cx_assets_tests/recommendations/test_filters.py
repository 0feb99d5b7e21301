"""Business filters: what they let through, what they say about it, and how they are set."""

from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cx_assets.recommendations.config import BusinessFilters
from cx_assets.recommendations.filters import FilterReport, Filters, allowed_items, category_codes

ITEMS = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d", "e"],
        "name": ["A", "B", "C", "D", "E"],
        "category": ["SNACKS", "SNACKS", "TOBACCO", "FUEL", "unknown"],
        "recommendable": [True, True, True, False, True],
        "brand": ["Private", "National", "Private", "National", None],
        "brand_imputed": [False] * 5,
        "size": [1.0, 2.5, np.nan, 1.0, 3.0],
        "organic": [True, False, False, False, True],
        "since": pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-01", "2024-02-01", "2024-02-01"]),
    }
)


def offered(**fields: Any) -> list[str]:
    allowed, _ = allowed_items(ITEMS, Filters(**fields))
    return list(ITEMS["item_id"][allowed])


def test_without_filters_all_that_is_recommendable_is_offered() -> None:
    allowed, report = allowed_items(ITEMS, Filters())
    assert allowed.tolist() == ITEMS["recommendable"].tolist()
    assert report.frame().columns.tolist() == ["filter", "what", "level", "removed"]
    assert report.with_places(Filters()).frame().empty


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"excluded_categories": ("SNACKS",)}, "ce"),
        ({"excluded_categories": ("SNACKS", "TOBACCO")}, "e"),
        ({"excluded": (("brand", "Private"),)}, "be"),
        ({"excluded": (("brand", "Private"), ("brand", "National"))}, "e"),
        ({"excluded": (("size", "1"),)}, "bce"),
        ({"excluded": (("size", "2.5"),)}, "ace"),
        ({"excluded": (("organic", "true"),)}, "bc"),
        ({"excluded": (("since", "2024-01-31"),)}, "bce"),
        ({"unavailable": ("a", "e")}, "bc"),
        ({"excluded_categories": ("TOBACCO",), "excluded": (("brand", "National"),), "unavailable": ("a",)}, "e"),
    ],
)
def test_what_a_filter_names_is_not_offered(fields: dict[str, Any], ids: str) -> None:
    assert offered(**fields) == list(ids)


def test_the_items_given_are_left_as_they_were() -> None:
    before = ITEMS.copy()
    allowed_items(ITEMS, Filters(unavailable=("a",)))
    pd.testing.assert_frame_equal(ITEMS, before)


def test_an_item_is_counted_at_the_first_filter_that_names_it_and_idle_filters_show_zero() -> None:
    filters = Filters(
        excluded_categories=("FUEL", "TOBACCO"),
        excluded=(("brand", "Private"),),
        unavailable=("a", "c"),
        per_category=2,
        min_new=3,
    )
    allowed, report = allowed_items(ITEMS, filters)
    assert ITEMS["item_id"][allowed].tolist() == ["b", "e"]
    frame = report.with_places(filters, capped=7).frame()
    assert frame.to_numpy().tolist() == [
        ["excluded_categories", "FUEL", "items", 0],
        ["excluded_categories", "TOBACCO", "items", 1],
        ["excluded", "brand = Private", "items", 1],
        ["unavailable", "2 item ids", "items", 0],
        ["per_category", "at most 2 of one category in a list", "places", 7],
        ["min_new", "at least 3 new in a list of both", "places", 0],
    ]


@given(
    st.lists(st.sampled_from(["SNACKS", "TOBACCO", "FUEL", "unknown"]), unique=True),
    st.lists(st.sampled_from([("brand", "Private"), ("organic", "false"), ("size", "1")]), unique=True),
    st.lists(st.sampled_from("abcde"), unique=True),
    st.permutations(range(5)),
)
def test_what_was_removed_and_what_is_kept_add_up(
    categories: list[str], excluded: list[tuple[str, str]], unavailable: list[str], order: list[int]
) -> None:
    items = ITEMS.iloc[order]
    filters = Filters(tuple(categories), tuple(excluded), tuple(unavailable))
    allowed, report = allowed_items(items, filters)
    assert report.frame()["removed"].sum() + allowed.sum() == items["recommendable"].sum()
    assert len(report.removals) == len(categories) + len(excluded) + bool(unavailable)
    kept = items[allowed]
    assert not kept["category"].isin(categories).any()
    assert not kept["item_id"].isin(unavailable).any()
    assert set(offered(excluded_categories=tuple(categories))) >= set(kept["item_id"])


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            {"excluded_categories": ("SNAKS",)},
            "excluded_categories: no category 'SNAKS'. Did you mean 'SNACKS'?",
        ),
        (
            {"excluded_categories": ("zzz",)},
            "excluded_categories: no category 'zzz'. There are 4, 'FUEL', 'SNACKS', 'TOBACCO' among them.",
        ),
        ({"excluded": (("brnd", "Private"),)}, "excluded: items have no 'brnd'. Did you mean 'brand'?"),
        ({"excluded": (("brand", "Privat"),)}, "excluded.brand: no item has 'Privat'. Did you mean 'Private'?"),
        ({"excluded": (("brand", "x"),)}, "excluded.brand: no item has 'x'. There is: National, Private."),
        ({"excluded": (("brand", "nan"),)}, "excluded.brand: no item has 'nan'."),
        (
            {"excluded": (("category", "SNACKS"),)},
            "excluded: category is no attribute: name categories in excluded_categories.",
        ),
        ({"unavailable": ("a", "aa")}, "unavailable: no item 'aa'. Did you mean 'a'?"),
    ],
)
def test_a_name_that_the_catalogue_does_not_have_is_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match="no ") as told:
        offered(**fields)
    assert str(told.value).startswith(complaint)


def test_all_unknown_names_are_told_at_once_but_only_the_first_of_many() -> None:
    with pytest.raises(ValueError, match="unavailable") as told:
        offered(excluded_categories=("SNAKS",), unavailable=tuple(f"item{i}" for i in range(2000)))
    lines = str(told.value).splitlines()
    assert len(lines) == 5
    assert lines[-1] == "unavailable: 1,997 more names are unknown."


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"per_category": 0}, "per_category must be at least 1"),
        ({"min_new": -1}, "min_new must be at least 0"),
        ({"unavailable": ("a", "a")}, "unavailable has 'a' twice"),
        ({"excluded_categories": (" ",)}, "excluded_categories has a blank name"),
        ({"excluded_categories": "TOBACCO"}, "excluded_categories must be a tuple"),
        ({"excluded": (("brand", ""),)}, "excluded has a blank name"),
        ({"excluded": (("brand",),)}, "is not an attribute and a value"),
    ],
)
def test_filters_that_make_no_sense_are_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Filters(**fields)


def test_an_attribute_and_a_value_of_the_same_name_are_a_pair_like_any_other() -> None:
    assert Filters(excluded=(("organic", "organic"),)).excluded == (("organic", "organic"),)


def test_items_of_one_category_share_a_code_and_the_unknown_have_none() -> None:
    assert category_codes(ITEMS).tolist() == [1, 1, 2, 0, -1]
    missing = ITEMS.assign(category=["SNACKS", None, None, "FUEL", ""])
    assert category_codes(missing).tolist() == [1, -1, -1, 0, -1]


def test_a_report_is_not_changed_by_adding_to_it() -> None:
    report = FilterReport()
    assert len(report.with_places(Filters(min_new=1), gave_way=2).removals) == 1
    assert report.removals == ()


def test_the_resource_filters_nothing_unless_told() -> None:
    assert BusinessFilters().filters() == Filters()


def test_the_resource_is_set_by_the_configuration_of_a_run() -> None:
    seen: list[Filters] = []

    @dg.asset
    def lists(business_filters: BusinessFilters) -> None:
        seen.append(business_filters.filters())

    config = {
        "excluded_categories": ["TOBACCO"],
        "excluded": {"brand": ["Private", "National"], "organic": ["true"]},
        "unavailable": ["a"],
        "per_category": 3,
        "min_new": 5,
    }
    resources = {"business_filters": BusinessFilters.configure_at_launch()}
    dg.materialize([lists], resources=resources, run_config={"resources": {"business_filters": {"config": config}}})
    excluded = (("brand", "Private"), ("brand", "National"), ("organic", "true"))
    assert seen == [Filters(("TOBACCO",), excluded, ("a",), per_category=3, min_new=5)]


@pytest.mark.parametrize("fields", [{"per_category": 0}, {"min_new": -1}])
def test_the_resource_refuses_numbers_out_of_bounds(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BusinessFilters(**fields)
