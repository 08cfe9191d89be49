"""The commands that keep the accounts of those who review: nishiki curator add, list, role, password, disable, enable.

`flows.cli.app` takes them in. Thin, and never Prefect.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from unicodedata import category

import typer

from db.person import person_here
from flows.cli.console import Home, fail, read_settings, refuse, say, show

if TYPE_CHECKING:
    from rich.table import Table

    from db.catalogue import Catalogue
    from db.entries.review import CuratorEntry, Role

curator_app = typer.Typer(no_args_is_help=True, help="The accounts of those who review.")
MOST_NAME = 100


def role_of(word: str) -> "Role":
    """A role by its word; ends the command for any other."""
    from db.entries.review import Role

    if word not in set(Role):
        refuse(f"{word!r} is not a role; give one of these: {', '.join(Role)}")
    return Role(word)


Name = Annotated[str, typer.Argument(metavar="NAME", help="As it will stand beside verdicts.")]
RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="viewer, curator or admin.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@curator_app.command()
def add(
    name: Name,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="viewer looks, curator judges, admin also sees the people.")
    ] = "curator",
    password_stdin: PasswordStdin = False,
    home: Home = None,
) -> None:
    """Make an account; asks for its password."""
    _check_name(name)
    chosen = role_of(role)
    with _catalogue(home) as catalogue:
        first = not catalogue.curators()
        account = catalogue.add_curator(name, chosen, _hash_of_new_password(password_stdin), by=person_here())
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
def change_role(name: Name, role: RoleName, home: Home = None) -> None:
    """Give an account another role, at once."""
    chosen = role_of(role)
    with _catalogue(home) as catalogue:
        catalogue.change_role(name, chosen, by=person_here())
    say([f"{name} is {chosen} now."])


@curator_app.command("password")
def change_password(name: Name, password_stdin: PasswordStdin = False, home: Home = None) -> None:
    """Set another password; open sessions of the account end."""
    with _catalogue(home) as catalogue:
        _account(catalogue, name, open_one=True)
        catalogue.change_password(name, _hash_of_new_password(password_stdin), by=person_here())
    say([f"{name} has another password now and signs in again."])


@curator_app.command()
def disable(name: Name, home: Home = None) -> None:
    """Close an account; its sessions end, its verdicts stay."""
    with _catalogue(home) as catalogue:
        account = _account(catalogue, name, open_one=True)
        catalogue.disable_curator(account.name, by=person_here())
    say([f"The account of {account.name} is closed; verdicts under this name stay."])


@curator_app.command()
def enable(name: Name, home: Home = None) -> None:
    """Open a closed account again, with its role and password."""
    with _catalogue(home) as catalogue:
        account = _account(catalogue, name, open_one=False)
        catalogue.enable_curator(account.name, by=person_here())
    say([f"{account.name} may sign in again, as {account.role}."])


def _account(catalogue: "Catalogue", name: str, *, open_one: bool) -> "CuratorEntry":
    """The account of this name, in the state that the command wants."""
    from db.queries.review.accounts import spelt

    found = next((each for each in catalogue.curators() if each.name == spelt(name)), None)
    if found is None:
        fail(f"there is no curator {name!r}; nishiki curator list shows them all")
    if open_one and found.disabled_at:
        fail(f"the account of {name!r} is closed; nishiki curator enable opens it again")
    if not (open_one or found.disabled_at):
        fail(f"the account of {name!r} is open already")
    return found


def _accounts_table(accounts: "Sequence[CuratorEntry]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "role", "since", "state")
    for each in accounts:
        state = f"closed {each.disabled_at:%Y-%m-%d}" if each.disabled_at else "open"
        table.add_row(Text(each.name), each.role, f"{each.created_at:%Y-%m-%d}", state)
    return table


def _catalogue(home: Home) -> "Catalogue":
    from db.catalogue import CatalogueDatabase

    return CatalogueDatabase.open(read_settings(home=home), create=False)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MOST_NAME or any(category(letter).startswith("C") for letter in name):
        refuse(f"{name!r} cannot be the name of an account: give 1 to {MOST_NAME} letters that can be seen")


def _hash_of_new_password(from_stdin: bool) -> str:
    from db.review.access.passwords import LEAST_LETTERS, MOST_LETTERS, hashed

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True)
    else:
        refuse("there is no terminal to ask for the password; give it on standard input: --password-stdin")
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        refuse(f"the password has {len(password)} letters; give {LEAST_LETTERS} at least, and {MOST_LETTERS} at most")
    if not from_stdin and typer.prompt("The same again", hide_input=True) != password:
        refuse("the two are not the same; nothing was changed: run this again")
    return hashed(password)
