"""Composes archives, colorizers and the catalogue into the night; the only package that knows Prefect."""
