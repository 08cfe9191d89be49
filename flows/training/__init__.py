"""Flows that train a model and keep it with its card."""
