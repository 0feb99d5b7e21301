"""Laws of clustering and of the choice of k."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from cx_assets.segments.kmeans import Evidence, choose, matched, minimum_size, segment


def clouds(centres: list[tuple[float, float]], each: int = 60, spread: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    points = np.vstack([rng.normal(c, spread, size=(each, 2)) for c in centres])
    return points, np.repeat(np.arange(len(centres)), each)


def evidence(k: int, stability: float, spread: float = 0.0, smallest: int = 50, allowed: bool = True) -> Evidence:
    return Evidence(k, stability, spread, smallest, 1.0, 0.5, allowed)


def test_clouds_that_are_there_are_found_and_found_again() -> None:
    points, truth = clouds([(0, 0), (9, 0), (0, 9), (9, 9)])
    found = segment(points, range(3, 9), minimum=5, bootstraps=8, seed=0)
    assert found.k == 4
    assert adjusted_rand_score(truth, found.labels) == 1.0
    assert found.certainty.min() == 1.0
    four = next(e for e in found.evidence if e.k == 4)
    assert (four.stability, four.smallest, four.allowed) == (1.0, 60, True)
    assert [e.k for e in found.evidence] == [3, 4, 5, 6, 7, 8]


def test_inertia_is_the_sum_of_squared_distances_to_the_centres() -> None:
    points, _ = clouds([(0, 0), (9, 0), (0, 9)])
    found = segment(points, [3], minimum=5, bootstraps=2, seed=0)
    centres = np.vstack([points[found.labels == c].mean(axis=0) for c in range(3)])
    assert found.evidence[0].inertia == pytest.approx(((points - centres[found.labels]) ** 2).sum())


def test_the_same_seed_gives_the_same_segments() -> None:
    points = np.random.default_rng(2).normal(size=(150, 4))
    first, second = (segment(points, [3, 4], minimum=2, bootstraps=4, seed=7) for _ in range(2))
    assert first.labels.tolist() == second.labels.tolist()
    assert first.certainty.tolist() == second.certainty.tolist()
    assert first.evidence == second.evidence


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.zeros((1, 3)), np.eye(2, 3), np.ones((40, 3))])
def test_fewer_distinct_customers_than_segments_make_one_segment(points: np.ndarray) -> None:
    found = segment(points, range(3, 9), minimum=2, bootstraps=3, seed=0)
    assert (found.k, found.evidence) == (1, ())
    assert found.labels.tolist() == [0] * len(points)
    assert "fewer distinct customers" in found.reason


def test_a_k_that_leaves_a_tiny_segment_is_tried_but_not_allowed() -> None:
    points, _ = clouds([(0, 0), (9, 0)])
    points = np.vstack([points, [[500.0, 500.0]]])
    found = segment(points, [3], minimum=4, bootstraps=3, seed=0)
    assert (found.evidence[0].smallest, found.evidence[0].allowed) == (1, False)
    assert found.k == 1
    assert "fewer than 4 customers" in found.reason


def test_a_bootstrap_sample_with_fewer_distinct_points_than_segments_is_survived() -> None:
    points = np.repeat(np.eye(4), [40, 1, 1, 1], axis=0)
    found = segment(points, [3, 4], minimum=1, bootstraps=10, seed=0)
    assert [e.k for e in found.evidence] == [3, 4]


def test_the_most_stable_number_wins() -> None:
    k, reason = choose([evidence(3, 0.7), evidence(4, 0.9), evidence(5, 0.8)], minimum=5, bootstraps=16)
    assert k == 4
    assert "most stable" in reason


def test_of_numbers_within_one_standard_error_the_largest_wins() -> None:
    # Standard error 0.2 / sqrt(16) = 0.05: five segments at 0.86 are tied with the best, six at 0.84 are not.
    tried = [evidence(3, 0.9, spread=0.2), evidence(5, 0.86), evidence(6, 0.84)]
    k, reason = choose(tried, minimum=5, bootstraps=16)
    assert k == 5
    assert "as stable as the best number, 3" in reason


def test_a_number_that_is_not_allowed_cannot_win() -> None:
    assert choose([evidence(3, 0.6), evidence(4, 0.9, allowed=False)], minimum=5, bootstraps=16)[0] == 3


def test_the_minimum_size_is_rounded_up_and_at_least_two() -> None:
    assert [minimum_size(n, 0.03) for n in (0, 10, 100, 101, 2469)] == [2, 2, 3, 4, 75]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        segment(np.eye(3), [1], minimum=1, bootstraps=5, seed=0)
    with pytest.raises(ValueError, match="at least 2"):
        segment(np.eye(3), [2], minimum=1, bootstraps=1, seed=0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_renaming_agrees_in_as_many_rows_as_any_renaming_can(pairs: list[tuple[int, int]]) -> None:
    labels, other = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    best = max((np.array(p)[other] == labels).sum() for p in permutations(range(4)))
    assert (matched(labels, other) == labels).sum() == best
