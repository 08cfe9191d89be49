"""Results on their way to a file: encoding, and the provenance that is written into it."""
