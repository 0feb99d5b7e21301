"""Item neighbours and EASE on one and the same matrix: the project's way, and those of the libraries for it.

    python -m cx_assets_tests.benchmarks.models prepare DATABASE FOLDER
    python -m cx_assets_tests.benchmarks.models run TASK METHOD FOLDER
    python -m cx_assets_tests.benchmarks.models compare TASK FOLDER

Belongs here: what one measured process does. Does not: starting them (`model_runs`). A method is imported when it is
its turn, so that nobody's libraries count as another's memory.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, load_npz, save_npz

from cx_assets_tests.benchmarks.model_runs import MATRICES, OURS, TASKS

NEIGHBOURS = 100
PLACES = 20
L2 = 300.0
CUSTOMERS_AT_ONCE = 256

Made = tuple[NDArray[np.float32], dict[str, float]]
"""The highest values of every row, descending, and seconds by stage. Not ids: equals may come in any order."""


def prepare(database: Path, folder: Path) -> dict[str, list[int]]:
    """Write the matrices that the methods work on: float32 CSR of shape (customers, items).

    Args:
        database: published, with matrices.interactions.
        folder: where `<matrix>.npz` go.

    Returns:
        Customers, items and entries of each.
    """
    import duckdb

    query = """
        with items as (
            select item_id, count(*) as customers, row_number() over (order by item_id) - 1 as position
            from matrices.interactions group by item_id having count(*) >= ?
        ), customers as (
            select customer_id, row_number() over (order by customer_id) - 1 as position
            from (select distinct customer_id from matrices.interactions)
        )
        select c.position as customer, i.position as item, cast(m.events as float) as events
        from matrices.interactions m
        join items i on i.item_id = m.item_id
        join customers c on c.customer_id = m.customer_id
    """
    sizes = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for name, (fewest, counted) in MATRICES.items():
            rows = connection.execute(query, [fewest]).fetchnumpy()
            values = np.log1p(rows["events"]) if counted else np.ones(len(rows["events"]))
            matrix = csr_matrix((values.astype(np.float32), (rows["customer"], rows["item"])))
            matrix.sort_indices()
            save_npz(folder / f"{name}.npz", matrix)
            sizes[name] = [*matrix.shape, matrix.nnz]
    return sizes


def run(task: str, method: str, folder: Path) -> dict[str, float]:
    """Do one task by one method; what it made goes to `<task> <method>.npy`.

    Returns:
        Seconds by stage; `load` is of the matrix and of what the method imports. And `before MiB`, the peak of memory
        before the method began.
    """
    start = time.perf_counter()
    matrix = csr_matrix(load_npz(folder / f"{TASKS[task][0]}.npz"))
    work = METHODS[task.split(",")[0], method]()
    loaded = time.perf_counter() - start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    values, seconds = work(matrix)
    np.save(folder / f"{task} {method}.npy", values)
    return {"load": loaded, **seconds, "before MiB": before}


def compare(task: str, folder: Path) -> dict[str, float]:
    """By how much each method's values differ from the project's, at most."""
    ours = np.load(folder / f"{task} {OURS}.npy")
    return {
        method: float(np.abs(np.load(folder / f"{task} {method}.npy") - ours).max(initial=0.0))
        for method in TASKS[task][1]
    }


def project_cosine() -> Callable[[csr_matrix], Made]:
    """`similarity.cosine`."""
    from cx_assets.similarity.cosine import top_k_cosine

    def work(matrix: csr_matrix) -> Made:
        near, seconds = timed(lambda: top_k_cosine(csr_matrix(matrix.T), NEIGHBOURS).matrix)
        return highest(near), {"fit": seconds}

    return work


def implicit_cosine() -> Callable[[csr_matrix], Made]:
    """The CosineRecommender of implicit, which counts an item among its own neighbours, so it gets one more."""
    from implicit.nearest_neighbours import CosineRecommender

    def work(matrix: csr_matrix) -> Made:
        model = CosineRecommender(K=NEIGHBOURS + 1, num_threads=0)
        _, seconds = timed(lambda: model.fit(matrix, show_progress=False))
        near = csr_matrix(model.similarity)
        near.setdiag(0)
        near.eliminate_zeros()
        return highest(near), {"fit": seconds}

    return work


def sklearn_cosine() -> Callable[[csr_matrix], Made]:
    """The brute force of scikit-learn, which makes every distance, some rows at a time."""
    from sklearn.neighbors import NearestNeighbors

    def work(matrix: csr_matrix) -> Made:
        columns = csr_matrix(matrix.T)
        model = NearestNeighbors(
            n_neighbors=min(NEIGHBOURS, columns.shape[0] - 1), metric="cosine", algorithm="brute", n_jobs=-1
        )
        (distances, _), seconds = timed(lambda: model.fit(columns).kneighbors())
        found = np.zeros((len(distances), NEIGHBOURS), dtype=np.float32)
        found[:, : distances.shape[1]] = 1 - distances
        return found, {"fit": seconds}

    return work


def project_ease() -> Callable[[csr_matrix], Made]:
    """`recommendations.ease`, scoring every customer."""
    from cx_assets.recommendations.ease import Ease

    def work(matrix: csr_matrix) -> Made:
        # All that it looks at of a training.
        popularity = np.bincount(matrix.indices, minlength=matrix.shape[1])
        training: Any = SimpleNamespace(had=matrix, popularity=popularity)
        fitted, fitting = timed(lambda: Ease(l2=L2, min_customers=1).fit(training))
        found, scoring = timed(lambda: best_scores(fitted.dense, matrix.shape[0]))
        return found, {"fit": fitting, "score": scoring}

    return work


def numpy_ease() -> Callable[[csr_matrix], Made]:
    """EASE as its paper lists it, over items by items: Steck (2019), section 3.1."""

    def weights(matrix: csr_matrix) -> NDArray[np.float64]:
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += L2
        found = np.linalg.inv(gram)
        found /= -np.diag(found).copy()
        np.fill_diagonal(found, 0)
        return found

    def work(matrix: csr_matrix) -> Made:
        fitted, fitting = timed(lambda: weights(matrix))
        found, scoring = timed(lambda: best_scores(lambda some: matrix[some] @ fitted, matrix.shape[0]))
        return found, {"fit": fitting, "score": scoring}

    return work


METHODS: dict[tuple[str, str], Callable[[], Callable[[csr_matrix], Made]]] = {
    ("item cosine", OURS): project_cosine,
    ("item cosine", "implicit"): implicit_cosine,
    ("item cosine", "scikit-learn"): sklearn_cosine,
    ("ease", OURS): project_ease,
    ("ease", "numpy"): numpy_ease,
}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What something returns, and how many seconds it took."""
    start = time.perf_counter()
    made = work()
    return made, time.perf_counter() - start


