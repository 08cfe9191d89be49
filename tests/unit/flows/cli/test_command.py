"""How the `nishiki` command speaks of what went wrong: one sentence on standard error, an exit code, no value."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from colorize.encoders.weights import SHIPPED, checksum_path, shipped_weights
from colorize.errors import BadRecipe, DeviceMissing, UnknownRecipe, UnreadableImage, WeightsMissing
from db.errors import CatalogueBehind, CatalogueFull, NightRunning
from flows.archives.errors import ArchiveUnavailable
from flows.cli.app import app
from flows.cli.console import say
from flows.cli.failures import Commands

Run = Callable[..., Result]


@pytest.fixture
def nishiki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder; no flow begins in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    return lambda *words: CliRunner().invoke(app, list(words))


def sentence(run: Result, code: int) -> str:
    """The one line on standard error; nothing else was said."""
    assert run.exit_code == code, run.output
    assert run.stdout == ""
    assert run.stderr.startswith("nishiki: ")
    assert run.stderr.count("\n") == 1
    assert "Traceback" not in run.stderr
    return run.stderr


def interrupted_at_a_lock() -> RuntimeError:
    """What Python makes of Ctrl-C while a lock is taken back."""
    error = RuntimeError("release unlocked lock")
    error.__context__ = KeyboardInterrupt()
    return error


def command_that_raises(error: BaseException) -> typer.Typer:
    """An application of one command, under the same roof as ours."""
    small = typer.Typer(cls=Commands, pretty_exceptions_enable=False)

    @small.command()
    def work() -> None:
        raise error

    @small.command()
    def rest() -> None:
        """A second command makes this a group."""

    return small


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UnknownRecipe("no recipe 'x'"), 2, "no recipe 'x'"),
        (BadRecipe("iterations is 0"), 2, "iterations is 0"),
        (DeviceMissing("there is no device 'cuda'"), 2, "there is no device"),
        (WeightsMissing("no weights"), 1, "no weights"),
        (UnreadableImage("a.png is damaged"), 1, "a.png is damaged"),
        (CatalogueFull("no room left"), 1, "no room left"),
        (CatalogueBehind("run `nishiki doctor --upgrade`"), 1, "nishiki doctor --upgrade"),
        (ArchiveUnavailable("does not answer"), 1, "does not answer"),
        (OSError(28, "No space left on device", "a.png"), 1, "a.png: No space left on device"),
        (OSError("broken"), 1, "the machine: broken"),
        (NightRunning("another night is at work"), 3, "another night is at work"),
        (KeyboardInterrupt(), 130, "stopped; what was finished is kept"),
        (interrupted_at_a_lock(), 130, "stopped; what was finished is kept"),
    ],
)
def test_each_failure_is_one_sentence_and_its_code(error: BaseException, code: int, words: str) -> None:
    assert words in sentence(CliRunner().invoke(command_that_raises(error), ["work"]), code)


@pytest.mark.parametrize("fault", [ZeroDivisionError("ours"), RuntimeError("ours")])
def test_a_fault_of_the_program_keeps_its_traceback(fault: Exception) -> None:
    run = CliRunner().invoke(command_that_raises(fault), ["work"])
    assert run.exception is fault


def test_it_says_which_version_it_is(nishiki: Run) -> None:
    run = nishiki("--version")
    assert (run.exit_code, run.output) == (0, f"nishiki {version('nishiki')}\n")


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "status --nonsense",
        "harvest --home",
        "export --format xml",
        "nightly x --size 31",
        "weights burn",
        "show",
        "show x",
        "show 0",
        "show 99999999999",
        "show 1 --png",
    ],
)
def test_usage_errors_have_code_2(nishiki: Run, line: str) -> None:
    run = nishiki(*line.split())
    assert (run.exit_code, run.stdout) == (2, "")
    assert "Error: " in run.stderr


@pytest.mark.parametrize(
    "line",
    [
        "nightly prints --encoder misspelt",
        "colorize gray.png colour.png -o out.png --encoder misspelt",
        "sweep --content . --style prints --encoder misspelt",
    ],
)
def test_an_encoder_that_is_not_available_is_told_before_anything_begins(
    nishiki: Run, line: str, tmp_path: Path
) -> None:
    (tmp_path / "prints").mkdir()
    for name in ("gray.png", "colour.png"):
        (tmp_path / name).write_bytes(b"a picture")
    said = sentence(nishiki(*line.split()), 2)
    assert "there is no encoder 'misspelt'; there is nishiki-small, random-seeded " in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["colour.png", "gray.png", "prints"]


def test_an_encoder_of_the_settings_that_is_not_available_is_told_too(
    nishiki: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "prints").mkdir()
    monkeypatch.setenv("NISHIKI_ENCODER", "misspelt")
    assert "no encoder 'misspelt'" in sentence(nishiki("nightly", "prints"), 2)


def test_the_weights_list_names_the_shipped_encoder_its_checksum_quality_licence_and_users(nishiki: Run) -> None:
    run = nishiki("weights", "list")
    assert (run.exit_code, run.stderr) == (0, "")
    shipped = shipped_weights()
    said = " ".join(run.stdout.replace("│", " ").split())
    for words in (
        "nishiki-small", shipped.checksum[:12], f"{shipped.size_bytes / 1e6:.1f}", "Gram .", "matching .", "against",
        "CC BY 4.0", "asiagraph2016/*", "jadh2016/*", "nishiki/*", "nishiki weights download",
    ):  # fmt: skip
        assert words in said


def test_a_damaged_shipped_encoder_ends_a_command_with_the_one_that_brings_it_back(
    nishiki: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in (SHIPPED, checksum_path(SHIPPED)):
        (tmp_path / path.name).write_bytes(path.read_bytes()[:-1])
    monkeypatch.setattr("colorize.encoders.weights.SHIPPED", tmp_path / SHIPPED.name)
    (tmp_path / "prints").mkdir()
    for line in (("weights", "list"), ("nightly", "prints", "--encoder", "nishiki-small")):
        assert f"bring it back: git -C {tmp_path} checkout -- nishiki-small" in sentence(nishiki(*line), 1)


def test_measuring_needs_an_encoder_a_batch_and_a_catalogue(nishiki: Run, tmp_path: Path) -> None:
    assert nishiki("measure").exit_code == 2
    for word in ("x", "1.5", "99999999999"):
        run = nishiki("measure", "--encoder", "nishiki-small", word)
        assert run.exit_code == 2
        assert f"'{word}' is not the number of a batch" in run.stderr
    said = sentence(nishiki("measure", "--encoder", "nishiki-small", "--home", "elsewhere"), 1)
    assert "there is no catalogue in elsewhere" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["nightly", "harvest"])
def test_without_any_archive_a_night_says_how_to_name_one(nishiki: Run, command: str) -> None:
    assert "name an ARCHIVE" in sentence(nishiki(command), 2)


@pytest.mark.parametrize("command", ["status", "export", "doctor"])
def test_where_there_is_no_catalogue_the_command_says_so_and_makes_none(
    nishiki: Run, command: str, tmp_path: Path
) -> None:
    assert "there is no catalogue in elsewhere" in sentence(nishiki(command, "--home", "elsewhere"), 1)
    assert list(tmp_path.iterdir()) == []


def test_an_attempt_is_not_looked_up_where_there_is_no_catalogue(nishiki: Run, tmp_path: Path) -> None:
    assert "there is no catalogue in elsewhere" in sentence(nishiki("show", "1", "--home", "elsewhere"), 1)
    assert list(tmp_path.iterdir()) == []


def test_an_attempt_is_shown_to_a_machine_or_drawn_for_a_person(nishiki: Run) -> None:
    for drawn in (["--trace"], ["--png", "trace.png"]):
        assert "--json holds the whole trace" in sentence(nishiki("show", "1", "--json", *drawn), 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://me:hunter2@db.example/prints"),
        ("database_url", "postgresql://me:Geh@hunter2/s@127.0.0.1:1/n"),
        ("archives", "hunter2"),
        ("archives", '{"hunter": {"address": ""}}'),
        ("genres", "hunter2"),
        ("size", "hunter2"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_its_value_is_not(
    nishiki: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"NISHIKI_{name.upper()}", value)
    said = sentence(nishiki("status"), 2)
    assert name in said
    assert "hunter2" not in said


@pytest.mark.parametrize("address", ["https://me:hunter2@a.example/oai", "http://a.example/oai?set=x&key=hunter2"])
@pytest.mark.parametrize("command", ["nightly", "harvest"])
def test_an_address_with_a_password_belongs_into_nishiki_toml(nishiki: Run, command: str, address: str) -> None:
    said = sentence(nishiki(command, "--home", "data", address), 2)
    assert "nishiki.toml under a name" in said
    assert "hunter2" not in said


def test_a_misspelled_key_of_nishiki_toml_is_named(nishiki: Run, tmp_path: Path) -> None:
    (tmp_path / "nishiki.toml").write_text("weight_dir = '/srv'\nlimit = 3\n")
    assert "weight_dir in nishiki.toml is no setting; the nearest is weights_dir" in sentence(nishiki("status"), 2)


@pytest.mark.parametrize("url", ["me:hunter2@127.0.0.1:9/prints", "127.0.0.1:9/prints?password=hunter2"])
def test_a_database_that_does_not_answer_is_named_without_its_password(
    nishiki: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("NISHIKI_DATABASE_URL", f"postgresql://{url}")
    monkeypatch.setenv("NISHIKI_DATABASE_WAIT_S", "2")
    run = nishiki("status", "--home", str(tmp_path))
    waiting, said = run.stderr.splitlines()
    assert run.exit_code == 1
    assert waiting.endswith("127.0.0.1:9/prints is away; waiting up to 2 s for it")
    assert said.startswith("nishiki: ")
    assert "127.0.0.1:9/prints does not answer" in said
    assert "hunter2" not in run.stderr


@pytest.mark.parametrize("text", [b"home = ", b'contact = "\xff"', b"[archives.a]\naddress = 'x'\nplace = 'y'\n"])
def test_a_nishiki_toml_that_cannot_be_read_is_named(nishiki: Run, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "nishiki.toml").write_bytes(text)
    said = sentence(nishiki("status"), 2)
    assert "nishiki.toml" in said or "archives.a.place" in said


def test_a_home_that_is_a_file_or_a_foreign_database_is_refused(nishiki: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("prints")
    sentence(nishiki("status", "--home", "file"), 1)
    (tmp_path / "catalogue.db").write_bytes(b"no database at all, and long enough to be looked at" * 50)
    assert "not a sound SQLite database" in sentence(nishiki("status", "--home", "."), 1)


def test_one_pair_needs_a_known_recipe_a_device_and_two_files(
    nishiki: Run, narrow_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_WEIGHTS_DIR", str(narrow_weights))
    pair = ("colorize", "missing.png", "style.png", "-o", "out.png")
    run = nishiki(*pair, "--recipe", "nonsense")
    assert run.exit_code == 2
    for words in ("no recipe", "missing.png: No such file", "style.png: No such file"):
        assert words in run.stderr
    Path("style.png").write_text("no picture")
    assert "missing.png: No such file" in sentence(nishiki(*pair), 1)
    Path("missing.png").write_text("no picture")
    sentence(nishiki(*pair), 1)
    assert not Path("out.png").exists()


def test_a_demo_does_not_clear_a_folder_that_is_no_demo(nishiki: Run, tmp_path: Path) -> None:
    (tmp_path / "prints").mkdir()
    (tmp_path / "prints" / "kept.txt").write_text("kept")
    assert "was not made by an earlier demo" in sentence(nishiki("demo", "--home", "prints"), 2)
    assert (tmp_path / "prints" / "kept.txt").read_text() == "kept"


def test_a_demo_removes_earlier_demos_only(nishiki: Run, tmp_path: Path) -> None:
    work = tmp_path / "nishiki-data"
    (work / "prefect").mkdir(parents=True)
    (work / "catalogue.db").write_bytes(b"a year of work")
    assert "was not made by an earlier demo" in sentence(nishiki("demo", "--home", "nishiki-data"), 2)
    assert (work / "catalogue.db").read_bytes() == b"a year of work"


def test_a_demo_over_a_protocol_that_the_sample_archive_does_not_speak_is_refused(nishiki: Run) -> None:
    said = sentence(nishiki("demo", "--protocol", "gopher"), 2)
    assert "does not speak gopher; it speaks oai-pmh, japan-search, met, aic, cleveland, iiif, iiif-change" in said


def test_a_mistyped_home_makes_no_empty_catalogue(nishiki: Run, tmp_path: Path) -> None:
    for command in ("match", "dispatch", "resume"):
        assert "no catalogue in typo" in sentence(nishiki(command, "--home", "typo"), 1)
    assert not (tmp_path / "typo").exists()


def test_an_original_is_never_overwritten_and_a_missing_folder_is_told_before_the_work(
    nishiki: Run, tmp_path: Path
) -> None:
    for name in ("gray.png", "colour.png"):
        (tmp_path / name).write_bytes(b"an original")
    told = sentence(nishiki("colorize", "gray.png", "colour.png", "-o", "gray.png"), 1)
    assert "one of the originals" in told
    assert (tmp_path / "gray.png").read_bytes() == b"an original"
    assert "no such folder" in sentence(nishiki("colorize", "gray.png", "colour.png", "-o", "away/result.png"), 1)


def test_a_picture_needs_a_colour_print_or_marks(nishiki: Run, tmp_path: Path) -> None:
    (tmp_path / "gray.png").write_bytes(b"an original")
    assert "give STYLE" in sentence(nishiki("colorize", "gray.png", "-o", "result.png"), 2)


def test_the_weights_folder_that_the_night_refuses_is_refused_by_the_list(
    nishiki: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("NISHIKI_WEIGHTS_DIR", "empty")
    assert "holds no VGG-19 weights" in sentence(nishiki("weights", "list"), 1)


def test_a_file_name_cannot_steer_the_terminal_and_a_wide_space_stays(capsys: pytest.CaptureFixture[str]) -> None:
    say(["松本\u3000幸四郎 \x1b[2J\udce9.png", '{"name": "a\u00a0b"}'])
    assert capsys.readouterr().out == '松本\u3000幸四郎 \ufffd[2J\ufffd.png\n{"name": "a\u00a0b"}\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nightly theatr ftp://a.example", ["nonsense", "misspelt", "theatr does not", "ftp://"]),
        ("harvest theatr", ["theatr does not"]),
        ("sweep --content . --style prints --preset x", ["no preset", "misspelt", "nonsense"]),
        ("colorize a.png b.png -o c.xyz", ["nonsense", "misspelt", "a.png", "b.png", "c.xyz"]),
        ("measure --encoder misspelt x", ["'x' is not the number", "no catalogue", "misspelt"]),
        ("train encoder -o nowhere/a.st", ["nowhere", "no full VGG-19"]),
    ],
)
def test_everything_that_is_wrong_is_told_at_once_before_anything_begins(
    nishiki: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, said: list[str]
) -> None:
    (tmp_path / "prints").mkdir()
    for name, value in {"RECIPPE": "x", "SIZE": "31", "RECIPE": "nonsense", "ENCODER": "misspelt"}.items():
        monkeypatch.setenv(f"NISHIKI_{name}", value)
    run = nishiki(*line.split())
    assert (run.exit_code, run.stdout) == (2, "")
    head, *faults = run.stderr.splitlines()
    assert head == f"nishiki: {len(said) + 2} things have to be set right first"
    for words in ("NISHIKI_RECIPPE", "the setting size", *said):
        assert [fault for fault in faults if words in fault], (words, run.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["prints"]
