"""Stage 1: what was delivered, as it was delivered, with where each row came from."""
