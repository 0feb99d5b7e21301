"""More than 40 ways to break what is delivered: what is said of each, and that nothing is lost or half-written.

`test_files`: a run that can't read a file says so, and all tables and published files are as they were (of `whole`).
`test_rows`: rows that break the contract are rejected with reason, file and row; what only looks odd is read whole.
`test_manifests`: a manifest that can't be meant is told by its line before anything is touched.

Elsewhere, and not again here: keys, types and days of a manifest (`test_dataset`); expressions that don't fit their
files (`ingestion.test_problems`); databases, URLs and credentials (`ingestion.test_databases`, `test_mysql`,
`test_sqlite`, `test_remote`); encodings (`ingestion.test_formats`); master data and campaigns
(`warehouse.test_masters`, `test_checks`); a full disk, no leave to write, killed processes (`operations.test_failures`,
`test_processes`); keys of personal data (`privacy.test_keys`).
"""
