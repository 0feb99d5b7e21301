import json

import pytest

from cx_assets_tests.benchmarks import __main__ as bench
from cx_assets_tests.benchmarks import running
from cx_assets_tests.benchmarks.running import Run


@pytest.fixture
def asked(monkeypatch):
    """What the benchmark asked to be run, with runs of made-up length in place of real ones."""
    asked = []

    def run_project(dataset, data_dir, scale):
        asked.append(dataset)
        data_dir.mkdir(parents=True)
        assert dataset == (f"x{scale}" if scale > 1 else "complete_journey")
        return Run(60.0 * scale, 1000.0, {"load and clean": 10.0 * scale, "rules": 5.0 * scale**2}, 1_000_000 * scale)

    def generate(factor, folder):
        folder.mkdir(parents=True)
        return f"x{factor}"

    monkeypatch.setattr(running, "run_project", run_project)
    monkeypatch.setattr(running, "generate", generate)
    monkeypatch.setattr(
        running, "run_plain_script", lambda _: Run(240.0, 3000.0, {"load and clean": 5.0, "rules": 20.0})
    )
    return asked


def test_ratios_and_growth_are_printed_and_stored(asked, tmp_path, capsys):
    bench.main(["--runs", "2", "--scales", "1,2,4", "--output", str(tmp_path)])

    record = json.loads((tmp_path / "latest.json").read_text())
    assert asked == ["complete_journey", "complete_journey", "x2", "x4"]
    assert record["ratio"] == {"load and clean": 0.5, "rules": 4.0, "total": 4.0}
    assert record["growth_exponent"] == pytest.approx({"load and clean": 1.0, "rules": 2.0, "total": 1.0})
    assert (tmp_path / f"{record['measured_at'][:10]}.json").read_text() == (tmp_path / "latest.json").read_text()
    shown = capsys.readouterr().out
    assert "4.0 x" in shown
    assert "2.00" in shown
    assert "4,000,000" in shown


def test_the_plain_script_and_larger_scales_may_be_left_out(asked, tmp_path, capsys):
    bench.main(["--runs", "1", "--scales", "1", "--skip-plain", "--output", str(tmp_path)])

    record = json.loads((tmp_path / "latest.json").read_text())
    assert asked == ["complete_journey"]
    assert record["plain"] is None
    assert record["growth_exponent"] == {}
    assert "plain script" not in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--scales", "0"], ["--scales", ""], ["--runs", "0"]])
def test_a_number_of_runs_or_a_scale_below_one_is_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        bench.main(wrong)
