"""The commands that keep the tokens of the page's API: nishiki token add, list, revoke. Thin, and never Prefect.

`flows.cli.app` takes them in.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from db.person import person_here
from flows.cli.console import Home, read_settings, refuse, say, show
from flows.cli.curators import MOST_NAME, Name, role_of

if TYPE_CHECKING:
    from rich.table import Table

    from db.catalogue import Catalogue
    from db.entries.review import TokenEntry

token_app = typer.Typer(no_args_is_help=True, help="Tokens by which programs speak for curators (the page's API).")


@token_app.command()
def add(
    name: Name,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="viewer reads, curator gives verdicts too; never more than the account.")
    ] = "viewer",
    label: Annotated[str, typer.Option(help="What it is for; shown by nishiki token list.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days after which it opens nothing any more.")] = 365,
    home: Home = None,
) -> None:
    """Make a token of an account and print it, this once: only its sha256 is kept."""
    chosen = role_of(role)
    if len(label) > MOST_NAME or not label.isprintable():
        refuse(f"a label has {MOST_NAME} letters at most, all of which can be seen")
    with _catalogue(home) as catalogue:
        entry, token = catalogue.add_token(name, chosen, label, days=days, by=person_here())
    say([f"Token {entry.id} of {entry.curator.name}, as {entry.allowed}, until {entry.expires_at:%Y-%m-%d}:", token])


@token_app.command("list")
def list_tokens(home: Home = None) -> None:
    """List the tokens: whose, what for, until when."""
    with _catalogue(home) as catalogue:
        tokens = catalogue.tokens()
    if tokens:
        show(_table(tokens))
    else:
        say(["No tokens yet; nishiki token add NAME makes one."])


@token_app.command()
def revoke(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=1, max=2**31 - 1, help="As nishiki token list has it.")
    ],
    home: Home = None,
) -> None:
    """End a token, at once."""
    with _catalogue(home) as catalogue:
        entry = catalogue.revoke_token(number, by=person_here())
    say([f"Token {entry.id} of {entry.curator.name} opens nothing any more."])


def _table(tokens: "Sequence[TokenEntry]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table("number", "account", "role", "for", "made", "until", "state")
    for each in tokens:
        days = (f"{moment:%Y-%m-%d}" for moment in (each.made_at, each.expires_at))
        table.add_row(str(each.id), Text(each.curator.name), each.allowed, Text(each.label), *days, _state(each))
    return table


def _state(token: "TokenEntry") -> str:
    from datetime import UTC, datetime

    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.curator.disabled_at:
        return "account closed"
    return "open" if token.expires_at > datetime.now(UTC) else "expired"


def _catalogue(home: Home) -> "Catalogue":
    from db.catalogue import CatalogueDatabase

    return CatalogueDatabase.open(read_settings(home=home), create=False)
