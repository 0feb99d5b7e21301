"""Laws of verdicts: `law`, and the structure of a stored table."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest

from cx_assets.table import TableSpec, column, from_frame, law, markdown, schema, structure_check, table_asset
from cx_assets.table.checks import judge_structure
from cx_assets.table.warehouse import Warehouse
from cx_assets_tests.runs import run, tamper, verdicts

STOCK = schema(
    "shop",
    "stock",
    "One row per item and place.",
    column("item", "varchar", "The item."),
    column("place", "varchar", "The place; none for what is on its way.", nullable=True),
    column("pieces", "bigint", "How many."),
    column("share", "float", "Of all."),
    key=("item", "place"),
)
ROWS = pd.DataFrame(
    {"item": ["a", "a", "b"], "place": ["x", None, "x"], "pieces": [1, 2, 3], "share": [0.1, 0.2, 0.3]}
).astype({"share": "float32"})


@table_asset(STOCK, code_version="1")
def stock() -> pd.DataFrame:
    """Three rows."""
    return ROWS


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checks") / "working.duckdb"
    run(path, [stock])
    return path


@pytest.fixture
def stored(tmp_path: Path, database: Path) -> Path:
    """A stored table of one's own, to tamper with."""
    copy = tmp_path / "working.duckdb"
    copy.write_bytes(database.read_bytes())
    return copy


def judged(path: Path, spec: TableSpec = STOCK) -> tuple[bool, str, str]:
    with Warehouse(path=str(path)).opened("a test") as warehouse:
        verdict = judge_structure(warehouse, spec)
    examples = verdict.metadata.get("examples")
    return verdict.passed, str(verdict.description), str(examples.value) if examples else ""


def test_a_table_as_declared_passes(stored: Path) -> None:
    passed, text, _ = judged(stored)
    assert passed
    assert text == '0 of 3 rows of shop.stock share their key ("item", "place") with another.'


def test_a_dropped_column_fails_by_name(stored: Path) -> None:
    tamper(stored, "alter table shop.stock drop column pieces")
    passed, text, examples = judged(stored)
    assert not passed
    assert "1 of 4 columns of shop.stock are not as declared. Materialize stock again" in text
    assert "| pieces | declared bigint, stored not at all |" in examples


def test_an_added_column_and_another_type_fail_by_name(stored: Path) -> None:
    tamper(
        stored,
        "alter table shop.stock add column colour varchar",
        "alter table shop.stock alter column pieces set data type double",
    )
    passed, _, examples = judged(stored)
    assert not passed
    assert "| colour | declared not at all, stored varchar |" in examples
    assert "| pieces | declared bigint, stored double |" in examples


def test_a_null_in_a_required_column_fails_and_one_in_a_nullable_column_does_not(stored: Path) -> None:
    tamper(
        stored,
        "alter table shop.stock alter column pieces drop not null",
        "update shop.stock set pieces = null where item = 'b'",
    )
    passed, text, examples = judged(stored)
    assert not passed
    assert "1 of 4 columns of shop.stock lack required values" in text
    assert "| pieces | 1 rows have no value |" in examples


def test_a_key_that_comes_twice_fails_and_shows_the_key_nulls_being_equal(stored: Path) -> None:
    tamper(stored, "insert into shop.stock values ('a', null, 9, 0.5)")
    passed, text, examples = judged(stored)
    assert not passed
    assert "1 of 4 rows of shop.stock share their key" in text
    assert "| item | place | rows |" in examples
    assert "| a |" in examples


def test_a_table_that_was_never_made_fails(stored: Path) -> None:
    tamper(stored, "drop table shop.stock")
    passed, text, _ = judged(stored)
    assert not passed
    assert text.startswith("4 of 4 columns of shop.stock are not as declared")


def test_a_table_without_a_key_is_judged_by_its_columns_alone(stored: Path) -> None:
    tamper(stored, "insert into shop.stock values ('a', null, 9, 0.5)")
    assert judged(stored, schema("shop", "stock", "S.", *STOCK.columns))[0]


def test_the_structure_check_runs_on_what_is_stored_and_blocks(stored: Path) -> None:
    check = structure_check(STOCK)
    (key,) = check.check_keys
    assert check.get_spec_for_check_key(key).blocking
    assert verdicts(run(stored, [stock, check]))["stock: structure"].passed
    tamper(stored, "alter table shop.stock drop column pieces")
    result = run(stored, [stock, check], selection=dg.AssetSelection.checks(check), raise_on_error=False)
    assert not verdicts(result)["stock: structure"].passed


def test_a_law_that_nothing_breaks_passes_and_counts() -> None:
    verdict = law(pd.DataFrame(), 4102, "events have no basket", "Do something.")
    assert verdict.passed
    assert verdict.description == "0 of 4,102 events have no basket."
    assert "examples" not in verdict.metadata


def test_a_broken_law_says_what_to_do_and_shows_five_rows(connection) -> None:
    broken = from_frame(connection, pd.DataFrame({"event_id": [f"e{i}" for i in range(7)]}))
    verdict = law(broken, 4102, "events have no basket", "Fix the export.")
    assert not verdict.passed
    assert verdict.description == "7 of 4,102 events have no basket. Fix the export."
    assert verdict.metadata["broken"].value == 7
    assert verdict.metadata["rows"].value == 4102
    shown = verdict.metadata["examples"].value.splitlines()
    assert shown == ["| event_id |", "| --- |", *(f"| e{i} |" for i in range(5))]


@pytest.mark.parametrize(("broken", "passes"), [(2, True), (3, False)])
def test_a_limit_lets_pass_what_does_not_exceed_it(broken: int, passes: bool) -> None:
    verdict = law(pa.table({"n": range(broken)}), 100, "rows are odd", "Even them.", limit=0.02)
    assert verdict.passed is passes
    told = "" if passes else " Above the limit of 2.0%:"
    assert verdict.description == f"{broken} of 100 rows are odd.{told} Even them."


def test_rows_broken_out_of_none_exceed_every_limit() -> None:
    assert not law(pd.DataFrame({"n": [1]}), 0, "rows", "Advice.", limit=0.9).passed
    assert law(pd.DataFrame(), 0, "rows", "Advice.").passed


def test_severity_and_further_figures_are_handed_on() -> None:
    verdict = law(
        pd.DataFrame({"n": [1]}), 2, "rows", "Advice.", severity=dg.AssetCheckSeverity.WARN, metadata={"days": 3}
    )
    assert verdict.severity is dg.AssetCheckSeverity.WARN
    assert verdict.metadata["days"].value == 3


def test_a_bar_in_a_value_does_not_end_its_cell() -> None:
    assert markdown(pd.DataFrame({"a": ["x|y"], "b": [None]})).splitlines()[2] in (
        r"| x\|y | None |",
        r"| x\|y | nan |",
    )
