"""What the review asks and writes: queue, facets, leases, verdicts, accounts."""
