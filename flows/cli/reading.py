"""The commands that only look, measure and mend: status, show, measure, recipes, weights, doctor.

Thin, and never Prefect.

`flows.cli.app` takes them in. Each imports what it needs for itself, so that it answers at once.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.cli.console import (
    Device,
    Home,
    exit_with,
    failed_if,
    look_at_settings,
    read_settings,
    refuse,
    say,
    settings_with_archives,
    show,
)
from flows.endings import Ending
from flows.errors import Faults, Misused

if TYPE_CHECKING:
    from db.catalogue import Catalogue
    from db.doctor import Finding, Remedies
    from flows.settings import Settings

reading_app = typer.Typer()
weights_app = typer.Typer(no_args_is_help=True, help="The encoder's weights.")


@reading_app.command()
def status(
    home: Home = None, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Show the catalogue in numbers."""
    from db.overview import Overview
    from flows.reports.nights import night_told

    with Overview.open(read_settings(home=home), create=False) as catalogue:
        numbers = {**catalogue.status(), "night": next(map(night_told, catalogue.nights(1)), None)}
    if as_json:
        say([json.dumps(numbers, ensure_ascii=False, default=str)])
        return
    from flows.reports.summary import status_table

    show(status_table(numbers))


@reading_app.command()
def archives(
    home: Home = None, as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False
) -> None:
    """List the archives: how each is asked, its last harvest, and what was held back. None of them is asked."""
    from flows.reports.archives import archives_table, archives_told

    told = archives_told(read_settings(home=home))
    if as_json:
        say([json.dumps(told, ensure_ascii=False)])
        return
    show(archives_table(told))


