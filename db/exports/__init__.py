"""What leaves the catalogue for other systems."""
