"""Keeping it running: how long things are kept, what state all is in, and what a run tells machines."""
