"""ECG paper: recordings drawn with what was found, and the gallery of augmentations."""
