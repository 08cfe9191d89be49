"""Colour by correspondence: parameters.py says what it is tuned by, transfer.py finds the colours."""
