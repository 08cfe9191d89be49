"""What the polite client knows without asking anybody: addresses, waits, its name."""

import pytest
from requests.structures import CaseInsensitiveDict

from flows.archives.web.peer_guard import home_of, is_public
from flows.archives.web.politeness import Host, Manners, retry_after_s


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::1", "2001::1"),
    ],
)
def test_these_addresses_are_not_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "133.19.2.1", "2606:4700::1111"])
def test_these_addresses_are_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str, wait_s: float | None) -> None:
    headers = CaseInsensitiveDict({"retry-after": value, "Date": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert retry_after_s(headers) == wait_s


def test_a_contact_that_no_header_can_carry_is_encoded() -> None:
    agent = Manners("連絡先\r\nX: y").user_agent()
    assert agent.isascii()
    assert "\n" not in agent


def test_a_pause_is_five_seconds_but_on_this_machine() -> None:
    assert Host("http://museum.example", "museum.example").pause_s(None) == 5.0
    assert Host("http://127.0.0.1:8000", "127.0.0.1").pause_s(None) == 0.0
    assert Host("http://127.0.0.1:8000", "127.0.0.1").pause_s(2.0) == 2.0


def test_only_an_address_or_a_permission_makes_a_home() -> None:
    assert home_of("http://[::1]/oai", allow_private=False) == ("::1", 80)
    assert home_of("https://10.0.0.5:8443/oai", allow_private=False) == ("10.0.0.5", 8443)
    assert home_of("http://intranet.example/oai", allow_private=False) is None
    assert home_of("http://intranet.example/oai", allow_private=True) == ("intranet.example", 80)
