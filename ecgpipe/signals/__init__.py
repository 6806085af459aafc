"""The signal store, as it is read."""
