"""Results measured again, and beside the true colours where these are known."""
