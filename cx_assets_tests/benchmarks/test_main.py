import json

import pytest

from cx_assets_tests.benchmarks import __main__ as bench
from cx_assets_tests.benchmarks import backtests, loads, model_runs, running
from cx_assets_tests.benchmarks.backtests import Backtest
from cx_assets_tests.benchmarks.loads import Loads
from cx_assets_tests.benchmarks.model_runs import Measured, Models
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

    def measure_models(database, folder, times):
        assert database.parents[1].is_dir()
        assert folder.is_dir()
        asked.append(f"models {times}")
        ours = Measured(Run(6.0, 400.0, {"load": 1.0, "fit": 2.0}), 180.0, 0.0)
        theirs = Measured(Run(12.0, 1800.0, {"load": 1.0, "fit": 9.0, "score": 1.0}), 190.0, 2e-6)
        return Models({"counts": [7, 5000, 9]}, {"item cosine": {"cx_assets": ours, "scikit-learn": theirs}})

    def measure_loads(folder, factors, times):
        assert not folder.exists()
        asked.append(f"loads {times}")
        loaded = Run(9.0, 700.0, {"raw_events": 1.0, "events": 3.0}, 1_000_000)
        return Loads(
            {("parquet", factor): loaded for factor in factors},
            {"doctor": Run(4.5, 300.0)},
            {"events as they are": 2.25},
        )

    def run_backtest(data_dir):
        assert data_dir.is_dir()
        asked.append("backtest")
        seconds = {"2017-12-04": {"random": 3.0, "rules": 61.5}, "last basket": {"random": 2.0}}
        return Backtest(Run(345.6, 1700.0, {"backtest_lists": 77.0, "checks": 6.0}), seconds)

    monkeypatch.setattr(running, "run_project", run_project)
    monkeypatch.setattr(loads, "measure_loads", measure_loads)
    monkeypatch.setattr(model_runs, "measure_models", measure_models)
    monkeypatch.setattr(backtests, "run_backtest", run_backtest)
    monkeypatch.setattr(running, "generate", generate)
    monkeypatch.setattr(
        running, "run_plain_script", lambda _: Run(240.0, 3000.0, {"load and clean": 5.0, "rules": 20.0})
    )
    return asked


def test_ratios_and_growth_are_printed_and_stored(asked, tmp_path, capsys):
    bench.main(["--runs", "2", "--scales", "1,2,4", "--output", str(tmp_path)])

    record = json.loads((tmp_path / "latest.json").read_text())
    assert asked == ["complete_journey", "complete_journey", "loads 2", "models 2", "backtest", "x2", "x4"]
    assert record["ratio"] == {"load and clean": 0.5, "rules": 4.0, "total": 4.0}
    assert record["growth_exponent"] == pytest.approx({"load and clean": 1.0, "rules": 2.0, "total": 1.0})
    assert (tmp_path / f"{record['measured_at'][:10]}.json").read_text() == (tmp_path / "latest.json").read_text()
    shown = capsys.readouterr().out
    assert "4.0 x" in shown
    assert "2.00" in shown
    assert "4,000,000" in shown


def test_loading_alone_is_told_by_its_rate_and_its_steps(asked, tmp_path, capsys):
    bench.main(["--runs", "1", "--scales", "1", "--output", str(tmp_path)])

    stored = json.loads((tmp_path / "latest.json").read_text())["loads"]
    assert [(load["times"], load["events_per_second"]) for load in stored["loads"]] == [(1, 250_000), (10, 250_000)]
    assert stored["commands"]["doctor"]["wall_seconds"] == 4.5
    shown = capsys.readouterr().out
    assert "250,000" in shown
    assert "cx doctor" in shown
    assert "DuckDB alone, events as they are" in shown


def test_models_stand_beside_each_other_with_their_seconds_memory_and_difference(asked, tmp_path, capsys):
    bench.main(["--runs", "1", "--scales", "1", "--output", str(tmp_path)])

    stored = json.loads((tmp_path / "latest.json").read_text())["models"]["item cosine"]
    assert (stored["customers"], stored["items"], stored["entries"]) == (7, 5000, 9)
    # Loading isn't the method's.
    assert {name: one["seconds"] for name, one in stored["methods"].items()} == {"cx_assets": 2.0, "scikit-learn": 10.0}
    shown = capsys.readouterr().out
    assert "7 x 5,000" in shown
    assert "5.0 x" in shown
    assert "1,800" in shown
    assert "2e-06" in shown


def test_a_backtest_is_told_by_step_and_by_recommender(asked, tmp_path, capsys):
    bench.main(["--runs", "1", "--scales", "1", "--output", str(tmp_path)])

    stored = json.loads((tmp_path / "latest.json").read_text())["backtest"]
    assert stored["recommenders"]["2017-12-04"] == {"random": 3.0, "rules": 61.5}
    assert stored["stages"] == {"backtest_lists": 77.0, "checks": 6.0}
    shown = capsys.readouterr().out
    assert "345.6" in shown
    assert "61.5" in shown


def test_all_but_the_project_may_be_left_out(asked, tmp_path, capsys):
    skipped = ["--skip-plain", "--skip-loads", "--skip-models", "--skip-backtest"]
    bench.main(["--runs", "1", "--scales", "1", *skipped, "--output", str(tmp_path)])

    record = json.loads((tmp_path / "latest.json").read_text())
    assert asked == ["complete_journey"]
    assert record["plain"] is record["loads"] is record["models"] is record["backtest"] is None
    assert record["growth_exponent"] == {}
    assert "plain script" not in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--scales", "0"], ["--scales", ""], ["--runs", "0"]])
def test_a_number_of_runs_or_a_scale_below_one_is_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        bench.main(wrong)
