"""What the project consists of, as a short text: `python -m cx_assets_tests.snapshot` writes it anew.

Belongs here: names. Does not: what they do, which is for the tests of each stage. The text is in the repository, so
that a table, a check or a job appears, disappears or changes its name only on purpose.
"""

import tempfile
from pathlib import Path

import dagster as dg

from cx_assets.definitions import build_definitions
from cx_assets.progress import STAGES
from cx_assets.settings import Settings

SNAPSHOT = Path(__file__).with_name("snapshot.txt")


def snapshot(definitions: dg.Definitions) -> str:
    """Assets with their checks by group, jobs with what they select, schedules and sensors.

    A `*` marks what blocks; `daily` and `weekly` what has partitions.
    """
    graph = definitions.resolve_asset_graph()
    blocking = {spec.key for checks in definitions.asset_checks or [] for spec in checks.check_specs if spec.blocking}
    repository = definitions.get_repository_def()
    lines = []
    for group in STAGES:
        lines.append(group)
        for key in sorted(graph.get_all_asset_keys()):
            node = graph.get(key)
            if node.group_name == group:
                by = ""
                if isinstance(node.partitions_def, dg.TimeWindowPartitionsDefinition):
                    by = " (weekly)" if isinstance(node.partitions_def, dg.WeeklyPartitionsDefinition) else " (daily)"
                names = sorted(check.name + "*" * (check in blocking) for check in node.check_keys)
                lines.append(f"  {key.to_user_string()}{by}: {', '.join(names)}")
    lines.append("jobs")
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            selected = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
            every = {key.to_user_string() for key in graph.get_all_asset_keys()}
            left_out = every - selected
            shown = (
                f"all but {', '.join(sorted(left_out))}"
                if len(left_out) < len(selected)
                else ", ".join(sorted(selected))
            )
            lines.append(f"  {job.name}: {shown if left_out else 'all'}")
    lines.append("schedules")
    lines += [f"  {s.name}: {s.cron_schedule} {s.execution_timezone}" for s in repository.schedule_defs]
    lines.append("sensors")
    lines += [f"  {sensor.name}: {sensor.sensor_type.value}" for sensor in repository.sensor_defs]
    return "\n".join(lines) + "\n"


def default_definitions() -> dg.Definitions:
    """The project on the dataset that ships, whatever the environment says."""
    return build_definitions(Settings(dataset="complete_journey", data_dir=Path(tempfile.gettempdir()) / "cx_assets"))


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(default_definitions()), "utf-8")
    print(f"written: {SNAPSHOT}")
