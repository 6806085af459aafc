"""The DVC project: its settings, its files, the life of a stage."""
