"""The layout of a home is known in one place."""

import re
from pathlib import Path

from db.files.home import CATALOGUE, HomeFolder


def test_no_other_place_spells_the_layout(project: Path) -> None:
    spelled = re.compile(rf"""/ ["']({"|".join(HomeFolder)}|{re.escape(CATALOGUE)})\b""")
    sources = [path for folder in ("db", "flows", "colorize") for path in (project / folder).rglob("*.py")]
    assert len(sources) > 100
    assert [path.name for path in sources if spelled.search(path.read_text())] == []
