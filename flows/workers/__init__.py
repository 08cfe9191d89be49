"""A batch's work on devices: messages, processes, results, tiles."""
