"""After stage 2: is what came today like what came before? Figures of each day and column, and what they should be."""
