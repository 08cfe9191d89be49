"""Draws the sample archive's prints."""
