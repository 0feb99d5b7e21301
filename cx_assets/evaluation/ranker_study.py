"""What the ranker is made of: who proposes candidates, what they find, and what the ranker is without each part.

Belongs here: leaving parts out and counting. Does not: judging lists (`shortlists`), which features are about what
(`feature_groups`) or keeping the rows (`evidence_assets`).

Examples and candidates are made once; only what a part touches is learnt again, and all rankers of the study, the full
one too, learn in less time than the one that backtests judge (`quicker`). Trees choose among fewer features at each
split where some are left out, so even a useless part changes the lists a little: how much is shown by the same ranker
with another seed.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.evaluation.bootstrap import intervals
from cx_assets.evaluation.feature_groups import grouped
from cx_assets.evaluation.shortlists import Floats, Ndcg, Shortlists, ndcg_of
from cx_assets.evaluation.split import truth_of_list
from cx_assets.recommendations.examples import ByKind, Examples
from cx_assets.recommendations.features import SOURCES
from cx_assets.recommendations.ranker import Model, Ranker, RankerSettings, learnt

ALL_SOURCES = "all sources"
HAD_BEFORE = "had before"
FULL = "full"
OTHER_SEED = "another seed"

CUTS, TREES = 2, 75
"""Most earlier dates and most trees of a ranker of the study: some thirty models are learnt."""

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


def quicker(settings: RankerSettings) -> RankerSettings:
    """Settings for fewer dates and fewer trees, each of which counts for as much more."""
    trees = min(settings.iterations, TREES)
    rate = settings.learning_rate * settings.iterations / trees
    return replace(settings, cuts=min(settings.cuts, CUTS), iterations=trees, learning_rate=rate)


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
    """NDCG@10 of the full ranker and of the ranker without each part, and what the part adds, in pairs."""
    rows: Rows = []
    full: Ndcg = {}
    first: Ranker | None = None
    scores: list[Floats] = []
    start = time.perf_counter()
    for name, ranker, sources in variants(given, examples, settings):
        first = first or ranker
        own = _probabilities(given, ranker, first, scores)
        scores = scores or own
        found = ndcg_of(given, own if sources is None else _only_of(given, own, sources))
        full = full or found
        for which, values in found.items():
            if sources is None or which != "repeat":
                columns = {"ndcg": values} | ({} if ranker is first else {"added": full[which] - values})
                told = intervals(np.column_stack(list(columns.values())), resamples=resamples, seed=seed)
                rows += [
                    ("ablation", which, name, measure, told.mean[i], told.low[i], told.high[i], len(values))
                    for i, measure in enumerate(columns)
                ]
        log(f"{name} in {time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
    return rows


def variants(
    given: Shortlists, examples: ByKind, settings: RankerSettings
) -> Iterator[tuple[str, Ranker, list[int] | None]]:
    """The full ranker first, then those without a part: name, ranker, and the sources it is left with if not all.

    A source proposes new items alone, so without it only the model of new items is another: without the candidates
    that nobody else proposes, and without the source's own score. A model that never looked at the features of a group
    stays as it is.
    """
    names = given.blocks[0].names
    full = Ranker(settings).learn(given.training, given.maker, examples)
    yield FULL, full, None
    reseeded = replace(settings, seed=settings.seed + 1)
    yield OTHER_SEED, Ranker(reseeded).learn(given.training, given.maker, examples), None
    for place, source in enumerate(SOURCES):
        others = [other for other in range(len(SOURCES)) if other != place]
        own = {names.index(SCORES.get(source, source))} if SCORES.get(source, source) in names else set()
        model = learnt_without(_proposed(examples[False], others), own, settings)
        yield f"source: {source}", _with(full, {False: model}), others
    for group, members in grouped(names).items():
        left_out = {names.index(name) for name in members}
        touched = [had for had, model in full.models_.items() if model and left_out & set(model.columns.tolist())]
        models = {had: learnt_without(examples[had], left_out, settings) for had in touched}
        yield f"features: {group}", _with(full, models), None


def learnt_without(examples: Examples, columns: Collection[int], settings: RankerSettings) -> Model | None:
    """As `learnt`, blind to some features; the model is still asked with all of them."""
    width = examples.features.shape[1]
    kept = np.array([column for column in range(width) if column not in set(columns)], dtype=np.intp)
    model = learnt(replace(examples, features=examples.features[:, kept]), settings)
    return model and replace(model, columns=kept[model.columns])


def _with(ranker: Ranker, models: dict[bool, Model | None]) -> Ranker:
    changed = copy.copy(ranker)
    changed.models_ = {**ranker.models_, **models}
    return changed


def _probabilities(given: Shortlists, ranker: Ranker, full: Ranker, known: Sequence[Floats]) -> list[Floats]:
    """What a ranker gives the candidates of each block; `known` is what the full one gave, once it was asked."""
    if not known:
        return [ranker.probabilities(block) for block in given.blocks]
    changed = {had: model for had, model in ranker.models_.items() if model is not full.models_[had]}
    asked = copy.copy(ranker)
    asked.models_ = changed
    return [
        np.where(np.isin(block.had, list(changed)), asked.probabilities(block), before)
        for block, before in zip(given.blocks, known, strict=True)
    ]


def _only_of(given: Shortlists, scores: Sequence[Floats], sources: Sequence[int]) -> Iterator[Floats]:
    """The scores without those of new items that none of the sources proposes."""
    for block, values in zip(given.blocks, scores, strict=True):
        kept = block.had | block.sources[:, list(sources)].any(axis=1)
        yield np.where(kept, values, np.float32(np.nan))


def _proposed(examples: Examples, sources: Sequence[int]) -> Examples:
    """The examples that any of some sources proposed; without examples there are no columns to ask."""
    if not len(examples.taken):
        return examples
    return examples.chosen(np.flatnonzero(examples.sources[:, list(sources)].any(axis=1)))


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
