"""Stage 2: the clean, typed truth: events that keep the contract, those that don't, customers, items, baskets."""
