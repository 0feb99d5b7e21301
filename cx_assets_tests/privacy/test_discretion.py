"""Laws of what fails: no error that is logged or kept quotes a row, or names a file that is called by a person."""

from pathlib import Path

import pytest

from cx_assets.definitions import build_definitions
from cx_assets.ingestion.fitting import problems
from cx_assets.manifest import ManifestError
from cx_assets.settings import Settings
from cx_assets_tests.privacy.canaries import FILES, PEOPLE, write_aviary
from cx_assets_tests.privacy.canaries import found as found_in
from cx_assets_tests.privacy.test_protection import key as key
from cx_assets_tests.runs import error_of, load_shop
from cx_assets_tests.whole_shop import shipped_instance


@pytest.mark.whole
def test_a_broken_row_is_told_by_line_and_quoted_in_no_log(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path / "exports")
    file = tmp_path / "exports" / "orders" / f"{FILES[0]}.csv"
    name = next(iter(PEOPLE))
    good = file.read_text("utf-8").splitlines()
    # Far down, where looking at the first rows does not notice it.
    lines = [good[0], *good[1:2] * 30_000, f"2024-03-01;{name};a;b;c;d;e;f;too;many"]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    settings = Settings()
    with shipped_instance(settings) as instance:
        result = load_shop(
            settings.warehouse_path, dataset, selection=["raw_events"], instance=instance, raise_on_error=False
        )
    assert not result.success
    assert f"in line {len(lines)}" in error_of(result)
    assert found_in(settings.data_dir, ["raw_events: a file can't be read as aviary.yaml says"])
    assert found_in(settings.data_dir) == {}


def test_definitions_that_do_not_load_quote_no_file(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path)
    for file in (tmp_path / "orders").iterdir():
        file.write_text("at;who\n1;2\n", "utf-8")
    assert any(name in "".join(problems(dataset)) for name in FILES)
    with pytest.raises(ManifestError, match=r"^aviary\.yaml doesn't fit its files: see cx doctor$"):
        build_definitions(Settings(), dataset)


@pytest.mark.whole
def test_a_run_that_meets_a_file_of_other_columns_quotes_no_file(tmp_path: Path) -> None:
    dataset = write_aviary(tmp_path)
    (tmp_path / "orders" / f"{FILES[0]}.csv").write_text("at;who\n1;2\n", "utf-8")
    settings = Settings()
    assert build_definitions(settings, dataset)
    with shipped_instance(settings) as instance:
        result = load_shop(settings.warehouse_path, dataset, instance=instance, raise_on_error=False)
    assert not result.success
    assert "`cx doctor` tells it at the terminal" in error_of(result)
    assert found_in(settings.data_dir) == {}
