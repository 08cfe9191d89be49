"""The alarm: what is wrong with the nights, and the ways by which somebody is told."""
