"""A filter on the command line: what follows the `?` in the queue's address, read as the page reads it."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from flows.cli.console import refuse

if TYPE_CHECKING:
    from db.review.view.filter_form import FilterForm


def filter_of(text: str, unasked: Collection[str] = ()) -> "FilterForm":
    """The filter; ends the command where it cannot be used.

    Args:
        text: as the address has it.
        unasked: names that may stand there and say nothing to this command.
    """
    from pydantic import ValidationError

    from db.review.view.filter_form import FilterForm

    given = dict(parse_qsl(text.lstrip("?"), keep_blank_values=True))
    unknown = sorted(set(given) - set(FilterForm.model_fields))
    if unknown or (text and not given):
        known = ", ".join(sorted(set(FilterForm.model_fields) - set(unasked)))
        refuse(f"the filter does not know {unknown[0] if unknown else text!r}; it knows {known}")
    try:
        return FilterForm.model_validate({name: value for name, value in given.items() if name not in unasked})
    except ValidationError as error:
        wrong = error.errors()[0]
        refuse(f"the filter's {wrong['loc'][0]} cannot be {given[str(wrong['loc'][0])]!r} ({wrong['msg']})")
