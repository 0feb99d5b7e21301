"""Labelled pairs: of which two customers a person knows whether they are one, and what each pair is used for.

Belongs here: reading the file, and parting the pairs into those that a threshold is chosen by and those that it is then
judged by. Does not: choosing or judging (`linkage`). No message quotes the file, whose ids may be personal.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cx_assets.dataset import Dataset
from cx_assets.manifest import key_lines, where
from cx_assets.source import SourceError

COLUMNS = ("customer_a", "customer_b", "same")
ANSWERS = {"yes": True, "no": False}
FEWEST = 20
"""Pairs of either answer that each half needs: with fewer, no interval says anything."""
SHOWN = 5


@dataclass(frozen=True)
class LabelledPair:
    """Two customers of whom a person said whether they are one.

    Attributes:
        customer_a: one of them.
        customer_b: the other.
        same: whether they are one person.
        line: of the file, from 1.
        group: the same for pairs that hang together by their customers, which are never parted.
        judges: whether the pair judges the rules; else a threshold is chosen by it.
    """

    customer_a: str
    customer_b: str
    same: bool
    line: int
    group: str = ""
    judges: bool = False


def linkage_problems(dataset: Dataset) -> Iterator[str]:
    """What of a dataset's linkage would stop a run: the library that isn't there, or labels that can't be used."""
    if dataset.linkage is None:
        return
    place = where(dataset.path, key_lines(dataset.path.read_text("utf-8")), ("merge_customers", "linkage"))
    if find_spec("splink") is None:
        yield f"{place}: linkage needs Splink, which is not installed. Install it: pip install 'cx_assets[linkage]'."
    try:
        labelled_pairs(dataset.folder, dataset.linkage.labels)
    except SourceError as error:
        yield from (f"{place}.labels: {line}" for line in str(error).splitlines())


def labelled_pairs(folder: Path, name: str, told: Callable[[str], str] = str) -> list[LabelledPair]:
    """The labelled pairs of a file, by line, each with the half that it belongs to.

    Which half follows from the customers' ids alone, so a pair stays in its half when others are added, unless they
    make its customers hang together with those of another.

    Args:
        folder: the manifest's.
        name: the file's in it.
        told: gives a customer's id as the tables tell it, from the shop's own.

    Raises:
        SourceError: if there is no such file, a row is no labelled pair, or there are too few; a line per problem.
    """
    pairs = _grouped(_read(folder / name, name))
    for judges, use in ((False, "choose a threshold by"), (True, "judge by")):
        for answer, same in ANSWERS.items():
            count = sum(pair.judges == judges and pair.same == same for pair in pairs)
            if count < FEWEST:
                raise SourceError(
                    f"{name}: of the pairs to {use}, {count} are labelled {answer}; at least {FEWEST} are needed. "
                    f"About half of all pairs go to either use: label some {3 * FEWEST} or more of either answer, of "
                    "customers who don't all hang together."
                )
    return [
        LabelledPair(told(pair.customer_a), told(pair.customer_b), pair.same, pair.line, pair.group, pair.judges)
        for pair in pairs
    ]


def _read(path: Path, name: str) -> list[LabelledPair]:
    if not path.is_file():
        raise SourceError(f"there is no file {name} beside the manifest. Its columns are {', '.join(COLUMNS)}.")
    pairs: dict[frozenset[str], LabelledPair] = {}
    wrong: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
                raise SourceError(f"{name}:1: no column {missing[0]}. The columns are {', '.join(COLUMNS)}, by commas.")
            for row in rows:
                pair, line = _pair(row, rows.line_num), rows.line_num
                before = pairs.setdefault(frozenset((pair.customer_a, pair.customer_b)), pair) if pair else None
                if pair is None:
                    wrong.append(f"{name}:{line}: a row is two different customers and, in `same`, yes or no")
                elif before is not pair and before is not None:
                    wrong.append(f"{name}:{line}: the pair stands in line {before.line} already")
    except UnicodeDecodeError:
        raise SourceError(f"{name} is not UTF-8 text") from None
    except csv.Error:
        raise SourceError(f"{name}:{rows.line_num}: not a line of CSV") from None
    if wrong:
        more = [f"{name}: {len(wrong) - SHOWN:,} more lines are wrong"] if len(wrong) > SHOWN else []
        raise SourceError("\n".join([*wrong[:SHOWN], *more]))
    return list(pairs.values())


def _pair(row: dict[str, str], line: int) -> LabelledPair | None:
    one, other, same = ((row[column] or "").strip() for column in COLUMNS)
    if not one or not other or one == other or same.lower() not in ANSWERS:
        return None
    return LabelledPair(one, other, ANSWERS[same.lower()], line)


def _grouped(pairs: list[LabelledPair]) -> list[LabelledPair]:
    """Pairs with the group of their customers, called by its first id, and the half that the group is in."""
    # Not by SciPy's connected components: `cx doctor` reads labels too, and loading it takes longer than all of them.
    leader: dict[str, str] = {}

    def first(customer: str) -> str:
        while (above := leader.setdefault(customer, customer)) != customer:
            leader[customer] = customer = leader[above]
        return customer

    for pair in pairs:
        one, other = sorted((first(pair.customer_a), first(pair.customer_b)))
        leader[other] = one
    groups = [first(pair.customer_a) for pair in pairs]
    return [
        LabelledPair(pair.customer_a, pair.customer_b, pair.same, pair.line, group, _is_odd(group))
        for pair, group in zip(pairs, groups, strict=True)
    ]


def _is_odd(group: str) -> bool:
    return hashlib.sha256(group.encode()).digest()[0] % 2 == 1
