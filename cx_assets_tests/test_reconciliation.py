"""The law that nothing is lost can be broken: each way of losing an event is found."""

import shutil
from pathlib import Path

import pytest

from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.reconciliation import LAWS, unaccounted
from cx_assets_tests.runs import tamper

ADDS_UP, DELIVERED, ONE_OF_BOTH, AS_DELIVERED, REASON = LAWS


@pytest.mark.parametrize(
    ("statement", "laws"),
    [
        ("delete from warehouse.events where source_row = 5", {ADDS_UP}),
        ("delete from warehouse.rejected_events where source_row % 2 = 0", {ADDS_UP}),
        ("update warehouse.events set copies = copies + 1 where source_row = 5", {ADDS_UP}),
        ("update warehouse.events set day = day + 1 where source_row = 5", {ADDS_UP, DELIVERED}),
        ("update warehouse.rejected_events set source_row = source_row + 100000", {DELIVERED, AS_DELIVERED}),
        ("update warehouse.rejected_events set value = '0'", {AS_DELIVERED}),
        ("update warehouse.rejected_events set reason = ''", {REASON}),
        (
            "insert into warehouse.rejected_events by name select day, 'r' as reason, source_file, source_row "
            "from warehouse.events limit 1",
            {ADDS_UP, DELIVERED, ONE_OF_BOTH, AS_DELIVERED},
        ),
        (
            "insert into warehouse.withdrawn_events select day, 'cancelled', 1, 1, source_file, source_row, "
            "day, source_file, source_row from warehouse.events limit 1",
            {ADDS_UP, DELIVERED},
        ),
    ],
)
def test_an_event_that_is_lost_or_told_otherwise_is_found(
    loaded_shop: LoadedShop, tmp_path: Path, statement: str, laws: set[str]
) -> None:
    database = tmp_path / "working.duckdb"
    shutil.copy(loaded_shop.database, database)
    assert unaccounted(database) == {}
    tamper(database, statement)
    assert unaccounted(database).keys() == laws
