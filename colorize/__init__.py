"""Pictures and tensors in, pictures and tensors out: no network, no database, no Prefect."""
