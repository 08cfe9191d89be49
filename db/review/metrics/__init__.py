"""What a monitor is told: the catalogue, this machine, the page itself."""
