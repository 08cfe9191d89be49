"""Pictures that cannot be had: one night says nothing, several do, and what is sound is fetched around them."""

import errno
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from db.entries.night import ContentScope, EncoderKey, Tone
from flows.reports.summary import harvest_lines
from flows.settings import Settings
from flows.upkeep.originals import fetch_again
from tests.integration.flows.one_night import night, pass_days, states
from tests.unfriendly import BUSY, Reply, Unfriendly, drawn, listed, record


def cut(kind: str, share: float = 0.5) -> Reply:
    whole = drawn(0, kind)
    return Reply(whole[: int(len(whole) * share)])


PASSING = {
    "an HTML page at 200": Reply(BUSY, type="text/html"),
    "404": Reply(status=404),
    "410": Reply(status=410),
    "500": Reply(status=500),
    "403": Reply(status=403),
    "nothing at all": Reply(b""),
    "a GIF": Reply(b"GIF89a" + bytes(40)),
    "words": Reply(b"Too many connections"),
    "half a PNG": cut("PNG"),
    "a PNG without its last bytes": cut("PNG", 0.9),
    "half a JPEG": cut("JPEG"),
    "a JPEG without its last bytes": cut("JPEG", 0.98),
    "half a TIFF": cut("TIFF"),
    "a TIFF without its last bytes": cut("TIFF", 0.9),
    "half a WebP": cut("WEBP"),
    "half a JPEG 2000": cut("JPEG2000"),
    "half an AVIF": cut("AVIF"),
    "the first bytes alone": cut("PNG", 0.02),
}


@pytest.mark.long
def test_what_failed_on_one_night_is_told_and_fetched_on_the_next(site: Unfriendly, own_settings: Settings) -> None:
    for number, fault in enumerate(PASSING.values()):
        tries = 2 if fault.status in (403, 500) else 1  # a host's own faults are tried once more the same night
        site.pictures[f"/{number}.png"] = [*[fault] * tries, Reply(drawn(number))]
    tally = night(own_settings, site.base_url)
    assert (tally.pictures, tally.lasting, tally.failure) == (0, {}, None)
    assert len(tally.passing) == len(PASSING), "each is told"
    assert states(own_settings) == {"wanted": len(PASSING)}
    pass_days(own_settings, 1)
    tally = night(own_settings, site.base_url)
    assert (tally.pictures, tally.problems, states(own_settings)) == (len(PASSING), [], {"held": len(PASSING)})


@pytest.mark.long
def test_pauses_grow_a_night_counts_once_and_what_lasts_is_called_broken_and_asked_for_again(
    site: Unfriendly, own_settings: Settings
) -> None:
    site.pictures = {"/a.png": [Reply(BUSY)], "/b.png": [Reply(drawn(1))]}
    own_settings = own_settings.model_copy(update={"lasting_nights": 4, "longest_pause_nights": 8})
    told = []
    for _day in range(24):
        asked = len(site.asked)
        tally = night(own_settings, site.base_url)
        night(own_settings, site.base_url)  # once more the same night
        if "/a.png" in site.asked[asked:]:
            told.append((_day, "broken" if tally.lasting else "passing"))
        else:
            assert (tally.problems, tally.waiting) == ([], 1)
        pass_days(own_settings, 1)
    assert told == [(0, "passing"), (1, "passing"), (3, "passing"), (7, "broken"), (15, "broken"), (23, "broken")]
    assert states(own_settings) == {"held": 1, "broken": 1}
    site.pictures["/a.png"] = [Reply(drawn(0))]
    pass_days(own_settings, 8)
    assert (night(own_settings, site.base_url).pictures, states(own_settings)) == (1, {"held": 2})


