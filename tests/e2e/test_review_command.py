"""`nishiki review` and `nishiki curator` as a person uses them: made, served, refused, ended."""

import os
import pty
import signal
import socket
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from db.catalogue import Catalogue
from db.person import person_here
from db.settings import CatalogueSettings
from tests.conftest import ROOT
from tests.e2e.conftest import COMMAND, Here, Nishiki

PASSWORD = "a long enough password"


@pytest.fixture
def nishiki(tmp_path: Path) -> Nishiki:
    """The command beside an empty catalogue of its own."""
    home = tmp_path / "home"
    Catalogue.open(CatalogueSettings(home=home)).close()
    place = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "NISHIKI_HOME": str(home), "LANG": "C.UTF-8"}
    return Nishiki(home, {"PATH": os.environ["PATH"], **place})


@pytest.fixture
def here(nishiki: Nishiki) -> Here:
    """The same in this process."""
    return Here(nishiki.home, nishiki.environment)


def _add(here: Here, name: str, *words: str, password: str = PASSWORD) -> "subprocess.CompletedProcess[str]":
    return here("curator", "add", name, "--password-stdin", *words, stdin=f"{password}\n")


@pytest.mark.long
def test_accounts_are_made_listed_changed_and_closed(here: Here) -> None:
    assert "No accounts yet" in here.good("curator", "list")
    first, second = _add(here, "葵", "--role", "admin"), _add(here, "Ren")
    assert "first account" in first.stdout
    assert second.stdout == "Ren may sign in to the review page, as curator.\n"
    assert "Ren is viewer now." in here.good("curator", "role", "Ren", "viewer")
    assert "last admin" in here.bad(1, "curator", "disable", "葵")
    here.good("curator", "disable", "Ren")
    assert "is closed; nishiki curator enable opens it again" in here.bad(1, "curator", "disable", "Ren")
    assert "Ren may sign in again, as viewer." in here.good("curator", "enable", "Ren")
    assert "open already" in here.bad(1, "curator", "enable", "Ren")
    assert "give one of these: viewer, curator, admin" in here.bad(2, "curator", "role", "Ren", "boss")
    assert "--password-stdin" in here.bad(2, "curator", "password", "Ren")  # no terminal to ask on
    here.good("curator", "disable", "Ren")
    listed = here.good("curator", "list")
    assert "葵" in listed
    assert "closed" in listed
    here.good("export")
    with Catalogue.open(CatalogueSettings(home=here.home)) as catalogue:
        kept = [(each.event, each.curator, each.detail) for each in reversed(catalogue.audit_events())]
    assert kept[:3] == [
        ("account made", "葵", f"admin, by {person_here()}"),
        ("account made", "Ren", f"curator, by {person_here()}"),
        ("role changed", "Ren", f"curator → viewer, by {person_here()}"),
    ]
    assert [event for event, *_ in kept[3:-1]] == ["account closed", "account opened", "account closed"]
    assert kept[-1] == ("exported", None, f"csv, by {person_here()}")
    assert "no curator 'Nobody'" in here.bad(1, "curator", "role", "Nobody", "viewer")
    short = _add(here, "Mio", password="too short")
    assert (short.returncode, "9 letters; give 10 at least" in short.stderr) == (2, True)
    assert _add(here, "a\u202eb").returncode == 2


def test_a_password_is_asked_for_twice_and_never_shown(nishiki: Nishiki) -> None:
    ours, theirs = pty.openpty()
    words = [str(COMMAND), "curator", "add", "Aoi"]
    process = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=nishiki.environment,
        cwd=nishiki.home.parent,
    )  # fmt: skip
    os.close(theirs)
    shown = ""
    for prompt in ("Password: ", "The same again: "):
        while prompt not in shown:
            shown += os.read(ours, 1000).decode()
        os.write(ours, f"{PASSWORD}\n".encode())
    while "may sign in" not in shown:
        shown += os.read(ours, 1000).decode()
    assert process.wait(30) == 0
    os.close(ours)
    assert PASSWORD not in shown


@pytest.mark.long
def test_the_page_is_served_until_ctrl_c_and_ends_without_a_word(nishiki: Nishiki) -> None:
    with nishiki.start("review", "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert "open to whoever uses this machine, as '" in process.stdout.readline()
        assert "nishiki curator add NAME" in process.stdout.readline()
        with urlopen(f"{address}keys") as answer:
            assert answer.status == 200
            assert "server" not in {name.lower() for name in answer.headers}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stdout.read().strip() == "Ctrl-C ends it."
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.long
def test_a_port_that_is_taken_and_an_open_door_are_told_in_one_sentence(nishiki: Nishiki, here: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "is taken by another program" in nishiki.bad(1, "review", "--port", port)
    assert "nishiki curator add NAME" in here.bad(2, "review", "--host", "0.0.0.0", "--port", "0")
    assert "need accounts" in here.bad(2, "review", NISHIKI_REVIEW_USER_HEADER="X-User")


@pytest.mark.long
def test_serve_shows_the_page_runs_the_night_whatever_ends_it_and_ends_in_order(nishiki: Nishiki) -> None:
    every_second = {"NISHIKI_NIGHT_CRON": "* * * * * *", "NISHIKI_REVIEW_PORT": "0"}
    process = Nishiki(nishiki.home, {**nishiki.environment, **every_second}).start("serve")
    assert process.stdout is not None
    address = process.stdout.readline().split()[-1]
    said = ""
    while "exit code 2 (usage)" not in said:  # there is no archive to read
        said += process.stdout.readline()
    assert urlopen(address).status == 200
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert rest.endswith("The page is closed.\n")
    assert "The next night begins at " in said
    assert "name an ARCHIVE" in errors
