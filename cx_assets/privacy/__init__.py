"""Personal data stay out: keys, pseudonyms, the vault, and what a manifest declares about them.

Ingestion and the commands use these modules; no later stage needs to, for what reaches it tells nobody's name.
"""
