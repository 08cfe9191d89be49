"""What archives write, understood: dates, rights, formats."""
