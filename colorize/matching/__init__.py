"""Describes pictures and ranks which colour prints suit a grayscale one."""
