"""The assets of the stage on the small shop, and every check passing on it and failing on a spoiled table."""

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from cx_assets.matrices.config import InteractionWeights
from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.recommendations import assets, checks
from cx_assets.recommendations import tables as declared
from cx_assets.recommendations.blend import BlendWeights
from cx_assets.recommendations.config import Blending, BusinessFilters, Ranking
from cx_assets.similarity import top_k_cosine
from cx_assets.table import as_of_date
from cx_assets_tests.recommendations.samples import SHOP, events_of, items_of, trained

pytestmark = pytest.mark.whole

SPOILED = [
    ("every_customer_has_complete_lists", "recommendations", lambda rows: rows.iloc[1:]),
    ("every_customer_has_complete_lists", "customers", lambda rows: rows.iloc[1:]),
    ("recommendations_hold_no_item_twice", "recommendations", lambda rows: pd.concat([rows, rows.iloc[:1]])),
    ("recommendations_are_available", "items", lambda rows: rows.assign(recommendable=rows["item_id"] != "x")),
    ("recommendations_are_available", "items", lambda rows: rows[rows["item_id"] != "x"]),
    ("recommendations_are_in_the_right_list", "recommendations", lambda rows: rows.assign(list="repeat")),
    ("recommendations_are_in_the_right_list", "recommendations", lambda rows: rows.assign(list="discovery")),
    ("recommendations_are_in_order", "recommendations", lambda rows: rows.assign(rank=rows["rank"] + 1)),
    ("recommendations_are_in_order", "recommendations", lambda rows: rows.assign(score=rows["rank"] * 1.0)),
    ("recommendations_are_in_order", "recommendations", lambda rows: rows.assign(score=np.nan)),
    ("recommendations_have_reasons", "recommendations", lambda rows: rows.assign(reason=" ")),
    ("discovery_is_mostly_personal", "recommendations", lambda rows: rows.assign(recommender="popularity")),
    ("popular_items_are_available_and_in_order", "popular_items", lambda rows: rows.assign(customers=rows["rank"])),
    ("popular_items_are_available_and_in_order", "items", lambda rows: rows.assign(recommendable=False)),
    (
        "similar_items_are_available_and_other",
        "similar_items",
        lambda rows: rows.assign(similar_item_id=rows["item_id"]),
    ),
    ("similar_items_are_available_and_other", "similar_items", lambda rows: rows.assign(rank=rows["rank"] + 1)),
    ("bought_together_is_available_and_other", "items", lambda rows: rows.assign(recommendable=False)),
    (
        "bought_together_is_available_and_other",
        "bought_together",
        lambda rows: rows.assign(other_item_id="x", item_id="x"),
    ),
]
READS = {
    "every_customer_has_complete_lists": ["recommendations", "customers", "items", "interactions"],
    "recommendations_hold_no_item_twice": ["recommendations"],
    "recommendations_are_available": ["recommendations", "items"],
    "recommendations_are_in_the_right_list": ["recommendations", "interactions"],
    "recommendations_are_in_order": ["recommendations"],
    "recommendations_have_reasons": ["recommendations"],
    "discovery_is_mostly_personal": ["recommendations"],
    "popular_items_are_available_and_in_order": ["popular_items", "items"],
    "similar_items_are_available_and_other": ["similar_items", "items"],
    "bought_together_is_available_and_other": ["bought_together", "items"],
}


FILTERED = ("every_customer_has_complete_lists", "recommendations_are_available")


