"""Two runs on the same recordings: which differences are real."""
