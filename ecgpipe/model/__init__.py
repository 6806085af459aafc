"""The network, what it predicts, and how it is saved."""
