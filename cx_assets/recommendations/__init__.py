"""Stage 7: what to offer whom, in what order, and why.

Belongs here: recommenders, the ranking and explanation that they share, and the lists that are published. Does not:
finding neighbours (`similarity`), mining rules (`rules`) or judging lists on later data (`evaluation`).
"""
