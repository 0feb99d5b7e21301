"""The laws of what was delivered: every file that exists is in, every row knows its source.

Belongs here: completeness of the load. Does not: whether rows keep the contract (`warehouse.checks`).
"""

from cx_assets.dataset import Dataset
from cx_assets.ingestion.columns import Row, changes_of, stops_for_columns
from cx_assets.ingestion.late import late_rows
from cx_assets.ingestion.mapping import mapped_sources
from cx_assets.ingestion.places import existing
from cx_assets.ingestion.reader import has_rows_to_load
from cx_assets.privacy.discretion import discreet
from cx_assets.privacy.protection import Protection
from cx_assets.table import Table, sql
from cx_assets.table.laws import Judgement, Law, judgement, table_law
from cx_assets.table.removed import removed_files

NAMED = 5


def ingestion_laws(dataset: Dataset, protection: Protection) -> list[Law]:
    """The stage's checks for a dataset."""

    @table_law("raw_events", blocking=True)
    def events_name_their_source(raw_events: Table) -> Judgement:
        """Every raw event tells a file of the manifest and a row in it, on a day of the dataset."""
        return judgement(
            sql(
                f"""
                select * from raw_events
                where source_file = '' or source_row < 1
                    or day < date '{dataset.first_day}' or day > date '{dataset.last_known_day}'
                """,
                raw_events=raw_events,
            ),
            raw_events.count(),
            "raw events tell|tells no source or a day that the dataset doesn't have",
            "Correct first_day and last_day in the manifest, then materialize raw_events again.",
        )

    @table_law("raw_events", blocking=False)
    def every_event_file_is_loaded(raw_events: Table) -> Judgement:
        """Every event file, URL, table or query has rows in the table, or had until they were old.

        One that holds none of a day that is over isn't missed.
        """
        files = {
            protection.told_name(mapped.source, path): (mapped, path)
            for name, mapped in mapped_sources(dataset)
            if name == "events"
            for path in existing(dataset, mapped)
        }
        loaded = sql("select distinct source_file from raw_events", raw_events=raw_events).fetchall()
        known = {str(row[0]) for row in loaded} | removed_files(raw_events.connection, "ingestion.raw_events")
        found = files.keys() - known
        with discreet(dataset, "raw_events"):
            missing = sorted(name for name in found if has_rows_to_load(dataset, *files[name]))
        return Judgement(
            passed=not missing,
            warns=True,
            text=f"{len(missing)} of {len(files)} event files have no row in ingestion.raw_events."
            + (f" Materialize the days that they hold: {', '.join(missing[:5])}." if missing else ""),
            figures={"files": len(files), "not loaded": len(missing)},
        )

    @table_law("raw_events", blocking=False)
    def late_rows_are_loaded(raw_events: Table, delivered_columns: Table) -> Judgement:
        """Every row that files hold of the days that are loaded is in the table, also if its file came later."""
        with discreet(dataset, "raw_events"):
            late = late_rows(dataset, raw_events, delivered_columns, protection.told_name)
        if not late:
            return Judgement(passed=True, text="No file holds rows of loaded days that are not in the table.")
        rows, files = sum(one.rows for one in late), len({one.file for one in late})
        first, last = min(one.day for one in late), max(one.day for one in late)
        return Judgement(
            passed=False,
            warns=True,
            text=f"{_counted(rows, 'row')} of {_counted(files, 'event file')} came after their days were loaded, which "
            f"are {first} to {last}. Load these days again: `cx run --first {first} --last {last}`.",
            figures={"rows": rows, "files": files, "days": len({one.day for one in late})},
        )

    stops = any(stops_for_columns(dataset, name) for name in ("events", "customers", "items"))

    @table_law("delivered_columns", blocking=stops)
    def columns_are_as_before(delivered_columns: Table) -> Judgement:
        """The columns of the files that came last are those of the files before, of the same kinds."""
        return judged_columns(dataset, delivered_columns.arrow().to_pylist())

    return [events_name_their_source, every_event_file_is_loaded, late_rows_are_loaded, columns_are_as_before]


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"


def judged_columns(dataset: Dataset, rows: list[Row]) -> Judgement:
    """The verdict on the columns of the last look; one that is new never stops a run.

    Args:
        dataset: for what its contract stops a run for.
        rows: of `ingestion.delivered_columns`.
    """
    changed = changes_of(rows)
    stopping = [row for row, _ in changed if row["expected"] and stops_for_columns(dataset, row["delivered_as"])]
    texts = "; ".join(text for _, text in changed[:NAMED])
    more = f"; and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
    return Judgement(
        passed=not changed,
        warns=not stopping,
        text=f"{texts}{more}. If it is meant to be so, see that the manifest fits; else correct the export."
        if changed
        else "The columns of the last files are as before.",
        figures={"changed columns": len(changed), "columns": len(rows)},
    )
