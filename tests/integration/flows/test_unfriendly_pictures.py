"""Pictures that cannot be had: one night says nothing, several do, and what is sound is fetched around them."""

import errno
from pathlib import Path

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from flows.settings import Settings
from tests.integration.flows.one_night import night, pass_days, states
from tests.unfriendly import BUSY, Reply, Unfriendly, drawn


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
