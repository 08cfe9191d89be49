"""Figures of a picture beside another: the papers' relative errors, lightness, palette, texture."""
