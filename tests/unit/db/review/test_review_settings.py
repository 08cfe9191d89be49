"""Settings of the review page: who may be trusted cannot be mistyped into trusting everybody."""

from typing import Any

import pytest
from pydantic import ValidationError

from db.queries.review.accounts import SESSION_DAYS
from db.review.settings import ReviewSettings


def test_every_setting_is_described() -> None:
    assert [name for name, field in ReviewSettings.model_fields.items() if not field.description] == []


def test_by_default_only_this_machine_is_served_and_believed() -> None:
    settings = ReviewSettings()
    assert (settings.review_host, settings.review_proxies) == ("127.0.0.1", ())
    assert settings.review_user_header is None
    assert settings.review_names == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"review_proxies": ["*"]},
        {"review_proxies": ["proxy.example.org"]},
        {"review_proxies": ["10.0.0.1/8"]},
        {"review_names": ["*"]},
        {"review_names": ["*.*.example.org"]},
        {"review_names": ["https://review.example.org"]},
        {"review_names": ["review.example.org:443"]},
        {"review_names": [""]},
        {"review_user_header": ""},
        {"review_user_header": "X-User: "},
        {"review_user_header": "X_User\n"},
        {"review_host": ""},
        {"review_port": 70_000},
        {"session_hours": SESSION_DAYS * 24 + 1},
        {"session_hours": 0},
        {"blind_share": 1.1},
        {"look_s": float("nan")},
    ],
)
def test_a_setting_that_would_open_the_page_or_mean_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReviewSettings(**wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"review_proxies": ["10.0.0.0/8", "2001:db8::1"]},
        {"review_names": ["review.example.org", "*.example.org", "[2001:db8::1]", "192.0.2.1"]},
        {"review_user_header": "X-Forwarded-User"},
    ],
)
def test_a_setting_that_means_something_is_taken(right: dict[str, Any]) -> None:
    ReviewSettings(**right)
