"""Models run in this process: loading a checkpoint, writing answers in batches, and the queue in front of it."""
