"""A colorization at work: pictures prepared, memory shared out, checkpoints, progress."""
