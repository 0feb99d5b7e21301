"""Stage 6: what is bought together, as frequent itemsets and association rules over baskets."""
