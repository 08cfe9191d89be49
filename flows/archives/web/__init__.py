"""The polite client: identity, pace, robots, peers, transfer, limits."""
