"""How many features two rows share, for many pairs at once.

Belongs here: counting shared entries. Does not: what an overlap is needed for (`pearson`: enough co-rated entries).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

FEATURES_AT_ONCE = 512
PAIRS_AT_ONCE = 200_000


def share_at_least(
    matrix: csr_matrix, left: NDArray[np.int64], right: NDArray[np.int64], minimum: int
) -> NDArray[np.bool_]:
    """For each pair of rows, whether both have an entry in at least `minimum` features.

    Rows become bit sets over the most frequent features, then over the next, and so on. A pair is done once it has
    enough, and most pairs have it among the frequent ones.

    Args:
        matrix: CSR of shape (rows, features); a stored zero is an entry.
        left: one row of each pair.
        right: the other.
        minimum: the number of shared features to reach.
    """
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    place = np.empty(matrix.shape[1], dtype=np.int64)
    place[np.argsort(-frequency, kind="stable")] = np.arange(matrix.shape[1])
    places = place[matrix.indices]
    owners = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    shared = np.zeros(len(left), dtype=np.int64)
    # A feature that only one row has is shared by none.
    useful = int(np.count_nonzero(frequency > 1))
    for start in range(0, useful, FEATURES_AT_ONCE):
        undecided = np.flatnonzero(shared < minimum)
        if not len(undecided):
            break
        inside = (places >= start) & (places < start + FEATURES_AT_ONCE)
        bits = _bit_sets(owners[inside], places[inside] - start, matrix.shape[0])
        for first in range(0, len(undecided), PAIRS_AT_ONCE):
            pairs = undecided[first : first + PAIRS_AT_ONCE]
            shared[pairs] += np.bitwise_count(bits[left[pairs]] & bits[right[pairs]]).sum(axis=1, dtype=np.int64)
    return shared >= minimum


def _bit_sets(owners: NDArray[np.int64], features: NDArray[np.int64], size: int) -> NDArray[np.uint64]:
    """Bit `f` of row `o` set for each owner and feature, as `FEATURES_AT_ONCE` bits per row."""
    words = FEATURES_AT_ONCE // 64
    bits = np.zeros(size * words, dtype=np.uint64)
    np.bitwise_or.at(bits, owners * words + features // 64, np.uint64(1) << (features % 64).astype(np.uint64))
    return bits.reshape(size, words)
