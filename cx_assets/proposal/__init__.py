"""From files that nobody has described to a manifest to correct: `cx init`."""
