"""The JSON API: the same entries, figures and verdicts as on the page, for programs."""
