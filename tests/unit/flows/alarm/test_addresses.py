"""Addresses of webhooks and mail servers are understood, or refused without a word of what they hold."""

import pytest

from flows.alarm.addresses import MAIL_ADDRESS, MailServer, WebhookAddress


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("smtps://aoi:s3cret@mail.example", MailServer("smtps", "mail.example", 465, "aoi", "s3cret")),
        ("smtp://aoi%40home:s%3A3@mail.example", MailServer("smtp", "mail.example", 587, "aoi@home", "s:3")),
        ("smtp+plain://localhost:2525", MailServer("smtp+plain", "localhost", 2525)),
    ],
)  # fmt: skip
def test_a_mail_server_is_read(address: str, server: MailServer) -> None:
    assert MailServer.read(address) == server
    assert "s3cret" not in repr(server)


@pytest.mark.parametrize(
    "address",
    [
        "mail.example", "smtp://", "imap://s3cret@mail.example", "smtps://aoi:s3cret@mail.example:x",
        "smtps://s3cret@mail.example", "smtp+plain://aoi:s3cret@mail.example", "smtp://aoi:s3cret@[", "",
        "smtps://aoi:s3cret%E9@mail.example",
    ],
)  # fmt: skip
def test_what_is_no_mail_server_is_refused_and_not_quoted(address: str) -> None:
    with pytest.raises(ValueError, match=r"smtps://|ASCII") as refused:
        MailServer.read(address)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["chat.example/s3cret", "ftp://chat.example/s3cret", "https://s3cret@chat.example/", "https://["]
)
def test_what_is_no_webhook_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="https://HOST") as refused:
        WebhookAddress.read(url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "right"),
    [("aoi@museum.example", True), ("a.b+c@x.example", True), ("Aoi <aoi@x.example>", False), ("a@x\nBcc: b@x", False)],
)
def test_a_mail_address_stands_alone(given: str, right: bool) -> None:
    assert bool(MAIL_ADDRESS.fullmatch(given)) is right
