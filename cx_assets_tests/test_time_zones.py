"""Days are those of the shop's own clocks, at every stage: where it lies changes instants, and nothing else."""

import shutil
from pathlib import Path

import pytest

from cx_assets_tests.whole_shop import MANIFEST, WholeShop, differing_tables, execute, whole_shop

INSTANTS = ("occurred_at", "first_at", "last_at")
"""The columns that are told in UTC, wherever the shop is."""


def moved(shop: WholeShop, folder: Path, timezone: str) -> WholeShop:
    """The same files, whose times are those of other clocks, after a run of everything."""
    shutil.copytree(shop.folder, folder, ignore=shutil.ignore_patterns("data"))
    manifest = folder / MANIFEST
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("rating_scale:", f"timezone: {timezone}\nrating_scale:"), "utf-8")
    elsewhere = WholeShop(folder)
    with elsewhere.instance() as instance:
        execute(elsewhere.settings, instance)
    return elsewhere


@pytest.mark.whole
@pytest.mark.parametrize("timezone", ["America/Phoenix", "Asia/Tokyo"])
def test_a_shop_is_told_the_same_of_itself_wherever_it_is(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, timezone: str
) -> None:
    # Neither changes its clocks in these weeks; the shop is open from eight to twenty.
    at_home = whole_shop(tmp_path_factory.getbasetemp())
    elsewhere = moved(at_home, tmp_path / "elsewhere", timezone)
    assert "warehouse.events" in differing_tables(at_home.published, elsewhere.published)
    assert differing_tables(at_home.published, elsewhere.published, but=INSTANTS) == {}
