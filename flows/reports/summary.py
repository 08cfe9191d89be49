"""What a person reads after a command: sentences and tables made of tallies and the catalogue's counts.

`flows.cli.app` prints them. Nothing here runs a stage.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from db.entries.night import Tone
from flows.reports.nights import counted, span

if TYPE_CHECKING:  # the stages load Prefect, and a table of recipes needs no database
    from colorize.encoders.weights import WeightsFile
    from colorize.recipes.recipe import Recipe
    from db.entries.measured import MeasuredMeans
    from db.entries.nights import NightEntry
    from flows.dispatch import DispatchTally
    from flows.evaluation.remeasure import MeasureTally
    from flows.harvest import HarvestTally
    from flows.match import MatchTally

SHOWN = 10
"""Problems listed before the rest is counted."""
NAMED = 5
"""Things named of which the same is said."""
FROM_BEGINNING = "to be listed from its beginning"
"""Of an archive of which no finished harvest is known: there was none, or `nishiki redo` has had it forgotten."""


def harvest_lines(tallies: Sequence["HarvestTally"]) -> Iterable[str]:
    """What the archives gave."""
    for tally in tallies:
        records = ", ".join(f"{count} {change}" for change, count in tally.records.items() if count)
        protocol = f" ({tally.protocol})" if tally.protocol else ""
        yield f"Harvest of {tally.archive}{protocol}: records {records or 'none'}; {tally.pictures} pictures fetched."
        if tally.tones:
            yield f"  New pictures: {tone_words(tally.tones)}."
        yield from _told("cannot be read, or failed on several nights", list(tally.lasting))
        yield from _told("could not be had and will be asked for again", list(tally.passing))
        yield from problem_lines(together(tally.remarks))
        if tally.waiting:
            yield f"  {tally.waiting} pictures that failed before are asked for on a later night."
        if tally.failure:
            yield f"  Harvest ended early: {tally.failure}"


def _told(how: str, found: Sequence[tuple[str, str]]) -> Iterable[str]:
    """Under one heading with their number, where there are any."""
    if found:
        yield f"  {len(found)} {how}:"
        yield from (f"  {line}" for line in problem_lines(found))


def together(remarks: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is said of several things alike is said once, with their number and the first names."""
    subjects: dict[str, list[str]] = {}
    for subject, text in remarks:
        subjects.setdefault(text, []).append(subject)
    return [(_named(names), text) for text, names in subjects.items()]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return names[0] if len(names) == 1 else f"{len(names)} times ({', '.join(names[:NAMED])}{more})"


def match_lines(tally: "MatchTally") -> Iterable[str]:
    """What matching came to, and what it held back."""
    yield f"Match: {tally.matched} new matches, {tally.no_match} pictures without one."
    if tally.matched:
        yield f"  Matched with {', '.join(f'{kind}: {count}' for kind, count in tally.styles.items())}."
    if learned := tally.learned:
        word = "accepted" if learned.accepted else "refused"
        yield f"  Weights refitted from {learned.verdicts} verdicts and {word}: {learned.why}."
    held = ", ".join(f"{reason}: {count}" for reason, count in tally.held_back.items() if count)
    if held:
        yield f"Held back, records by reason: {held}. By name: nishiki records --held-back."
    yield from tone_lines(tally.tones)
    yield from problem_lines(tally.problems)


def tone_lines(tones: Mapping[Tone, int]) -> Iterable[str]:
    """How many pictures there are of each tone, and what to do about those that are unsure."""
    yield f"Tones of all pictures: {tone_words(tones) or 'there are none'}."
    if unsure := tones[Tone.UNSURE]:
        yield f"  {unsure:,} unsure: neither coloured nor lending colours until a person says what they are:"
        yield '  nishiki review shows them on its page Tones, nishiki records --held-back --reason "tone: unsure" lists'
        yield "  them by name, and nishiki tone IDENTIFIER gray|toned|colour says it here."


def tone_words(tones: Mapping[Tone, int]) -> str:
    """Those that there are, counted."""
    return ", ".join(f"{count:,} {tone}" for tone, count in tones.items() if count)


def dispatch_lines(tallies: Sequence["DispatchTally"]) -> Iterable[str]:
    """What became of the attempts."""
    if not tallies:
        yield "Dispatch: 0 new attempts; nothing is due."
    for tally in tallies:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
        batch = f", batch {tally.batch_id}" if tally.batch_id else ""
        yield f"Dispatch{batch}: {outcomes or 'no attempt'}."
        yield from problem_lines([*tally.notes, *tally.problems])


def problem_lines(problems: Sequence[tuple[str, str]]) -> Iterable[str]:
    """The first problems, each with the thing that has it."""
    yield from (f"  {what}: {why}" for what, why in problems[:SHOWN])
    if len(problems) > SHOWN:
        yield f"  and {len(problems) - SHOWN} more"


def attempts_table(rows: Sequence[Mapping[str, str]]) -> Table:
    """A batch as a table, with the recipes where they are several."""
    several = len({row["recipe"] for row in rows}) > 1
    words = ["record", "actor", "style", "design", *(["recipe"] if several else [])]
    table = Table(*("style print" if word == "style" else word for word in words), title_justify="left")
    for figure in ("trust", "seconds"):
        table.add_column(figure, justify="right")
    table.add_column("outcome")
    for row in rows:
        table.add_row(*(Text(row[key]) for key in (*words, "trust", "seconds", "outcome")))
    return table


