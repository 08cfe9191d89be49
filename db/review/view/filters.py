"""The queue's filter and place in the address of a request, as parameters of routes."""

from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from db.review.access.addresses import address_of
from db.review.view.filter_form import FilterForm, PageForm

_Form = TypeVar("_Form", bound=BaseModel)


async def _filter_form(request: Request) -> FilterForm:
    return _read(FilterForm, request)


async def _page_form(request: Request) -> PageForm:
    return _read(PageForm, request)


def view_left(request: Request) -> FilterForm:
    """The view of the page that a form stood on, where the form itself says nothing of it; all where it had none."""
    return FilterForm.kept(urlsplit(address_of(request)).query) or FilterForm()


def _read(form: type[_Form], request: Request) -> _Form:
    given = {name: value for name, value in request.query_params.items() if name in form.model_fields}
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


View = Annotated[FilterForm, Depends(_filter_form)]
"""A route's parameter: the view that the address names."""
Part = Annotated[PageForm, Depends(_page_form)]
"""The part of the queue that the address names."""
