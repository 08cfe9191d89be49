"""The commands of the review page: review serves it, curator keeps the accounts. Thin, and never Prefect.

`flows.cli` takes them in. The page itself is `db.review`; all that is decided here is how a process serves it.
"""

import errno
import logging
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from unicodedata import category

import typer
from rich.table import Table
from rich.text import Text

from db.reviewed import CuratorEntry, Role
from flows.command import Home, fail, read_settings, say, show

if TYPE_CHECKING:
    from fastapi import FastAPI

    from db.catalogue import Catalogue
    from flows.settings import Settings

review_app = typer.Typer()
curator_app = typer.Typer(no_args_is_help=True, help="The accounts of those who review.")

Name = Annotated[str, typer.Argument(help="As it will stand beside verdicts.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
MARKS_ALONE = "nishiki/marks"
MOST_CONNECTIONS = 500
"""Browsers keep about six each; what comes beyond is told to come again."""
MOST_NAME = 100


@review_app.command()
def review(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes any that is free [8377].")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Everybody only looks; nothing is written.")] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in this machine's browser.")] = False,
) -> None:
    """Serve the review page, where curators decide, until Ctrl-C."""
    settings = read_settings(home=home, review_host=host, review_port=port, review_read_only=read_only or None)
    from db.review.app import OpenDoor, create_app

    try:
        app = create_app(settings, marking_recipes=marking_recipes())
    except OpenDoor as error:
        fail(str(error), code=2)
    listener = _listen(settings.review_host.strip("[]"), settings.review_port)
    address = _address(listener)
    say([f"The review page is at {address}", *_who_may_come_in(settings, app), "Ctrl-C ends it."])
    if open_it and not webbrowser.open(address):
        say(["No browser was found on this machine; open the address by hand."])
    _serve(app, listener)


@curator_app.command()
def add(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="viewer looks, curator judges, admin also sees the people.")
    ] = Role.CURATOR,
    password_stdin: PasswordStdin = False,
    home: Home = None,
) -> None:
    """Make an account; asks for its password."""
    _check_name(name)
    with _catalogue(home) as catalogue:
        first = not catalogue.curators()
        account = catalogue.add_curator(name, role, _hash_of_new_password(password_stdin))
    say([f"{account.name} may sign in to the review page, as {account.role}."])
    if first:
        say(["This is the first account: from now on the page asks everybody to sign in."])


@curator_app.command("list")
def list_accounts(home: Home = None) -> None:
    """List the accounts with their roles."""
    with _catalogue(home) as catalogue:
        accounts = catalogue.curators()
    if accounts:
        show(_accounts_table(accounts))
    else:
        say(["No accounts yet; nishiki curator add NAME makes one."])


@curator_app.command("role")
def change_role(name: Name, role: Annotated[Role, typer.Argument()], home: Home = None) -> None:
    """Give an account another role, at once."""
    with _catalogue(home) as catalogue:
        catalogue.change_role(name, role)
    say([f"{name} is {role} now."])


@curator_app.command("password")
def change_password(name: Name, password_stdin: PasswordStdin = False, home: Home = None) -> None:
    """Set another password; open sessions of the account end."""
    with _catalogue(home) as catalogue:
        if catalogue.open_account(name) is None:
            fail(f"there is no open account of {name!r}; nishiki curator list shows them all")
        catalogue.change_password(name, _hash_of_new_password(password_stdin))
    say([f"{name} has another password now and signs in again."])


@curator_app.command()
def disable(name: Name, home: Home = None) -> None:
    """Close an account for good; its sessions end, its verdicts stay."""
    with _catalogue(home) as catalogue:
        catalogue.disable_curator(name)
    say([f"The account of {name} is closed; verdicts under this name stay."])


def marking_recipes() -> list[str]:
    """Recipes that take marks drawn by hand, the one that needs nothing else first."""
    from colorize.recipe import recipes

    taking = [name for name, recipe in recipes().items() if recipe.luma == "content"]
    return sorted(taking, key=lambda name: name != MARKS_ALONE)


def _accounts_table(accounts: Sequence[CuratorEntry]) -> Table:
    table = Table("name", "role", "since", "state")
    for each in accounts:
        state = f"closed {each.disabled_at:%Y-%m-%d}" if each.disabled_at else "open"
        table.add_row(Text(each.name), each.role, f"{each.created_at:%Y-%m-%d}", state)
    return table


def _catalogue(home: Home) -> "Catalogue":
    from db.catalogue import Catalogue

    return Catalogue.open(read_settings(home=home), create=False)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MOST_NAME or any(category(letter).startswith("C") for letter in name):
        fail(f"{name!r} is no name for an account: give 1 to {MOST_NAME} letters that can be seen", code=2)


def _hash_of_new_password(from_stdin: bool) -> str:
    from db.review.passwords import LEAST_LETTERS, MOST_LETTERS, hashed

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        fail(
            f"the password has {len(password)} letters; give {LEAST_LETTERS} at least, and {MOST_LETTERS} at most",
            code=2,
        )
    return hashed(password)


def _who_may_come_in(settings: "Settings", app: "FastAPI") -> list[str]:
    from db.review.addresses import is_loopback
    from db.review.auth import person_here

    number = sum(not account.disabled_at for account in app.state.review.catalogue.curators())
    accounts = "1 account" if number == 1 else f"{number} accounts"
    if settings.review_user_header is not None:
        lines = [f"{accounts}; the proxy at {', '.join(settings.review_proxies)} signs people in."]
    elif app.state.review.catalogue.curators():
        lines = [f"{accounts}; everybody signs in."]
    else:
        lines = [f"No accounts yet: this page is open to whoever uses this machine, as {person_here()!r}."]
    if settings.review_read_only:
        lines.append("It only shows; nobody can give a verdict.")
    if not is_loopback(settings.review_host):
        names = ", ".join([settings.review_host, *settings.review_names])
        lines.append(f"Browsers elsewhere must call it {names}; set NISHIKI_REVIEW_NAMES to add a name.")
    return lines


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            fail(f"port {port} of {host} is taken by another program; give another, or --port 0 for any that is free")
        fail(
            f"the page cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}; "
            "give another --host or --port"
        )


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104  # shown, not listened on
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _serve(app: "FastAPI", listener: socket.socket) -> None:
    from uvicorn import Config, Server

    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(message)s")
    config = Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the app does, for the proxies of its settings and no others
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
    )
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        say([""])
