"""Frozen dataclasses that cross the catalogue's door."""
