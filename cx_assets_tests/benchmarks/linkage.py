"""How long linkage takes and what it finds, on made-up registrations of which all is known.

python -m cx_assets_tests.benchmarks.linkage 2000 20000

Belongs here: measuring. Does not: the generator (`linkage.registrations`). The people differ from each other more than
a real shop's, so the figures say that it works and how fast, not how well it would do elsewhere.
"""

import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from cx_assets.ingestion.labelled_pairs import labelled_pairs
from cx_assets.linkage.comparing import compared_kinds, compared_values
from cx_assets.linkage.judging import judge
from cx_assets.linkage.scoring import scored_pairs
from cx_assets_tests.linkage.registrations import COMPARE, registrations, write_labels

LABELLED = 300
"""Pairs of either answer."""


def measure(customers: int) -> None:
    """Link some customers, and print what came of it."""
    told = registrations(round(customers / 1.67), seed=customers)
    started = time.perf_counter()
    pairs = scored_pairs(compared_values(told.records, COMPARE), compared_kinds(COMPARE))
    fitted = time.perf_counter()
    keys = [(row["number"], "email", row["mail"].lower()) for row in told.rows if row["mail"]]
    by_email = pd.DataFrame(keys, columns=["customer_id", "key_kind", "key"])
    told.same[LABELLED:], told.different[LABELLED:] = [], []
    with tempfile.TemporaryDirectory() as folder:
        write_labels(Path(folder), told)
        labels = labelled_pairs(Path(folder), "labelled.csv")
    verdict = judge(by_email, pairs, labels, at_most=4, least_precision=0.9)
    judged = time.perf_counter()
    print(f"{len(told.rows):,} customers: scored in {fitted - started:.1f} s, judged in {judged - fitted:.1f} s")
    print(verdict.figures.round(3).to_string(index=False))
    print(f"threshold {verdict.threshold}. {verdict.reason}\n")


if __name__ == "__main__":
    for size in sys.argv[1:]:
        measure(int(size))
