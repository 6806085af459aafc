"""One fold's training: batches, loss, checkpoint, what it delivers."""
