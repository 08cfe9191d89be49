"""/metrics, for Prometheus: with the token of `metrics_token`; where none is set, for this machine alone."""

import hmac

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from db.review.access.addresses import is_loopback
from db.review.access.auth import FORWARDING
from db.review.access.state import State, state_of

router = APIRouter()


@router.get("/metrics", include_in_schema=False)  # no page: it knows nobody, and has tests of its own
def metrics(request: Request, state: State) -> Response:
    """All metrics as text.

    Raises:
        HTTPException: 403, whoever asks is not the monitor.
    """
    if not _may_ask(request):
        raise HTTPException(403, "metrics")
    return Response(generate_latest(state.metrics), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_ask(request: Request) -> bool:
    token = state_of(request).settings.metrics_token
    if token is not None:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode())
    peer = request.scope.get("nishiki.peer")
    return peer is not None and is_loopback(peer[0]) and not any(name in request.headers for name in FORWARDING)
