"""Addresses that packages are found at. Settings read them, so nothing else of what leaves is loaded here."""

from urllib.parse import urlsplit


def folder_address(text: str) -> str:
    """The address of a folder on the web, ending with `/`.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            f"{text!r} is no address of a folder on the web; give one such as https://prints.example.org/nishiki/"
        )
    return text.rstrip("/") + "/"
