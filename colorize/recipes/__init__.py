"""Recipes: frozen parameters of a colorization, the named ones in recipes.toml, acceptance limits."""
