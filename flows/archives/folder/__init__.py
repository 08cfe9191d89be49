"""A folder of pictures with a table, as an archive."""
