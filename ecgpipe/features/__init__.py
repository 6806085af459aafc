"""Conditioned recordings to named features with units: rhythm, intervals, axes, waves, atria."""
