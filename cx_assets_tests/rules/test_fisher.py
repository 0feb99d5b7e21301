import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from cx_assets.rules.fisher import fisher_p_values, q_values


def p_value(both, antecedent, consequent, baskets):
    return fisher_p_values(np.array([both]), np.array([antecedent]), np.array([consequent]), baskets)[0]


def test_the_lady_tasting_tea():
    # Fisher's own example: all 4 of 4 cups right by chance is 1 of the 70 ways to choose 4 of 8.
    assert p_value(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert p_value(3, 4, 4, 8) == pytest.approx(17 / 70)


@given(st.tuples(*[st.integers(0, 300)] * 4).filter(lambda cells: sum(cells) > 0))
def test_p_values_are_those_of_scipys_fisher_exact(cells):
    both, only_antecedent, only_consequent, neither = cells
    table = [[both, only_antecedent], [only_consequent, neither]]

    ours = p_value(both, both + only_antecedent, both + only_consequent, sum(cells))

    assert ours == pytest.approx(fisher_exact(table, alternative="greater").pvalue, rel=1e-9, abs=1e-300)


def test_p_values_are_those_of_scipys_fisher_exact_at_the_size_of_a_retail_year():
    baskets, antecedent, consequent = 155_000, 6_000, 9_000
    for both in (300, 348, 380, 420):
        table = [[both, antecedent - both], [consequent - both, baskets - antecedent - consequent + both]]
        expected = fisher_exact(table, alternative="greater").pvalue
        assert p_value(both, antecedent, consequent, baskets) == pytest.approx(expected, rel=1e-6)


def test_sides_that_never_part_are_certain_only_as_far_as_there_are_baskets():
    assert p_value(0, 3, 3, 10) == pytest.approx(1.0)
    assert p_value(10, 10, 10, 10) == pytest.approx(1.0)


def test_q_values_are_benjamini_hochberg():
    # By hand: p (5 / rank), then the least of all larger ones.
    p = np.array([0.005, 0.009, 0.05, 0.04, 0.5])

    assert q_values(p) == pytest.approx([0.0225, 0.0225, 0.0625, 0.0625, 0.5])


def test_nothing_tested_gives_nothing():
    nothing = np.array([], dtype=np.int64)

    assert fisher_p_values(nothing, nothing, nothing, 0).tolist() == []
    assert q_values(np.array([])).tolist() == []
