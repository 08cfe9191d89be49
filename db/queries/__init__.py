"""The catalogue's queries, one subject a file; only `db.catalogue` calls them."""
