"""The command of the review page: review serves it. Thin, and never Prefect.

`flows.cli.app` takes it in; `flows.cli.curators` keeps the accounts. The page itself is `db.review`; all that is
decided here is how a process serves it.
"""

import errno
import gc
import os
import socket
import webbrowser
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from db.person import person_here
from flows import stopping
from flows.cli.console import Home, fail, read_settings, refuse, say

if TYPE_CHECKING:
    from fastapi import FastAPI

    from db.review.access.state import NightsBeside
    from flows.settings import Settings

review_app = typer.Typer()

Host = Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes any that is free [8377].")]


@review_app.command()
def review(
    home: Home = None,
    host: Host = None,
    port: Port = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Everybody only looks; nothing is written.")] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in this machine's browser.")] = False,
) -> None:
    """Serve the review page, where curators decide, until Ctrl-C."""
    settings = read_settings(home=home, review_host=host, review_port=port, review_read_only=read_only or None)
    app, listener, lines = prepared(settings)
    say([*lines, "Ctrl-C ends it."])
    address = _address(listener)
    if open_it and not webbrowser.open(address):
        say(["No browser was found on this machine; open the address by hand."])
    _serve(app, settings, listener)


def prepared(
    settings: "Settings", nights_beside: "NightsBeside | None" = None
) -> tuple["FastAPI", socket.socket, list[str]]:
    """The page, the port that it listens on, and what to say of both; all that the first answer needs is loaded.

    Args:
        nights_beside: what runs the nights, where this process does.
    """
    import db.review.server  # noqa: F401
    from db.review.app import OpenDoor, create_app, read_first_page

    try:
        app = create_app(
            settings,
            marking_recipes=marking_recipes(),
            masking_recipes=partial(masking_recipes, settings),
            nights_beside=nights_beside,
        )
    except OpenDoor as error:
        refuse(str(error))
    read_first_page(app)
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again and again kept some answers waiting for .1 s
    listener = _listen(settings.review_host.strip("[]"), settings.review_port)
    return app, listener, [f"The review page is at {_address(listener)}", *_who_may_come_in(settings, app)]


def marking_recipes() -> list[str]:
    """Recipes that take marks drawn by hand, the one that needs nothing else first."""
    from colorize.recipes.library import recipes
    from db.review.pages.marks import ONLY_MARKS

    taking = [name for name, recipe in recipes().items() if recipe.needs.marks != "none"]
    return sorted(taking, key=lambda name: name != ONLY_MARKS)


def masking_recipes(settings: "Settings") -> list[str]:
    """Recipes that can colour a part of a picture and leave the rest to the last bit: those that keep its lightness."""
    from flows.plan import all_recipes

    found = all_recipes(settings).items()
    return [name for name, recipe in found if recipe.lightness == "content" and recipe.needs.marks != "required"]


def _who_may_come_in(settings: "Settings", app: "FastAPI") -> list[str]:
    from db.review.access.addresses import is_loopback

    number = sum(not account.disabled_at for account in app.state.review.catalogue.curators())
    accounts = "1 account" if number == 1 else f"{number} accounts"
    if settings.review_user_header is not None:
        lines = [f"{accounts}; the proxy at {', '.join(settings.review_proxies)} signs people in."]
    elif app.state.review.catalogue.curators():
        lines = [f"{accounts}; everybody signs in."]
    else:
        lines = [
            f"No accounts yet: this page is open to whoever uses this machine, as {person_here()!r}.",
            "The first account closes it to others: nishiki curator add NAME",
        ]
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


def _serve(app: "FastAPI", settings: "Settings", listener: socket.socket) -> None:
    from db.review.server import serve

    try:
        with stopping.unheard():
            serve(app, settings, listener)
    except KeyboardInterrupt:
        say([""])
