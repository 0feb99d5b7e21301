"""A schedule or sensor that is on and failed when it was last asked is told of, with what our code said."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._utils.error import SerializableErrorInfo

from cx_assets.operations.ticks import failing

BROKEN = SerializableErrorInfo(
    "Error occurred during the execution of evaluation_fn for sensor new_event_files",
    [],
    "SensorExecutionError",
    cause=SerializableErrorInfo("no column 'at' in events/b.csv.\n", [], "SourceError"),
)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def asked(
    instance: dg.DagsterInstance, *results: TickStatus, status: InstigatorStatus = InstigatorStatus.RUNNING
) -> None:
    """A sensor that was asked some times, one after the other."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("cx_assets.definitions"), "__repository__")
    origin = repository.get_instigator_origin("new_event_files")
    state = InstigatorState(origin, InstigatorType.SENSOR, status, SensorInstigatorData(min_interval=60))
    instance.add_instigator_state(state)
    for number, result in enumerate(results):
        tick = TickData(
            state.instigator_origin_id, state.instigator_name, InstigatorType.SENSOR, result,
            datetime.now(UTC).timestamp() + number, error=BROKEN if result is TickStatus.FAILURE else None,
            selector_id=state.selector_id,
        )  # fmt: skip
        instance.create_tick(tick)


def test_it_is_told_with_the_cause_and_not_with_what_dagster_puts_round_it(instance: dg.DagsterInstance) -> None:
    asked(instance, TickStatus.SKIPPED, TickStatus.FAILURE)
    (found,) = failing(instance)
    assert (found.level, found.what) == (
        "bad",
        "new_event_files failed when it was last asked: no column 'at' in events/b.csv.",
    )


def test_nothing_is_told_once_it_has_succeeded_again(instance: dg.DagsterInstance) -> None:
    asked(instance, TickStatus.FAILURE, TickStatus.SKIPPED)
    assert list(failing(instance)) == []


def test_nothing_is_told_of_one_that_is_off(instance: dg.DagsterInstance) -> None:
    asked(instance, TickStatus.FAILURE, status=InstigatorStatus.STOPPED)
    assert list(failing(instance)) == []
