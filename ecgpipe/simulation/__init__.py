"""Simulated hearts: patients, dipoles, rhythms, noise, and the files of four simulated
hospitals."""
