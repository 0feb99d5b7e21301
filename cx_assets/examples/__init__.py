"""Generated datasets to try the project on and to copy a manifest from; none of them is known to any other code."""
