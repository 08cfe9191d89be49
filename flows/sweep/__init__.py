"""The comparison of configurations: plan, run, tables, figures, report."""
