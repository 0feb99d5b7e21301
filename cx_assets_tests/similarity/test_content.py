import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from cx_assets.similarity import content, products, top_k_content
from cx_assets_tests.similarity.brute import as_lists, assert_same, k_best

ATTRIBUTES = ["brand", "kind", "size"]
VALUES = st.sampled_from(["p", "p", "q", "r", "s", "unknown", "", None])
CATALOGUES = st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=25)


def catalogue(rows: list[tuple[str | None, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=ATTRIBUTES, dtype=object)


def by_definition(items: pd.DataFrame) -> np.ndarray:
    """Cosines of all pairs, by scikit-learn's vectorizer with tokens fitted on the distinct profiles."""
    tokens = [
        tuple(
            f"{c}={v}" for c, v in zip(ATTRIBUTES, row, strict=True) if isinstance(v, str) and v not in ("", "unknown")
        )
        for row in items.itertuples(index=False)
    ]
    profiles = sorted({row for row in tokens if row})
    if not profiles:
        return np.zeros((len(items), len(items)))
    # A profile without tokens is one of the profiles that are counted.
    vectorizer = TfidfVectorizer(analyzer=lambda row: row).fit([*profiles, *([()] if () in tokens else [])])
    weights = vectorizer.transform(tokens).toarray()
    return weights @ weights.T


def test_items_of_one_profile_come_before_similar_ones_and_others_are_left_out() -> None:
    items = catalogue([("p", "tea", "s"), ("q", "oil", "l"), ("p", "tea", "m"), ("p", "tea", "s"), ("p", "tea", "s")])
    found = as_lists(top_k_content(items, ATTRIBUTES, 5).matrix)
    assert [[c for c, _ in row] for row in found] == [[3, 4, 2], [], [0, 3, 4], [0, 4, 2], [0, 3, 2]]
    assert found[0][0][1] == pytest.approx(1)


@given(CATALOGUES, st.integers(1, 8))
def test_neighbours_are_those_of_brute_force(rows: list[tuple[str | None, ...]], k: int) -> None:
    items = catalogue(rows)
    similarity = by_definition(items)
    assert_same(top_k_content(items, ATTRIBUTES, k).matrix, k_best(similarity, similarity > 1e-9, k))


@pytest.mark.parametrize("common", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("spare", [0, 3, 120])
def test_how_candidates_are_fetched_changes_nothing(monkeypatch: pytest.MonkeyPatch, common: float, spare: int) -> None:
    rng = np.random.default_rng(11)
    rows = [(rng.choice(["p", "q"], p=[0.8, 0.2]), f"k{rng.integers(12)}", f"s{rng.integers(40)}") for _ in range(300)]
    monkeypatch.setattr(content, "COMMON", common)
    monkeypatch.setattr(content, "SPARE", spare)
    monkeypatch.setattr(products, "PLACES_AT_ONCE", 500)
    items = catalogue(rows)
    similarity = by_definition(items)
    assert_same(top_k_content(items, ATTRIBUTES, 6).matrix, k_best(similarity, similarity > 1e-9, 6))


def test_an_item_of_which_nothing_is_known_has_no_neighbours_and_is_nobodys() -> None:
    items = catalogue([("unknown", "", None), ("p", "tea", "s"), ("p", "tea", "m"), ("unknown", None, None)])
    near = top_k_content(items, ATTRIBUTES, 3).matrix
    assert np.diff(near.indptr).tolist() == [0, 1, 1, 0]


def test_a_value_that_was_filled_in_is_not_known() -> None:
    items = catalogue([("p", "tea", "s"), ("p", "oil", "l")]).assign(brand_imputed=[False, True])
    assert top_k_content(items, ATTRIBUTES, 3).matrix.nnz == 0


def test_a_column_of_numbers_makes_no_tokens() -> None:
    items = pd.DataFrame({"price": [1.5, 1.5], "brand": ["p", "q"]})
    assert top_k_content(items, ["price", "brand"], 1).matrix.nnz == 0


@pytest.mark.parametrize("columns", [[], ATTRIBUTES])
def test_an_empty_catalogue_or_none_of_its_columns_gives_no_neighbours(columns: list[str]) -> None:
    assert top_k_content(catalogue([]), columns, 3).matrix.shape == (0, 0)
    assert top_k_content(catalogue([("p", "p", "p")] * 2), columns[:0], 3).matrix.nnz == 0


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="colour"):
        top_k_content(catalogue([("p", "p", "p")]), ["colour"], 1)


def test_k_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match="k must"):
        top_k_content(catalogue([("p", "p", "p")]), ATTRIBUTES, 0)
