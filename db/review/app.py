"""The review page as a web application: routes, safeguards, what a mistake looks like. `nishiki review` serves it.

Bound to anything but this machine, it wants accounts (`refuse_open_door`); browsers must name it by a known host, so
that no page of another site can reach it through a name of its own (DNS rebinding).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

from fastapi import Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.catalogue import Catalogue
from db.entries.review import QueueFilter
from db.errors import CatalogueError
from db.exports.background import Exports
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.queries.review.queue import PageOf
from db.review.access.addresses import is_loopback
from db.review.access.auth import refuse_forged, refuse_nul
from db.review.access.headers import Safeguards
from db.review.access.rates import Rates
from db.review.access.sessions import KeptSessions, PassingSessions, Sessions
from db.review.access.shares import Shares
from db.review.access.state import NightsBeside, ReviewState
from db.review.access.throttle import Throttle
from db.review.api.app import PATH as API_PATH
from db.review.api.app import api
from db.review.metrics.collector import CatalogueCollector
from db.review.metrics.requests import Counted
from db.review.pages import accounts as people
from db.review.pages import assignments as assignments_page
from db.review.pages import audit as audit_page
from db.review.pages import bulk as bulk_pages
from db.review.pages import candidates as candidates_page
from db.review.pages import comparisons as comparison_pages
from db.review.pages import corrections as corrections_page
from db.review.pages import desk as desk_page
from db.review.pages import entry as entry_pages
from db.review.pages import exports as exports_page
from db.review.pages import faults as faults_page
from db.review.pages import held_back, keys, login, matching, metrics, nights, oai, pictures, tones, undo, verdicts
from db.review.pages import marks as marks_page
from db.review.pages import mask as mask_page
from db.review.pages import queue as queue_pages
from db.review.pages import requests as request_pages
from db.review.pages import statistics as statistics_page
from db.review.settings import ReviewSettings
from db.review.view import error_pages as faults
from db.review.view import preferences
from db.review.view.environment import environment
from db.review.view.static_files import VersionedFiles
from db.review.view.translations import LANGUAGES

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
PAGES = (
    login,
    preferences,
    pictures,
    queue_pages,
    bulk_pages,
    undo,
    entry_pages,
    verdicts,
    candidates_page,
    request_pages,
    marks_page,
    faults_page,
    corrections_page,
    desk_page,
    assignments_page,
    mask_page,
    held_back,
    tones,
    matching,
    metrics,
    nights,
    statistics_page,
    comparison_pages,
    exports_page,
    people,
    audit_page,
    keys,
)
"""Modules of routes."""


def create_app(
    settings: ReviewSettings,
    *,
    marking_recipes: Sequence[str] = (),
    masking_recipes: Callable[[], Sequence[str]] = tuple,
    nights_beside: NightsBeside | None = None,
) -> FastAPI:
    """The application over an opened catalogue, which it closes when it ends.

    Args:
        settings: where the catalogue lies, and who may come in.
        marking_recipes: names of those that take marks.
        masking_recipes: names of those that can colour a part; asked each time, for a training may add one.
        nights_beside: what runs the nights, where who serves does that, too.

    Raises:
        CatalogueError: there is no catalogue, or it cannot be opened.
        OpenDoor: as `refuse_open_door`.
    """
    state = replace(_state(settings, tuple(marking_recipes), masking_recipes), nights=nights_beside)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if state.exports is not None:
            state.exports.close()
        state.catalogue.close()

    checks = [Depends(refuse_forged), Depends(refuse_nul)]
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, dependencies=checks)
    app.state.review = state
    for page in PAGES:
        app.include_router(page.router)
    if settings.oai_address is not None:
        app.router.routes.append(oai.route(state))
    app.mount(API_PATH, api(state))
    app.mount("/static", VersionedFiles(), name="static")
    faults.install(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_names(settings), www_redirect=False)
    app.add_middleware(Shares, most_each=settings.review_connections_each)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.review_proxies))
    app.add_middleware(Safeguards)
    state.metrics.register(CatalogueCollector(state.catalogue))
    app.add_middleware(Counted, registry=state.metrics)
    return app


def read_first_page(app: FastAPI) -> None:
    """Read what the first page of the queue asks, so that whoever comes first does not wait for the disk.

    Raises:
        CatalogueError: the catalogue cannot be read.
    """
    state: ReviewState = app.state.review
    state.catalogue.queue_with_counts(QueueFilter(), PageOf(), reader="")
    for language in LANGUAGES:
        environment(language).get_template("queue.html.j2")


def refuse_open_door(settings: ReviewSettings, catalogue: Catalogue) -> None:
    """Let nobody in from elsewhere while everybody would be taken for the person at this machine.

    Raises:
        OpenDoor: there is no account, and the page is to be reached from elsewhere; or people are to be signed in by a
            proxy, and none is believed.
    """
    if catalogue.curators():
        if settings.review_user_header is not None and not settings.review_proxies:
            raise OpenDoor(
                "review_user_header is set, but no proxy is believed; name its address: NISHIKI_REVIEW_PROXIES"
            )
        return
    way_out = "make an account first: nishiki curator add NAME"
    if settings.review_user_header is not None:
        raise OpenDoor(
            f"review_user_header is set, and the names in {settings.review_user_header} need accounts; {way_out}"
        )
    if not is_loopback(settings.review_host):
        raise OpenDoor(
            f"the review page would be open to everybody who reaches {settings.review_host}; {way_out}, or leave the "
            "page to this machine: --host 127.0.0.1"
        )


class OpenDoor(CatalogueError):
    """The page would serve others without asking who they are."""


def _state(
    settings: ReviewSettings, marking_recipes: tuple[str, ...], masking_recipes: Callable[[], Sequence[str]]
) -> ReviewState:
    with ExitStack() as on_failure:
        catalogue = Catalogue.open(settings, create=False)
        on_failure.callback(catalogue.close)
        refuse_open_door(settings, catalogue)
        sessions: Sessions = KeptSessions(catalogue, settings.session_hours, settings.audit_days)
        if settings.review_read_only:
            sessions = PassingSessions(catalogue, settings.session_hours)
        sessions.tidy()
        state = ReviewState(
            settings,
            catalogue,
            TileStore(settings.home / HomeFolder.TILES),
            sessions,
            Throttle(),
            Rates(settings.api_per_minute),
            exports=_exports(settings),
            marking_recipes=marking_recipes,
            masking_recipes=masking_recipes,
        )
        if not settings.review_read_only and not state.blind_share():
            catalogue.settle_blind()
        on_failure.pop_all()
    return state


def _exports(settings: ReviewSettings) -> Exports | None:
    if settings.export_dir is None:
        return None
    return Exports(settings, settings.export_dir, settings.export_address)


def _names(settings: ReviewSettings) -> list[str]:
    own = settings.review_host
    return [*LOOPBACK_NAMES, *settings.review_names, f"[{own}]" if ":" in own else own]
