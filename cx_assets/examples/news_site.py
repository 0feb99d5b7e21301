"""A news site: articles that age, readers with tastes, visits without numbers, reading times and likes.

Belongs here: writing its files and its manifest. Does not: any expectation of what a run makes of them. Tastes are
planted, so that whoever looks for them can find them.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np

FIRST_DAY = datetime(2024, 1, 1)
DAYS = 91
SECTIONS = ("city", "culture", "economy", "politics", "science", "sport")
MANIFEST = "news_site.yaml"


def write_news_site(folder: Path, *, readers: int = 300, articles: int = 240, seed: int = 20240101) -> Path:
    """Generate the site's files and its manifest.

    A reader has two sections of their own, comes back every few days, and opens in a visit a handful of articles:
    mostly new ones, of their sections, and those that all read. What a reader likes is read longer; one in four of the
    articles read to the end gets a like.

    Args:
        folder: made if it isn't there; existing files of the same names are replaced.
        readers: how many.
        articles: how many, published evenly over all days, some of them before the first; 12 or more.
        seed: of everything random; the same seed writes the same bytes.

    Returns:
        The manifest.
    """
    rng = np.random.default_rng(seed)
    section = np.arange(articles) % len(SECTIONS)
    published = np.sort(rng.uniform(-20, DAYS - 3, articles))
    appeal = rng.gamma(1.5, size=articles) + 0.2
    visits: dict[str, list[dict[str, object]]] = defaultdict(list)
    likes: list[tuple[str, str, str]] = []
    for reader in range(readers):
        own = rng.choice(len(SECTIONS), 2, replace=False)
        taste = np.where(np.isin(section, own), 8.0, 1.0)
        pause = rng.uniform(1.5, 7)
        day = rng.uniform(0, pause)
        while day < DAYS:
            at = FIRST_DAY + timedelta(days=int(day), hours=int(rng.integers(7, 22)), minutes=int(rng.integers(60)))
            age = day - published
            drawn = np.where(age > 0, taste * appeal * np.exp(-np.maximum(age, 0) / 10), 0)
            opened = int(min(rng.integers(2, 7), np.count_nonzero(drawn)))
            for article in rng.choice(articles, opened, replace=False, p=drawn / drawn.sum()):
                liked = bool(taste[article] > 1)
                seconds = int(rng.gamma(2.0, 60 if liked else 20)) + 3
                visits[f"{at:%Y-%m-%d}"].append(
                    {
                        "opened_at": f"{at:%Y-%m-%d %H:%M:%S}",
                        "reader": f"r{reader:04}",
                        "article": f"a{article:04}",
                        "seconds": seconds,
                    }
                )
                at += timedelta(seconds=seconds)
                if seconds >= 60 and rng.random() < 0.25:
                    likes.append((f"{at:%Y-%m-%d %H:%M:%S}", f"r{reader:04}", f"a{article:04}"))
            day += rng.exponential(pause) + 0.3
    (folder / "visits").mkdir(parents=True, exist_ok=True)
    for told, rows in sorted(visits.items()):
        lines = [json.dumps(row) for row in sorted(rows, key=lambda row: (str(row["opened_at"]), str(row["reader"])))]
        (folder / "visits" / f"{told}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    _write(folder / "likes.csv", ("liked_at", "reader", "article"), sorted(likes))
    told_articles = [
        (f"a{n:04}", f"Article {n}", SECTIONS[section[n]], f"author {n % 17}", int(rng.integers(200, 1800)))
        for n in range(articles)
    ]
    _write(folder / "articles.csv", ("article", "headline", "section", "author", "words"), told_articles)
    plans = [(f"r{n:04}", "paid" if rng.random() < 0.3 else "free") for n in range(readers)]
    _write(folder / "readers.csv", ("reader", "plan"), plans)
    manifest = folder / MANIFEST
    manifest.write_text(files("cx_assets").joinpath("examples", MANIFEST).read_text("utf-8"), "utf-8")
    return manifest


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
