"""The built-in archive, served over real HTTP."""
