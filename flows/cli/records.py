"""`records`: what is held back, by name, and a person's word that some of it may be used; `history`: what records said
before. Never Prefect.

Its counts are those of the night's report, for both ask the same query with the settings' scope.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from db.person import person_here
from flows.cli.console import Home, read_settings, refuse, say

if TYPE_CHECKING:
    from db.entries.corrections import CorrectedRecord
    from db.entries.night import FormerRecord, HeldBack
    from flows.plan import CataloguePlan

records_app = typer.Typer()


@records_app.command()
def records(
    identifiers: Annotated[
        list[str] | None, typer.Argument(metavar="[IDENTIFIER]...", help="Records by their identifiers [all].")
    ] = None,
    home: Home = None,
    held_back: Annotated[bool, typer.Option("--held-back", help="List what the night does not take.")] = False,
    released: Annotated[bool, typer.Option("--released", help="List what people have released.")] = False,
    reason: Annotated[
        str | None, typer.Option(help='Of this reason: "rights: ask", "ask", "rights", "picture: broken" ...')
    ] = None,
    archive: Annotated[str | None, typer.Option(help="Of this archive.")] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Let them be used, those whose rights leave it to a person.")
    ] = False,
    take_back: Annotated[bool, typer.Option("--take-back", help="Hold released ones back again.")] = False,
    note: Annotated[str, typer.Option(help="Why, for those who ask later: who allowed it, and when.")] = "",
    by: Annotated[str | None, typer.Option(help="Whose word it is [your name on this machine].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List what is held back, by name and with the reason, or release some of it.

    Nobody can release what is forbidden (rights: no). A release lapses when the record's rights change.
    """
    if sum((held_back, released, release, take_back)) != 1:
        refuse("give one of --held-back, --released, --release and --take-back")
    if (release or take_back) and not (identifiers or reason or archive):
        refuse("name what is meant: IDENTIFIERs, --reason or --archive; nishiki records --held-back lists all")
    if release and not note:
        refuse("say with --note who allowed it, and when: others will ask")
    from db.entries.night import HeldFilter

    wanted = HeldFilter(reason, archive, tuple(identifiers or ()))
    with _planned(home) as plan:
        catalogue = plan.catalogue
        if held_back or release:
            found = catalogue.held_records(plan.scope(), wanted)
        else:
            found = catalogue.released_records(wanted)
        if release:
            say(_released(plan, found, by or person_here(), note))
        elif take_back:
            from db.entries.review import AuditWord

            count = catalogue.take_back_release([each.record_id for each in found if each.record_id is not None])
            catalogue.add_audit_event(AuditWord.HELD_BACK_AGAIN, detail=f"{count} records, by {by or person_here()}")
            say([f"{count:,} records are held back again; what was made of them is withheld."])
        elif as_json:
            say([json.dumps([asdict(each) for each in found], ensure_ascii=False)])
        else:
            say(_lines(found))


@records_app.command()
def history(
    identifiers: Annotated[list[str], typer.Argument(metavar="IDENTIFIER...", help="Records by their identifiers.")],
    home: Home = None,
    archive: Annotated[str | None, typer.Option(help="Of this archive.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, with the archive's whole answers.")] = False,
) -> None:
    """List what records said before they changed, with the rights that they had, and what curators corrected."""
    with _planned(home) as plan:
        former = plan.catalogue.former_records(identifiers, archive)
        corrected = plan.catalogue.corrections(identifiers, archive)
    if as_json:
        told = [*map(asdict, former), *map(asdict, corrected)]
        say([json.dumps(told, ensure_ascii=False, default=datetime.isoformat)])
    else:
        say([*_history(former), *map(_correction, corrected)])


@contextmanager
def _planned(home: Home) -> "Iterator[CataloguePlan]":
    """The catalogue, which must be there, with the settings' scope."""
    from db.catalogue import CatalogueDatabase
    from flows.plan import CataloguePlan

    settings = read_settings(home=home)
    with CatalogueDatabase.open(settings, create=False) as catalogue:
        yield CataloguePlan(settings, catalogue, ())


def _lines(found: Sequence["HeldBack"]) -> Iterable[str]:
    """Each by name, then how many of each reason."""
    yield from (f"{each.reason}  {each.archive}  {each.identifier}: {each.why}" for each in found)
    counts = Counter(each.reason for each in found)
    yield ", ".join(f"{reason}: {counts[reason]:,}" for reason in sorted(counts)) or "Nothing of the kind."


def _history(former: Sequence["FormerRecord"]) -> Iterator[str]:
    """One line for each."""
    for each in former:
        gone = f", deleted {each.deleted_at:%Y-%m-%d}" if each.deleted_at else ""
        yield (
            f"{each.archive}  {each.identifier}: until {each.replaced_at:%Y-%m-%d %H:%M} UTC, dated "
            f"{each.datestamp:%Y-%m-%d}{gone}; rights: {each.rights.derivatives} ({each.rights.basis})"
        )
    changed = f"{len(former):,} earlier descriptions; --json shows each whole."
    yield changed if former else "None of them has changed at its archive."


def _correction(said: "CorrectedRecord") -> str:
    from db.record_words import in_line

    word = said.correction
    before, after = (in_line(each, word.field) for each in (word.before, word.after))
    by = f"{word.field} corrected by {word.curator}, {word.given_at:%Y-%m-%d %H:%M} UTC"
    back = ", which takes a correction back" if word.taken_back else ""
    return f"{said.archive}  {said.identifier}: {by}: {before} → {after}{back}"


def _released(plan: "CataloguePlan", found: Sequence["HeldBack"], curator: str, note: str) -> Iterable[str]:
    """Release those that may be; what became of each."""
    from db.entries.review import AuditWord

    open_ones = {each.record_id for each in found if each.is_open and each.record_id is not None}
    count = plan.catalogue.release(open_ones, curator, note)
    plan.catalogue.add_audit_event(AuditWord.RELEASED, detail=f"{count} records, by {curator}: {note}")
    yield f"{count:,} records are released; the next night takes them."
    others = [each for each in found if not each.is_open]
    if others:
        yield f"{len(others):,} were left as they are, for no person's word on rights frees them:"
        yield from (f"  {each.reason}  {each.archive}  {each.identifier}: {each.why}" for each in others)
