"""The catalogue's schema, step by step; `db.engine` runs it, in batch mode so that SQLite follows too."""
