import json

import duckdb
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cx_assets_tests.benchmarks import model_runs, models, running
from cx_assets_tests.benchmarks.model_runs import MATRICES, TASKS, measure_models
from cx_assets_tests.benchmarks.running import Run


@pytest.fixture
def folder(tmp_path):
    """A folder with a published database of 40 customers and 250 items, most of them rare."""
    draw = np.random.default_rng(1)
    had = draw.random((40, 250)) < np.linspace(0.9, 0.05, 250)
    events = draw.integers(1, 9, size=had.shape)
    with duckdb.connect(str(tmp_path / "cx.duckdb")) as connection:
        connection.execute("create schema matrices")
        connection.execute("create table matrices.interactions (customer_id varchar, item_id varchar, events bigint)")
        rows = [(f"c{c:02d}", f"i{i:03d}", int(events[c, i])) for c, i in np.argwhere(had)]
        connection.executemany("insert into matrices.interactions values (?, ?, ?)", rows)
    return tmp_path


def told(capsys, *arguments):
    models.main([str(argument) for argument in arguments])
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.filterwarnings("ignore::implicit.utils.ParameterWarning")
def test_every_method_of_a_task_makes_what_the_project_makes(folder, capsys):
    sizes = told(capsys, "prepare", folder / "cx.duckdb", folder)
    assert set(sizes) == set(MATRICES)
    assert 100 < sizes["had"][1] < sizes["counts"][1] < 250
    for task, (_, methods) in TASKS.items():
        for method in methods:
            seconds = told(capsys, "run", task, method, folder)
            assert {"load", "fit", "before MiB"} <= set(seconds)
            assert min(seconds.values()) > 0
        differences = told(capsys, "compare", task, folder)
        assert list(differences) == list(methods)
        assert max(differences.values()) < 1e-4
        assert np.load(folder / f"{task} cx_assets.npy").any()


def test_a_method_that_makes_something_else_is_told_by_how_much(tmp_path):
    np.save(tmp_path / "ease cx_assets.npy", np.array([[0.5, 0.25]], dtype=np.float32))
    np.save(tmp_path / "ease numpy.npy", np.array([[0.5, 0.75]], dtype=np.float32))
    assert models.compare("ease", tmp_path) == {"cx_assets": 0.0, "numpy": 0.5}


def test_the_highest_values_of_a_row_descend_and_end_with_zeros():
    near = csr_matrix(np.array([[0, 0.25, 0.5], [0, 0, 0], [1, 0, 0]], dtype=np.float32))
    assert models.highest(near)[:, :3].tolist() == [[0.5, 0.25, 0], [0, 0, 0], [1, 0, 0]]


def test_every_method_has_a_process_of_its_own_and_the_median_counts(tmp_path, monkeypatch):
    asked = []

    def measure(module, arguments, environment):
        asked.append(arguments[:-1])
        if arguments[0] == "prepare":
            said = {name: [2, 3, 4] for name in MATRICES}
        elif arguments[0] == "compare":
            said = dict.fromkeys(TASKS[arguments[1]][1], 0.25)
        else:
            said = {"load": 5.0, "fit": float(len(asked)), "before MiB": 50.0 + len(asked)}
        return Run(10.0, 100.0 + len(asked), {}), f"something said before\n{json.dumps(said)}\n"

    monkeypatch.setattr(running, "measure", measure)
    found = measure_models(tmp_path / "cx.duckdb", tmp_path, 3)

    # The matrices are made first, so the project's runs of the first task are the second to the fourth process.
    first = found.tasks["item cosine"]["cx_assets"]
    assert (first.seconds, first.run.peak_mib, first.before_mib, first.difference) == (3.0, 103.0, 54.0, 0.25)
    methods = [(task, method) for task, (_, names) in TASKS.items() for method in names]
    assert asked.count(["run", "ease", "numpy"]) == 3
    assert len(asked) == 1 + 3 * len(methods) + len(TASKS)
    assert found.as_dict()["ease"]["items"] == 3


def test_there_is_code_for_every_method_that_is_named():
    named = {(task.split(",")[0], method) for task, (_, methods) in model_runs.TASKS.items() for method in methods}
    assert named == set(models.METHODS)
