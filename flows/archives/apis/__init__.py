"""Archives that speak an interface of their own, a file each."""
