"""compose.yaml and Dockerfile name only what is there: files, settings, commands, extras; no engine runs them here."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from flows.cli.app import app
from flows.settings import Settings


@pytest.fixture(scope="module")
def compose(project: Path) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((project / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    return told


def test_every_file_volume_network_and_service_that_compose_names_is_there(
    compose: dict[str, Any], project: Path
) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (
                source in compose["volumes"] or source == "${NISHIKI_SETTINGS" or (project / "deploy" / source).exists()
            )
        assert set(service["networks"]) <= compose["networks"].keys()
        assert set(service.get("depends_on", {})) <= compose["services"].keys()
        if "build" in service:
            build = service["build"]
            assert (project / "deploy" / build["context"] / build["dockerfile"]).is_file()


def test_every_setting_in_compose_is_one_and_every_command_too(compose: dict[str, Any]) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]  # a group
    named = [word for service in compose["services"].values() for word in service.get("environment", {})]
    settings = {word.removeprefix("NISHIKI_").lower() for word in named if word.startswith("NISHIKI_")}
    assert settings
    assert settings <= Settings.model_fields.keys()
    commands = [each["command"] for each in compose["services"].values() if each.get("command")]
    assert {words[1] for words in commands if words[0] == "nishiki"} <= known.keys()
    assert {words[0] for words in commands} == {"nishiki", "prefect", "sh"}


def test_nothing_but_the_page_behind_tls_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["tls"]
    (page,) = compose["networks"]["page"]["ipam"]["config"]
    assert page["subnet"] in compose["services"]["review"]["environment"]["NISHIKI_REVIEW_PROXIES"]


def test_the_dockerfile_copies_what_is_there_and_installs_parts_that_there_are(project: Path) -> None:
    text = (project / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for word in line.split()]
    assert {"pyproject.toml", "flows/", "db/", "colorize/"} <= set(copied)
    assert [word for word in copied if not (project / word).exists()] == []
    parts = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (named,) = re.findall(r"'\.\[([a-z,]+)\]'", text)
    assert set(named.split(",")) <= parts.keys()
