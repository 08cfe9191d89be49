"""Prefect's own small server, as a command begins it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from db.errors import CatalogueFull
from flows.cli import prefect_server
from flows.settings import Settings


def test_no_server_is_begun_where_its_disk_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_server, "set_up", lambda _: True)
    monkeypatch.setattr(prefect_server, "_start_own", lambda _: pytest.fail("it was begun"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=3e6, total=9e6))
    with pytest.raises(CatalogueFull, match=r"no room left on the disk of the home .* \(3 MB\); free some space"):
        prefect_server.prefect(Settings(home=tmp_path)).__enter__()
