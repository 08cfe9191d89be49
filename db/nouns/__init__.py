"""The catalogue's sentences by stage: parts that `db.catalogue` puts together. Nobody else imports them."""