def status_table(status: Mapping[str, Any]) -> Table:
    """The catalogue in numbers."""
    table = Table("", "", show_header=False)
    table.add_row("records", str(status["records"]))
    for noun in ("images", "pictures", "matches", "attempts", "verdicts"):
        counts = ", ".join(f"{count} {word}" for word, count in status[noun].items() if count)
        table.add_row(noun, counts or "none")
    if encoder := status["encoder"]:
        table.add_row("encoder", f"{encoder['name']} ({encoder['checksum'][:12]})")
    if batch := status["batch"]:
        table.add_row("latest batch", f"{batch['id']}: {batch['done']} done, {batch['left']} left")
    if count := status["unreadable"]:
        told = f"{count:,} record{'' if count == 1 else 's'} that cannot be read; nishiki records --held-back"
        table.add_row("held back", told)
    for each in status["set_aside"]:
        table.add_row("set aside", Text(f"{each['record']}, attempt {each['attempt']}: {each['error']}"))
    if night := status["night"]:
        table.add_row("last night", f"{night['id']}: {night['summary']}")
    for archive in status["archives"]:
        last = f"harvested {moment}" if (moment := archive["last_harvest"]) else FROM_BEGINNING
        told = f"{archive['records']} records, {last}"
        table.add_row(Text(f"archive {archive['name']}"), Text(told))
    return table


def _ended(night: "NightEntry") -> str:
    if night.end is None:
        return "at work" if night.at_work else f"silent since {night.seen_at:%H:%M}"
    code = night.end.exit_code
    return f"{night.end.ending}{'' if code is None else f' ({code})'}"


def nights_table(nights: Sequence["NightEntry"]) -> Table:
    """The nights, the newest first."""
    table = Table("night", "began (UTC)", "took", "ended", "on", "records", "pictures", "matches", "attempts", "why")
    for night in nights:
        end, counts = night.end, night.counts
        took = span(night.ended_at - night.began_at) if night.ended_at else ""
        figures = (counted(counts.get("records", {})), *(str(counts.get(each, "")) for each in ("pictures", "matches")))
        why = (end.reason.splitlines() or [""])[0] if end else ""
        table.add_row(
            str(night.id), f"{night.began_at:%Y-%m-%d %H:%M}", took, _ended(night), Text(f"{night.host} {night.pid}"),
            *figures, counted(counts.get("attempts", {})), Text(why),
        )  # fmt: skip
    return table


def recipes_table(recipes: Mapping[str, "Recipe"]) -> Table:
    """Every named recipe."""
    table = Table("recipe", "provenance", "method", "its parameters", "content", "style", "tuned for")
    for recipe in recipes.values():
        layers = (", ".join(recipe.content_layers), ", ".join(recipe.style_layers))
        own = ", ".join(_chosen_parameters(recipe))
        table.add_row(recipe.name, recipe.provenance, recipe.method, own, *layers, recipe.encoder)
    return table


def _chosen_parameters(recipe: "Recipe") -> Iterator[str]:
    """Those of the method's that the recipe sets, and not the method for all of its recipes."""
    for each in fields(recipe.parameters):
        value = getattr(recipe.parameters, each.name)
        if value != each.default:
            shown = " ".join(map(str, value)) if isinstance(value, tuple) else value
            yield f"{each.name.replace('_', ' ')} {shown}"


def weights_table(files: Sequence["WeightsFile"], used_by: Mapping[Path, Sequence[str]]) -> Table:
    """Installed weights, in the order in which a name is looked up, and the recipes that would use each."""
    table = Table("encoder", "used by", "SHA-256", title_justify="left")
    table.add_column("MB", justify="right")
    table.add_column("about")
    table.add_column("file", overflow="fold")
    for file in files:
        recipes, size = ", ".join(used_by.get(file.path, ())), f"{file.size_bytes / 1e6:.1f}"
        about, place = Text("\n".join(weights_words(file))), Text(str(file.path))
        table.add_row(Text(file.name), Text(recipes), file.checksum[:12], size, about, place)
    return table


def weights_words(file: "WeightsFile") -> Iterable[str]:
    """What the file says of itself: how near it comes to VGG-19, and under which licence it stands."""
    if quality := file.quality:
        figures = ", ".join(f"{name} {_short(value)}" for name, value in quality.items())
        yield f"{figures[:1].upper()}{figures[1:]} against VGG-19."
    if licence := file.metadata.get("licence"):
        yield f"Licence: {licence}."
    if attribution := file.metadata.get("attribution"):
        yield f"{attribution[:1].upper()}{attribution[1:]}."


def measure_lines(tally: "MeasureTally") -> Iterable[str]:
    """What was measured and what could not be."""
    nothing = "" if tally.measured or tally.problems else "; nothing was left to measure"
    yield f"Measure: {tally.measured} pictures measured{nothing}."
    yield from problem_lines(tally.problems)


def means_table(encoder: str, means: Sequence["MeasuredMeans"]) -> Table:
    """Means of one encoder's figures for each recipe and each encoder that made the pictures."""
    table = Table("recipe", "made with", title=f"Measured by {encoder}", title_justify="left")
    for column in ("pictures", "content error", "style error", "total error"):
        table.add_column(column, justify="right")
    for row in means:
        made_by = f"{row.made_by.name} ({row.made_by.checksum[:12]})"
        errors = (row.errors.content_error_mean, row.errors.style_error_mean, row.errors.total_error_mean)
        figures = ("unknown" if error is None else f"{error:.4f}" for error in errors)
        table.add_row(Text(f"{row.recipe_name} ({row.recipe_digest[:8]})"), Text(made_by), str(row.attempts), *figures)
    return table


def _short(value: float) -> str:
    """Two decimals, without the zero before them."""
    return f"{value:.2f}".removeprefix("0")
