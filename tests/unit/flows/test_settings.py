"""The night's settings: what they are, where they may stand, and what `.env.example` and README say of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticUndefined
from pydantic_settings import SettingsError

from flows.archives.options import OaiOptions
from flows.matching.weights import MatchWeights
from flows.settings import ACTOR_PRINTS, ArchiveSettings, Settings, UnknownSettings, as_far_as_right

THEATRE = '[archives.theatre]\naddress = "https://archive.example/oai"\n'


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """Writes nishiki.toml in a folder of its own, goes there and reads the settings."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Settings:
        (tmp_path / "nishiki.toml").write_text(text, encoding="utf-8")
        return Settings()

    return write


def default_of(name: str) -> str:
    """A setting's default as `.env.example` and README write it."""
    value: Any = Settings.model_fields[name].default
    if name == "cache_dir":
        return "~/.cache/nishiki/weights"
    if value is None or value is PydanticUndefined or name == "match_weights":
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | tuple | dict) else str(value)


def test_every_setting_of_the_night_and_of_an_archive_is_described() -> None:
    for model in (Settings, ArchiveSettings, MatchWeights):
        assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_env_example_holds_every_setting_that_fits_a_variable_with_its_default_and_description(project: Path) -> None:
    lines = (project / ".env.example").read_text(encoding="utf-8").splitlines()
    said = {line.lstrip("#").partition("=")[0]: at for at, line in enumerate(lines) if line.startswith("#NISHIKI_")}
    fitting = [name for name in Settings.model_fields if name not in ("archives", "match_weights")]
    assert list(said) == [f"NISHIKI_{name.upper()}" for name in fitting]
    for (variable, at), name in zip(said.items(), fitting, strict=True):
        assert lines[at] == f"#{variable}={default_of(name)}"
        assert lines[at - 1] == f"# {Settings.model_fields[name].description}"


def test_env_example_is_read_with_every_line_uncommented(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (project / ".env.example").read_text(encoding="utf-8").replace("#NISHIKI_", "NISHIKI_")
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    told = {key: value for key, value in Settings() if key != "cache_dir"}
    (tmp_path / ".env").unlink()
    assert told == {key: value for key, value in Settings() if key != "cache_dir"}


def test_the_readme_has_a_row_for_every_setting_and_none_besides(project: Path) -> None:
    lines = (project / "README.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| setting | default | means |") + 2
    for line, (name, field) in zip(lines[start:], Settings.model_fields.items(), strict=False):
        shown = f"`{default_of(name)}`" if default_of(name) else ""
        assert line == f"| `{name}` | {shown} | {field.description} |"
    assert lines[start + len(Settings.model_fields)] == ""


def test_archives_are_tables_of_nishiki_toml(toml: Callable[[str], Settings]) -> None:
    settings = toml(f'{THEATRE}genres = ["役者絵"]\npace_s = 2.5\n[archives.scans]\naddress = "/srv/scans"\n')
    assert settings.archives == {
        "theatre": ArchiveSettings(address="https://archive.example/oai", genres=("役者絵",), pace_s=2.5),
        "scans": ArchiveSettings(address="/srv/scans"),
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"{THEATRE}place = 1\n", ("archives", "theatre", "options", "auto", "place")),
        ("[archives.theatre]\n", ("archives", "theatre", "address")),
        ('[archives.theatre]\naddress = ""\n', ("archives", "theatre", "address")),
        (f"{THEATRE}pace_s = -1\n", ("archives", "theatre", "pace_s")),
        ("[match_weights]\nactor = -1\n", ("match_weights", "actor")),
        ("[match_weights]\nactors = 1\n", ("match_weights", "actors")),
    ],
)
def test_a_wrong_archive_table_is_named(toml: Callable[[str], Settings], text: str, place: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        toml(text)
    assert [error["loc"] for error in caught.value.errors()] == [place]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 31), ("size", 8193), ("iterations", -1), ("limit", 0), ("pace_s", -0.1), ("pace_s", 3601),
        ("archive_retries", 11), ("candidates", 0), ("style_share", 1.1), ("cpu_processes", 0), ("minibatch_size", 257),
        ("precision", "float16"), ("checkpoint_s", -0.1), ("checkpoint_s", 86_401),
        ("max_tries", 0), ("max_pixels", 9999), ("max_picture_bytes", 999), ("contact", "x" * 201),
    ],
)  # fmt: skip
def test_a_value_out_of_its_bounds_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: value})


def test_a_name_of_nishiki_toml_is_its_archive(toml: Callable[[str], Settings]) -> None:
    name, archive = toml(THEATRE).archive_of("theatre")
    assert (name, archive.address, archive.is_folder) == ("theatre", "https://archive.example/oai", False)


