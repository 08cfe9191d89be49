"""The ways to find colours; each is one file (or one folder) behind the door in base.py."""
