"""Commands that run nothing don't wait for what only a run needs: loading it takes longer than all that they do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cx_assets_tests.shop import write_tiny

RUNS_ONLY = ("dagster", "pandas", "scipy", "sklearn", "sqlalchemy")
AT_THE_END = f"""
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(set({RUNS_ONLY}) & set(sys.modules)))))
from cx_assets.cli import main
main()
"""


@pytest.mark.parametrize("command", [["doctor"], ["init", "mine", "--from", "events"], ["--help"], ["rejected"]])
def test_a_command_that_runs_nothing_loads_no_library_of_runs(tmp_path: Path, command: list[str]) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}]})
    own = {"CX_DATASET": str(dataset.path), "CX_DATA_DIR": str(tmp_path / "data"), "DAGSTER_HOME": ""}
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END, *command],
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
