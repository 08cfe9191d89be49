"""The tables as SQLAlchemy classes; they grow by migration only."""
