"""The `nishiki` command: thin; parses, calls a flow or the catalogue, prints."""
