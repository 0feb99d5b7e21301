"""Stage 8: how good the recommendations are, measured on days that no recommender has seen."""
