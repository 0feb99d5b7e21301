import pytest

from cx_assets_tests.benchmarks.figures import growth_exponents, median_run, ratios
from cx_assets_tests.benchmarks.running import FailedRunError, Run, comparable_stages, events_of, measure


def test_the_median_is_taken_of_each_figure():
    runs = [Run(10, 100, {"rules": 3.0}, 7), Run(30, 50, {"rules": 1.0}, 7), Run(20, 70, {"rules": 9.0}, 7)]

    assert median_run(runs) == Run(20, 70, {"rules": 3.0}, 7)


def test_the_median_of_no_runs_is_an_error():
    with pytest.raises(ValueError, match="no run"):
        median_run([])


def test_a_ratio_says_how_many_times_as_long_the_plain_script_takes():
    plain, project = Run(100, 0, {"rules": 20.0, "lists": 4.0}), Run(50, 0, {"rules": 5.0})

    assert ratios(plain, project) == {"rules": 4.0, "total": 2.0}


def test_growth_is_the_slope_of_the_logarithms():
    by_scale = {s: Run(s, 0, {"linear": 3.0 * s, "square": 0.5 * s * s, "flat": 2.0}, 1000 * s) for s in (1, 2, 5, 10)}

    assert growth_exponents(by_scale) == pytest.approx({"linear": 1, "square": 2, "flat": 0, "total": 1})


def test_one_scale_has_no_growth():
    assert growth_exponents({1: Run(1, 1, {"rules": 1.0})}) == {}


def test_a_stage_that_took_no_time_has_no_growth():
    assert set(growth_exponents({1: Run(1, 1, {"rules": 0.0}), 2: Run(2, 1, {"rules": 1.0})})) == {"total"}


def test_stages_are_told_under_the_names_of_the_plain_script_and_checks_apart():
    steps = [
        ("raw_events", "ingestion", 1.0, 10),
        ("events", "warehouse", 2.0, 9),
        ("interactions", "matrices", 3.0, 8),
        ("customer_neighbours", "similarity", 4.0, 7),
        ("customer_neighbours_structure", "similarity", 0.5, None),
        ("content_neighbours", "similarity", 5.0, 6),
        ("rules", "rules", 6.0, 5),
    ]
    names = ("name", "stage", "seconds", "rows")
    record = {
        "steps": [{**dict(zip(names, step, strict=True)), "check": step[0].endswith("_structure")} for step in steps]
    }

    assert comparable_stages(record) == {
        "load and clean": 3.0,
        "interactions": 3.0,
        "customer similarity": 4.0,
        "checks": 0.5,
        "content similarity": 5.0,
        "rules": 6.0,
    }
    assert events_of(record) == 9


def test_a_process_is_measured_by_itself():
    run, output = measure("calendar", ["2017", "1"], {})

    assert "January 2017" in output
    assert 0 < run.wall_seconds < 60
    assert 1 < run.peak_mib < 2000


def test_a_process_that_fails_is_reported_with_what_it_said():
    with pytest.raises(FailedRunError, match=r"cx_assets\.cli ended with exit code 1"):
        measure("cx_assets.cli", ["run"], {"CX_DATASET": "no_such_dataset"})
