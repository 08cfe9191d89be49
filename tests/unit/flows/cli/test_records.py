"""`nishiki records`: what is held back by name, released and held back again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from db.catalogue import Catalogue
from db.entries.corrections import Correctable
from db.entries.night import Derivatives, Tone
from db.settings import CatalogueSettings
from flows.cli.app import app
from tests.samples import Sample

Run = Callable[..., Result]


@pytest.fixture
def nishiki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command on a home with a print of each decision."""
    monkeypatch.chdir(tmp_path)
    sample = Sample()
    with Catalogue.open(CatalogueSettings(home=tmp_path / "nishiki-data")) as catalogue:
        for word in Derivatives:
            sample.store(catalogue, sample.record(f"p-{word}", derivatives=word), Tone.GRAYSCALE)
    return lambda *words: CliRunner().invoke(app, ["records", *words])


def test_it_lists_by_name_with_reasons_that_can_be_counted(nishiki: Run) -> None:
    run = nishiki("--held-back")
    assert run.exit_code == 0, run.output
    *lines, counts = run.stdout.splitlines()
    assert "rights: ask  sample  p-ask: licence URI in dc:rights" in lines
    assert counts == "rights: ask: 1, rights: contradictory: 1, rights: no: 1, rights: unknown: 1"
    found = json.loads(nishiki("--held-back", "--reason", "unknown", "--json").stdout)
    assert [(each["identifier"], each["reason"]) for each in found] == [("p-unknown", "rights: unknown")]
    assert nishiki("--held-back", "--reason", "broken").stdout == "Nothing of the kind.\n"


@pytest.mark.long
def test_a_rule_releases_what_is_open_and_never_what_is_forbidden(nishiki: Run) -> None:
    run = nishiki("--release", "--reason", "rights", "--note", "letter of 1 March", "--by", "hana")
    assert run.exit_code == 0, run.output
    first, *others = run.stdout.splitlines()
    assert first == "3 records are released; the next night takes them."
    assert others[1:] == ["  rights: no  sample  p-no: licence URI in dc:rights"]
    assert "p-ask: released by hana: letter of 1 March" in nishiki("--released").stdout
    assert nishiki("--take-back", "p-ask").stdout.startswith("1 records are held back again")
    assert "p-ask" in nishiki("--held-back").stdout


@pytest.mark.usefixtures("nishiki")
def test_the_history_of_a_record_is_told(tmp_path: Path) -> None:
    def history(*words: str) -> Result:
        return CliRunner().invoke(app, ["history", *words])

    assert history("p-no").stdout == "None of them has changed at its archive.\n"
    sample = Sample()
    with Catalogue.open(CatalogueSettings(home=tmp_path / "nishiki-data")) as catalogue:
        catalogue.add_record(sample.archive(catalogue), sample.record("p-no", title="Another title"))
    run = history("p-no")
    assert run.exit_code == 0, run.output
    first, count = run.stdout.splitlines()
    assert first.startswith("sample  p-no: until ")
    assert first.endswith("UTC, dated 2026-03-01; rights: no (licence URI in dc:rights)")
    assert count.startswith("1 earlier descriptions")
    (told,) = json.loads(history("p-no", "--json").stdout)
    assert (told["raw"], told["datestamp"]) == ("<record>p-no</record>", "2026-03-01T04:05:06+00:00")


@pytest.mark.usefixtures("nishiki")
def test_the_history_of_a_record_tells_what_was_corrected_and_taken_back(tmp_path: Path) -> None:
    sample = Sample()
    with Catalogue.open(CatalogueSettings(home=tmp_path / "nishiki-data")) as catalogue:
        image = sample.store(catalogue, sample.record("p-new"), Tone.GRAYSCALE)
        catalogue.correct(image, "hana", Correctable.YEARS, [1850, 1850])
        catalogue.take_correction_back(image, "aoi", Correctable.YEARS)
    run = CliRunner().invoke(app, ["history", "p-new"])
    assert run.exit_code == 0, run.output
    _none, *said = run.stdout.splitlines()
    assert [line.split(" UTC: ")[1] for line in said] == [
        "1850–1852 → 1850",
        "1850 → 1850–1852, which takes a correction back",
    ]
    assert said[0].startswith("sample  p-new: years corrected by hana, ")
    first, _ = json.loads(CliRunner().invoke(app, ["history", "p-new", "--json"]).stdout)
    assert (first["identifier"], first["correction"]["after"]) == ("p-new", [1850, 1850])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "give one of --held-back"),
        (("--held-back", "--release"), "give one of --held-back"),
        (("--release", "--note", "x"), "name what is meant"),
        (("--take-back",), "name what is meant"),
        (("--release", "p-ask"), "say with --note"),
    ],
)
def test_it_frees_nothing_that_was_not_named(nishiki: Run, words: tuple[str, ...], why: str) -> None:
    run = nishiki(*words)
    assert (run.exit_code, why in run.stderr) == (2, True)
    assert "p-ask" in nishiki("--held-back").stdout
