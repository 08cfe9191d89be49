"""The namespaces of OAI-PMH and Dublin Core, and the slips with which archives write them.

Called by the readers of this folder; knows no server.
"""

import re
from xml.etree.ElementTree import Element, register_namespace

OAI = "{http://www.openarchives.org/OAI/2.0/}"
OAI_DC = "{http://www.openarchives.org/OAI/2.0/oai_dc/}"
DC = "{http://purl.org/dc/elements/1.1/}"
DC_TERMS = "{http://purl.org/dc/terms/}"

# The kept raw answer reads like the archive's own; without this its prefixes would be ns0, ns1 ...
for _prefix, _namespace in (("oai", OAI), ("oai_dc", OAI_DC), ("dc", DC)):
    register_namespace(_prefix, _namespace.strip("{}"))

_SLIP = re.compile(r"^\{\s*https?://(?:www\.)?|[/#\s]*\}$")


def _core(namespace: str) -> str:
    return _SLIP.sub("", namespace.casefold())


_RIGHT = {_core(namespace): namespace for namespace in (OAI, OAI_DC, DC, DC_TERMS)}


def correct_namespaces(root: Element) -> str:
    """Write every namespace of the tree as it should be; the first that was not, empty where all were.

    Without its slash, with https or www, in capitals, or missing for the whole answer, it means the same.
    """
    known: dict[str, str] = {}
    slips = []
    nameless = OAI if root.tag in ("OAI-PMH", "record") else ""
    for element in root.iter():
        if element.tag not in known:
            namespace, _, name = element.tag.rpartition("}")
            right = _RIGHT.get(_core(f"{namespace}}}"), f"{namespace}}}") if namespace else nameless
            known[element.tag] = right + name
            if known[element.tag] != element.tag:
                slips.append(namespace.strip("{") or "no namespace")
        element.tag = known[element.tag]
    return slips[0] if slips else ""
