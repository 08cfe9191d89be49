"""Does the suite catch faults? Places of the product are broken at random, one at a time, and the tests are asked.

Each mutant is written into a scratch copy of a checkout, and the tests that run its line are run there: unit tests
first, the fast ones first, until one fails. Which test runs which line is told by coverage's data
(`pytest --cov=colorize --cov=db --cov=flows --cov-context=test --junitxml=FILE`). The same mutants can be tried on
another checkout: a place is found again by its function and its statement, also where both moved or were renamed.

    python -m tests.benchmarks.mutants --coverage .coverage --junit junit.xml --mutants mutants.json
"""

import argparse
import ast
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from xml.etree import ElementTree as ET

from coverage import CoverageData
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
PRODUCT = ("colorize", "db", "flows")
ORDER = ("tests/unit", "tests/integration", "tests/browser", "tests/e2e")
UNKNOWN_S = 1.0
"""For a test whose time nobody wrote down."""
ALIKE = 0.72
"""Two statements this similar, in functions of one name, are one statement before and after a renaming."""
ALIKE_ELSEWHERE, LONG = 0.82, 50
"""The same where the function has another name, and how many letters a statement must then have."""

FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One fault: what stands where, and what is written instead; `nth` of its kind in the statement."""

    path: str
    function: str
    statement: str
    kind: str
    nth: int
    line: int
    before: str
    after: str


@dataclass(frozen=True)
class Place:
    """One statement in a function of the product, with all that can be broken in it."""

    path: str
    function: str
    statement: str
    faults: "tuple[tuple[str, int, ast.AST, str], ...]"
    """Kind, number within its kind, node, and the text that takes the node's place."""

    def mutant(self, fault: "tuple[str, int, ast.AST, str]") -> Mutant:
        """The fault by what can be written down."""
        kind, nth, node, after = fault
        line: int = getattr(node, "lineno", 0)
        return Mutant(self.path, self.function, self.statement, kind, nth, line, ast.unparse(node), after)


@dataclass(frozen=True)
class Tried:
    """What became of a mutant: "killed", "survived", "no test runs it", or "no sooner than the time limit"."""

    mutant: Mutant
    found: str
    outcome: str
    killer: str
    tests: int
    seconds: float


# Places.


def places(checkout: Path) -> list[Place]:
    """Every statement that can be broken, in the order of the files."""
    files = (file for package in PRODUCT for file in sorted((checkout / package).rglob("*.py")))
    return [
        place
        for file in files
        if "migrations" not in file.parts
        for place in _in_file(file, str(file.relative_to(checkout)))
    ]


def _in_file(file: Path, path: str) -> Iterator[Place]:
    for function, node in _functions(ast.parse(file.read_text(encoding="utf-8")), ""):
        for statement in _statements(node.body):
            if faults := tuple(_numbered(statement)):
                yield Place(path, function, _head(statement), faults)


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}.{child.name}".lstrip(".")
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, child
        yield from _functions(child, name)


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a function; those of the functions in it are theirs."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield statement
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, part, []))
        for case in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
            yield from _statements(case.body)


def _roots(statement: ast.stmt) -> list[ast.AST]:
    """What of a statement is its own: the head of one that holds others, else all of it."""
    match statement:
        case ast.If() | ast.While():
            return [statement.test]
        case ast.For() | ast.AsyncFor():
            return [statement.iter]
        case ast.With() | ast.AsyncWith():
            return [item.context_expr for item in statement.items]
        case ast.Match():
            return [statement.subject]
        case ast.Try() | ast.Pass() | ast.Global() | ast.Nonlocal() | ast.Import() | ast.ImportFrom():
            return []
        case ast.AnnAssign():
            return [statement.value] if statement.value else []
        case ast.Expr(value=ast.Constant()):  # a docstring
            return []
        case _:
            return [statement]


def _head(statement: ast.stmt) -> str:
    return f"{type(statement).__name__}: {'; '.join(ast.unparse(root) for root in _roots(statement))}"


def _numbered(statement: ast.stmt) -> Iterator[tuple[str, int, ast.AST, str]]:
    seen: dict[str, int] = defaultdict(int)
    for kind, node, after in _faults(statement):
        yield kind, seen[kind], node, after
        seen[kind] += 1


