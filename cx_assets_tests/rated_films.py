"""A library of films whose customers do nothing but rate: explicit ratings, no purchase, view or cart.

Belongs here: writing the files and their manifest. Does not: any expectation. Tastes are planted, so that whoever looks
for them can find them, and everyone uses the scale in a way of their own, as people do.
"""

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cx_assets.dataset import Dataset, load_dataset

FIRST_DAY = datetime(2024, 1, 1)
GENRES = ("comedy", "crime", "fantasy", "romance", "western")

MANIFEST = """
name: rated_films
title: Films that customers rated
first_day: 2024-01-01
last_day: {last_day}
rating_scale: [1, 5]
events:
  - source: {{files: ratings.csv, format: csv}}
    columns:
      occurred_at: rated_at
      customer_id: viewer
      item_id: film
      event_type: "'rating'"
      rating: stars
items:
  source: {{files: films.csv, format: csv}}
  id: film
  name: title
  category: genre
"""


def write_rated_films(
    folder: Path, *, customers: int = 300, items: int = 150, days: int = 120, seed: int = 11
) -> Dataset:
    """Generate the films, their ratings and the manifest in a folder.

    A customer likes one genre much and another one little, watches (and so rates) more of what they like, and has a
    mean and a spread of their own. A film has a quality that all agree on, and a popularity. No pair is rated twice.

    Args:
        folder: where the files go.
        customers: how many, each with 20 to 59 ratings (fewer films, fewer ratings).
        items: how many films, in five genres.
        days: from `FIRST_DAY` on, over which each customer's ratings are spread.
        seed: of everything random.
    """
    rng = np.random.default_rng(seed)
    genre = np.arange(items) % len(GENRES)
    quality = rng.normal(0, 0.4, items)
    popularity = rng.gamma(1.0, size=items) + 0.1
    rows: list[tuple[str, str, str, int]] = []
    for customer in range(customers):
        taste = _taste(rng)[genre]
        watched = popularity * np.exp(taste)
        chosen = rng.choice(items, min(items, int(rng.integers(20, 60))), replace=False, p=watched / watched.sum())
        felt = taste[chosen] + quality[chosen] + rng.normal(0, 0.5, len(chosen))
        stars = np.clip(np.rint(rng.normal(3.3, 0.5) + rng.uniform(0.5, 1.1) * felt), 1, 5).astype(int)
        seconds = rng.choice(days * 24 * 3600, len(chosen), replace=False)
        rows += [
            (f"{FIRST_DAY + timedelta(seconds=int(at)):%Y-%m-%dT%H:%M:%S}", f"c{customer:03}", f"f{film:03}", int(star))
            for at, film, star in zip(seconds, chosen, stars, strict=True)
        ]
    _write(folder / "ratings.csv", ("rated_at", "viewer", "film", "stars"), sorted(rows))
    films = [(f"f{film:03}", f"Film {film}", GENRES[genre[film]]) for film in range(items)]
    _write(folder / "films.csv", ("film", "title", "genre"), films)
    manifest = folder / "rated_films.yaml"
    manifest.write_text(MANIFEST.format(last_day=(FIRST_DAY + timedelta(days=days - 1)).date()), "utf-8")
    return load_dataset(str(manifest))


def _taste(rng: np.random.Generator) -> NDArray[np.float64]:
    """What a customer thinks of each genre: one is liked, one disliked, the others hardly matter; shape (genres,)."""
    taste = rng.normal(0, 0.2, len(GENRES))
    liked, disliked = rng.choice(len(GENRES), 2, replace=False)
    taste[liked] += 1.5
    taste[disliked] -= 1.5
    return taste


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
