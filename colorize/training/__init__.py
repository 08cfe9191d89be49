"""Trains nishiki's own encoder: data, batches, losses and how good it became."""
