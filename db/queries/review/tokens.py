"""Tokens by which programs speak for curators: made, listed, revoked; only their sha256 is kept."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from db.entries.review import AuditWord, Role, TokenEntry
from db.errors import UnknownEntry
from db.queries.base.store import Store, now
from db.queries.review.accounts import curator_entry, known_curator
from db.queries.review.audit import audited
from db.tables.review import ApiToken, Curator

BEGINNING: Final = "nishiki_"
"""Of every token, so that whoever finds one in a file sees what it opens."""
TOKEN_DAYS: Final = 365


class TokenQueries(Store):
    """What programs show."""

    def add_token(
        self, name: str, role: Role, label: str = "", *, days: float = TOKEN_DAYS, by: str = ""
    ) -> tuple[TokenEntry, str]:
        """A fresh token of an account, which is told here and never again.

        Raises:
            UnknownEntry: there is no such curator, or the account is closed.
        """
        token, moment = BEGINNING + secrets.token_urlsafe(32), now()
        with self._writing() as session:
            curator = known_curator(session, name)
            if curator.disabled_at is not None:
                raise UnknownEntry(
                    f"the account of {curator.name!r} is closed; `nishiki curator enable` opens it again"
                )
            row = ApiToken(
                token_sha256=_sha256(token),
                curator_id=curator.id,
                role=role,
                label=label,
                made_at=moment,
                expires_at=moment + timedelta(days=days),
            )
            session.add(row)
            session.flush()
            detail = ", ".join(filter(None, (f"{row.id} as {role}", label, by and f"by {by}")))
            audited(session, AuditWord.TOKEN_MADE, curator=curator.name, detail=detail)
            return _entry(row, curator), token

    def tokens(self) -> list[TokenEntry]:
        """All of them, the newest last; revoked and expired ones too."""
        found = select(ApiToken, Curator).join(Curator, Curator.id == ApiToken.curator_id).order_by(ApiToken.id)
        with self._reading() as session:
            return [_entry(row, curator) for row, curator in session.execute(found)]

    def token(self, token: str) -> TokenEntry | None:
        """Whose token this is; None: nobody's (any more)."""
        if not token.startswith(BEGINNING):
            return None
        found = (
            select(ApiToken, Curator)
            .join(Curator, Curator.id == ApiToken.curator_id)
            .where(ApiToken.token_sha256 == _sha256(token), ApiToken.revoked_at.is_(None), ApiToken.expires_at > now())
            .where(Curator.disabled_at.is_(None))
        )
        with self._reading() as session:
            row = session.execute(found).one_or_none()
            return None if row is None else _entry(*row)

    def revoke_token(self, number: int, *, by: str = "") -> TokenEntry:
        """From now on it opens nothing; harmless when it was revoked before.

        Raises:
            UnknownEntry: there is no such token.
        """
        with self._writing() as session:
            row = session.get(ApiToken, number, with_for_update=True)
            if row is None:
                raise UnknownEntry(f"there is no token {number}; `nishiki token list` shows them all")
            curator = session.get_one(Curator, row.curator_id)
            if row.revoked_at is None:
                row.revoked_at = now()
                detail = ", ".join(filter(None, (str(number), row.label, by and f"by {by}")))
                audited(session, AuditWord.TOKEN_REVOKED, curator=curator.name, detail=detail)
            return _entry(row, curator)


def _entry(row: ApiToken, curator: Curator) -> TokenEntry:
    times = row.made_at, row.expires_at, row.revoked_at
    return TokenEntry(row.id, curator_entry(curator), row.role, row.label, *times)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
