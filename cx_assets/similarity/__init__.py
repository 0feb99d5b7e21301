"""Stage 4: who is like whom, and what is like what.

Belongs here: the k nearest rows of each row, by cosine (`cosine`), by Pearson correlation (`pearson`) and by the
attributes of items (`content`), all sparse and top-k. Does not: weighting events (`matrices`) or making lists for a
customer (`recommendations`).
"""

from cx_assets.similarity.content import described_by, top_k_content
from cx_assets.similarity.cosine import top_k_cosine
from cx_assets.similarity.neighbours import Neighbours
from cx_assets.similarity.pearson import top_k_pearson

__all__ = ["Neighbours", "described_by", "top_k_content", "top_k_cosine", "top_k_pearson"]
