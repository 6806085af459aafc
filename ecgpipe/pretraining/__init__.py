"""Learning from simulated hearts alone: the stage `pretrain`."""
