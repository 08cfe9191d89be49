-- Prefect's own database, beside the catalogue's; PostgreSQL's image runs this once, when its volume is empty.
CREATE DATABASE prefect;
