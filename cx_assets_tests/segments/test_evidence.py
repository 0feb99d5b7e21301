"""Laws of how the evidence is shown."""

import base64

from cx_assets.segments.evidence import evidence_plot, evidence_table
from cx_assets.segments.kmeans import Evidence

TRIED = (Evidence(3, 0.9, 0.1, 30, 1234.5, 0.25, True), Evidence(4, 0.8, 0.1, 1, 999.0, None, False))


def test_the_table_has_a_row_per_number_and_marks_the_chosen_and_the_forbidden() -> None:
    lines = evidence_table(TRIED, chosen=3, customers=100).splitlines()
    assert lines[2] == "| 3 | 0.900 | 0.100 | 30 (30.0%) | 1,234 | 0.250 | **chosen** |"
    assert lines[3] == "| 4 | 0.800 | 0.100 | 1 (1.0%) | 999 |  | too small a segment |"


def test_the_picture_is_a_png_and_the_same_each_time() -> None:
    first, second = (evidence_plot(TRIED, chosen=3, customers=100, minimum=3) for _ in range(2))
    picture = base64.b64decode(first.removesuffix(")").split("base64,")[1])
    assert picture.startswith(b"\x89PNG")
    assert first == second


def test_without_evidence_there_is_no_picture() -> None:
    assert evidence_plot((), chosen=1, customers=0, minimum=2) == ""