def highest(near: csr_matrix) -> NDArray[np.float32]:
    """The highest `NEIGHBOURS` values of every row, descending, 0 where there are fewer."""
    rows = np.repeat(np.arange(near.shape[0]), np.diff(near.indptr))
    order = np.lexsort((-near.data, rows))
    rank = np.arange(len(order)) - near.indptr[rows]
    found = np.zeros((near.shape[0], NEIGHBOURS), dtype=np.float32)
    kept = rank < NEIGHBOURS
    found[rows[kept], rank[kept]] = near.data[order][kept]
    return found


def best_scores(score: Callable[[NDArray[np.intp]], Any], customers: int) -> NDArray[np.float32]:
    """The highest `PLACES` scores of every customer, descending, some customers at a time."""
    parts = []
    for start in range(0, customers, CUSTOMERS_AT_ONCE):
        scores = np.asarray(score(np.arange(start, min(start + CUSTOMERS_AT_ONCE, customers))))
        places = min(PLACES, scores.shape[1])
        best = -np.partition(-scores, places - 1, axis=1)[:, :places]
        parts.append(-np.sort(-best, axis=1).astype(np.float32))
    return np.concatenate(parts)


def main(arguments: list[str] | None = None) -> None:
    """Do what the arguments say and print what it tells as one line of JSON, the last of the output."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("prepare")
    one.add_argument("database", type=Path)
    one.add_argument("folder", type=Path)
    one = commands.add_parser("run")
    one.add_argument("task", choices=list(TASKS))
    one.add_argument("method")
    one.add_argument("folder", type=Path)
    one = commands.add_parser("compare")
    one.add_argument("task", choices=list(TASKS))
    one.add_argument("folder", type=Path)
    given = vars(parser.parse_args(arguments))
    told = {"prepare": prepare, "run": run, "compare": compare}[given.pop("command")](**given)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