@pytest.fixture
def shop(tables):
    """Frames of all that the stage reads and makes, for customers A, B, C and D, who has no history."""
    training = trained(tables)
    stored = tables(events_of(SHOP))
    near = {
        "customer_neighbours": top_k_cosine(training.counts, 2).to_frame(list("ABC"), "customer_id"),
        "item_neighbours": top_k_cosine(training.counts.T.tocsr(), 2).to_frame(list("wxyz"), "item_id"),
        "content_neighbours": training.similarities.content(),
    }
    content = near["content_neighbours"].tocoo()
    ids = np.array(list("wxyz"))
    near["content_neighbours"] = pd.DataFrame(
        {"method": "content", "item_id": ids[content.row], "neighbour_id": ids[content.col], "similarity": content.data}
    )
    rule = {"level": "item", "antecedent": ["x"], "consequent": ["y"], "confidence": 0.5, "lift": 2.0}
    frames = {
        "events": events_of(SHOP),
        "items": items_of("wxyz"),
        "customers": pd.DataFrame({"customer_id": list("ABCD")}),
        "interactions": fold_interactions(stored, as_of=as_of_date(stored), weights=EventWeights()).df(),
        "rules": pd.DataFrame([rule | {"baskets": 2, "customers": 2}]),
        "customer_segments": pd.DataFrame(
            {"customer_id": list("ABCD"), "segment_id": [1, 1, 2, -1], "segment": ["p", "p", "q", "no history"]}
        ),
        **near,
    }
    given = {name: tables(frame) for name, frame in frames.items()}
    popular = assets.popular_items(given["interactions"], given["items"], given["customer_segments"])
    frames["popular_items"] = popular.df()
    frames["similar_items"] = assets.similar_items(
        given["item_neighbours"], given["content_neighbours"], given["interactions"], given["items"]
    ).df()
    frames["bought_together"] = assets.bought_together(given["rules"], given["items"], given["interactions"]).df()
    held = ["customer_neighbours", "item_neighbours", "content_neighbours"]
    reads = ["events", "interactions", "items", "customers", *held, "rules", "customer_segments"]
    frames["recommendations"] = assets.recommendations(
        dg.build_asset_context(),
        Ranking(),
        Blending(),
        BusinessFilters(),
        InteractionWeights(),
        **{name: given[name] for name in reads},
        popular_items=frames["popular_items"],
    ).to_pandas()
    return frames


def verdict(tables, shop, check):
    given = {name: tables(shop[name]) for name in READS[check]}
    return getattr(checks, check)(**given, **({"business_filters": BusinessFilters()} if check in FILTERED else {}))


def test_the_assets_return_the_declared_columns(shop):
    for spec in (declared.POPULAR_ITEMS, declared.SIMILAR_ITEMS, declared.BOUGHT_TOGETHER, declared.RECOMMENDATIONS):
        assert sorted(shop[spec.name].columns) == sorted(spec.column_names)
        assert not shop[spec.name].empty
        assert not shop[spec.name].duplicated(list(spec.key)).any()


def test_every_customer_has_lists_those_without_history_too(shop):
    assert sorted(shop["recommendations"]["customer_id"].unique()) == list("ABCD")
    assert (shop["recommendations"].groupby("customer_id").size() == 8).all()


def test_lists_are_as_of_the_midnight_after_the_last_event(shop):
    assert shop["recommendations"]["as_of"].unique().tolist() == [pd.Timestamp("2024-01-11")]


@pytest.mark.parametrize("check", READS)
def test_the_stage_passes_its_own_checks(tables, shop, check):
    result = verdict(tables, shop, check)
    assert result.passed, result.description


@pytest.mark.parametrize(("check", "table", "spoil"), SPOILED)
def test_a_spoiled_table_fails_its_check(tables, shop, check, table, spoil):
    spoiled = shop | {table: spoil(shop[table]).reset_index(drop=True)}
    result = verdict(tables, spoiled, check)
    assert not result.passed
    assert result.metadata["broken"].value > 0


def test_the_share_of_filled_places_is_reported(tables, shop):
    result = verdict(tables, shop, "discovery_is_mostly_personal")
    # Of A's, B's and C's two, one and two places the blend fills all; D's four are filled.
    assert result.metadata["share"].value == pytest.approx(4 / 9)


def test_the_configuration_starts_from_the_weights_that_are_evaluated():
    assert Blending().weights() == BlendWeights()
