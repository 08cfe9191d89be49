"""What harvesters are told (OAI-PMH), on both databases: by the protocol's rules, and nothing that may not leave."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element

import pytest

from db.catalogue import Catalogue
from db.entries.corrections import Correctable
from db.entries.night import Verdict
from db.entries.review import Judgement, Span
from db.exports import oai
from db.exports.oai import Provider, answer
from tests.integration.db.test_export import APPROVED, CURATOR, RETURNED, withhold
from tests.oai_rules import OAI, checked, code, records, token
from tests.samples import Sample

AT = "https://prints.example/nishiki/"
BASE = "https://review.example/oai"
BEGINNING = datetime(2026, 5, 1, 12, 0, 0, 500_000, tzinfo=UTC)


class Clock:
    """The catalogue's, a minute later with every look that is told to wait."""

    def __init__(self) -> None:
        self.moment = BEGINNING

    def __call__(self) -> datetime:
        return self.moment

    def wait(self, seconds: float = 60) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in ("review.provided", "review.verdicts", "review.corrections", "night.history"):
        monkeypatch.setattr(f"db.queries.{module}.now", made)
    return made


@pytest.fixture
def provider(catalogue: Catalogue) -> Provider:
    return Provider(catalogue, AT, "keeper@archive.example", BASE)


def ask(provider: Provider, **given: str) -> bytes:
    return answer([(name.rstrip("_"), value) for name, value in given.items()], provider)


def listed(provider: Provider, **given: str) -> list[Element]:
    """A whole list, token by token."""
    prefix = given.setdefault("metadataPrefix", "oai_dc")
    found, root = [], checked(ask(provider, verb="ListRecords", **given), prefix)
    while True:
        found += records(root)
        if not (further := token(root)):
            return found
        root = checked(ask(provider, verb="ListRecords", resumptionToken=further), prefix)


def name_of(record: Element) -> str:
    return record.findtext(f"{OAI}header/{OAI}identifier") or ""


def is_gone(record: Element) -> bool:
    header = record.find(f"{OAI}header")
    return header is not None and header.get("status") == "deleted"


def names(provider: Provider, numbers: Sequence[int]) -> list[str]:
    return [provider.identifier(number) for number in numbers]


def approve(catalogue: Catalogue, numbers: Sequence[int]) -> list[int]:
    for number in numbers:
        catalogue.give_verdict(number, CURATOR, APPROVED)
    catalogue.renew_provided()
    return list(numbers)


def test_approved_entries_are_told_in_both_forms_and_nothing_else_is(
    catalogue: Catalogue, sample: Sample, provider: Provider
) -> None:
    made = sample.entries(catalogue, 4)
    catalogue.give_verdict(made[3], CURATOR, RETURNED)
    told = approve(catalogue, made[:2])
    for prefix in oai.FORMS:
        found = listed(provider, metadataPrefix=prefix)
        assert [name_of(each) for each in found] == names(provider, told)
        assert not any(is_gone(each) for each in found)
        assert CURATOR.encode() not in ask(provider, verb="ListRecords", metadataPrefix=prefix)
    one = checked(ask(provider, verb="GetRecord", metadataPrefix="lido", identifier=names(provider, told)[0]), "lido")
    assert [name_of(each) for each in records(one)] == names(provider, told)[:1]
    assert code(ask(provider, verb="GetRecord", metadataPrefix="oai_dc", identifier=names(provider, made)[3])) == (
        "idDoesNotExist"
    )


@pytest.mark.long
def test_a_list_in_parts_is_whole_also_when_more_is_approved_meanwhile(
    catalogue: Catalogue, sample: Sample, provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oai, "PAGE", 2)
    made = sample.entries(catalogue, 6)
    approve(catalogue, made[:5])
    root = checked(ask(provider, verb="ListIdentifiers", metadataPrefix="oai_dc"))
    found = [each.text for each in root.iter(f"{OAI}identifier")]
    end = root.find(f"*/{OAI}resumptionToken")
    assert end is not None
    assert (end.get("cursor"), end.get("completeListSize")) == ("0", "5")
    clock.wait()
    approve(catalogue, made[5:])
    catalogue.give_verdict(made[0], CURATOR, RETURNED, seen=catalogue.queue_entry(made[0]).seen)
    clock.wait()
    catalogue.renew_provided()
    while further := token(root):
        assert ask(provider, verb="ListIdentifiers", resumptionToken=further)  # the same part may be asked for again
        root = checked(ask(provider, verb="ListIdentifiers", resumptionToken=further))
        found += [each.text for each in root.iter(f"{OAI}identifier")]
    assert found == names(provider, [*made[:5], made[5], made[0]])


