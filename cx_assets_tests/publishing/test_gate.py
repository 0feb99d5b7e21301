"""Laws of the gate: it opens when every blocking check vouches for the rows that are there now."""

from collections.abc import Iterator

import dagster as dg
import pytest

from cx_assets.publishing.gate import unmet


class Table:
    """An asset with a blocking check whose verdict the test chooses, and the history of its runs."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.verdict = dg.AssetCheckResult(passed=True)
        self.broken = False

        @dg.asset(name="table")
        def asset() -> None:
            if self.broken:
                raise ZeroDivisionError

        @dg.asset_check(asset=asset, blocking=True)
        def law() -> dg.AssetCheckResult:
            if self.verdict is None:
                raise ZeroDivisionError
            return self.verdict

        self.asset, self.check = asset, law

    def run(self, *, asset: bool = True, check: bool = True) -> None:
        selection = dg.AssetSelection.assets(self.asset) if asset else dg.AssetSelection.checks(self.check)
        if asset and not check:
            selection = selection.without_checks()
        dg.materialize([self.asset, self.check], instance=self.instance, selection=selection, raise_on_error=False)

    def reasons(self) -> list[str]:
        return unmet(self.instance, self.check.check_specs)


@pytest.fixture
def table() -> Iterator[Table]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Table(instance)


def test_a_table_whose_check_passed_after_it_was_materialized_may_be_published(table: Table) -> None:
    table.run()
    assert table.reasons() == []


def test_a_table_that_was_never_materialized_may_not(table: Table) -> None:
    assert table.reasons() == ["table: law: the table was never materialized"]


def test_a_table_whose_check_never_ran_may_not(table: Table) -> None:
    table.run(check=False)
    assert table.reasons() == ["table: law: never ran"]


def test_a_table_whose_check_failed_may_not_for_the_reason_that_it_gave(table: Table) -> None:
    table.verdict = dg.AssetCheckResult(passed=False, description="3 of 7 rows are odd. Even them.")
    table.run()
    assert table.reasons() == ["table: law: 3 of 7 rows are odd. Even them."]


def test_a_check_that_fails_with_a_warning_does_not_stand_in_the_way(table: Table) -> None:
    table.verdict = dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)
    table.run()
    assert table.reasons() == []


def test_a_verdict_on_older_rows_does_not_count_until_the_check_ran_again(table: Table) -> None:
    table.run()
    table.run(check=False)
    assert table.reasons() == ["table: law: ran before the table was last materialized"]
    table.run(asset=False)
    assert table.reasons() == []


def test_a_verdict_on_older_rows_of_another_table_that_the_check_reads_does_not_count(table: Table) -> None:
    table.run()
    (spec,) = table.check.check_specs
    reading = dg.AssetCheckSpec(spec.name, asset=spec.asset_key, additional_deps=["other"], blocking=True)
    assert unmet(table.instance, [reading]) == []
    table.instance.report_runless_asset_event(dg.AssetMaterialization("other"))
    assert unmet(table.instance, [reading]) == ["table: law: ran before other was last materialized"]


def test_a_check_that_broke_down_does_not_vouch(table: Table) -> None:
    table.verdict = None
    table.run()
    assert table.reasons() == ["table: law: did not finish"]


def test_a_run_that_failed_before_it_wrote_leaves_the_verdict_on_the_rows_that_are_there(table: Table) -> None:
    table.run()
    table.broken = True
    table.run()
    assert table.reasons() == []


def test_new_rows_whose_check_broke_down_have_no_verdict(table: Table) -> None:
    table.run()
    table.verdict = None
    table.run()
    assert table.reasons() == ["table: law: ran before the table was last materialized"]


def test_a_check_that_another_run_plans_vouches_as_before(table: Table) -> None:
    table.run()
    job = dg.define_asset_job("everything", selection=dg.AssetSelection.all())
    definitions = dg.Definitions([table.asset], asset_checks=[table.check], jobs=[job])
    planned = table.instance.create_run_for_job(definitions.resolve_job_def("everything"))
    (spec,) = table.check.check_specs
    latest = table.instance.event_log_storage.get_asset_check_execution_history(spec.key, limit=1)
    assert [record.run_id for record in latest] == [planned.run_id]
    assert table.reasons() == []


def test_of_several_checks_each_that_does_not_vouch_is_told_in_order(table: Table) -> None:
    table.run()
    unknown = dg.AssetCheckSpec("structure", asset="a_table", blocking=True)
    assert unmet(table.instance, [*table.check.check_specs, unknown]) == [
        "a_table: structure: the table was never materialized"
    ]
