"""Rights that older rules judged, judged again by today's from what is kept of each record.

`nishiki doctor` names them and `--mend` judges; matching and dispatch do so before they begin, so that nothing is
coloured that an older program took for free.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from db.catalogue import Catalogue
from db.doctor import Rules
from db.entries.night import Derivatives, JudgedAgain, KeptRights, RightsEntry
from flows.archives.apis.rights import RIGHTS_OF
from flows.archives.folder.table import OWN_FOLDER, rights_in
from flows.archives.limits import LONGEST_TEXT
from flows.archives.record import Rights
from flows.archives.values.permission import PERMITTED
from flows.archives.values.rights import RULES_VERSION, read_rights
from flows.logs import about

OWN_KIND = "folder"
_UNREACHED = "the folder has a table and no row names this picture; harvest the folder again"
_CUT = "the archive's words are longer than what is kept of them; harvest the archive again"


def judge_again(catalogue: Catalogue) -> list[JudgedAgain]:
    """Judge what older rules judged; those records whose pictures may be used otherwise from now on."""
    moved = catalogue.judge_again(judged, RULES_VERSION) if catalogue.judged_by_older(RULES_VERSION) else []
    for each in moved:
        about(__name__, archive=each.archive, record=each.identifier).warning("%s", judged_words(each))
    return moved


def judged_words(moved: JudgedAgain) -> str:
    """What became of a record's rights, for a person."""
    return f"its rights were {moved.before.derivatives} and are {moved.after.derivatives}: {moved.after.basis}"


def judged_lines(moved: Iterable[JudgedAgain]) -> list[tuple[str, str]]:
    """(identifier, what became of its rights) of each."""
    return [(each.identifier, judged_words(each)) for each in moved]


def judged(kept: KeptRights) -> RightsEntry:
    """What today's rules make of a record's rights.

    A folder's row is read again, for its columns may mean more than they did, and so is an API's record, for its codes
    may; of other archives, and of manifests in a folder, the statements are. What a written permission allows stays so.
    """
    rights = kept.rights
    if rights.basis.startswith(PERMITTED):
        return rights
    if kept.raw and (read := RIGHTS_OF.get(kept.kind)):
        return _entry(read(json.loads(kept.raw)))
    if kept.kind == OWN_KIND and "row" in json.loads(kept.raw):
        return _of_row(kept)
    if not rights.text:
        return rights
    again = _entry(read_rights([rights.text], "dc:rights"))
    if len(rights.text) >= LONGEST_TEXT and again.derivatives is not Derivatives.NO:
        return replace(again, derivatives=Derivatives.ASK, basis=_CUT)
    return again


def _of_row(kept: KeptRights) -> RightsEntry:
    said = json.loads(kept.raw)
    if said["row"]:
        return _entry(rights_in(said, "its row"))
    if kept.row_missing and kept.rights.basis == OWN_FOLDER.basis:
        return RightsEntry(Derivatives.UNKNOWN, _UNREACHED)
    return kept.rights


def _entry(rights: Rights) -> RightsEntry:
    return RightsEntry(Derivatives(rights.derivatives.value), rights.basis, rights.uri, rights.text)


RULES = Rules(RULES_VERSION, judged, judged_words)
"""What the doctor is given: the catalogue knows no rules."""