@reading_app.command("show")
def show_attempt(
    attempt: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Its number, as `nishiki export` lists it.")],
    home: Home = None,
    trace: Annotated[bool, typer.Option("--trace", help="List its loss terms over the iterations.")] = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw them into a PNG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show one attempt with all that stands beside it."""
    if as_json and (trace or png):
        refuse("--json holds the whole trace; ask for it alone, or for --trace and --png")
    from db.catalogue import Catalogue
    from flows.reports.attempt import attempt_lines, look_up, loss_table, remarks, to_json, write_figure

    with Catalogue.open(read_settings(home=home), create=False) as catalogue:
        shown = look_up(catalogue, attempt)
    say([to_json(shown)] if as_json else attempt_lines(shown))
    if not (trace or png):
        return
    show(loss_table(shown.attempt))
    say(remarks(shown.attempt))
    if png:
        write_figure(shown, png)
        say([f"Figure: {png}"])


@reading_app.command()
def measure(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TRUTH RESULT | BATCH]", help="Two picture files; or a batch's number, or all."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="Of batches: an encoder by name, see: nishiki weights list.")
    ] = None,
    home: Home = None,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="Of two files: one JSON object.")] = False,
) -> None:
    """Measure a picture file against the true colours, or earlier attempts again by another encoder.

    With two files: how far RESULT is from TRUTH, and how far TRUTH is when it is left gray. With --encoder: its figures
    stand beside the attempts' own.
    """
    words = words or []
    if encoder is None:
        if len(words) != 2:
            refuse("name two picture files, TRUTH and RESULT, or an --encoder to measure earlier attempts by")
        _measure_files(Path(words[0]), Path(words[1]), as_json)
        return
    if as_json:
        refuse("--json is for two picture files; nishiki export gives the figures of attempts")
    if len(words) > 1:
        refuse("with --encoder, name one batch, or all")
    settings, wrong = look_at_settings(home=home, device=device)
    _measure_batch(settings, wrong, encoder, words[0] if words else "all")


def _measure_files(truth: Path, result: Path, as_json: bool) -> None:
    from flows.evaluation.truth import measure_files, measures_table

    measured = measure_files(truth, result, read_settings().max_pixels)
    if as_json:
        say([json.dumps({**measured.figures, "notes": measured.notes}, ensure_ascii=False)])
        return
    show(measures_table(measured.figures))
    say(measured.notes)


def _measure_batch(settings: "Settings", wrong: Sequence[Exception], encoder: str, batch: str) -> None:
    from db.catalogue import Catalogue
    from flows.plan import encoder_named

    faults = Faults(wrong)
    number = faults.of(lambda: _number_of(batch))
    faults.of(lambda: Catalogue.open(settings, create=False).close())  # before torch is loaded
    weights = faults.of(lambda: encoder_named(settings, encoder))
    faults.tell()
    assert weights is not None
    from flows.evaluation.remeasure import measure as measure_pictures
    from flows.reports.encoder_note import weights_sentence
    from flows.reports.summary import means_table, measure_lines

    tally = measure_pictures(settings, weights, number)
    say(measure_lines(tally))
    for key, means in tally.means:
        if means:
            show(means_table(f"{key.name} ({key.checksum[:12]})", means))
    say([weights_sentence(tally.means[0][0])])
    exit_with(failed_if(tally.problems))


def _number_of(batch: str) -> int | None:
    """None: all of them."""
    if batch != "all" and not (batch.isdecimal() and int(batch) < 2**31):
        raise Misused(f"{batch!r} is not the number of a batch; nishiki export lists them (or give: all)")
    return None if batch == "all" else int(batch)


@reading_app.command()
def recipes() -> None:
    """List the named recipes with their provenance."""
    from flows.plan import all_recipes
    from flows.reports.summary import recipes_table

    show(recipes_table(all_recipes(read_settings())))


@weights_app.command("list")
def weights_list() -> None:
    """List the installed encoders, and which recipes would use each."""
    from flows.plan import available_weights, users_of
    from flows.reports.summary import weights_table

    settings = read_settings()
    files = available_weights(settings)
    show(weights_table(files, users_of(settings, files)))
    say(["random-seeded weights are made when they are named; nishiki weights download gets VGG-19 (548 MB)."])


@weights_app.command("download")
def weights_download(
    network: Annotated[
        Literal["vgg19", "vgg16"], typer.Argument(help="vgg16 serves nishiki train cieluv-net.")
    ] = "vgg19",
) -> None:
    """Get torchvision's VGG-19 (548 MB) or VGG-16 (528 MB), verify and keep its convolutions."""
    from colorize.encoders.loading import download_weights

    file = download_weights(read_settings().cache_dir, vgg16=network == "vgg16")
    say([f"{file.name} ({file.checksum[:12]}) lies in {file.path}"])


@reading_app.command()
def doctor(
    home: Home = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every picture, and all of a large database.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Read no picture [for a minute].")] = False,
    repair: Annotated[bool, typer.Option("--mend", help="Mend what can be mended without loss.")] = False,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Bring an older catalogue to this version.")] = False,
    before_night: Annotated[
        bool, typer.Option("--before-night", help="Instead: tell all that would keep the next night from its work.")
    ] = False,
) -> None:
    """Look for damage in the catalogue and its pictures.

    Pictures are read and compared with their sha256 for a minute, and what was not looked at is said.
    With --before-night settings, archives, executor and places are looked at; nothing is harvested or changed.
    """
    if before_night:
        if deep or quick or repair or upgrade:
            refuse("--before-night looks for other things than damage; give it alone")
        from flows.cli.before_night import look_before_night

        say(look_before_night(*settings_with_archives(None, home=home)))
        return
    from db.doctor import LOOK_S, Damage, examine, mend, upgrade_schema
    from flows.upkeep.rejudging import RULES
    from flows.upkeep.toning import judge_tones_again, older_tones
    from flows.upkeep.waiting import waiting_batches

    if deep and quick:
        refuse("give --deep or --quick, not both")
    settings = read_settings(home=home)
    if upgrade:
        copy = upgrade_schema(settings)
        say([f"The catalogue is of this version now{f'; a copy of the old one is {copy}' if copy else ''}."])
    look_s = inf if deep else 0 if quick else LOOK_S
    findings = examine(settings, look_s=look_s, tell=_say_one, rules=RULES.version)
    mended = []
    if repair:
        mended = mend(settings, findings, _remedies(settings), _say_one)
    left = [finding for finding in findings if finding not in mended]
    unread = any(finding.damage in (Damage.DATABASE, Damage.SCHEMA) for finding in left)
    tones, waiting = ([], []) if unread else (older_tones(settings), waiting_batches(settings))
    if repair and tones and judge_tones_again(settings, _say_one):
        mended += tones
    findings += tones
    left = [finding for finding in findings if finding not in mended]
    say(_doctor_lines([*findings, *waiting], mended, tried=repair))
    exit_with(Ending.WAITING if waiting and not left else failed_if(left))


def _remedies(settings: "Settings") -> "Remedies":
    """What the night can do for the doctor."""
    from db.doctor import Remedies
    from flows.upkeep.originals import fetch_again
    from flows.upkeep.rejudging import RULES
    from flows.upkeep.working_copies import make_working_copies

    def remake(where: "Catalogue", lost: Collection[str]) -> None:
        say(make_working_copies(where, lost, settings.max_pixels))

    def make_tiles() -> None:
        from flows.reports.summary import problem_lines
        from flows.workers.tiles import make_missing

        say(problem_lines(make_missing(settings).problems))

    return Remedies(remake, partial(fetch_again, settings), RULES, make_tiles)


def _say_one(line: str) -> None:
    say([line])


def _doctor_lines(findings: Sequence["Finding"], mended: Sequence["Finding"], *, tried: bool) -> Iterable[str]:
    """What is wrong, and what is to be done; what mending could not do is not advised again."""
    if not findings:
        yield "The catalogue and its pictures are sound."
    for finding in findings:
        left = finding.left if tried else finding.remedy
        remedy = f"to mend it: {left}" if left else "it could not be mended now"
        yield f"{finding.damage} {finding.subject}: {finding.problem}; {'mended' if finding in mended else remedy}"
