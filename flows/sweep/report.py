"""The report of a sweep under HOME/sweeps/NAME: table, figures, best-of, sample pictures, one self-contained page.

Called at the end of `flows.sweep.flow`; reads the catalogue only and may be run again. Attempts of one encoder only are
set side by side. The page is written last: where it lies, the rest lies too.
"""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from db.catalogue import Catalogue
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from db.files.pictures import PictureStore
from flows.settings import Settings
from flows.sweep.figures import error_bars, loss_curves, png, svg
from flows.sweep.published import HEADER, SOURCE, BestOf, best_of
from flows.sweep.samples import samples
from flows.sweep.tables import (
    LABEL,
    ConfigRow,
    Findings,
    SweptPairs,
    cells,
    config_rows,
    csv_text,
    figure_names,
    table_csv,
)


@dataclass(frozen=True)
class SweepReport:
    """Where the report lies, and what a person is told at once."""

    page: Path
    rows: Sequence[ConfigRow]
    best: Sequence[BestOf]
    failed: Sequence[tuple[str, str]]
    """Configuration and pair, and why there is no picture."""
    encoder: str


def sweep_name(swept: SweptPairs) -> str:
    """The report's folder: the same for the same pictures, recipes and encoder, another for any other."""
    facts = [
        swept.encoder.checksum,
        *(image.sha256 for image in (*swept.contents, *swept.styles)),
        *(recipe.digest() for recipe in swept.plan.recipes),
    ]
    return f"{swept.plan.name}-{sha256(' '.join(facts).encode()).hexdigest()[:8]}"


def findings_of(catalogue: Catalogue, swept: SweptPairs) -> Findings:
    """What the catalogue holds of a sweep by now."""
    digests = [recipe.digest() for recipe in swept.plan.recipes]
    attempts = catalogue.pair_attempts(swept.match_ids, digests, swept.encoder)
    descriptions = catalogue.describe({image.id for image in (*swept.contents, *swept.styles)})
    return Findings(swept, attempts, config_rows(swept.plan.recipes, attempts, len(swept.match_ids)), descriptions)


def write_report(findings: Findings, pictures: PictureStore, settings: Settings) -> SweepReport:
    """Write or renew the report; `pictures` holds contents, styles and results."""
    best = best_of(findings.rows)
    folder = settings.home / HomeFolder.SWEEPS / sweep_name(findings.swept)
    folder.mkdir(parents=True, exist_ok=True)
    files = _figures(findings)
    files["samples.png"] = png(samples(findings, pictures, settings.max_pixels))
    files["table.csv"] = table_csv(findings.rows).encode()
    if best:
        files["best_of.csv"] = csv_text([HEADER, *(line.words for line in best)]).encode()
    for name, data in files.items():
        write_whole(folder / name, data)
    write_whole(folder / "index.html", _page(findings, best, files).encode())
    return SweepReport(folder / "index.html", findings.rows, best, findings.failed, findings.encoder)


def _figures(findings: Findings) -> dict[str, bytes]:
    drawn = {"figure": error_bars(findings.rows, f"Relative errors. {findings.title}")}
    if findings.swept.plan.loss_curves:
        recipes = findings.swept.plan.recipes
        drawn["curves"] = loss_curves(recipes, findings.closed, f"Total loss. {findings.title}")
    return {
        f"{name}{suffix}": save(figure)
        for name, figure in drawn.items()
        for suffix, save in ((".png", png), (".svg", svg))
    }


def _page(findings: Findings, best: Sequence[BestOf], files: Mapping[str, bytes]) -> str:
    """Everything on one page that needs no other file."""
    environment = Environment(loader=PackageLoader("flows.reports"), autoescape=select_autoescape(default=True))
    header, body = cells(findings.rows, figure_names(findings.rows))
    pictures = {name: _data_url(data) for name, data in files.items() if name.endswith(".png")}
    return environment.get_template("sweep.html.j2").render(
        findings=findings, header=header, body=body, best_header=HEADER, best=[line.words for line in best],
        source=SOURCE, encoder=findings.encoder, pictures=pictures, label=LABEL,
        files=sorted(files), reasons=_reasons(findings.rows),
    )  # fmt: skip


def _reasons(rows: Sequence[ConfigRow]) -> list[tuple[str, str, list[str]]]:
    """(Provenance, reason, names) of the recipes, those of one reason together."""
    names: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        names[row.recipe.provenance, row.recipe.reason].append(row.recipe.name)
    return [(*why, those) for why, those in names.items()]


def _data_url(data: bytes) -> str:
    return "data:image/png;base64," + b64encode(data).decode()
