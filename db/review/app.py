"""The review page as a web application: routes, safeguards, what a mistake looks like. `nishiki review` serves it.

Bound to anything but this machine, it wants accounts (`refuse_open_door`); browsers must name it by a known host, so
that no page of another site can reach it through a name of its own (DNS rebinding).
"""

import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.catalogue import Catalogue
from db.errors import CatalogueError
from db.review import faults, login, pictures, preferences
from db.review.auth import refuse_forged
from db.review.headers import Safeguards
from db.review.settings import ReviewSettings
from db.review.state import ReviewState
from db.tiles import TileStore

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def create_app(settings: ReviewSettings, *, marking_recipes: Sequence[str] = ()) -> FastAPI:
    """The application over an opened catalogue, which it closes when it ends.

    Raises:
        CatalogueError: there is no catalogue, or it cannot be opened.
    """
    catalogue = Catalogue.open(settings, create=False)
    state = ReviewState(settings, catalogue, TileStore(settings.home / "tiles"), tuple(marking_recipes))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        catalogue.close()

    app = FastAPI(
        lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(refuse_forged)]
    )
    app.state.review = state
    for part in (login, preferences, pictures):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(packages=[("db.review", "static")]), name="static")
    faults.install(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_names(settings), www_redirect=False)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.review_proxies))
    app.add_middleware(Safeguards)
    return app


def is_loopback(host: str) -> bool:
    """Does only this machine reach an address?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_open_door(settings: ReviewSettings, catalogue: Catalogue) -> None:
    """Let nobody in from elsewhere while everybody would be taken for the person at this machine.

    Raises:
        OpenDoor: the address is not this machine's own, and there is neither an account nor a proxy that signs in.
    """
    if not is_loopback(settings.review_host) and not catalogue.curators():
        raise OpenDoor(
            f"the review page would be open to everybody who reaches {settings.review_host}; make an account first "
            "(nishiki curator add NAME), or leave it to this machine (--host 127.0.0.1)"
        )


class OpenDoor(CatalogueError):
    """The page would serve others without asking who they are."""


def _names(settings: ReviewSettings) -> list[str]:
    own = settings.review_host
    return [*LOOPBACK_NAMES, *settings.review_names, f"[{own}]" if ":" in own else own]
