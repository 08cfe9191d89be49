"""The curators' page, a process of its own: what waits, one entry, verdicts. Reads and writes through the catalogue."""