def test_a_url_is_an_archive_by_that_name_unless_nishiki_toml_names_it(toml: Callable[[str], Settings]) -> None:
    settings = toml(THEATRE)
    assert settings.archive_of("https://other.example/oai")[0] == "https://other.example/oai"
    assert settings.archive_of("https://archive.example/oai")[0] == "theatre"


@pytest.mark.parametrize("word", ["scans", "./scans", "../{here}/scans/", "{absolute}/scans"])
@pytest.mark.parametrize("written", ["{absolute}/scans", "scans", "./scans/"])
def test_a_folder_that_nishiki_toml_names_goes_by_that_name_however_it_is_spelled(
    toml: Callable[[str], Settings], tmp_path: Path, word: str, written: str
) -> None:
    spelled = {"absolute": str(tmp_path), "here": tmp_path.name}
    settings = toml(f'[archives.shelf]\naddress = "{written.format(**spelled)}"\n')
    assert settings.archive_of(word.format(**spelled))[0] == "shelf"


def test_any_other_folder_goes_by_its_whole_path(toml: Callable[[str], Settings], tmp_path: Path) -> None:
    name, archive = toml(THEATRE).archive_of("prints")
    assert name == archive.address == str(tmp_path / "prints")
    assert archive.is_folder


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("https://me:pw@a.example:8443/oai", "https://a.example:8443/oai"),
        ("https://a.example/oai?key=SECRET&set=x", "https://a.example/oai?key=***&set=x"),
        ("https://a.example/oai?SECRET", "https://a.example/oai?***"),
        ("https://a.example/oai?set=x%2Fy", "https://a.example/oai?set=x%2Fy"),
    ],
)
def test_no_password_stands_in_an_archives_name(toml: Callable[[str], Settings], word: str, name: str) -> None:
    found, archive = toml(THEATRE).archive_of(word)
    assert (found, archive.address) == (name, word)


def test_no_password_of_an_archive_is_written_with_the_settings(toml: Callable[[str], Settings]) -> None:
    settings = toml('[archives.a]\naddress = "https://me:hunter2@a.example/oai?key=hunter2"\n')
    assert "hunter2" not in settings.model_dump_json()
    assert '"https://a.example/oai?key=***"' in settings.model_dump_json()
    assert settings.archives["a"].address.startswith("https://me:hunter2@")


def test_a_home_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NISHIKI_HOME", "~/prints")
    assert Settings().home == tmp_path / "prints"


