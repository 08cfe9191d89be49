"""A PostgreSQL that takes connections and never says a word."""

import socket
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from db.catalogue import Catalogue
from db.errors import CatalogueUnreachable
from db.settings import CatalogueSettings


def test_a_silent_server_is_given_up_in_time_with_a_sentence_without_the_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://me:hunter2@127.0.0.1:{silent.getsockname()[1]}/prints"
        settings = CatalogueSettings(home=tmp_path, database_url=SecretStr(url), database_wait_s=2)
        began = time.monotonic()
        with pytest.raises(CatalogueUnreachable, match="does not answer") as told:
            Catalogue.open(settings)
    assert time.monotonic() - began < 20
    assert url.replace("hunter2", "***") in str(told.value)
    assert "connect_timeout" not in str(told.value)
