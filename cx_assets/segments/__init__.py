"""Stage 5: what each customer is like, which segment that makes, and what the segments are."""
