"""The `nishiki` command; thin: parses, calls a flow, prints. What only looks is in `flows.cli.reading`.

Whatever needs Prefect or torch is imported inside its command, so that those that only look answer at once.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from db.files.home import DEMO_MARK, PRIVATE, own_database
from db.person import person_here
from flows.cli.alarm import alarm_app
from flows.cli.backup import backup_app
from flows.cli.console import Device, Home, exit_with, look_at_settings, refuse, say, settings_with_archives, show
from flows.cli.curators import curator_app
from flows.cli.exporting import export_app
from flows.cli.failures import Application, Commands
from flows.cli.models import models_app
from flows.cli.nights import nights_app
from flows.cli.prefect_server import looks_before_night, prefect
from flows.cli.query import query_app
from flows.cli.reading import reading_app, weights_app
from flows.cli.records import records_app
from flows.cli.redo import redo_app
from flows.cli.report import report_app
from flows.cli.review import review_app
from flows.cli.serve import serve_app
from flows.cli.tiles import tiles_app
from flows.cli.tokens import token_app
from flows.cli.tones import tones_app
from flows.cli.training import train_app
from flows.endings import Ending, gravest
from flows.errors import Faults

if TYPE_CHECKING:
    from flows.dispatch import DispatchTally
    from flows.nightly import Night
    from flows.plan import Plan
    from flows.report import Sheet
    from flows.settings import Settings

app = Application(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Colours an archive's grayscale actor prints and keeps a catalogue of the proposals.",
)
app.add_typer(reading_app)
app.add_typer(export_app)
app.add_typer(query_app)
app.add_typer(nights_app)
app.add_typer(report_app)
app.add_typer(alarm_app)
app.add_typer(records_app)
app.add_typer(review_app)
app.add_typer(backup_app)
app.add_typer(serve_app)
app.add_typer(tiles_app)
app.add_typer(tones_app)
app.add_typer(redo_app, name="redo")
app.add_typer(weights_app, name="weights")
app.add_typer(train_app, name="train")
app.add_typer(models_app, name="models")
app.add_typer(curator_app, name="curator")
app.add_typer(token_app, name="token")

DemoHome = Annotated[Path | None, typer.Option(help="Folder that an earlier demo is removed from [demo-data].")]
RecipeName = Annotated[str | None, typer.Option("--recipe", help="A recipe by name, see: nishiki recipes.")]
EncoderName = Annotated[str | None, typer.Option("--encoder", help="An encoder by name, see: nishiki weights list.")]
Size = Annotated[int | None, typer.Option(min=32, max=8192, help="Long edge of results in pixels.")]
Iterations = Annotated[int | None, typer.Option(min=0, help="Evaluations for each picture; 0 measures the content.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Attempts at most.")]
Archives = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ARCHIVE]...", help="A name of nishiki.toml, a folder or an OAI-PMH URL."),
]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say([f"nishiki {version('nishiki')}"])
        raise typer.Exit


@app.callback()
def whole(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which nishiki this is.")
    ] = False,
) -> None:
    """The command with none of its parts named."""


DEMO: Mapping[str, Any] = {"recipe": "nishiki/colour", "encoder": "nishiki-small"}
SWEEP_HOME = Path("sweep-data")


@app.command()
def demo(
    home: DemoHome = None,
    protocol: Annotated[str, typer.Option(help="How the sample archive is asked; each leads to the same.")] = "oai-pmh",
) -> None:
    """Run a whole night on prints that nishiki draws.

    A real archive on this machine serves them; nothing of the operator's is touched.
    """
    from flows.archives.sample.server import SPOKEN, serve_sample

    if protocol not in SPOKEN:
        refuse(f"the sample archive does not speak {protocol}; it speaks {', '.join(SPOKEN)}")
    home = home or Path("demo-data")
    _start_afresh(home)
    # The demo's own database, never the operator's, whatever the settings say.
    given = {"home": home, "database_url": own_database(home), **DEMO}
    from flows.evaluation.demo_truth import truth_lines

    name = f"sample archive over {protocol}"
    with ExitStack() as stack:
        server = stack.enter_context(serve_sample())
        table = {name: {"protocol": protocol, "address": server.address(protocol)}}
        settings, wrong = look_at_settings(archives=table, **given)
        plan = stack.enter_context(_planned(settings, [name], alone=True, wrong=wrong))
        from flows.nightly import nightly

        say([f"The sample archive answers at {server.address(protocol)}; everything in it is drawn by program."])
        night = nightly([name], plan.settings)
        _tell_night(plan, night)
        say(truth_lines(plan, [batch.batch_id for batch in night.batches], server.truth))
    _tell_report(plan)
    exit_with(night.ending)


@app.command()
def harvest(
    archives: Archives = None,
    home: Home = None,
    full: Annotated[
        bool, typer.Option("--full", help="List everything anew, and withdraw all that is gone, however much it is.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Change nothing: show what an archive on the web would be asked for, and row by row what a folder's "
            "tables say.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: one JSON object for each archive.")] = False,
) -> None:
    """Read records and pictures of archives into the catalogue."""
    if as_json and not dry_run:
        refuse("--json is for --dry-run")
    given = {"full_listing_days": 0, "full_listing_share": 1.0} if full else {}
    settings, wrong = settings_with_archives(archives, home=home, **given)
    if dry_run:
        Faults(wrong).tell()
        _show_next(settings, archives, as_json=as_json)
        return
    from flows.plan import plan_catalogue
    from flows.reports import summary

    with plan_catalogue(settings, archives or [], wrong=wrong) as plan, prefect(plan.settings):
        from flows.harvest import harvest as harvest_flow

        tallies = harvest_flow(plan.settings, archives or [])
    say(summary.harvest_lines(tallies))
    exit_with(gravest(tally.ending for tally in tallies))


@app.command()
def match(
    styles: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STYLE]...", help="With --pin: whose colours, best first; none: unpin."),
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="PICTURE", help="Say why it takes the colours that it takes, with a sheet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --explain: one JSON object, and no sheet.")] = False,
    pin: Annotated[
        str | None, typer.Option(metavar="PICTURE", help="Let it take the colours of STYLE ..., as you decide.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="With --pin: who decides [your name on this machine].")] = None,
    home: Home = None,
    recipe: RecipeName = None,
    encoder: EncoderName = None,
    device: Device = None,
) -> None:
    """Choose colour prints for each grayscale one, by what records and pictures share.

    Pictures are named by their number or their record's identifier.
    """
    if (styles and pin is None) or (as_json and explain is None) or (explain is not None and pin is not None):
        refuse("STYLE goes with --pin, --json with --explain, and one of the two at a time")
    given: dict[str, Any] = {"home": home, "recipe": recipe, "encoder": encoder, "device": device}
    if explain is not None or pin is not None:
        from flows.cli.matching import explain_match, pin_match
        from flows.plan import plan_night

        settings, wrong = look_at_settings(**given)
        with plan_night(settings, create=False, wrong=wrong) as plan:
            if explain is not None:
                explain_match(plan, explain, as_json=as_json)
            else:
                pin_match(plan, [pin or "", *(styles or [])], by or person_here())
        return
    from flows.reports import summary

    with _night(**given) as plan:
        from flows.match import match as match_flow

        tally = match_flow(plan.settings)
        say([*summary.match_lines(tally), _encoder_sentence(plan)])


@app.command()
def dispatch(
    home: Home = None, recipe: RecipeName = None, encoder: EncoderName = None, size: Size = None,
    iterations: Iterations = None, limit: Limit = None, device: Device = None,
) -> None:  # fmt: skip
    """Colorize what is matched and not done yet.

    Unfinished batches are carried on first.
    """
    given = {"home": home, "recipe": recipe, "encoder": encoder, "size": size, "iterations": iterations}
    with _night(None, **given, limit=limit, device=device) as plan:
        from flows.dispatch import dispatch as dispatch_flow
        from flows.reports.summary import tone_lines

        tallies = dispatch_flow(plan.settings)
        _tell_batches(plan, tallies)
        if not tallies:
            say(tone_lines(plan.catalogue.tones()))
            _tell_why_nothing(plan)
            say([f"Matches are taken on with the encoder that made them. {_encoder_sentence(plan)}"])


@app.command()
def resume(
    batch: Annotated[int | None, typer.Argument(help="Number of one batch.", show_default="all of them")] = None,
    home: Home = None, device: Device = None,
) -> None:  # fmt: skip
    """Carry on unfinished batches only, beside whoever is at them."""
    with _night(home=home, device=device) as plan:
        from flows.dispatch import resume as resume_flow

        _tell_batches(plan, resume_flow(plan.settings, batch))


@app.command()
def nightly(
    archives: Archives = None, home: Home = None, recipe: RecipeName = None, encoder: EncoderName = None,
    size: Size = None, iterations: Iterations = None, limit: Limit = None, device: Device = None,
) -> None:  # fmt: skip
    """Run the whole night: harvest, match, dispatch, report."""
    given = {"home": home, "recipe": recipe, "encoder": encoder, "size": size, "iterations": iterations}
    settings, wrong = settings_with_archives(archives, **given, limit=limit, device=device)
    with _planned(settings, archives or [], alone=True, wrong=wrong) as plan:
        from flows.nightly import nightly as nightly_flow

        night = nightly_flow(archives or [], plan.settings)
        _tell_night(plan, night)
    _tell_report(plan)
    exit_with(night.ending)


@app.command()
def sweep(
    content: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of pictures to be colorized.")],
    style: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of colour prints.")],
    configs: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Recipe names, with commas or repeated [jadh2016/*].")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Instead of patterns: asiagraph2016-figure2.")] = None,
    encoder: EncoderName = None, iterations: Iterations = None, size: Size = None,
    home: Annotated[Path | None, typer.Option(help="Folder of the sweep's own catalogue [sweep-data].")] = None,
    device: Device = None,
) -> None:  # fmt: skip
    """Compare configurations on two folders of pictures.

    Every content is colorized in the colours of every style by each of them.
    Sweeps keep a catalogue of their own, so that experiments stay out of the night's and of the curators' queue;
    with --home the settings' database counts. The same command again carries on, and does nothing twice.
    """
    from flows.sweep.plan import JADH, pattern_plan, preset_plan

    if content.resolve() == style.resolve():
        refuse(f"{content} is given as content and as style; put the style prints into a folder of their own")
    if configs and preset:
        refuse("give --configs or --preset, not both")
    where = {"home": home} if home else {"home": SWEEP_HOME, "database_url": own_database(SWEEP_HOME)}
    given = {**where, "encoder": encoder, "iterations": iterations, "size": size, "device": device}
    settings, wrong = look_at_settings(**given)
    faults = Faults(wrong)
    chosen = faults.of(lambda: preset_plan(settings, preset) if preset else pattern_plan(settings, configs or [JADH]))
    from flows.sweep.terminal import closing_lines, sweep_lines, sweep_tables

    with _planned(settings, [str(content), str(style)], wrong=faults.found):
        from flows.sweep.flow import sweep as sweep_flow

        assert chosen is not None
        swept = sweep_flow(settings, chosen, content, style)
    say(sweep_lines(swept))
    for table in sweep_tables(swept.report):
        show(table)
    say(closing_lines(swept.report))
    exit_with(swept.ending)


@app.command()
def colorize(
    content: Annotated[Path, typer.Argument(help="The picture to be colorized.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The result: .png, .tif (16 bits) or .jpg.")],
    style: Annotated[
        list[Path] | None, typer.Argument(help="The colour print whose colours are taken; up to five to choose from.")
    ] = None,
    marks: Annotated[Path | None, typer.Option(help="Colours drawn by hand: JSON, or a PNG laid over CONTENT.")] = None,
    mask: Annotated[
        Path | None, typer.Option(help="A picture as large as CONTENT, white where colour is wanted, else black.")
    ] = None,
    recipe: RecipeName = None, encoder: EncoderName = None, size: Size = None, iterations: Iterations = None,
    device: Device = None,
    keep_rejected: Annotated[bool, typer.Option(help="Write a result that is not fit to be shown, too.")] = False,
) -> None:  # fmt: skip
    """Colorize one picture file in the colours of another, without a catalogue.

    Of several styles each region takes most from the one that has its like. With --marks their colours hold, whatever
    the recipe found; without STYLE they are all the colours there are. A trained colorizer (nishiki models list) needs
    neither. With --mask only what is white in it is coloured, and the rest stays as it is.
    A result that the recipe's limits reject is not written: the command says why and ends with 1.
    """
    if not (style or marks or recipe):
        refuse("give STYLE, a colour print, or --marks with colours of your own, or --recipe with a trained colorizer")
    from flows.single import Files, colorize_files

    recipe = recipe or (None if style else "nishiki/marks")
    settings, wrong = look_at_settings(recipe=recipe, encoder=encoder, size=size, iterations=iterations, device=device)
    files = Files(content, tuple(style or ()), marks, output, mask)
    say(colorize_files(settings, files, keep_rejected=keep_rejected, wrong=wrong))


@contextmanager
def _night(archives: Sequence[str] | None = None, **given: Any) -> Iterator["Plan"]:
    """The plan of a command that runs a stage."""
    settings, wrong = look_at_settings(**given)
    with _planned(settings, archives, wrong=wrong) as plan:
        yield plan


@contextmanager
def _planned(
    settings: "Settings", archives: Sequence[str] | None, *, wrong: Sequence[Exception], alone: bool = False
) -> Iterator["Plan"]:
    """The plan of a command that runs a stage; all that is wrong is told before Prefect is loaded.

    Where no archive is read a catalogue has to be there: a mistyped home must not make an empty one.
    """
    from flows.plan import plan_night

    create, looks = archives is not None, looks_before_night() if alone else ()
    with (
        plan_night(settings, archives, create=create, alone=alone, wrong=wrong, looks=looks) as plan,
        prefect(settings),
    ):
        yield plan


def _encoder_sentence(plan: "Plan") -> str:
    from flows.reports.encoder_note import weights_sentence

    return weights_sentence(plan.night.encoder, plan.night.entry)


def _show_next(settings: "Settings", words: Sequence[str] | None, *, as_json: bool) -> None:
    """What a harvest would ask for, and what the tables of folders say."""
    from flows.archives.folder.archive import FolderArchive
    from flows.plan import planned_archive
    from flows.reports.archives import next_harvest_lines
    from flows.reports.folder_account import account_json, account_lines

    for planned in [planned_archive(settings, word) for word in words or settings.archives]:
        if planned.settings.is_folder:
            account = FolderArchive.open(planned.access).account()
            say([account_json(planned.name, account)] if as_json else account_lines(planned.name, account))
        else:
            lines = list(next_harvest_lines(settings, planned))
            say([json.dumps({"archive": planned.name, "told": lines}, ensure_ascii=False)] if as_json else lines)


def _start_afresh(home: Path) -> None:
    """Remove an earlier demo, known by its mark; any other folder with something in it stays untouched."""
    mark = home / DEMO_MARK
    if home.exists() and not mark.exists() and (not home.is_dir() or any(home.iterdir())):
        refuse(f"{home} was not made by an earlier demo and stays as it is; name another --home")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(PRIVATE, parents=True)
    mark.write_text("The next `nishiki demo` removes this folder.\n")


def _tell_night(plan: "Plan", night: "Night") -> None:
    from flows.reports import summary

    say(summary.harvest_lines(night.harvests))
    say(summary.match_lines(night.matching))
    say(summary.dispatch_lines(night.batches))
    if not night.batches:
        _tell_why_nothing(plan)
    for sheet in night.sheets:
        _tell_sheet(sheet)
    say([_encoder_sentence(plan)])


def _tell_report(plan: "Plan") -> None:
    """Where the report lies that was written as the night ended."""
    from flows.morning import report_file

    assert plan.running is not None
    file = report_file(plan.settings, plan.running.id)
    say([f"Report on the night: {file}"] if file.exists() else [])


def _tell_why_nothing(plan: "Plan") -> None:
    from flows.reports.nothing_due import nothing_due_lines

    scope = plan.scope()
    if not plan.catalogue.batches_at_work():
        catalogue = plan.catalogue
        say(nothing_due_lines(catalogue.prospects(scope), catalogue.tones(), catalogue.held_back(scope)))


def _tell_sheet(sheet: "Sheet") -> None:
    from flows.reports.summary import attempts_table

    show(attempts_table(sheet.rows))
    say(filter(None, [sheet.trust, f"Contact sheet: {sheet.html} and {sheet.png.name}"]))


def _tell_batches(plan: "Plan", tallies: "Sequence[DispatchTally]") -> None:
    from flows.report import report, sheets_due
    from flows.reports import summary

    say(summary.dispatch_lines(tallies))
    for batch_id in sheets_due(plan, [tally.batch_id for tally in tallies if tally.outcomes]):
        sheet = report(plan.settings, batch_id)
        _tell_sheet(sheet)
        say([sheet.encoder])
    exit_with(gravest(tally.ending for tally in tallies) if tallies else _others_at_work(plan))


def _others_at_work(plan: "Plan") -> Ending:
    """Where nothing was due: is that because another process is at it?"""
    held = plan.catalogue.batches_at_work()
    say(f"Batch {each.id}: another process is at it; {each.left} of {each.taken} attempts are left." for each in held)
    return Ending.BUSY if held else Ending.DONE
