"""Running a job for a person at a terminal, and telling how it went.

Belongs here: what the commands that run jobs share. Does not: arguments and exit codes (`cli`) or what is printed while
a job runs (`progress`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.progress import Progress
from cx_assets.settings import DATABASE, Settings


def over(first: str, last: str) -> dict[str, str]:
    """The tags of a run over a range of partitions."""
    return {RANGE_START: first, RANGE_END: last}


def execute(
    name: str, progress: Progress, tags: Mapping[str, str], configured: Mapping[str, Any] | None = None
) -> dg.ExecuteInProcessResult:
    """Run a job in this process.

    Args:
        name: the job's.
        progress: told of every step.
        tags: `over` a range, for a job with partitions.
        configured: configuration by asset.
    """
    ops = {asset: {"config": dict(config)} for asset, config in (configured or {}).items()}
    with dg.DagsterInstance.get() as instance:
        return reporting_job(name, progress).execute_in_process(
            instance=instance,
            tags=dict(tags),
            run_config={"loggers": {"progress": {}}, "ops": ops},
            raise_on_error=False,
        )


def reporting_job(name: str, progress: Progress) -> dg.JobDefinition:
    """A job, told to report its progress."""
    # The definitions are made from the environment, so not before it is complete.
    from cx_assets.definitions import defs

    reporting = dg.Definitions(loggers={"progress": progress.logger()})
    job = dg.Definitions.merge(defs(), reporting).resolve_job_def(name)
    graph = job.asset_layer.asset_graph
    stages = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    checks = [(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys]
    progress.expect(stages, {f"{asset}_{check}": stages[asset] for asset, check in checks})
    return job


def write_record(settings: Settings, progress: Progress, run_id: str, seconds: float, *, success: bool) -> None:
    """Note what a run did and how long each step took, for whoever asks later."""
    record = {
        "run_id": run_id,
        "success": success,
        "seconds": round(seconds, 2),
        "stages": progress.stage_seconds(),
        "steps": [vars(step) for step in progress.steps],
    }
    (settings.data_dir / "last_run.json").write_text(json.dumps(record, indent=1), "utf-8")


def tell_failure(console: Console, progress: Progress, home: Path) -> None:
    """Say what failed, and why."""
    failed = ", ".join(step.name for step in progress.steps if not step.ok) or "no step was run"
    console.print(
        f"\n[red]Failed: {failed}.[/] Every table is whole, old or new, and readers have what was last published.",
        soft_wrap=True,
    )
    for message in progress.errors:
        console.print(f"[red]{escape(message)}[/]", soft_wrap=True)
    console.print("The whole story is in the web UI, under Runs: make dev, or")
    # On a line of its own, and never wrapped: it is there to be copied.
    console.print(f"  DAGSTER_HOME={escape(str(home))} dagster dev -w workspace.yaml", soft_wrap=True)


def tell_success(console: Console, settings: Settings, home: Path, progress: Progress, seconds: float) -> None:
    """Say what was done, and what there is to open."""
    rows = sum(step.rows or 0 for step in progress.steps)
    warnings = f", {progress.warnings} warnings" if progress.warnings else ""
    console.print(
        f"\n[green]Done[/] in {seconds:.0f} s: {len(progress.assets_done)} tables, {rows:,} rows, "
        f"{progress.checks_done} checks{warnings}.\n"
    )
    published = settings.published_dir
    for name, what in (
        ("report", published / "report.html"),
        ("database", published / DATABASE),
        ("Parquet", published / "parquet"),
        ("web UI", f"make dev, or DAGSTER_HOME={home} dagster dev -w workspace.yaml"),
    ):
        console.print(f"  {name:<10}{what}", soft_wrap=True)
