"""Trains nishiki's own encoder: data, lessons, losses and how good it became."""
