"""From raw customer events to segments, rules, recommendations and an honest report.

The folders are the stages of the flow, in order: ingestion, warehouse, matrices, similarity, segments, rules,
recommendations, evaluation, publishing. A stage reads only from the stages before it. `definitions` is the way in.
"""