def test_what_may_not_leave_any_more_is_told_as_deleted_for_good(
    catalogue: Catalogue, sample: Sample, provider: Provider, clock: Clock
) -> None:
    made = approve(catalogue, sample.entries(catalogue, 3))
    clock.wait()
    catalogue.give_verdict(made[0], CURATOR, RETURNED, seen=catalogue.queue_entry(made[0]).seen)
    withhold(catalogue, sample, made[1])
    before = listed(provider)  # nothing was renewed since, and still nothing leaves
    assert {name_of(each) for each in before if is_gone(each)} == {*names(provider, made[:2])}
    catalogue.renew_provided()
    clock.wait()
    catalogue.renew_provided()
    found = listed(provider, from_="2026-05-01T12:01:00Z")
    assert {name_of(each): is_gone(each) for each in found} == dict.fromkeys(names(provider, made[:2]), True)
    assert records(checked(ask(provider, verb="GetRecord", metadataPrefix="oai_dc", identifier=name_of(found[0]))))
    catalogue.give_verdict(made[0], CURATOR, APPROVED, seen=catalogue.queue_entry(made[0]).seen)
    clock.wait()
    catalogue.renew_provided()
    (again,) = listed(provider, from_="2026-05-01T12:03:00Z")
    assert (name_of(again), is_gone(again)) == (names(provider, made)[0], False)


def test_an_entry_is_dated_anew_when_its_record_says_something_else_or_it_is_approved_again(
    catalogue: Catalogue, sample: Sample, provider: Provider, clock: Clock
) -> None:
    made = approve(catalogue, sample.entries(catalogue, 3))
    clock.wait()
    catalogue.renew_provided()
    assert code(ask(provider, verb="ListRecords", metadataPrefix="oai_dc", from_="2026-05-01T12:00:01Z")) == (
        "noRecordsMatch"
    )
    renamed = sample.record(catalogue.attempt(made[1]).content.identifier, title="Renamed")
    catalogue.add_record(sample.archive(catalogue), renamed)
    catalogue.give_verdict(made[2], "O-Tama", APPROVED, seen=catalogue.queue_entry(made[2]).seen)
    clock.wait()
    catalogue.renew_provided()
    found = listed(provider, from_="2026-05-01T12:00:01Z")
    assert {name_of(each) for each in found} == {*names(provider, made[1:])}
    clock.wait()
    catalogue.renew_provided()
    assert [name_of(each) for each in listed(provider, from_="2026-05-01T12:03:00Z")] == []
    catalogue.correct(catalogue.attempt(made[0]).content.image_id, "Aoi", Correctable.YEARS, [1835, 1835])
    clock.wait()
    catalogue.renew_provided()
    (corrected,) = listed(provider, from_="2026-05-01T12:04:00Z")
    assert name_of(corrected) == names(provider, made)[0]
    assert "1835" in "".join(corrected.itertext())


def test_from_and_until_take_in_both_their_ends(
    catalogue: Catalogue, sample: Sample, provider: Provider, clock: Clock
) -> None:
    approve(catalogue, sample.entries(catalogue, 1))
    at, before, after = "2026-05-01T12:00:00Z", "2026-05-01T11:59:59Z", "2026-05-01T12:00:01Z"
    for given in ({"from_": at, "until": at}, {"from_": "2026-05-01", "until": "2026-05-01"}, {"until": at}, {}):
        assert len(listed(provider, **given)) == 1
    for given in ({"from_": after}, {"until": before}, {"from_": "2026-05-02"}, {"until": "2026-04-30"}):
        assert code(ask(provider, verb="ListRecords", metadataPrefix="oai_dc", **given)) == "noRecordsMatch"


def test_sets_are_the_archives(catalogue: Catalogue, sample: Sample, provider: Provider) -> None:
    assert code(ask(provider, verb="ListSets")) == "noSetHierarchy"
    here = sample.entry(catalogue, sample.record("here"))
    there = sample.entry(catalogue, sample.record("there"), archive="A & <other>")
    approve(catalogue, [here, there])
    root = checked(ask(provider, verb="ListSets"))
    sets = {each.findtext(f"{OAI}setName"): each.findtext(f"{OAI}setSpec") or "" for each in root.iter(f"{OAI}set")}
    assert list(sets) == ["sample", "A & <other>"]
    (found,) = listed(provider, set=sets["A & <other>"])
    assert name_of(found) == names(provider, [there])[0]
    assert found.findtext(f"{OAI}header/{OAI}setSpec") == sets["A & <other>"]


