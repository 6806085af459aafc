"""Predictions to scores that can be believed: operating points, metrics, intervals, subgroups."""
