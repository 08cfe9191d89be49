"""Ways to tell somebody who is not here: a webhook, and mail. `flows.alarm.findings` uses them; they know no settings.

What is said of a channel, errors included, names its host alone. Neither library logs what it sends; urllib3 would log
a webhook's path, which is its key.
"""

import json
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from http.client import HTTPException
from typing import Any, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from flows.alarm.addresses import MailServer, WebhookAddress

TIMEOUT_S: Final = 20.0
"""For each step of a connection."""


class ChannelFailed(Exception):
    """It could not be told, and why; quotes no address."""


@dataclass(frozen=True)
class Message:
    """What is told."""

    subject: str
    lines: tuple[str, ...]
    html: str = ""
    """The same as a page, for those ways that show one; it names its pictures as `cid:NAME`."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """JPEG files by that name."""


class Channel(Protocol):
    """One way."""

    @property
    def name(self) -> str:
        """For a person."""

    def tell(self, message: Message) -> None:
        """Hand it over.

        Raises:
            ChannelFailed: it was not taken.
        """


@dataclass(frozen=True)
class Webhook:
    """Takes `{"text": ...}`, as those of Slack, Mattermost, Google Chat and Rocket.Chat do."""

    address: WebhookAddress

    @property
    def name(self) -> str:
        """For a person."""
        return f"webhook at {self.address.host}"

    def tell(self, message: Message) -> None:
        """Post it; a redirect is not followed."""
        data = json.dumps({"text": "\n".join((message.subject, *message.lines))}).encode()
        request = Request(self.address.url, data, {"Content-Type": "application/json"})  # noqa: S310  # http or https
        try:
            build_opener(_Stay).open(request, timeout=TIMEOUT_S).close()
        except HTTPError as error:
            error.close()
            raise ChannelFailed(f"the {self.name} answered with status {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise ChannelFailed(f"the {self.name} cannot be reached: {_reason(error)}") from None


class _Stay(HTTPRedirectHandler):
    """An address that moved is set anew by a person: no other host gets what this one is told."""

    def redirect_request(self, *_: Any) -> None:
        """None: nowhere."""


@dataclass(frozen=True)
class Mail:
    """One letter to some addresses."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]

    @property
    def name(self) -> str:
        """For a person."""
        return f"mail to {', '.join(self.recipients)} through {self.server.host}"

    def tell(self, message: Message) -> None:
        """Send it; who is refused alone is told as well."""
        try:
            with self._connected() as client:
                refused = client.send_message(self._letter(message))
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except smtplib.SMTPResponseException as error:
            raise ChannelFailed(f"{self.name} was not taken: the server answered with {error.smtp_code}") from None
        except smtplib.SMTPNotSupportedError:
            raise ChannelFailed(f"{self.name} was not sent: the server offers no STARTTLS, or no login") from None
        except (OSError, ValueError) as error:
            raise ChannelFailed(f"{self.name} was not sent: {_reason(error)}") from None
        if refused:
            raise ChannelFailed(f"mail did not go to {', '.join(refused)}: {self.server.host} refused that")

    def _connected(self) -> smtplib.SMTP:
        server, secure = self.server, ssl.create_default_context()
        if server.scheme == "smtps":
            client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=secure)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        try:
            if server.scheme == "smtp":
                client.starttls(context=secure)
            if server.user:
                client.login(server.user, server.password)
        except BaseException:
            client.close()
            raise
        return client

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"], letter["From"], letter["To"] = message.subject, self.sender, ", ".join(self.recipients)
        letter["Date"], letter["Message-ID"] = localtime(), make_msgid(domain=self.sender.rpartition("@")[2])
        letter.set_content("\n".join((*message.lines, "")), cte="quoted-printable")
        if message.html:
            letter.add_alternative(message.html, subtype="html", cte="quoted-printable")
            page: EmailMessage = letter.get_payload()[1]  # type: ignore[index,assignment]
            for name, picture in message.pictures.items():
                page.add_related(picture, "image", "jpeg", cid=f"<{name}>", disposition="inline")
        return letter


def _reason(error: Exception) -> str:
    """What happened, in words that quote no address."""
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    return (isinstance(inner, OSError) and inner.strerror) or type(inner).__name__
