"""What was done is told by a column's words, else by the file's name, and is never surer than these make it."""

from pathlib import Path

import pytest

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import LIKELY, Guess
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed


def type_of(folder: Path, file: str, column: str = "device", values: tuple[str, ...] = ("web", "app")) -> Guess:
    """The event type that is proposed for a file without prices, whose manifest must load and fit it."""
    rows = [
        f"u{n % 7},t{n % 9},2025-03-{n % 28 + 1:02} 10:{n % 60:02}:00,{values[n % len(values)]}" for n in range(120)
    ]
    (folder / file).write_text("\n".join([f"user,track,played_at,{column}", *rows]) + "\n", "utf-8")
    proposal, place = proposed("my_shop", files_named([str(folder / file)]))
    manifest = place / "my_shop.yaml"
    manifest.write_text(manifest_text(proposal), "utf-8")
    assert problems(load_dataset(str(manifest))) == []
    (events,) = proposal.of("events")
    guess = events.guess("event_type")
    assert guess is not None
    return guess


@pytest.mark.parametrize(
    ("file", "kind", "likely"),
    [
        ("plays_2025-03.csv", "view", True),
        ("page_views.csv", "view", True),
        ("carts.csv", "cart", True),
        ("orders.csv", "purchase", True),
        ("ratings.csv", "rating", False),
        ("likes.csv", "like", False),
        ("export.csv", "purchase", False),
        ("returns.csv", "purchase", False),
    ],
)
def test_the_name_of_a_file_tells_what_was_done(tmp_path: Path, file: str, kind: str, likely: bool) -> None:
    guess = type_of(tmp_path, file)
    assert (guess.expression, guess.sureness >= LIKELY) == (f"'{kind}'", likely)
    assert "event_types:" in guess.check


def test_a_type_that_no_dataset_has_by_itself_is_declared_with_a_weight_to_choose(tmp_path: Path) -> None:
    type_of(tmp_path, "likes.csv")
    dataset = load_dataset(str(tmp_path / "my_shop.yaml"))
    assert {name: kind.meaning for name, kind in dataset.event_types.items()} == {"like": "An item was liked"}
    text = " ".join((tmp_path / "my_shop.yaml").read_text("utf-8").replace("#", "").split())
    assert "UNSURE: what else customers did" in text


def test_words_of_a_column_may_mean_types_of_the_datasets_own(tmp_path: Path) -> None:
    guess = type_of(tmp_path, "log.csv", "action", ("play", "liked"))
    assert (
        guess.expression == "case lower(trim(action)) when 'liked' then 'like' when 'play' then 'view' else action end"
    )
    assert list(load_dataset(str(tmp_path / "my_shop.yaml")).event_types) == ["like"]


def test_what_was_taken_back_is_no_likely_purchase(tmp_path: Path) -> None:
    assert "speaks of what was taken back" in type_of(tmp_path, "returns.csv").check