def test_a_picture_that_was_broken_before_it_had_nights_is_asked_for_again(
    site: Unfriendly, own_settings: Settings
) -> None:
    site.pictures = {"/a.png": [Reply(BUSY), Reply(drawn(0))]}
    night(own_settings, site.base_url)
    with Catalogue.open(own_settings) as catalogue, catalogue.engine.begin() as connection:
        connection.execute(text("UPDATE record_images SET state = 'broken', failed_at = NULL, failed_nights = 0"))
    assert night(own_settings, site.base_url).pictures == 1


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO, errno.ENOENT])
def test_a_file_that_was_stale_once_is_read_on_the_next_night(
    own_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    folder = tmp_path / "prints"
    folder.mkdir()
    (folder / "a.png").write_bytes(drawn(0))

    def stale(_path: Path) -> bytes:
        raise OSError(code, "stale")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", stale)
        tally = night(own_settings, str(folder))
    assert (tally.pictures, [name for name, _ in tally.passing]) == (0, ["a"])
    pass_days(own_settings, 1)
    assert (night(own_settings, str(folder)).pictures, states(own_settings)) == (1, {"held": 1})


@pytest.mark.long
@pytest.mark.parametrize(
    ("status", "count", "bad"),
    [
        (500, 30, range(5)),
        (500, 30, range(12)),
        (500, 8, range(5)),
        (503, 30, range(20, 30)),
        (500, 20, range(0, 20, 2)),
        (403, 30, range(12)),
    ],
)
def test_good_pictures_are_fetched_wherever_the_bad_ones_lie(
    site: Unfriendly, own_settings: Settings, status: int, count: int, bad: range
) -> None:
    paths = site.holds(count)
    for number in bad:
        site.pictures[paths[number]] = [Reply(status=status)]
    tally = night(own_settings, site.base_url)
    assert (tally.pictures, tally.failure) == (count - len(bad), None)
    assert len(tally.passing) == len(bad)
    for number in bad:
        site.pictures[paths[number]] = [Reply(drawn(number))]
    assert night(own_settings, site.base_url).pictures == len(bad)


@pytest.mark.long
@pytest.mark.parametrize("status", [500, 403])
def test_a_host_of_which_all_fails_is_left_alone_told_and_not_held_against_its_pictures(
    site: Unfriendly, own_settings: Settings, status: int
) -> None:
    site.pictures = {f"/{number}.png": [Reply(status=status)] for number in range(40)}
    for _ in range(6):
        site.asked.clear()
        tally = night(own_settings, site.base_url)
        assert f"HTTP {status}" in (tally.failure or "")
        assert len([path for path in site.asked if path.endswith(".png")]) <= 10
        pass_days(own_settings, 1)
    assert states(own_settings) == {"wanted": 40}
    site.holds(40)
    assert (night(own_settings, site.base_url).pictures, states(own_settings)) == (40, {"held": 40})


def test_what_failed_before_is_asked_for_last(site: Unfriendly, own_settings: Settings) -> None:
    site.pictures = {"/a.png": [Reply(BUSY)], "/b.png": [Reply(drawn(1))]}
    night(own_settings, site.base_url)
    site.holds(2)
    site.asked.clear()
    night(own_settings, site.base_url)
    assert [path for path in site.asked if path.endswith(".png")] == ["/0.png", "/1.png", "/a.png"]


MANIFEST = b'{"@context": "http://iiif.io/api/presentation/3/context.json", "type": "Manifest"}'
PAGE = Reply(b"<!DOCTYPE html><title>A print</title>", type="text/html")
IN_PLACE_OF_A_PICTURE = {
    "/a.gif": (Reply(b"GIF89a" + bytes(40)), "a GIF, a format that is not taken"),
    "/b.pdf": (Reply(b"%PDF-1.7 ..."), "a PDF, a format that is not taken"),
    "/c/manifest": (Reply(MANIFEST, type="application/ld+json"), "an IIIF manifest, which is not read yet"),
    "/d/manifest.json": (Reply(MANIFEST), "an IIIF manifest, which is not read yet"),
    "/e": (PAGE, "an HTML page"),
    "/f": (Reply(b'{"id": 1}', type="application/json"), "of no picture format that we take"),
    "/g": (Reply(b""), "empty"),
}


def test_what_leads_to_no_picture_is_told_by_what_it_is_and_counted(site: Unfriendly, own_settings: Settings) -> None:
    site.pictures = {path: [reply] for path, (reply, _) in IN_PLACE_OF_A_PICTURE.items()}
    tally = night(own_settings, site.base_url)
    assert (tally.pictures, tally.failure) == (0, None)
    told = dict(tally.passing.keys())
    for path, (_, what) in IN_PLACE_OF_A_PICTURE.items():
        assert f"{path} is {what}" in told[path.strip("/")]
    said = [text for _, text in tally.remarks]
    assert "addresses whose answer is an IIIF manifest, which is not read yet: 2" in said
    assert "addresses whose answer is a GIF, a format that is not taken: 1" in said


def test_an_address_without_a_suffix_is_tried_and_its_page_for_people_left(
    site: Unfriendly, own_settings: Settings
) -> None:
    site.pictures = {
        **{f"/page/{n}": [PAGE] for n in range(12)},
        **{f"/image?id={n}": [Reply(drawn(n, "JPEG"))] for n in range(12)},
    }
    both = [record(f"r{n}", f"{site.root}/page/{n}", f"{site.root}/image?id={n}") for n in range(12)]
    site.records = lambda _: listed(*both)
    tally = night(own_settings, site.base_url)
    assert (tally.pictures, tally.problems, states(own_settings)) == (12, [], {"held": 12})
    with Catalogue.open(own_settings) as catalogue, catalogue.engine.connect() as connection:
        pages = connection.execute(text("SELECT landing_url FROM records")).scalars().all()
    assert sorted(map(str, pages)) == sorted(f"{site.root}/page/{n}" for n in range(12))


def test_pages_for_people_in_plenty_are_not_all_asked_for_and_told(site: Unfriendly, own_settings: Settings) -> None:
    site.pictures = {f"/page/{n}": [PAGE] for n in range(60)}
    tally = night(own_settings, site.base_url)
    assert tally.failure is None
    assert len([path for path in site.asked if path.startswith("/page")]) < 12
    assert any("51 addresses were not tried tonight" in text for _, text in tally.remarks)


def test_several_addresses_in_one_element_are_several_pictures(site: Unfriendly, own_settings: Settings) -> None:
    site.holds(6)
    pairs = zip("abc", (" ", "; ", "|"), strict=True)
    site.records = lambda _: listed(
        *(
            record(name, f"{site.root}/{2 * n}.png{between}{site.root}/{2 * n + 1}.png")
            for n, (name, between) in enumerate(pairs)
        )
    )
    tally = night(own_settings, site.base_url)
    assert (tally.pictures, tally.problems) == (6, [])
    assert [name for name, text in tally.remarks if "several addresses" in text] == ["a", "b", "c"]


def test_a_record_without_a_picture_is_named(site: Unfriendly, own_settings: Settings) -> None:
    site.records = lambda _: listed(record("a"), record("b", "arcUP0542", "http://m.example/thumb/b.jpg"))
    tally = night(own_settings, site.base_url)
    assert [name for name, text in tally.remarks if text == "it names no picture"] == ["a", "b"]
    (line,) = [line for line in harvest_lines([tally]) if "names no picture" in line]
    assert line == "  2 times (a, b): it names no picture"
    with Catalogue.open(own_settings) as catalogue:
        name = tally.archive
        assert catalogue.held_back(ContentScope(frozenset({Tone.GRAYSCALE}), {name: None})) == {"no picture": 2}


def test_of_what_is_no_picture_only_the_beginning_is_read(site: Unfriendly, own_settings: Settings) -> None:
    site.pictures = {"/e": [Reply(BUSY + bytes(3_000_000))]}
    settings = own_settings.model_copy(update={"max_picture_bytes": 1_000_000})
    ((_, why),) = night(settings, site.base_url).passing
    assert "an HTML page" in why


def test_another_picture_in_a_lost_ones_place_is_told_and_taken_in_by_the_next_harvest(
    site: Unfriendly, own_settings: Settings
) -> None:
    site.pictures = {"/a.png": [Reply(drawn(0), headers=(("ETag", '"same"'),))], "/b.png": [Reply(drawn(1))]}
    night(own_settings, site.base_url)
    names = [hashlib.sha256(drawn(seed)).hexdigest() for seed in (0, 1)]
    with Catalogue.open(own_settings) as catalogue:
        for name in names:
            catalogue.pictures.path(name).unlink()
    site.pictures["/a.png"] = [Reply(drawn(5), headers=(("ETag", '"same"'),))]
    answers = fetch_again(own_settings, names)
    assert answers[names[1]] is None, "the same bytes are put back"
    assert "holds another picture at" in (answers[names[0]] or "")
    assert night(own_settings, site.base_url).pictures == 1
    with Catalogue.open(own_settings) as catalogue:
        catalogue.pictures.path(names[1])
        catalogue.pictures.path(hashlib.sha256(drawn(5)).hexdigest())
        images = [each.id for each in catalogue.images_to_embed(EncoderKey("any", "0"), list(Tone))]
        assert {each.sha256 for each in catalogue.describe(images).values()} >= {names[1]}
    assert states(own_settings) == {"held": 2}
