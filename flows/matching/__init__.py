"""Record and picture joined into one score, with reasons: pure functions over descriptions and numbers."""
