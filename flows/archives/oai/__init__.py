"""OAI-PMH: windows, records, Dublin Core."""
