"""Whatever way a shop exports its events, what is proposed reads them as they were, and what is sure is right."""

from pathlib import Path
from typing import Any

import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion.mapping import mapped_sources
from cx_assets.ingestion.places import existing
from cx_assets.ingestion.reader import mapped_query, prepared
from cx_assets.ingestion.times import utc_timestamp
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import LIKELY, Proposal
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed
from cx_assets.table.warehouse import connect
from cx_assets_tests.shops.styles import STYLES, Truth


def read(dataset: Dataset) -> list[tuple[Any, ...]]:
    """All events as a manifest maps them, sorted."""
    queries = [
        mapped_query(dataset, path, mapped)
        for table, mapped in mapped_sources(dataset)
        if table == "events"
        for path in existing(dataset, mapped)
    ]
    with connect(None, "1GB", 1) as connection:
        prepared(connection, dataset, "events")
        return connection.execute(
            f"select {utc_timestamp('occurred_at')} as at_, customer_id, item_id, event_type, quantity::double, "
            "round(value::double, 2), rating::double "
            f"from ({' union all by name '.join(queries)}) order by all"
        ).fetchall()


@pytest.fixture(scope="module", params=STYLES)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, Proposal, Path]:
    """A style's files, and the proposal that they lead to."""
    folder = tmp_path_factory.mktemp(request.param)
    truth = STYLES[request.param](folder)
    proposal, place = proposed("my_shop", files_named([str(folder)]))
    assert place == folder or place in folder.parents or folder in place.parents
    return truth, proposal, place


def test_each_file_is_taken_for_what_it_holds(exported: tuple[Truth, Proposal, Path]) -> None:
    truth, proposal, _ = exported
    assert {source.table: source.group.glob for source in proposal.sources} == dict(truth.tables)


def test_the_proposed_manifest_reads_every_event_as_it_was(exported: tuple[Truth, Proposal, Path]) -> None:
    truth, proposal, place = exported
    manifest = place / "my_shop.yaml"
    manifest.write_text(manifest_text(proposal), "utf-8")
    assert read(load_dataset(str(manifest))) == truth.events


def test_the_range_of_days_is_that_of_the_events(exported: tuple[Truth, Proposal, Path]) -> None:
    truth, proposal, _ = exported
    days = [event[0].date().isoformat() for event in truth.events]
    assert (proposal.first_day, proposal.last_day) == (min(days), max(days))


def test_personal_columns_are_no_attributes(exported: tuple[Truth, Proposal, Path]) -> None:
    truth, proposal, _ = exported
    kept_out = {entry.column for source in proposal.of("customers") for entry in source.personal}
    assert kept_out == truth.personal
    used = {column for source in proposal.sources for guess in source.attributes for column in guess.columns}
    assert not used & truth.personal


def test_what_is_needed_is_found_with_sureness(exported: tuple[Truth, Proposal, Path]) -> None:
    _, proposal, _ = exported
    (events,) = proposal.of("events")
    needed = {key: guess.sureness for key in ("occurred_at", "customer_id", "item_id") if (guess := events.guess(key))}
    assert needed.keys() == {"occurred_at", "customer_id", "item_id"}
    assert min(needed.values()) >= LIKELY
