"""The alarm's ways out, against servers of their kind: told, refused, encrypted or not at all, and no secret said."""

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.alarm import channels
from flows.alarm.addresses import MailServer, WebhookAddress
from flows.alarm.channels import ChannelFailed, Mail, Message, Webhook
from tests.chat import Chat, listening

MESSAGE = Message("nishiki: the nights need somebody", ("No night has begun for 50 h.", "目録"))
TO = ("aoi@museum.example", "ren@museum.example")


@pytest.fixture
def chat() -> Iterator[Chat]:
    with listening() as chat:
        yield chat


def _webhook(chat: Chat) -> Webhook:
    return Webhook(WebhookAddress.read(chat.address))


def test_a_webhook_takes_a_text(chat: Chat) -> None:
    _webhook(chat).tell(MESSAGE)
    text = "nishiki: the nights need somebody\nNo night has begun for 50 h.\n目録"
    assert [json.loads(each) for each in chat.told] == [{"text": text}]


@pytest.mark.parametrize("status", [302, 307, 404, 500])
def test_a_webhook_that_answers_otherwise_is_told_by_its_host_alone(chat: Chat, status: int) -> None:
    chat.status = status
    with pytest.raises(ChannelFailed, match=f"the webhook at 127.0.0.1 answered with status {status}") as failed:
        _webhook(chat).tell(MESSAGE)
    assert len(chat.told) == 1
    assert "k3y" not in str(failed.value)


def test_a_webhook_that_is_not_there_or_silent_is_told_by_its_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        webhook = Webhook(WebhookAddress.read(f"http://127.0.0.1:{port}/k3y"))
        with pytest.raises(ChannelFailed, match=r"webhook at 127.0.0.1 cannot be reached: no answer within"):
            webhook.tell(MESSAGE)
    with pytest.raises(ChannelFailed, match=r"webhook at 127.0.0.1 cannot be reached: Connection refused$"):
        webhook.tell(MESSAGE)


@dataclass
class Post:
    """A mail server that knows one user; `words` are the commands that it was given, but for what the letter says."""

    port: int = 0
    words: list[str] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    unknown: tuple[str, ...] = ()
    starttls: ssl.SSLContext | None = None
    """What it encrypts by once a client asks."""

    def server(self, scheme: str, user: str = "") -> MailServer:
        return MailServer.read(f"{scheme}://{user}127.0.0.1:{self.port}")


def answers(post: Post, word: str) -> str:
    """What a mail server says to a command."""
    verb = word.partition(" ")[0].upper()
    if verb == "AUTH":
        return "235 welcome" if word == "AUTH PLAIN AGFvaQBzM2NyZXQ=" else "535 s3cret is wrong"
    if verb == "RCPT" and any(each in word for each in post.unknown):
        return "550 nobody"
    offered = "250-STARTTLS\r\n" if post.starttls else ""
    known = {"EHLO": f"250-here\r\n{offered}250 AUTH PLAIN", "DATA": "354 go on", "QUIT": "221 farewell"}
    if verb == "STARTTLS" and post.starttls:
        return "220 begin"
    return known.get(verb, "250 well")


class Talk(StreamRequestHandler):
    """One client's, with the server's post."""

    def setup(self) -> None:
        self.request = self.connection = getattr(self, "connection", self.request)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def handle(self) -> None:
        post: Post = self.server.post  # type: ignore[attr-defined]
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.decode().strip()
            post.words.append(word)
            self.wfile.write(f"{answers(post, word)}\r\n".encode())
            if word.upper() == "DATA":
                post.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"250 taken\r\n")
            if word.upper() == "STARTTLS" and post.starttls:
                self.connection = post.starttls.wrap_socket(self.connection, server_side=True)
                self.setup()
            if word.upper() == "QUIT":
                return


