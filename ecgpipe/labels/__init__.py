"""Native labels to the three states of each class: 1 present, 0 absent, blank not annotated."""
