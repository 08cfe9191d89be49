"""Archives that do not tell what they deleted: a list of everything, now and then, finds what is gone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.entries.night import Change
from flows.cli.app import app
from flows.harvest import HarvestTally, harvest
from flows.settings import Settings
from tests.integration.flows.museum import Museum, error, page, serve_museum

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


ALL = tuple(ascii_lowercase[:20])


@pytest.fixture
def museum() -> Iterator[Museum]:
    with serve_museum() as site:
        site.deleted = "no"
        lists(site, *ALL)
        yield site


@pytest.fixture
def settings(settings_of: "SettingsOf", tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


def lists(museum: Museum, *identifiers: str) -> None:
    museum.lists = lambda _: page(*identifiers)


def night(settings: Settings, museum: Museum, *, days_ago: float = 0) -> HarvestTally:
    museum.time = (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    museum.asked.clear()
    (tally,) = harvest(settings, [museum.url])
    return tally


def live(settings: Settings) -> str:
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        rows = connection.execute(text("SELECT identifier FROM records WHERE deleted_at IS NULL ORDER BY identifier"))
        return "".join(rows.scalars())


def windows(settings: Settings) -> list[str]:
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        return list(connection.execute(text("SELECT state FROM windows ORDER BY id")).scalars())


@pytest.mark.parametrize("deleted", ["no", "transient", "", "persistent"])
def test_what_is_listed_no_more_is_withdrawn_unless_the_archive_itself_tells(
    settings: Settings, museum: Museum, deleted: str
) -> None:
    museum.deleted = deleted
    night(settings, museum, days_ago=40)
    lists(museum, *ALL[1:])
    tally = night(settings, museum)
    tells = deleted == "persistent"
    assert ("from" in museum.asked[0], tally.records[Change.DELETED]) == (tells, 0 if tells else 1)
    assert live(settings) == "".join(ALL if tells else ALL[1:])


@pytest.mark.long
def test_everything_is_listed_at_the_interval_and_not_before(settings: Settings, museum: Museum) -> None:
    night(settings, museum, days_ago=29)
    lists(museum, *ALL[1:])
    tally = night(settings, museum)
    assert ("from" in museum.asked[0], tally.records[Change.DELETED]) == (True, 0)
    sooner = settings.model_copy(update={"full_listing_days": 28})
    assert night(sooner, museum).records[Change.DELETED] == 1
    assert night(sooner, museum).records[Change.DELETED] == 0
    assert "from" in museum.asked[0], "the night before listed everything"


def test_a_list_of_everything_has_no_end_so_that_what_changes_meanwhile_is_named_too(
    settings: Settings, museum: Museum
) -> None:
    night(settings, museum)
    assert museum.asked == [{"verb": "ListRecords", "metadataPrefix": "oai_dc"}]


@pytest.mark.long
@pytest.mark.parametrize("way", ["an error in the middle", "a token that expires twice", "a page for people"])
def test_a_list_that_breaks_off_withdraws_nothing_and_is_begun_again_the_next_night(
    settings: Settings, museum: Museum, way: str
) -> None:
    night(settings, museum, days_ago=40)
    broken = {
        "an error in the middle": "<broken",
        "a token that expires twice": error("badResumptionToken"),
        "a page for people": "<html>too busy</html>",
    }[way]
    museum.lists = lambda question: broken if "resumptionToken" in question else page(*ALL[:10], token="more")
    tally = night(settings, museum)
    assert tally.failure
    assert tally.records[Change.DELETED] == 0
    assert live(settings) == "".join(ALL)
    pages = {None: page(*ALL[:10], token="more"), "more": page(*ALL[11:])}
    museum.lists = lambda question: pages[question.get("resumptionToken")]
    tally = night(settings, museum)
    assert (tally.failure, tally.records[Change.DELETED]) == (None, 1)
    assert live(settings) == "".join(each for each in ALL if each != "k")
    assert windows(settings) == ["done", "done"]


def test_a_list_that_a_crash_left_in_the_middle_is_taken_up_from_its_beginning(
    settings: Settings, museum: Museum
) -> None:
    night(settings, museum, days_ago=40)
    with Catalogue.open(settings) as catalogue:
        (name,) = catalogue.archive_addresses()
        archive_id = catalogue.add_archive(name, "oai-pmh", museum.url)
        catalogue.open_window(archive_id, None, datetime.now(UTC))
    lists(museum, *ALL[1:])
    assert night(settings, museum).records[Change.DELETED] == 1
    assert windows(settings) == ["done", "done"]


def test_a_list_that_is_shorter_than_it_says_withdraws_nothing(settings: Settings, museum: Museum) -> None:
    night(settings, museum, days_ago=40)
    pages = {None: page(*ALL[:10], token="more", size="20"), "more": page(*ALL[10:19], token="", size="20")}
    museum.lists = lambda question: pages[question.get("resumptionToken")]
    tally = night(settings, museum)
    assert (tally.failure, tally.records[Change.DELETED]) == (None, 0)
    assert any("ended after 19 of 20" in reason for _, reason in tally.problems)
    assert live(settings) == "".join(ALL)


@pytest.mark.long
def test_a_record_that_is_listed_and_cannot_be_read_is_not_gone(settings: Settings, museum: Museum) -> None:
    night(settings, museum, days_ago=40)
    whole = page(*ALL)
    museum.lists = lambda _: whole.replace("<dc:title>a</dc:title>", "").replace(
        "<identifier>b</identifier><datestamp>2024-01-01", "<identifier>b</identifier><datestamp>never"
    )
    assert any(name == "b" for name, _ in night(settings, museum).problems)
    assert live(settings) == "".join(ALL)


@pytest.mark.long
@pytest.mark.parametrize("left", [0, 10, 17])
def test_a_list_that_lacks_much_is_held_back_and_told_until_a_person_says_that_it_is_right(
    settings: Settings, museum: Museum, left: int
) -> None:
    night(settings, museum, days_ago=40)
    museum.lists = lambda _: page(*ALL[:left]) if left else error("noRecordsMatch")
    for _ in range(2):
        tally = night(settings, museum)
        assert "from" not in museum.asked[0], "it is tried again the next night"
        assert tally.records[Change.DELETED] == 0
        assert any(f"lacks {20 - left} of 20 records, more than 10%" in reason for _, reason in tally.problems)
        assert live(settings) == "".join(ALL)
    confirmed = settings.model_copy(update={"full_listing_days": 0, "full_listing_share": 1.0})
    assert night(confirmed, museum).records[Change.DELETED] == 20 - left
    assert live(settings) == "".join(ALL[:left])


@pytest.mark.usefixtures("prefect_api")  # a command looks for it
def test_the_command_takes_a_persons_word_for_it(settings: Settings, museum: Museum) -> None:
    night(settings, museum)
    lists(museum, *ALL[:10])
    run = CliRunner().invoke(app, ["harvest", museum.url, "--full", "--home", str(settings.home)])
    assert run.exit_code == 0
    assert live(settings) == "".join(ALL[:10])


@pytest.mark.long
def test_what_was_withdrawn_lives_again_once_it_is_listed_again(settings: Settings, museum: Museum) -> None:
    night(settings, museum, days_ago=80)
    lists(museum, *ALL[1:])
    night(settings, museum, days_ago=40)
    assert live(settings) == "".join(ALL[1:])
    lists(museum, *ALL)
    night(settings, museum)
    assert live(settings) == "".join(ALL)
