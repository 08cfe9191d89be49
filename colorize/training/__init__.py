"""Training of what nishiki ships or learns for itself."""
