"""The rules of OAI-PMH 2.0 that every answer keeps, as the protocol's document and its XML schema say them."""

import re
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

OAI = "{http://www.openarchives.org/OAI/2.0/}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
SET = re.compile(r"([A-Za-z0-9\-_.!~*'()])+(:[A-Za-z0-9\-_.!~*'()]+)*")
VERBS = ("Identify", "ListMetadataFormats", "ListSets", "GetRecord", "ListIdentifiers", "ListRecords")
CODES = {
    "badArgument", "badResumptionToken", "badVerb", "cannotDisseminateFormat", "idDoesNotExist", "noRecordsMatch",
    "noMetadataFormats", "noSetHierarchy",
}  # fmt: skip
IDENTIFY = [
    "repositoryName", "baseURL", "protocolVersion", "adminEmail", "earliestDatestamp", "deletedRecord", "granularity",
]  # fmt: skip
FORMS = {
    "oai_dc": "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc",
    "lido": "{http://www.lido-schema.org}lido",
}


def checked(answer: bytes, prefix: str = "oai_dc") -> Element:
    """The answer's root; fails where a rule is broken.

    Args:
        answer: the whole answer.
        prefix: the form of description that was asked for.
    """
    assert answer.startswith(b"<?xml")
    assert re.search(rb"encoding=['\"]utf-8['\"]", answer[:60], re.IGNORECASE)
    root: Element = fromstring(answer)
    assert root.tag == f"{OAI}OAI-PMH"
    assert root.get(f"{XSI}schemaLocation", "").split()[0] == OAI.strip("{}")
    date, request, *rest = root
    assert date.tag == f"{OAI}responseDate"
    assert STAMP.fullmatch(date.text or "")
    assert request.tag == f"{OAI}request"
    assert re.match("https?://", request.text or "")
    if rest[0].tag == f"{OAI}error":
        assert all(each.tag == f"{OAI}error" and each.get("code") in CODES for each in rest)
        assert request.attrib == {} or not {each.get("code") for each in rest} & {"badVerb", "badArgument"}
        return root
    (body,) = rest
    verb = body.tag.removeprefix(OAI)
    assert verb in VERBS
    assert request.get("verb") == verb
    assert len(body) > 0, "the schema wants one element at least"
    _check_body(verb, body, prefix)
    return root


def code(answer: bytes) -> str:
    """The one error of an answer; empty where there is none."""
    error = checked(answer).find(f"{OAI}error")
    return "" if error is None else error.get("code", "")


def records(root: Element) -> list[Element]:
    """The records of an answer."""
    return list(root.iter(f"{OAI}record"))


def token(root: Element) -> str:
    """By which the list goes on."""
    return root.findtext(f"*/{OAI}resumptionToken") or ""


def _check_body(verb: str, body: Element, prefix: str) -> None:
    if verb == "Identify":
        assert [each.tag.removeprefix(OAI) for each in body] == IDENTIFY
        assert STAMP.fullmatch(body.findtext(f"{OAI}earliestDatestamp") or "")
        assert re.fullmatch(r"\S+@\S+", body.findtext(f"{OAI}adminEmail") or "")
    for record in body.iterfind(f"{OAI}record"):
        _check_record(record, prefix)
    for header in body.iter(f"{OAI}header"):
        _check_header(header)
    for each in body.iterfind(f"{OAI}set"):
        assert [part.tag.removeprefix(OAI) for part in each] == ["setSpec", "setName"]
        assert SET.fullmatch(each.findtext(f"{OAI}setSpec") or "")
    names = [each.tag.removeprefix(OAI) for each in body]
    if "resumptionToken" in names:
        assert names.index("resumptionToken") == len(names) - 1
        end = body[-1]
        so_far = int(end.get("cursor", "0")) + len(names) - 1
        assert so_far <= int(end.get("completeListSize", "0"))
        assert bool(end.text) == (so_far < int(end.get("completeListSize", "0")))


def _check_record(record: Element, prefix: str) -> None:
    header, *rest = record
    if header.get("status") == "deleted":
        assert rest == []
        return
    (metadata,) = rest
    assert metadata.tag == f"{OAI}metadata"
    (form,) = metadata
    assert form.tag == FORMS[prefix]
    assert form.tag.strip("{").partition("}")[0] in form.get(f"{XSI}schemaLocation", "").split()


def _check_header(header: Element) -> None:
    names = [each.tag.removeprefix(OAI) for each in header]
    assert names[:2] == ["identifier", "datestamp"]
    assert set(names[2:]) <= {"setSpec"}
    assert re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", header.findtext(f"{OAI}identifier") or "")
    assert STAMP.fullmatch(header.findtext(f"{OAI}datestamp") or "")
    assert header.get("status") in (None, "deleted")
