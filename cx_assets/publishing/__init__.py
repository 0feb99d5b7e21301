"""Stage 9: what readers use: one read-only database, Parquet files and the report, replaced together or not at all."""