def test_a_name_that_is_no_setting_is_refused_wherever_it_stands_with_the_nearest_that_is(
    toml: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NISHIKI_TEST_POSTGRES_URL", "x")
    (tmp_path / ".env").write_text("OTHER=2\n")
    assert toml("limit = 3\n").limit == 3
    (tmp_path / ".env").write_text("nishiki_pace = 1\n")
    monkeypatch.setenv("NISHIKI_RECIPPE", "x")
    with pytest.raises(UnknownSettings) as told:
        toml("weight_dir = 1\nlimit = 3\n[qqq]\n")
    assert told.value.sentences == (
        "NISHIKI_RECIPPE in the environment is no setting; the nearest is NISHIKI_RECIPE",
        "NISHIKI_PACE in .env is no setting; the nearest is NISHIKI_PACE_S",
        "qqq in nishiki.toml is no setting; see .env.example",
        "weight_dir in nishiki.toml is no setting; the nearest is weights_dir",
    )


def test_what_is_wrong_with_the_settings_is_gathered_and_defaults_stand_in_its_place(
    toml: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(f"{THEATRE}pace_s = 2.5\n")
    monkeypatch.setenv("NISHIKI_RECIPPE", "x")
    monkeypatch.setenv("NISHIKI_SIZE", "31")
    monkeypatch.setenv("NISHIKI_LIMIT", "7")
    settings, wrong = as_far_as_right(max_tries=0)
    assert [str(each) for each in wrong] == [
        "NISHIKI_RECIPPE in the environment is no setting; the nearest is NISHIKI_RECIPE",
        "the setting size cannot be used: Input should be greater than or equal to 32; see .env.example",
        "the setting max_tries cannot be used: Input should be greater than or equal to 1; see .env.example",
    ]
    assert (settings.size, settings.limit, settings.max_tries) == (None, 7, 3)
    assert settings.archives["theatre"].pace_s == 2.5


def test_what_cannot_be_read_or_is_missing_is_left_out_whole_and_the_rest_is_read(
    toml: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_SHARDS", "{")
    monkeypatch.setenv("NISHIKI_GENRES", "prints")
    monkeypatch.setenv("NISHIKI_SIZE", "31")
    monkeypatch.setenv("NISHIKI_LIMIT", "7")
    with pytest.raises(SettingsError):
        toml(f'{THEATRE}[archives.museum]\nprotocol = "oai-pmh"\n')
    settings, wrong = as_far_as_right()
    assert [str(each).partition(";")[0] for each in wrong] == [
        'the setting genres cannot be read as JSON, such as ["役者絵", "yakusha-e", "actor print"]',
        'the setting shards cannot be read as JSON, such as {"shard/cpu": 1}',
        "the setting archives.museum.address cannot be used: it is missing",
        "the setting size cannot be used: Input should be greater than or equal to 32",
    ]
    assert (settings.limit, settings.genres, settings.shards) == (7, ACTOR_PRINTS, {"shard/cpu": 1})
    assert list(settings.archives) == ["theatre"]


def test_a_key_of_an_archive_that_is_no_setting_of_one_is_left_out_and_told_with_the_nearest(
    toml: Callable[[str], Settings],
) -> None:
    with pytest.raises(ValidationError):
        toml(f'{THEATRE}genre = "all"\nprotocol = "oia"\nlimit = 3\n')
    settings, wrong = as_far_as_right()
    first, second, third = sorted(map(str, wrong))
    assert first == "archives.theatre.genre in nishiki.toml is no setting of an archive; the nearest is genres"
    assert second == "archives.theatre.limit in nishiki.toml is no setting of an archive; see README.md"
    assert third.startswith("the setting archives.theatre.protocol cannot be used: Input should be 'auto', ")
    assert settings.archives["theatre"].address == "https://archive.example/oai"


PERMISSION = 'reference = "b", given = 2026-01-01, scope = "all"'
ARCHIVE = 'such as [archives.NAME] with address = "…" below it, in nishiki.toml; see README.md'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('archives = "prints"', [f"the setting archives cannot be used: give a table, {ARCHIVE}"]),
        ('[archives]\nreal = "prints"', [f"the setting archives.real cannot be used: give a table, {ARCHIVE}"]),
        (
            "[archives.real]\naddress = 3",
            [f'the setting archives.real.address cannot be used: give a text in quotation marks, "…", {ARCHIVE}'],
        ),
        (
            '[archives.real]\naddresses = "prints"',
            ["archives.real.addresses in nishiki.toml is no setting of an archive; the nearest is address"],
        ),
        (
            f'[archives.a]\naddress = "x"\npermission = {{documents = "a", {PERMISSION}}}',
            ["archives.a.permission.documents in nishiki.toml is no setting of a permission; the nearest is document"],
        ),
        (
            "[match_weights]\nqqq = 1",
            ["match_weights.qqq in nishiki.toml is no weight of a match; see docs/matching.md"],
        ),
        (
            'alarm_mail_to = "a@b.example"',
            ['the setting alarm_mail_to cannot be used: give a list, such as ["a@b.example"]; see .env.example'],
        ),
    ],
)  # fmt: skip
def test_one_cause_is_told_once_with_an_example_of_what_is_expected(
    toml: Callable[[str], Settings], text: str, told: list[str]
) -> None:
    with pytest.raises(ValidationError):
        toml(text)
    assert [str(each) for each in as_far_as_right()[1]] == told


@pytest.mark.parametrize("name", ["archives", "match_weights", *(
    name for name, field in Settings.model_fields.items() if isinstance(field.default, tuple | dict)
)])  # fmt: skip
def test_a_list_or_table_that_is_no_json_is_told_with_an_example_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NISHIKI_{name.upper()}", "a@b.example")
    (told,) = map(str, as_far_as_right()[1])
    assert told.startswith(f"the setting {name} cannot be read as JSON")
    assert any(example in told for example in ("[archives.NAME]", "docs/matching.md", 'such as ["', 'such as {"'))


def test_options_stand_in_the_archives_own_table_and_belong_to_its_protocol(toml: Callable[[str], Settings]) -> None:
    known = toml(f'{THEATRE}protocol = "oai-pmh"\n').archives["theatre"]
    assert known.options == OaiOptions()
    assert ArchiveSettings.model_validate(known.model_dump(mode="json")) == known


def test_an_archive_may_be_allowed_to_lie_in_a_private_network(toml: Callable[[str], Settings]) -> None:
    assert toml(f"{THEATRE}allow_private = true\n").archives["theatre"].allow_private
    assert not ArchiveSettings(address="https://a.example").allow_private


def test_a_folder_takes_all_genres_and_an_archive_actor_prints_unless_told_otherwise() -> None:
    settings = Settings(genres=("役者絵",))
    assert settings.genres_of(ArchiveSettings(address="/srv/scans")) is None
    assert settings.genres_of(ArchiveSettings(address="https://a.example")) == ("役者絵",)
    assert settings.genres_of(ArchiveSettings(address="https://a.example", genres="all")) is None
    assert settings.genres_of(ArchiveSettings(address="/srv/scans", genres=("芝居絵",))) == ("芝居絵",)
    assert Settings().genres == ACTOR_PRINTS
