"""Laws of labelled pairs: a wrong line is told by its number and never quoted, and no customer is in both halves."""

from pathlib import Path

import pytest

from cx_assets.ingestion.labelled_pairs import FEWEST, LabelledPair, labelled_pairs
from cx_assets.source import SourceError

HEADER = "customer_a,customer_b,same"
ENOUGH = [f"{same[0]}{n}a,{same[0]}{n}b,{same}" for n in range(80) for same in ("yes", "no")]


def read(folder: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8") -> list[LabelledPair]:
    (folder / "labelled.csv").write_text("\n".join([header, *lines, ""]), encoding)
    return labelled_pairs(folder, "labelled.csv")


def complaint(folder: Path, *lines: str, **options: str) -> str:
    with pytest.raises(SourceError) as error:
        read(folder, *lines, **options)
    return str(error.value)


def test_a_pair_is_told_with_its_answer_and_line(tmp_path: Path) -> None:
    found = read(tmp_path, *ENOUGH, " ann , bea ,YES", "", "eva,ida,No")
    assert [(pair.customer_a, pair.customer_b, pair.same, pair.line) for pair in found[-2:]] == [
        ("ann", "bea", True, 162),
        ("eva", "ida", False, 164),
    ]


@pytest.mark.parametrize("row", ["ann,bea,maybe", "ann,bea", "ann,,yes", "ann,ann,yes", ",,"])
def test_a_row_that_is_no_labelled_pair_is_told_by_its_line_and_not_quoted(tmp_path: Path, row: str) -> None:
    told = complaint(tmp_path, *ENOUGH, row)
    assert told == "labelled.csv:162: a row is two different customers and, in `same`, yes or no"


def test_a_pair_that_comes_twice_in_either_order_is_told_with_the_line_of_the_first(tmp_path: Path) -> None:
    assert complaint(tmp_path, *ENOUGH, "y0b,y0a,no") == "labelled.csv:162: the pair stands in line 2 already"


def test_of_many_wrong_lines_a_few_are_told(tmp_path: Path) -> None:
    assert complaint(tmp_path, *["x,x,yes"] * 9).splitlines()[-1] == "labelled.csv: 4 more lines are wrong"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"header": "customer_a;customer_b;same"}, "labelled.csv:1: no column customer_a"),
        ({"header": "customer_a,customer_b,answer"}, "labelled.csv:1: no column same"),
        ({"encoding": "utf-16"}, "labelled.csv is not UTF-8 text"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, options: dict[str, str], told: str) -> None:
    assert complaint(tmp_path, *ENOUGH, **options).startswith(told)


def test_a_file_that_is_not_there_is_told_with_its_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file labelled\.csv beside the manifest\. Its columns are customer_a"):
        labelled_pairs(tmp_path, "labelled.csv")


def test_too_few_pairs_of_an_answer_are_refused_with_how_many_are_needed(tmp_path: Path) -> None:
    told = complaint(tmp_path, *(line for line in ENOUGH if line.endswith("yes")), "ann,bea,no")
    assert f"are labelled no; at least {FEWEST} are needed" in told


def test_pairs_that_hang_together_by_a_customer_are_in_one_half(tmp_path: Path) -> None:
    chains = [line for n in range(60) for line in (f"a{n},b{n},yes", f"b{n},c{n},no", f"d{n},c{n},no")]
    halves: dict[str, set[bool]] = {}
    for pair in read(tmp_path, *chains):
        halves.setdefault(pair.customer_a[1:], set()).add(pair.judges)
    assert {len(of_chain) for of_chain in halves.values()} == {1}
    assert set.union(*halves.values()) == {True, False}


def test_a_pair_stays_in_its_half_in_any_order_and_when_others_are_added(tmp_path: Path) -> None:
    def half(*lines: str) -> dict[str, bool]:
        return {pair.customer_a: pair.judges for pair in read(tmp_path, *lines)}

    before = half(*ENOUGH)
    assert half(*reversed(ENOUGH)) == before
    more = half(*ENOUGH, *(f"z{n}a,z{n}b,no" for n in range(30)))
    assert {customer: more[customer] for customer in before} == before
