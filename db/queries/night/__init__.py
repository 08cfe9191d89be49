"""What the night asks and writes: harvest, matches, batches and claims, attempts, requests."""