class PostOffice(ThreadingTCPServer):
    """Those who do not trust it hang up."""

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def post(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """Encrypted where the test asks for it."""
    post, asked = Post(), getattr(request, "param", "")
    with PostOffice(("127.0.0.1", 0), Talk) as server:
        if asked:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate(tmp_path))
            if "starttls" in asked:
                post.starttls = context
            else:
                server.socket = context.wrap_socket(server.socket, server_side=True)
        if "trusted" in asked:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        server.post = post  # type: ignore[attr-defined]
        post.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield post
        server.shutdown()


def certificate(folder: Path) -> Path:
    """A server's key and certificate, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now, here = datetime.now(UTC), x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return file


def test_mail_goes_to_all_as_one_letter(post: Post) -> None:
    Mail(post.server("smtp+plain"), "nishiki@museum.example", TO).tell(MESSAGE)
    (letter,) = (message_from_bytes(each, policy=policy.default) for each in post.letters)
    assert (letter["Subject"], letter["From"]) == (MESSAGE.subject, "nishiki@museum.example")
    assert letter["To"] == ", ".join(TO)
    assert letter["Date"]
    assert letter.get_content().replace("\r\n", "\n") == "No night has begun for 50 h.\n目録\n"
    assert [word.partition(" ")[2] for word in post.words if word.startswith("rcpt")] == [f"TO:<{to}>" for to in TO]


def test_an_address_that_the_server_refuses_is_named_and_the_others_have_the_letter(post: Post) -> None:
    post.unknown = TO[:1]
    with pytest.raises(ChannelFailed, match=r"^mail did not go to aoi@museum.example: 127.0.0.1 refused that$"):
        Mail(post.server("smtp+plain"), TO[0], TO).tell(MESSAGE)
    assert len(post.letters) == 1
    with pytest.raises(ChannelFailed, match="did not go to aoi"):
        Mail(post.server("smtp+plain"), TO[0], TO[:1]).tell(MESSAGE)
    assert len(post.letters) == 1


@pytest.mark.parametrize("post", ["trusted"], indirect=True)
def test_a_password_goes_over_tls_and_is_not_said(post: Post) -> None:
    Mail(post.server("smtps", "aoi:s3cret@"), TO[0], TO).tell(MESSAGE)
    assert len(post.letters) == 1
    with pytest.raises(ChannelFailed, match=r"was not taken: the server answered with 535$") as failed:
        Mail(post.server("smtps", "aoi:s3cret-too@"), TO[0], TO).tell(MESSAGE)
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize("post", ["unknown"], indirect=True)
def test_a_server_that_nobody_vouches_for_gets_no_password(post: Post) -> None:
    with pytest.raises(ChannelFailed, match="CERTIFICATE_VERIFY_FAILED"):
        Mail(post.server("smtps", "aoi:s3cret@"), TO[0], TO).tell(MESSAGE)
    assert post.words == []


def test_a_server_without_starttls_gets_no_password_where_it_is_asked_for(post: Post) -> None:
    with pytest.raises(ChannelFailed, match="offers no STARTTLS"):
        Mail(post.server("smtp", "aoi:s3cret@"), TO[0], TO).tell(MESSAGE)
    assert [word.split(" ")[0] for word in post.words] == ["ehlo"]


@pytest.mark.parametrize("post", ["trusted by starttls"], indirect=True)
def test_a_password_goes_after_starttls_alone(post: Post) -> None:
    Mail(post.server("smtp", "aoi:s3cret@"), TO[0], TO).tell(MESSAGE)
    assert len(post.letters) == 1
    verbs = [word.split(" ")[0].upper() for word in post.words]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


@pytest.mark.parametrize("post", ["starttls of a stranger"], indirect=True)
def test_a_server_whose_starttls_nobody_vouches_for_gets_no_password(post: Post) -> None:
    with pytest.raises(ChannelFailed, match="CERTIFICATE_VERIFY_FAILED"):
        Mail(post.server("smtp", "aoi:s3cret@"), TO[0], TO).tell(MESSAGE)
    assert [word.split(" ")[0].upper() for word in post.words] == ["EHLO", "STARTTLS"]
