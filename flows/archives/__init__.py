"""Clients that read archives, one protocol per file, all speaking the words of `record.py`."""
