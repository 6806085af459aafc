"""ecgpipe: 12-lead ECG recordings from many hospitals to a classifier whose scores can be
believed."""
