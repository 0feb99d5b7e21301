"""The benchmark of drift: its arithmetic, and what it stores."""

import json
from pathlib import Path

from cx_assets_tests.benchmarks.drift import DEFAULT, Rate, main
from cx_assets_tests.drift.faults import FAULTS
from cx_assets_tests.drift.years import SEASONS


def test_a_rate_is_told_per_30_days_and_as_a_share_with_its_counts() -> None:
    rate = Rate()
    rate.count(1, 20)
    rate.count(2, 40)
    assert (rate.per_30_days, rate.share) == ("1.50 (3 on 60 days)", "5.0% (3 of 60)")


def test_every_season_and_every_kind_of_fault_is_stored(tmp_path: Path) -> None:
    main(["--years", "0", "--default", "0", "--output", str(tmp_path)])
    stored = json.loads((tmp_path / "drift.json").read_text("utf-8"))
    assert list(stored["clean"]) == list(stored["between"]) == [*SEASONS, DEFAULT]
    assert list(stored["caught"]) == list(FAULTS)
