"""Stage 3: what customers did with items, folded into one row per pair, and the sparse matrix over those rows.

Belongs here: folding events into interactions (`interactions`), the weights that the fold uses (`config`) and the
matrix with its two indices (`matrix`). Does not: comparing rows of the matrix (`similarity`) or ranking items
(`recommendations`).
"""
