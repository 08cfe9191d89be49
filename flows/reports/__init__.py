"""Pages and tables for people: contact sheet, one attempt, loss trace, summaries."""
