"""What the ranker is made of: who proposes candidates, what they find, and what the ranker is without each part.

Belongs here: leaving parts out and counting. Does not: judging lists (`shortlists`), which features are about what
(`feature_groups`) or keeping the rows (`evidence_assets`).

Examples and candidates are made once; only what a part touches is learnt again, and all rankers of the study, the full
one too, learn in less time than the one that backtests judge (`quicker`). Which features a split may choose from is
drawn, so even a useless part changes the lists a little. Hence the full ranker is the mean of several seeds, and what
one more of them comes to shows how much of a difference is the draw's, which no interval over customers holds.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cx_assets.evaluation.bootstrap import intervals
from cx_assets.evaluation.feature_groups import GROUPS, grouped
from cx_assets.evaluation.shortlists import Floats, Ndcg, Shortlists, ndcg_of
from cx_assets.evaluation.split import truth_of_list
from cx_assets.recommendations.examples import ByKind, Examples
from cx_assets.recommendations.features import SOURCES
from cx_assets.recommendations.ranker import Model, Ranker, RankerSettings, learnt
from cx_assets.similarity.products import threads

ALL_SOURCES = "all sources"
HAD_BEFORE = "had before"
FULL = "full"
OTHER_SEED = "another seed"
BOTH_KINDS = frozenset((True, False))

CUTS, TREES = 2, 50
"""Most earlier dates and most trees of a ranker of the study: some thirty models are learnt."""

SEEDS = 3
"""Of the full ranker that all others are compared with."""

SCORES = {"newly_bought": "item_new_28", "store": "store_28"}
"""The feature that is a source's score, where it isn't called as the source is; that of `taste` is no feature."""

COLUMNS = ["kind", "list", "name", "measure", "value", "ci_low", "ci_high", "customers"]

Log = Callable[[str], None]
Rows = list[tuple[object, ...]]
Values = NDArray[np.float64]


def study(given: Shortlists, settings: RankerSettings, *, resamples: int, seed: int, log: Log) -> pd.DataFrame:
    """Every row of the study of one as-of date.

    Args:
        given: the candidates of the judged customers.
        settings: of the ranker that backtests judge.
        resamples: draws of customers per interval.
        seed: of the draws.
        log: told what was learnt and how long it took.

    Returns:
        `COLUMNS`; no row where nobody can be judged.
    """
    if not given.blocks:
        return pd.DataFrame(columns=COLUMNS)
    rows = candidate_rows(given, resamples=resamples, seed=seed)
    settings = quicker(settings)
    start = time.perf_counter()
    examples = Ranker(settings).examples(given.training)
    log(f"examples of {settings.cuts} earlier dates in {time.perf_counter() - start:.1f} s")
    rows += ablation_rows(given, examples, settings, resamples=resamples, seed=seed, log=log)
    return pd.DataFrame(rows, columns=COLUMNS)


def study_keys(lists: Collection[str]) -> set[tuple[str, str, str, str]]:
    """Kind, list, name and measure of every row of a study in which somebody is judged on these lists."""
    found = {("ablation", which, FULL, "ndcg") for which in lists}
    groups = [OTHER_SEED, *(f"features: {group}" for group in GROUPS)]
    found |= {("ablation", which, name, "added") for which in lists for name in groups}
    touched = [which for which in lists if which != "repeat"]
    found |= {("ablation", which, f"source: {source}", "added") for which in touched for source in SOURCES}
    for which, name in (("discovery", ALL_SOURCES), ("repeat", HAD_BEFORE)):
        found |= {("candidates", which, name, measure) for measure in ("candidates", "recall") if which in lists}
    if "discovery" in lists:
        measures = ("candidates", "recall", "lost")
        found |= {("candidates", "discovery", source, measure) for source in SOURCES for measure in measures}
    return found


def quicker(settings: RankerSettings) -> RankerSettings:
    """Settings for fewer dates and one model of fewer trees, each of which counts for as much more."""
    trees = min(settings.iterations, TREES)
    rate = settings.learning_rate * settings.iterations / trees
    return replace(settings, cuts=min(settings.cuts, CUTS), iterations=trees, learning_rate=rate, bags=1)


def candidate_rows(given: Shortlists, *, resamples: int, seed: int) -> Rows:
    """How many candidates each source has, what share of what was taken they are, and what would be lost without it.

    Recall is the mean over customers of the share of what they took that was among the candidates; an item that is
    first sold in the window is missed by all.
    """
    rows: Rows = []
    names = [f"{source}: {measure}" for source in SOURCES for measure in ("candidates", "recall", "lost")]
    for which, asked in (("discovery", [*names, *_totals(ALL_SOURCES)]), ("repeat", _totals(HAD_BEFORE))):
        counted, relevant = _counted(given, which)
        if not counted.size:
            continue
        found = intervals(_figures(counted, relevant, which), resamples=resamples, seed=seed)
        for place, name in enumerate(asked):
            of, measure = name.split(": ")
            bounds = (found.mean[place], found.low[place], found.high[place])
            rows.append(("candidates", which, of, measure, *map(float, bounds), len(relevant)))
    return rows


def ablation_rows(
    given: Shortlists, examples: ByKind, settings: RankerSettings, *, resamples: int, seed: int, log: Log
) -> Rows:
    """NDCG@10 of the full ranker, and by how much it is ahead of the ranker without each part, in pairs.

    A model that a part doesn't touch is the first seed's on both sides, so that only what is asked about differs.
    """
    start = time.perf_counter()
    seeds = [replace(settings, seed=settings.seed + number) for number in range(SEEDS + 1)]
    *full, other = [Ranker(one).learn(given.training, given.maker, examples) for one in seeds]
    log(f"{FULL}, {len(seeds)} seeds, after {time.perf_counter() - start:.1f} s")
    known = [[ranker.probabilities(block) for block in given.blocks] for ranker in full]
    ahead: dict[frozenset[bool], Ndcg] = {}

    def reference(kinds: frozenset[bool]) -> Ndcg:
        if kinds not in ahead:
            found = [ndcg_of(given, _mixed(given, kinds, own, known[0])) for own in known]
            ahead[kinds] = {which: np.mean([one[which] for one in found], axis=0) for which in found[0]}
        return ahead[kinds]

    def told(which: str, name: str, measure: str, values: Values) -> tuple[object, ...]:
        found = intervals(values[:, None], resamples=resamples, seed=seed)
        return "ablation", which, name, measure, found.mean[0], found.low[0], found.high[0], len(values)

    def learnt_models(part: Part) -> dict[bool, Model]:
        return {
            had: learnt_without(_proposed(examples[had], part), had, part.columns, settings) for had in part.touched
        }

    rows: Rows = [told(which, FULL, "ndcg", values) for which, values in reference(BOTH_KINDS).items()]
    found_parts = parts_of(given, full[0])
    # A limit for all: each fit sets one of its own and resets it, and fits side by side would reset each other's.
    with threadpool_limits(1, "openmp"), ThreadPoolExecutor(threads()) as pool:
        learnt_side_by_side = zip(found_parts, pool.map(learnt_models, found_parts), strict=True)
        for part, models in itertools.chain([(Part(OTHER_SEED), other.models_)], learnt_side_by_side):
            asked = copy.copy(full[0])
            asked.models_ = models
            own = _mixed(given, frozenset(models), map(asked.probabilities, given.blocks), known[0])
            found = ndcg_of(given, own if part.sources is None else _only_of(given, own, part.sources))
            for which, values in found.items():
                if part.sources is None or which != "repeat":
                    rows.append(told(which, part.name, "added", reference(frozenset(models))[which] - values))
            log(f"{part.name} after {time.perf_counter() - start:.1f} s")
    return rows


@dataclass(frozen=True)
class Part:
    """Something that the ranker can be without.

    Attributes:
        name: of it, as in the table.
        columns: of the features that are left out.
        sources: positions of those that are left; None for all.
        touched: kinds of candidates, had before or not, whose model is another without it.
    """

    name: str
    columns: frozenset[int] = frozenset()
    sources: tuple[int, ...] | None = None
    touched: tuple[bool, ...] = ()


def parts_of(given: Shortlists, full: Ranker) -> list[Part]:
    """Every source and every group of features.

    A source proposes new items alone, so without it only the model of new items is another: without the candidates
    that nobody else proposes, and without the source's own score. A model that never looked at the features of a group
    stays as it is.
    """
    names = given.blocks[0].names
    found = []
    for place, source in enumerate(SOURCES):
        others = tuple(other for other in range(len(SOURCES)) if other != place)
        own = frozenset(n for n, name in enumerate(names) if name == SCORES.get(source, source))
        found.append(Part(f"source: {source}", own, others, (False,)))
    for group, members in grouped(names).items():
        own = frozenset(names.index(name) for name in members)
        touched = tuple(had for had, model in full.models_.items() if own & set(model.columns.tolist()))
        found.append(Part(f"features: {group}", own, None, touched))
    return found


def learnt_without(examples: Examples, had: bool, columns: Collection[int], settings: RankerSettings) -> Model:
    """As `learnt`, blind to some features; the model is still asked with all of them."""
    names = examples.names
    kept = np.array([column for column in range(len(names)) if column not in set(columns)], dtype=np.intp)
    seen = replace(examples, features=examples.features[:, kept], names=tuple(names[column] for column in kept))
    model = learnt(seen, had, settings)
    return replace(model, columns=kept[model.columns])


def _mixed(
    given: Shortlists, kinds: Collection[bool], own: Iterable[Floats], before: Sequence[Floats]
) -> Iterator[Floats]:
    """Scores of each block: of the kinds asked about the own ones, of the others those of before."""
    for block, mine, theirs in zip(given.blocks, own, before, strict=True):
        yield np.where(np.isin(block.had, list(kinds)), mine, theirs)


def _only_of(given: Shortlists, scores: Iterable[Floats], sources: Sequence[int]) -> Iterator[Floats]:
    """The scores without those of new items that none of the sources proposes."""
    for block, values in zip(given.blocks, scores, strict=True):
        kept = block.had | block.sources[:, list(sources)].any(axis=1)
        yield np.where(kept, values, np.float32(np.nan))


def _proposed(examples: Examples, part: Part) -> Examples:
    """The examples that any of the sources proposed; without examples there are no columns to ask."""
    if part.sources is None or not len(examples.taken):
        return examples
    return examples.chosen(np.flatnonzero(examples.sources[:, list(part.sources)].any(axis=1)))


def _totals(name: str) -> list[str]:
    return [f"{name}: candidates", f"{name}: recall"]


def _counted(given: Shortlists, which: str) -> tuple[Values, Values]:
    """Candidates and those taken, of everyone judged on a list, and how many items each took that belong in it.

    The first is of shape (customers, 2, 2 * len(SOURCES) + 1): of each source, of each that no other proposes, of all.
    """
    wanted = truth_of_list(given.pairs, which)
    ids, owner = np.unique(wanted["customer_id"].to_numpy(dtype=object), return_inverse=True)
    relevant = np.bincount(owner, minlength=len(ids)).astype(np.float64)
    positions = given.training.interactions.customer_positions(ids).astype(np.int64)
    items = given.training.interactions.item_positions(wanted["item_id"]).astype(np.int64)
    size = given.training.shape[1]
    taken = np.sort((positions[owner] * size + items)[items >= 0])
    row_of = np.full(given.training.shape[0], -1, dtype=np.int64)
    row_of[positions] = np.arange(len(ids))
    counted = np.zeros((len(ids), 2, 2 * len(SOURCES) + 1))
    for block in given.blocks:
        own = np.flatnonzero((row_of[block.customer] >= 0) & (block.had == (which == "repeat")))
        row, sources = row_of[block.customer[own]], block.sources[own]
        hit = np.isin(block.customer[own].astype(np.int64) * size + block.item[own], taken)
        alone = sources & (sources.sum(axis=1, keepdims=True) == 1)
        flags = np.column_stack([sources, alone, np.ones(len(own), dtype=bool)]).astype(np.float64)
        np.add.at(counted[:, 0], row, flags)
        np.add.at(counted[:, 1], row[hit], flags[hit])
    return counted, relevant


def _figures(counted: Values, relevant: Values, which: str) -> Values:
    """Figures per customer, of shape (customers, figures): of every source three, then of all together two."""
    shown, found = counted[:, 0], counted[:, 1] / relevant[:, None]
    sources = len(SOURCES)
    columns = [np.stack([shown[:, s], found[:, s], found[:, sources + s]], axis=1) for s in range(sources)]
    together = np.stack([shown[:, -1], found[:, -1]], axis=1)
    return np.column_stack([*columns, together]) if which == "discovery" else together
