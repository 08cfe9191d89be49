"""Addresses fit to be shown: one mask for archives, settings, the command and the catalogue."""

import pytest

from flows.addresses import carries_secret, shown, without_user

OPEN = "https://example.org/oai?verb=ListRecords&set=a%3Ab&from=2020-01-01"


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("https://u:p@example.org:8443/x?key=a&from=2020#b", "https://example.org:8443/x?key=***&from=2020"),
        ("https://example.org/?set=x;key=a", "https://example.org/?set=x;key=***"),
        ("https://example.org/?set=x&a", "https://example.org/?set=x&***"),
        ("https://example.org/?s%65t=a", "https://example.org/?s%65t=***"),
        ("https://example.org/?key=", "https://example.org/?key=***"),
        ("https://example.org/?key=a=b", "https://example.org/?key=***"),
        ("https://example.org/?a", "https://example.org/?***"),
    ],
)
def test_a_shown_address_holds_no_secret_and_what_holds_one_is_known(address: str, seen: str) -> None:
    assert shown(address) == seen
    assert carries_secret(address)
    assert shown(seen) == seen
    assert not carries_secret(seen)


def test_an_address_without_a_secret_stays_as_it_is() -> None:
    assert shown(OPEN) == OPEN
    assert not carries_secret(OPEN)


def test_what_is_no_web_address_holds_no_secret_of_one() -> None:
    assert not carries_secret("/srv/prints?key=a")
    assert not carries_secret("https://[")
    assert shown("https://[") == "an address that is not a URL"


def test_an_address_without_its_user_can_still_be_asked() -> None:
    assert without_user("https://u:p@example.org/x?key=a") == "https://example.org/x?key=a"