def _faults(statement: ast.stmt) -> Iterator[tuple[str, ast.AST, str]]:
    match statement:
        case ast.If() | ast.While():
            yield "boolean negated", statement.test, f"(not ({ast.unparse(statement.test)}))"
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield "return value dropped", statement, "return None"
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield "statement removed", statement, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement removed", statement, "pass"
    for root in _roots(statement):
        for node in _walk(root):
            yield from _in_expression(node)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, but for f-strings, whose parts Python 3.11 places wrongly."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.JoinedStr):
            yield from _walk(child)


def _in_expression(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    yield from _of_truth(node)
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SWAPPED:
            yield "arithmetic swapped", node, f"({ast.unparse(ast.BinOp(left, SWAPPED[type(op)](), right))})"
        case ast.Constant(value=bool(value)):
            yield "constant changed", node, str(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "constant changed", node, f"({value + 1!r})"
        case ast.Call(args=[ast.expr() as first, second, *rest]) if not isinstance(second, ast.Starred):
            swapped = ast.unparse(ast.Call(node.func, [second, first, *rest], node.keywords))
            if swapped != ast.unparse(node) and not isinstance(first, ast.Starred):
                yield "argument swapped", node, swapped


def _of_truth(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield "comparison flipped", node, f"({ast.unparse(ast.Compare(left, [FLIPPED[type(op)]()], [right]))})"
        case ast.BoolOp(op=op, values=values):
            other = ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield "boolean negated", node, f"({ast.unparse(other)})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "boolean negated", node, f"({ast.unparse(operand)})"
        case ast.IfExp(test=test):
            yield "boolean negated", test, f"(not ({ast.unparse(test)}))"


def broken(text: str, node: ast.AST, after: str) -> str:
    """The file's text with the node replaced."""
    assert isinstance(node, ast.expr | ast.stmt)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    lines = text.encode().splitlines(keepends=True)
    start = sum(len(line) for line in lines[: node.lineno - 1]) + node.col_offset
    end = sum(len(line) for line in lines[: node.end_lineno - 1]) + node.end_col_offset
    data = text.encode()
    changed = (data[:start] + after.encode() + data[end:]).decode()
    ast.parse(changed)
    return changed


# Which tests run which line.


@dataclass(frozen=True)
class Covered:
    """Coverage's data and the tests' times."""

    lines: Mapping[str, Mapping[int, list[str]]]
    """For each file, as the checkout names it, the contexts of each line."""
    seconds: Mapping[str, float]
    failed: frozenset[str]

    @classmethod
    def read(cls, coverage: Path, junit: Path | None) -> "Covered":
        """From a data file with `--cov-context=test`, and from a JUnit file."""
        data = CoverageData(str(coverage))
        data.read()
        lines = {}
        for file in data.measured_files():
            package = next((found for each in PRODUCT if (found := file.rfind(f"/{each}/")) >= 0), None)
            if package is not None:
                lines[file[package + 1 :]] = data.contexts_by_lineno(file)
        seconds: dict[str, float] = defaultdict(float)
        failed = set()
        for case in ET.parse(junit).iter("testcase") if junit else ():
            name = f"{case.attrib['classname'].replace('.', '/')}.py::{case.attrib['name']}"
            seconds[name] += float(case.attrib["time"])
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add(name)
        return cls(lines, seconds, frozenset(failed))

    def tests(self, path: str, line: int) -> list[str]:
        """The tests that run this line: unit tests first, in each folder a file's fastest in turn."""
        contexts = self.lines.get(path, {}).get(line, [])
        names = {context.rpartition("|")[0] for context in contexts if "|" in context} - self.failed
        return [name for folder in ORDER for name in self._in_turn([n for n in names if n.startswith(folder)])]

    def _in_turn(self, names: Sequence[str]) -> list[str]:
        files: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names, key=lambda each: (self.seconds.get(each, UNKNOWN_S), each)):
            files[name.partition("::")[0]].append(name)
        return [name for row in zip_longest(*files.values()) for name in row if name]

    def within(self, tests: Sequence[str], most: int, limit_s: float) -> list[str]:
        """The first of them that should end in time, one at least."""
        chosen: list[str] = []
        spent = 0.0
        for name in tests[:most]:
            spent += self.seconds.get(name, UNKNOWN_S)
            if chosen and spent > limit_s:
                break
            chosen.append(name)
        return chosen


# Drawing places, and finding them again.


def drawn(found: Sequence[Place], covered: Covered, count: int, seed: int) -> tuple[list[Mutant], list[Mutant]]:
    """So many mutants on lines that some test runs, and those drawn on the way that none runs."""
    chance = random.Random(seed)
    order = chance.sample(found, len(found))
    taken: list[Mutant] = []
    bare: list[Mutant] = []
    for place in order:
        kind = chance.choice(sorted({fault[0] for fault in place.faults}))
        mutant = place.mutant(chance.choice([fault for fault in place.faults if fault[0] == kind]))
        (taken if covered.tests(mutant.path, mutant.line) else bare).append(mutant)
        if len(taken) == count:
            break
    return taken, bare


def found_again(mutant: Mutant, found: Sequence[Place]) -> tuple[str, Mutant] | None:
    """The same fault in another checkout, and how sure that is; None where its statement is gone."""
    best: tuple[float, Mutant] | None = None
    for place in found:
        fault = _of_kind(place, mutant)
        alike = _alike(place, mutant) if fault else 0.0
        if fault is None or alike == 0:
            continue
        there = place.mutant(fault)
        near = (
            there.function == mutant.function,
            Path(there.path).name == Path(mutant.path).name,
            there.line == mutant.line,
        )
        score = alike + sum(weight * holds for weight, holds in zip((0.5, 0.25, 0.1), near, strict=True))
        if best is None or score > best[0]:
            best = score, there
    if best is None:
        return None
    how = "same" if best[1].statement == mutant.statement else "changed a little"
    return how if best[1].path == mutant.path else f"{how}, moved", best[1]


def _alike(place: Place, mutant: Mutant) -> float:
    """From 0 to 1; in a function of another name only a long statement counts, all but unchanged."""
    renamed = place.function.rpartition(".")[2] != mutant.function.rpartition(".")[2]
    if renamed and len(mutant.statement) < LONG:
        return 0.0
    matcher = SequenceMatcher(None, place.statement, mutant.statement, autojunk=False)
    least = ALIKE_ELSEWHERE if renamed else ALIKE
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= least else 0.0


def _of_kind(place: Place, mutant: Mutant) -> "tuple[str, int, ast.AST, str] | None":
    alike = [fault for fault in place.faults if fault[0] == mutant.kind]
    by_number = [fault for fault in alike if fault[1] == mutant.nth]
    by_text = [fault for fault in alike if ast.unparse(fault[2]) == mutant.before]
    by_both = [fault for fault in by_number if fault in by_text]
    return next(iter(by_both or by_text or by_number), None)


# Trying them.


@dataclass(frozen=True)
class Workshop:
    """A scratch copy of a checkout in which mutants are tried."""

    folder: Path
    limit_s: float

    def tried(self, mutant: Mutant, found: str, place: Place, tests: list[str]) -> Tried:
        """Break the place, run the tests, mend it; what fails must pass on the whole product."""
        if not tests:
            return Tried(mutant, found, "no test runs it", "", 0, 0.0)
        file = self.folder / mutant.path
        whole = file.read_text(encoding="utf-8")
        node = next(fault[2] for fault in place.faults if place.mutant(fault) == mutant)
        began = time.monotonic()
        file.write_text(broken(whole, node, mutant.after), encoding="utf-8")
        code, killer = self._run(tests)
        file.write_text(whole, encoding="utf-8")
        seconds = time.monotonic() - began
        outcome = {0: "survived", None: "not within the time limit"}.get(code, "killed")
        if outcome == "killed" and "::" in killer and self._run([killer])[0] != 0:
            outcome = "survived (its test fails without it)"
        return Tried(mutant, found, outcome, killer, len(tests), round(seconds, 1))

    def _run(self, tests: Sequence[str]) -> tuple[int | None, str]:
        """Exit code (None: not within the limit) and the test that failed."""
        quiet = ["-q", "-x", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider", "-rfE", "--tb=no"]
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(
                ["nice", "-n", "10", sys.executable, "-m", "pytest", *quiet, *tests],
                cwd=self.folder, env=environment, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
            try:
                code: int | None = process.wait(timeout=self.limit_s)
            except subprocess.TimeoutExpired:
                code = None
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            said.seek(0)
            failed = re.search(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$|^ERROR (.+)$", said.read(), re.MULTILINE)
        return code, (failed[1] or failed[2]) if failed else ""


def main() -> None:
    """Draw or read the mutants, try each, and keep what is known after every one."""
    options = _options()
    covered = Covered.read(options.coverage, options.junit)
    found = places(options.checkout)
    if options.mutants.exists():
        kept = json.loads(options.mutants.read_text(encoding="utf-8"))
        wanted, bare = [Mutant(**each) for each in kept["mutants"]], [Mutant(**each) for each in kept["uncovered"]]
    else:
        wanted, bare = drawn(found, covered, options.places, options.seed)
        lists = {"seed": options.seed, "mutants": wanted, "uncovered": bare}
        options.mutants.write_text(json.dumps(lists, default=asdict, indent=1, ensure_ascii=False) + "\n")
    done: list[Tried] = []
    if options.results.exists():
        done = [
            Tried(**{**each, "mutant": Mutant(**each["mutant"])}) for each in json.loads(options.results.read_text())
        ]
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        folder = Path(scratch) / "checkout"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".hypothesis", "build", ".mypy_cache")
        shutil.copytree(options.checkout, folder, ignore=ignored)
        workshop = Workshop(folder, options.limit_s)
        for number, mutant in enumerate(wanted[len(done) :], start=len(done)):
            done.append(_one(workshop, mutant, found, covered, options, number))
            options.results.write_text(json.dumps([asdict(each) for each in done], indent=1, ensure_ascii=False) + "\n")
            print(f"{number + 1:3} {done[-1].outcome}: {_where(done[-1].mutant)}", flush=True)  # noqa: T201
    _show(done, bare)


def _one(
    workshop: Workshop,
    mutant: Mutant,
    found: Sequence[Place],
    covered: Covered,
    options: argparse.Namespace,
    number: int,
) -> Tried:
    how, here = found_again(mutant, found) or ("gone: drawn again", None)
    if here is None:
        (here,), _ = drawn(found, covered, 1, options.seed + 1000 + number)
    place = next(each for each in found if here in map(each.mutant, each.faults))
    tests = covered.tests(here.path, here.line)
    return workshop.tried(here, how, place, covered.within(tests, options.tests, options.limit_s / 3))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--coverage", type=Path, required=True, help="data of this checkout, with contexts")
    parser.add_argument("--junit", type=Path, help="JUnit file of the same run: the tests' times, and who failed")
    parser.add_argument("--mutants", type=Path, required=True, help="the list: read where it exists, else drawn")
    parser.add_argument(
        "--results", type=Path, default=Path("build/benchmarks/mutants.json"), help="gone on with where it exists"
    )
    parser.add_argument("--places", type=int, default=30)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--tests", type=int, default=40, help="at most so many tests for one mutant")
    parser.add_argument("--limit-s", type=float, default=90.0, help="for one mutant; tests are chosen for a third")
    options = parser.parse_args()
    options.checkout = options.checkout.resolve()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    return options


def _where(mutant: Mutant) -> str:
    return f"{mutant.path}:{mutant.line} {mutant.function}: {mutant.kind}: {mutant.before} → {mutant.after}"


def _show(done: Sequence[Tried], bare: Sequence[Mutant]) -> None:
    table = Table("place", "fault", "outcome", "by", "tests", "s")
    for each in done:
        place, fault = _where(each.mutant).split(": ", 1)
        table.add_row(
            place, fault, f"{each.outcome} ({each.found})", each.killer, str(each.tests), f"{each.seconds:.0f}"
        )
    killed = sum(each.outcome == "killed" for each in done)
    Console(width=200).print(table)
    Console().print(f"{killed} of {len(done)} killed; {len(bare)} more were drawn that no test of this process runs")


if __name__ == "__main__":
    main()
