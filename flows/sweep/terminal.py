"""What a person reads after a sweep: what was done, the table, the paper's best beside ours.

`flows.cli.app` prints it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from flows.reports.summary import harvest_lines, problem_lines
from flows.sweep.published import HEADER, SOURCE
from flows.sweep.tables import SHOWN, cells

if TYPE_CHECKING:  # the flow loads Prefect
    from flows.sweep.flow import Sweep
    from flows.sweep.report import SweepReport


def sweep_lines(sweep: "Sweep") -> Iterable[str]:
    """What the folders gave and what became of the attempts, over all configurations."""
    yield from harvest_lines(sweep.harvests)
    if sweep.left_out:
        yield f"Left out, pictures that may not be used (rights, or made by nishiki itself): {sweep.left_out}."
    outcomes: Counter[str] = sum((tally.outcomes for tally in sweep.batches), Counter())
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    yield f"Sweep: {outcomes.total()} new attempts{f': {told}' if told else '; nothing was left to do'}."
    yield from problem_lines([problem for tally in sweep.batches if not tally.outcomes for problem in tally.problems])
    yield from problem_lines([note for tally in sweep.batches for note in tally.notes])
    yield from problem_lines(sweep.report.failed)


def sweep_tables(report: "SweepReport") -> Iterable[Table]:
    """Every configuration, and the best-of where the paper's recipes are among them."""
    header, body = cells(report.rows, SHOWN)
    yield _table(header, body)
    if report.best:
        yield _table(HEADER, [line.words for line in report.best])


def closing_lines(report: "SweepReport") -> Iterable[str]:
    """Where the report lies, and what its figures rest on."""
    if report.best:
        yield f"JADH 2016: {SOURCE}. Agreement is reported as found on these pictures."
    yield f"Errors are means over elements, ± standard deviation (n−1); rejected attempts count. {report.encoder}"
    yield f"Report: {report.page} (with table.csv, figure.png, figure.svg, samples.png)"


def _table(header: Sequence[str], body: Iterable[Iterable[str]]) -> Table:
    table = Table(*header)
    table.columns[0].no_wrap = True
    for line in body:
        table.add_row(*(Text(word) for word in line))
    return table
