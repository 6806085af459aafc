"""The commands of `python -m ecgpipe`, one file each, and what they share."""
