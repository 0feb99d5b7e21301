"""`cx impute-report` on the generated shop."""

import hashlib
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.sections import Attribute
from cx_assets_tests.conftest import LoadedShop


def report(shop: LoadedShop, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("CX_DATASET", str(shop.shop.manifest))
    monkeypatch.setenv("CX_DATA_DIR", str(shop.database.parent))
    monkeypatch.setenv("COLUMNS", "160")
    return CliRunner().invoke(app, ["impute-report", *arguments])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_attribute_with_gaps_gets_a_board_and_a_line_that_the_manifest_takes(
    loaded_shop: LoadedShop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = digest(loaded_shop.database)
    told = report(loaded_shop, monkeypatch, "--write", str(tmp_path / "lines.yaml"))
    assert told.exit_code == 0, told.output
    assert digest(loaded_shop.database) == before
    for board in (
        "customers.city",
        "customers.age",
        "customers.member",
        "items.maker: 8 of 40",
        "items.price: 6 of 40",
    ):
        assert board in told.output
    assert "known values are too few to judge by (30)" in told.output
    lines = (tmp_path / "lines.yaml").read_text("utf-8")
    assert lines in told.output
    written = yaml.safe_load(lines)
    declared = {"customers": loaded_shop.shop.dataset.customer_attributes(), "items": {"maker", "price"}}
    assert {table: set(found["attributes"]) for table, found in written.items()} == {
        table: set(names) for table, names in declared.items()
    }
    for found in written.values():
        for attribute in found["attributes"].values():
            Attribute.model_validate(attribute)


def test_before_a_run_it_says_what_to_do(
    loaded_shop: LoadedShop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CX_DATASET", str(loaded_shop.shop.manifest))
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path))
    told = CliRunner().invoke(app, ["impute-report"])
    assert (told.exit_code, told.output) == (1, "There are no tables yet: run `cx run`.\n")


def test_an_attribute_that_the_last_run_did_not_know_is_named(
    loaded_shop: LoadedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = loaded_shop.shop.manifest
    newer = manifest.with_name("newer.yaml")
    newer.write_text(
        manifest.read_text("utf-8").replace("    city:", "    quarter: {expression: town}\n    city:"), "utf-8"
    )
    monkeypatch.setenv("CX_DATASET", str(newer))
    monkeypatch.setenv("CX_DATA_DIR", str(loaded_shop.database.parent))
    told = CliRunner().invoke(app, ["impute-report"])
    assert told.exit_code == 1
    assert "quarter" in told.output
    assert "run `cx run`" in told.output.replace("\n", " ")
