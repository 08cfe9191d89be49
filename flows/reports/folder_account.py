"""What a folder and its tables say, row by row: what `nishiki harvest --dry-run` prints, for people and as JSON.

`flows.cli.app` prints it; nothing here reads a file.
"""

import json
from collections.abc import Iterator
from typing import Any

from flows.archives.folder.account import Account, Understood
from flows.archives.record import Derivatives, Record, Unreadable


def account_lines(name: str, account: Account) -> Iterator[str]:
    """The rows, then the pictures that none reaches, then what else there is to know."""
    contents = account.contents
    yield f"{name}: {_count(len(contents.files), 'picture')}; {' and '.join(_described_by(account)) or 'no table'}."
    for row in account.rows:
        yield from _row_lines(row)
    if account.rest:
        reached = "that no row reaches" if contents.describing else "without a table"
        yield f"{_count(len(account.rest), 'picture')} {reached}:"
        yield from (f"  {_rest_line(found)}" for found in account.rest)
    if broken := account.broken:
        yield f"{_count(len(broken), 'file')} that cannot be read:"
        yield from (f"  {reason}" for reason in broken.values())
    if remarks := list(account.remarks):
        yield "To know:"
        yield from (f"  {remark.subject}: {remark.text}" for remark in remarks)
    yield "Nothing was changed."


def account_json(name: str, account: Account) -> str:
    """The same as one object."""
    contents = account.contents
    return json.dumps(
        {
            "archive": name,
            "tables": [table.path for table in contents.tables],
            "manifests": [file.path for file in contents.manifests],
            "unused_columns": {table.path: table.unknown for table in contents.tables if table.unknown},
            "rows": [_row_data(row) for row in account.rows],
            "pictures_without_a_row": [_rest_data(found) for found in account.rest],
            "unreadable_files": dict(contents.broken),
            "remarks": [{"subject": remark.subject, "text": remark.text} for remark in account.remarks],
        },
        ensure_ascii=False,
    )


def _described_by(account: Account) -> Iterator[str]:
    tables, manifests = account.contents.tables, sum(len(file.manifests) for file in account.contents.manifests)
    if tables:
        yield f"{_count(len(account.rows) - manifests, 'row')} in {', '.join(table.path for table in tables)}"
    if manifests:
        yield _count(manifests, "IIIF manifest")


def _row_lines(row: Understood) -> Iterator[str]:
    data = _row_data(row)
    yield f"{row.place}: {data['identifier']}" + (f", {data['title']}" if data.get("title") else "")
    for pick in data["pictures"]:
        how = f" for “{pick['written']}” ({pick['how']})" if pick["how"] else ""
        yield f"  picture: {pick['path']}{how}"
    if data["may_mean"]:
        yield f"  may mean: {', '.join(data['may_mean'])}"
    if not data["pictures"] and not data["may_mean"]:
        yield "  picture: none"
    for key in ("artists", "years"):
        if data.get(key):
            yield f"  {key}: {', '.join(map(str, data[key]))}"
    if rights := data.get("rights"):
        held = ", held back" if data["held_back"] else ""
        yield f"  rights: {rights['derivatives']}{held} ({rights['basis']})"
    elif data["held_back"]:
        yield f"  held back: {data['held_back']}"


def _row_data(row: Understood) -> dict[str, Any]:
    data: dict[str, Any] = {
        "place": row.place,
        "identifier": row.found.identifier,
        "pictures": [{"path": pick.path, "written": pick.written.strip(), "how": pick.how} for pick in row.reach.picks],
        "may_mean": list(row.reach.maybe),
        "held_back": _held_back(row.found),
    }
    if isinstance(row.found, Record):
        record = row.found
        years = list(dict.fromkeys(year for year in (record.year_from, record.year_to) if year is not None))
        data |= {"title": record.title, "artists": list(record.artists), "date": record.date_text, "years": years}
        data |= {"rights": _rights_data(record), "notes": [remark.text for remark in row.remarks]}
    return data


def _rest_line(found: Record | Unreadable) -> str:
    if isinstance(found, Unreadable):
        return f"{found.identifier}: {found.reason}"
    return f"{found.pictures[0]}: {found.rights.derivatives} ({found.rights.basis})"


def _rest_data(found: Record | Unreadable) -> dict[str, Any]:
    data = {"identifier": found.identifier, "held_back": _held_back(found)}
    return data | ({"path": found.pictures[0], "rights": _rights_data(found)} if isinstance(found, Record) else {})


def _rights_data(record: Record) -> dict[str, Any]:
    rights = record.rights
    return {"derivatives": rights.derivatives.value, "basis": rights.basis, "uri": rights.uri, "text": rights.text}


def _held_back(found: Record | Unreadable) -> str | None:
    """Why the night takes nothing of it; None where it does."""
    if isinstance(found, Unreadable):
        return found.reason
    held = found.rights.derivatives is not Derivatives.YES
    return f"rights: {found.rights.derivatives} ({found.rights.basis})" if held else None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
