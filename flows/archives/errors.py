"""What can go wrong between nishiki and an archive.

ArchiveError                 root; the message says which archive or record, what happened, what to do
├── ArchiveUnavailable       transient: the host is down, busy or slow; the only error that is retried
├── ArchiveRefused           the host forbids us (robots.txt, 401, 403, an address in a private network)
├── NotAnArchive             the address answers, but with something else (an HTML page, a missing folder)
│   └── IsStream             a stream of changes where a manifest or collection was looked for
├── MalformedAnswer          the protocol is broken: bad XML, a DOCTYPE, a repeated resumption token
└── BadRecord                one record or picture cannot be read; the others go on
    ├── Gone                 nothing lies there, or no more
    ├── NoPicture            something else came in a picture's place
    └── TooLarge             an answer passes the size limit
"""


class ArchiveError(Exception):
    """Root of everything an archive client raises."""


class ArchiveUnavailable(ArchiveError):
    """The archive did not answer properly, and may later."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ArchiveRefused(ArchiveError):
    """The archive does not want to be asked; a person should look."""


class NotAnArchive(ArchiveError):
    """What lies at the address is no archive of the stated kind."""


class IsStream(NotAnArchive):
    """It is a stream of changes, which a protocol of its own reads."""


class MalformedAnswer(ArchiveError):
    """The archive answered against its own protocol."""


class BadRecord(ArchiveError):
    """One record, or one picture of it, cannot be read."""


class Gone(BadRecord):
    """The host says that nothing lies there (404), or no more (410)."""


class NoPicture(BadRecord):
    """What an address led to is no picture of a format that is taken; `kind` says what it is."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class TooLarge(BadRecord):
    """An answer is larger than the limit."""
