"""What the night's and the review's queries share: the store, descriptions, search, review rows."""
