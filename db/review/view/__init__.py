"""How pages show things: templates, words, links, filters, plots, error pages."""