def test_identify_and_the_forms(catalogue: Catalogue, sample: Sample, provider: Provider, clock: Clock) -> None:
    approve(catalogue, sample.entries(catalogue, 1))
    said = checked(ask(provider, verb="Identify"))[2]
    assert {each.tag.removeprefix(OAI): each.text for each in said} == {
        "repositoryName": oai.REPOSITORY,
        "baseURL": BASE,
        "protocolVersion": "2.0",
        "adminEmail": "keeper@archive.example",
        "earliestDatestamp": "2026-05-01T12:00:00Z",
        "deletedRecord": "persistent",
        "granularity": "YYYY-MM-DDThh:mm:ssZ",
    }
    forms = checked(ask(provider, verb="ListMetadataFormats"))
    assert [each.text for each in forms.iter(f"{OAI}metadataPrefix")] == ["oai_dc", "lido"]
    assert code(ask(provider, verb="ListMetadataFormats", identifier=f"{AT}entries/000000/9/manifest.json")) == (
        "idDoesNotExist"
    )


WRONG = [
    ("badVerb", ""),
    ("badVerb", "verb=Sing"),
    ("badVerb", "verb=identify"),
    ("badVerb", "verb=Identify&verb=Identify"),
    ("badArgument", "verb=Identify&set=archive-1"),
    ("badArgument", "verb=ListRecords"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&colour=red"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from="),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from=yesterday"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from=0000-01-01"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from=20260101"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&until=2026-01-01T00:00:00.5Z"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-01"),
    ("badArgument", "verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2026-01-01T00:00:00Z"),
    ("badArgument", "verb=GetRecord&metadataPrefix=oai_dc"),
    ("badArgument", "verb=GetRecord&metadataPrefix=oai_dc&identifier=a%01b"),
    ("badArgument", "verb=GetRecord&metadataPrefix=oai_dc&identifier=a%00b"),
    ("idDoesNotExist", "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:elsewhere:1"),
    ("idDoesNotExist", f"verb=GetRecord&metadataPrefix=oai_dc&identifier={AT}entries/9999999/9999999999/manifest.json"),
    ("idDoesNotExist", f"verb=GetRecord&metadataPrefix=oai_dc&identifier={AT}entries/000000/%D9%A1/manifest.json"),
    ("cannotDisseminateFormat", "verb=ListRecords&metadataPrefix=marcxml"),
    ("cannotDisseminateFormat", "verb=GetRecord&metadataPrefix=marcxml&identifier=oai:elsewhere:1"),
    ("noRecordsMatch", "verb=ListRecords&metadataPrefix=oai_dc"),
    ("noRecordsMatch", "verb=ListRecords&metadataPrefix=oai_dc&set=archive-9"),
    ("noRecordsMatch", "verb=ListIdentifiers&metadataPrefix=lido&set=%3Cscript%3E"),
    ("noRecordsMatch", "verb=ListIdentifiers&metadataPrefix=lido&from=9999-12-31"),
    ("badResumptionToken", "verb=ListRecords&resumptionToken=tomorrow"),
    ("badResumptionToken", "verb=ListRecords&resumptionToken=marc.....1.1.1"),
    ("badResumptionToken", "verb=ListRecords&resumptionToken=oai_dc....1.9999999999.1"),
    ("badResumptionToken", "verb=ListSets&resumptionToken=oai_dc....1.1.1"),
]  # fmt: skip


def test_every_mistake_has_the_protocols_word_for_it(catalogue: Catalogue, provider: Provider) -> None:
    told = [(said, code(answer(parse_qsl(said, keep_blank_values=True), provider))) for _, said in WRONG]
    assert told == [(said, word) for word, said in WRONG]


def test_words_of_an_archive_never_break_a_list_nor_does_a_lost_picture(
    catalogue: Catalogue, sample: Sample, provider: Provider
) -> None:
    odd = sample.record(
        "o<d>&d\x01\x0b￿", title='"]]><script>\x02 <b>&amp;', artists=("\x07",), credit_line="\x1f a",
        landing_url="https://archive.example/\x03?a=1&b=<2>",
    )  # fmt: skip
    made = [sample.entry(catalogue, odd), sample.entry(catalogue, sample.record("sound"))]
    approve(catalogue, made)
    catalogue.pictures.path(catalogue.attempt(made[0]).output_sha256 or "").unlink()
    for prefix in oai.FORMS:
        assert [name_of(each) for each in listed(provider, metadataPrefix=prefix)] == names(provider, made)


def test_changes_of_a_verdict_leave_one_row(catalogue: Catalogue, sample: Sample) -> None:
    (number,) = approve(catalogue, sample.entries(catalogue, 1))
    for verdict in (RETURNED, APPROVED, RETURNED, Judgement(Verdict.WITHHELD)):
        catalogue.give_verdict(number, CURATOR, verdict, seen=catalogue.queue_entry(number).seen)
        catalogue.renew_provided()
    assert catalogue.provided_entry(number) is not None
    assert catalogue.provided_count(Span()) == 1
