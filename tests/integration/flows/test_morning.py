"""The report on a night: a file after every night, sent where a setting says so, with small pictures inside."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from db.catalogue import Catalogue
from db.entries.night import Tone
from db.entries.nights import NightEnd, NightEnding
from flows import morning
from flows.alarm.addresses import MailServer
from flows.alarm.channels import Mail, Message
from flows.errors import Misused
from flows.morning import report_file, send_report, tell_morning, write_report
from flows.settings import Settings
from tests.samples import Sample

DATABASES = ("sqlite",)
TITLE = "<script>役者</script>"


def png(seed: int) -> bytes:
    """A picture that no JPEG makes small."""
    noise = np.random.default_rng(seed).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def one_result(sample: Sample, catalogue: Catalogue) -> int:
    """A night that made one result and failed."""
    number = catalogue.begin_night()
    content = sample.store(catalogue, sample.record("one", title=TITLE), Tone.GRAYSCALE, data=png(1))
    style = sample.store(catalogue, sample.record("two"), Tone.COLOUR, data=png(2))
    sample.match(catalogue, content, style)
    batch = sample.take(catalogue)
    (pending,) = catalogue.pending_attempts(batch)
    done = replace(sample.succeeded(catalogue, data=png(3)), measures={"trust": 0.8})
    catalogue.close_attempt(batch, pending.id, done)
    catalogue.close_batch(batch)
    came = {"archives": {"/srv/prints": {"records": {"new": 2}, "pictures": 2, "whole": True}}}
    catalogue.end_night(number, NightEnd(NightEnding.FAILED, 1, "no room in /srv/prints/x"), {}, came)
    return number


@pytest.fixture
def catalogue(own_settings: Settings) -> Iterator[Catalogue]:
    with Catalogue.open(own_settings) as opened:
        opened.working_copies.add = lambda *_: None  # type: ignore[method-assign]
        yield opened


def test_a_report_is_one_file_that_escapes_everything_and_holds_its_small_pictures(
    own_settings: Settings, catalogue: Catalogue
) -> None:
    number = one_result(Sample(), catalogue)
    report = write_report(own_settings, catalogue, number)
    html = report_file(own_settings, number).read_text(encoding="utf-8")
    assert html == report.html
    assert "&lt;script&gt;役者" in html
    assert "<script>" not in html
    assert html.count("data:image/jpeg;base64,") == 2
    assert all(len(data) <= morning.MOST_BYTES for data in report.pictures.values())
    for words in ("machine-colorized", "no room in …/x", "prints (", "no earlier night to compare with"):
        assert words in html
    assert "/srv" not in html
    assert "<a " not in html.replace("<a>", ""), "links lead nowhere without report_links"


def test_a_report_is_in_the_language_of_the_setting_and_links_to_the_page(
    own_settings: Settings, catalogue: Catalogue
) -> None:
    number = one_result(Sample(), catalogue)
    changed = {"report_language": "ja", "report_links": "https://nishiki.museum.example/"}
    report = write_report(own_settings.model_copy(update=changed), catalogue, number)
    assert 'href="https://nishiki.museum.example/entries/1"' in report.html
    assert '<html lang="ja">' in report.html
    assert report.message.subject == "nishiki: 第 1 夜, 失敗"
    text = "\n".join(report.message.lines)
    assert "- 判定待ちの彩色結果 1 件" in text
    assert text.endswith("https://nishiki.museum.example/nights/1")
    assert "&" not in text


def test_a_picture_that_stays_too_large_is_left_out(
    own_settings: Settings, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(morning, "MOST_BYTES", 500)
    report = write_report(own_settings, catalogue, one_result(Sample(), catalogue))
    assert report.pictures == {}
    assert "<img" not in report.html


def test_a_report_that_shows_what_may_not_be_seen_any_more_is_written_anew(
    own_settings: Settings, catalogue: Catalogue
) -> None:
    sample = Sample()
    first = one_result(sample, catalogue)
    write_report(own_settings, catalogue, first)
    shown = report_file(own_settings, first).parent / morning.SHOWN
    assert json.loads(shown.read_text()) == [1]
    catalogue.add_record(sample.archive(catalogue), sample.record("one", title=TITLE, derivatives="no"))
    second = catalogue.begin_night()
    third = catalogue.begin_night()
    catalogue.end_night(third, NightEnd(NightEnding.DONE, 0), {}, {})
    tell_morning(own_settings, catalogue, third)
    assert "<img" not in report_file(own_settings, first).read_text(encoding="utf-8")
    assert "ended without a word" in report_file(own_settings, second).read_text(encoding="utf-8")
    assert "Nothing was due" in report_file(own_settings, third).read_text(encoding="utf-8")


@dataclass
class Heard:
    """A channel that keeps what it is told."""

    name: str = "heard"
    told: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> None:
        """Keep it."""
        self.told.append(message)


def test_a_night_is_sent_where_the_setting_says_so(
    own_settings: Settings, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    number = one_result(Sample(), catalogue)
    with pytest.raises(Misused, match="no way is set"):
        send_report(own_settings, write_report(own_settings, catalogue, number))
    monkeypatch.setattr(morning, "report_channels", lambda _: [heard])
    tell_morning(own_settings, catalogue, number)
    assert heard.told == []
    tell_morning(own_settings.model_copy(update={"report_send": True}), catalogue, number)
    assert [each.subject for each in heard.told] == ["nishiki: Night 1, failed"]
    letter = Mail(MailServer.read("smtp+plain://127.0.0.1"), "a@museum.example", ("b@museum.example",))._letter(
        heard.told[0]
    )
    read = message_from_bytes(letter.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    kinds = [part.get_content_type() for part in read.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", *["image/jpeg"] * 2]
    page = next(part for part in read.walk() if part.get_content_type() == "text/html").get_content()
    for part in list(read.walk())[-2:]:
        assert f'src="cid:{part["Content-ID"].strip("<>")}"' in page


def test_what_is_in_the_way_of_a_report_is_logged_and_ends_nothing(
    own_settings: Settings, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    number = one_result(Sample(), catalogue)
    reports: Path = report_file(own_settings, number).parent.parent
    reports.write_text("a file where a folder should be")
    tell_morning(own_settings, catalogue, number)
    assert "the report on night 1: " in caplog.text
