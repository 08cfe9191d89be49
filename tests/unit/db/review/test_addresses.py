"""Addresses from outside: which are followed, which are believed."""

import pytest

from db.review.access.addresses import is_among, is_loopback, local_path
from db.review.view.translations import best_language


@pytest.mark.parametrize(
    "address",
    ["/", "/entries/3?queue=redone&words=%E8%B1%8A%E5%9B%BD", "/?words=豊国", "/people#pairs", "/%2F%2Fexample.org/"],
)
def test_a_path_of_the_page_is_followed(address: str) -> None:
    assert local_path(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "entries",
        "//example.org",
        "///example.org",
        "/\\example.org",
        "\\\\example.org",
        "/\t/example.org",
        "\t//example.org",
        "/\n/example.org",
        "/\x00/example.org",
        " //example.org",
        "https://example.org/",
        "https:/example.org",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "http://[",
        "/entries/1\r\nSet-Cookie: nishiki_session=x",
    ],
)
def test_any_other_address_leads_to_the_queue(address: str) -> None:
    assert local_path(address) == "/"


def test_an_address_without_end_is_cut() -> None:
    assert len(local_path("/" + "x" * 10_000)) == 2000


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, own: bool) -> None:
    assert is_loopback(host) is own


@pytest.mark.parametrize(
    ("host", "believed"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", True),
        ("10.2.2.3", False),
        ("127.0.0.11", False),
        ("localhost", False),
        ("testclient", False),
        ("", False),
        (None, False),
    ],
)
def test_a_proxy_is_believed_by_its_address_or_network(host: str | None, believed: bool) -> None:
    assert is_among(host, ("127.0.0.1", "::1", "10.1.0.0/16")) is believed


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-GB, ja; q=0.5", "en"),
        ("fr, ja; q=0.5", "ja"),
        ("en;q=0.1, ja;q=0.2", "ja"),
        ("ja;q=0, fr", "en"),
        ("ja;q=nan, en;q=0.3", "en"),
        ("ja;q=many", "en"),
        ("*", "en"),
        ("," * 5000 + "ja", "en"),
    ],
)
def test_the_reader_gets_the_language_that_their_browser_likes_best(accepted: str, language: str) -> None:
    assert best_language(accepted) == language
