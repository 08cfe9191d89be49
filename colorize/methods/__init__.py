"""One file for each way to colour."""
