"""The walk that the README shows to whoever has data of their own: its commands, its corrections, its output."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from cx_assets_tests.processes import PATIENCE, ROOT
from cx_assets_tests.reconciliation import unaccounted

pytestmark = pytest.mark.whole

SECTION = (ROOT / "README.md").read_text("utf-8").partition("## Your own data")[2].partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    """The code blocks of the README's section, in order."""
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


@dataclass(frozen=True)
class Walked:
    """The folder after the walk, and what each command printed, by its own words."""

    folder: Path
    printed: dict[str, str]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Every command of the first block, in a shell as the README tells, and the corrections before the doctor."""
    folder = tmp_path_factory.mktemp("walk")
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    cx = bin_folder / "cx"
    cx.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cx_assets.cli "$@"\n', "utf-8")
    cx.chmod(0o755)
    (bin_folder / "python").symlink_to(sys.executable)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CX_", "DAGSTER_"))},
        "PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "120",
    }  # fmt: skip
    printed = {}
    for line in blocks("sh")[0].splitlines():
        command = line.partition("#")[0].strip()
        if "doctor" in command:
            correct(folder / "exports" / "my_shop.yaml")
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        printed[command] = done.stdout
    yield Walked(folder, printed)
    shutil.rmtree(folder / "data")


def correct(manifest: Path) -> None:
    """Replace each line that the README's diff takes away by the one that it adds."""
    text = manifest.read_text("utf-8")
    lines = blocks("diff")[0].splitlines()
    for old, new in zip(lines[::2], lines[1::2], strict=True):
        assert (old[0], new[0]) == ("-", "+")
        assert text.count(f"\n{old[1:]}\n") == 1, f"not in the manifest, or twice: {old}"
        text = text.replace(f"\n{old[1:]}\n", f"\n{new[1:]}\n")
    manifest.write_text(text, "utf-8")


@pytest.mark.parametrize(("number", "word"), [(0, "init"), (1, "doctor")])
def test_the_readme_shows_what_is_printed(walked: Walked, number: int, word: str) -> None:
    (printed,) = (text for command, text in walked.printed.items() if f"cx {word}" in command)
    told = [line.rstrip() for line in printed.splitlines()]
    shown = [line.rstrip() for line in blocks("text")[number].splitlines() if line.strip() not in ("", "…")]
    assert len(shown) > 5
    assert [line for line in shown if line not in told] == []


def test_the_walk_ends_in_published_lists_and_a_report(walked: Walked) -> None:
    published = walked.folder / "data" / "published"
    assert (published / "report.html").stat().st_size > 10_000
    assert unaccounted(published / "cx.duckdb") == {}
    with duckdb.connect(str(published / "cx.duckdb"), read_only=True) as connection:
        lists, customers, reasons = connection.execute(
            "select count(distinct list), count(distinct customer_id), count(reason) "
            "from recommendations.recommendations"
        ).fetchall()[0]
        withdrawn = connection.execute(
            "select outcome, count(*) from warehouse.withdrawn_events group by outcome order by outcome"
        ).fetchall()
        rejected = connection.execute("select count(*) from warehouse.rejected_events").fetchall()[0][0]
        categories = connection.execute("select distinct category from warehouse.items order by category").fetchall()
    assert lists == 3
    assert customers == 70
    assert reasons > 1000
    assert (withdrawn, rejected) == ([("return", 23), ("returned", 23)], 0)
    assert [row[0] for row in categories] == ["Gebäck", "Kaffee", "Tee", "Töpfchen", "Töpfe", "Tücher"]


def test_nothing_personal_reaches_the_published_files(walked: Walked) -> None:
    written = [path.read_bytes() for path in (walked.folder / "data" / "published").rglob("*") if path.is_file()]
    for personal in ("Käthe Schäfer", "beispiel.example", "Gänseweg", "555003"):
        assert not any(personal.encode() in data for data in written)
