"""Descriptions in ESE, EDM, MODS and LIDO come to the records that oai_dc gives; made from their documentation."""

from xml.etree.ElementTree import Element, fromstring

import pytest

from flows.archives.errors import BadRecord
from flows.archives.oai.dublin_core import read_record
from flows.archives.record import Derivatives, Record, Role

ZERO = "http://creativecommons.org/publicdomain/zero/1.0/"
NO_DERIVATIVES = "http://creativecommons.org/licenses/by-nd/4.0/"
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'

ESE = f"""<e:record xmlns:e="http://www.europeana.eu/schemas/ese/" {DC}>
  <dc:title>暫</dc:title><dc:creator>国貞</dc:creator><dc:contributor>鎌倉権五郎／市川団十郎</dc:contributor>
  <dcterms:created>1852</dcterms:created><dc:type>役者絵</dc:type><dc:identifier>P-1</dc:identifier>
  <e:rights>RIGHTS</e:rights><e:dataProvider>Museum</e:dataProvider>
  <e:object>http://m.example/thumb/1.jpg</e:object><e:isShownBy>http://m.example/big?id=1</e:isShownBy>
  <e:isShownAt>http://m.example/1</e:isShownAt></e:record>"""
EDM = f"""<rdf:RDF {RDF} {DC} xmlns:edm="http://www.europeana.eu/schemas/edm/"
  xmlns:ore="http://www.openarchives.org/ore/terms/" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
  <edm:ProvidedCHO rdf:about="#1"><dc:title>暫</dc:title><dc:creator rdf:resource="#a"/>
    <dc:contributor>鎌倉権五郎／市川団十郎</dc:contributor><dcterms:created>1852</dcterms:created>
    <dc:type>役者絵</dc:type><edm:type>IMAGE</edm:type></edm:ProvidedCHO>
  <edm:Agent rdf:about="#a"><skos:prefLabel>国貞</skos:prefLabel></edm:Agent>
  <ore:Aggregation rdf:about="#g"><edm:dataProvider>Museum</edm:dataProvider>
    <edm:isShownBy rdf:resource="http://m.example/big?id=1"/><edm:isShownAt rdf:resource="http://m.example/1"/>
    <edm:object rdf:resource="http://m.example/thumb/1.jpg"/><edm:rights rdf:resource="RIGHTS"/></ore:Aggregation>
</rdf:RDF>"""
MODS = """<mods xmlns="http://www.loc.gov/mods/v3" xmlns:xlink="http://www.w3.org/1999/xlink">
  <titleInfo><title>暫</title></titleInfo>
  <name><namePart>国貞</namePart><namePart type="date">1786-1865</namePart>
    <role><roleTerm>Artist</roleTerm></role></name>
  <name><namePart>鎌倉権五郎／市川団十郎</namePart><role><roleTerm type="code">act</roleTerm></role></name>
  <name><namePart>Publisher's name</namePart><role><roleTerm>publisher</roleTerm></role></name>
  <originInfo><dateCreated point="start">1852</dateCreated><dateCreated point="end">1852</dateCreated></originInfo>
  <genre>役者絵</genre><identifier>P-1</identifier>
  <location><physicalLocation>Museum</physicalLocation><url access="raw object">http://m.example/big?id=1</url>
    <url access="object in context">http://m.example/1</url></location>
  <accessCondition type="use and reproduction" xlink:href="RIGHTS"/></mods>"""
LIDO = """<l:lidoWrap xmlns:l="http://www.lido-schema.org"><l:lido><l:descriptiveMetadata>
  <l:objectClassificationWrap><l:objectWorkTypeWrap><l:objectWorkType><l:term>役者絵</l:term></l:objectWorkType>
  </l:objectWorkTypeWrap></l:objectClassificationWrap>
  <l:objectIdentificationWrap><l:titleWrap><l:titleSet><l:appellationValue>暫</l:appellationValue></l:titleSet></l:titleWrap>
    <l:repositoryWrap><l:repositorySet><l:repositoryName><l:legalBodyName><l:appellationValue>Museum</l:appellationValue>
    </l:legalBodyName></l:repositoryName><l:workID>P-1</l:workID></l:repositorySet></l:repositoryWrap>
  </l:objectIdentificationWrap>
  <l:eventWrap><l:eventSet><l:event><l:eventActor><l:actorInRole><l:actor><l:nameActorSet>
    <l:appellationValue>国貞</l:appellationValue></l:nameActorSet></l:actor><l:roleActor><l:term>designer</l:term></l:roleActor>
    </l:actorInRole></l:eventActor><l:eventDate><l:date><l:earliestDate>1852</l:earliestDate><l:latestDate>1852</l:latestDate>
    </l:date></l:eventDate></l:event></l:eventSet></l:eventWrap>
  <l:objectRelationWrap><l:subjectWrap><l:subjectSet><l:subject><l:subjectActor><l:actor><l:nameActorSet>
    <l:appellationValue>鎌倉権五郎／市川団十郎</l:appellationValue></l:nameActorSet></l:actor></l:subjectActor></l:subject>
    </l:subjectSet></l:subjectWrap></l:objectRelationWrap></l:descriptiveMetadata>
  <l:administrativeMetadata>
    <l:recordWrap><l:recordRights><l:rightsType><l:conceptID>http://creativecommons.org/publicdomain/zero/1.0/</l:conceptID>
    </l:rightsType></l:recordRights><l:recordInfoSet><l:recordInfoLink>http://m.example/1</l:recordInfoLink></l:recordInfoSet>
    </l:recordWrap>
    <l:resourceWrap><l:resourceSet><l:resourceRepresentation><l:linkResource>http://m.example/big?id=1</l:linkResource>
    </l:resourceRepresentation><l:rightsResource><l:rightsType><l:conceptID>RIGHTS</l:conceptID></l:rightsType>
    <l:rightsHolder><l:legalBodyName><l:appellationValue>Museum</l:appellationValue></l:legalBodyName></l:rightsHolder>
    </l:rightsResource></l:resourceSet></l:resourceWrap></l:administrativeMetadata></l:lido></l:lidoWrap>"""
FORMS = {"ESE": ESE, "EDM": EDM, "MODS": MODS, "LIDO": LIDO}


def element(description: str) -> Element:
    return fromstring(
        '<record xmlns="http://www.openarchives.org/OAI/2.0/"><header><identifier>oai:m:1</identifier>'
        f"<datestamp>2024-01-01</datestamp></header><metadata>{description}</metadata></record>"
    )


def read(form: str, rights: str = ZERO) -> Record:
    return read_record(element(FORMS[form].replace("RIGHTS", rights)), "http://m.example/oai", ())


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_description_comes_to_the_same_record(form: str) -> None:
    record = read(form)
    assert (record.title, record.artists, record.cast) == ("暫", ("国貞",), (Role("鎌倉権五郎", "市川団十郎"),))
    assert (record.date_text, record.year_from, record.year_to) == ("1852", 1852, 1852)
    assert (record.genre, record.holder, record.credit_line) == ("役者絵", "Museum", "Museum, oai:m:1")
    assert (record.pictures, record.landing_url) == (("http://m.example/big?id=1",), "http://m.example/1")
    assert (record.rights.derivatives, record.rights.uri) == (Derivatives.YES, ZERO)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("rights", "derivatives"),
    [(NO_DERIVATIVES, Derivatives.NO), ("http://m.example/terms", Derivatives.ASK), ("", Derivatives.UNKNOWN)],
)
def test_what_does_not_allow_derivatives_is_held_back_in_every_form(
    form: str, rights: str, derivatives: Derivatives
) -> None:
    assert read(form, rights).rights.derivatives is derivatives


def test_leave_for_the_description_or_for_another_work_is_none_for_the_pictures() -> None:
    lido = LIDO.replace("<l:rightsType><l:conceptID>RIGHTS</l:conceptID></l:rightsType>", "")
    related = f"<relatedItem><accessCondition>{ZERO}</accessCondition></relatedItem></mods>"
    mods = MODS.replace('<accessCondition type="use and reproduction" xlink:href="RIGHTS"/>', "").replace(
        "</mods>", related
    )
    cho = EDM.replace('<edm:rights rdf:resource="RIGHTS"/>', "").replace(
        "</edm:Pro", f"<dc:rights>{ZERO}</dc:rights></edm:Pro"
    )
    for description in (lido, mods, cho):
        assert read_record(element(description), "http://m.example", ()).rights.derivatives is Derivatives.UNKNOWN


def test_the_strictest_of_several_statements_holds() -> None:
    said = f"<l:rightsType><l:term>{NO_DERIVATIVES}</l:term></l:rightsType>"
    work = f"<l:rightsWorkWrap><l:rightsWorkSet>{said}</l:rightsWorkSet></l:rightsWorkWrap>"
    lido = LIDO.replace("RIGHTS", ZERO).replace("<l:administrativeMetadata>", f"<l:administrativeMetadata>{work}")
    assert read_record(element(lido), "http://m.example", ()).rights.derivatives is Derivatives.NO


def test_people_are_known_by_their_authority_files() -> None:
    ulan, viaf = "http://vocab.getty.edu/page/ulan/500063446", "https://viaf.org/viaf/69724466/"
    wikidata = "https://www.wikidata.org/wiki/Q552021"
    known = {
        "EDM": EDM.replace("#a", viaf).replace("</skos:prefLabel>", f'</skos:prefLabel><o rdf:resource="{ulan}"/>'),
        "MODS": MODS.replace("<name><namePart>国", f'<name valueURI="{viaf}"><namePart>国')
        .replace("<name><namePart>鎌", f'<name valueURI="{wikidata}"><namePart>鎌')
        .replace("<name><namePart>Pub", f'<name valueURI="{ulan}"><namePart>Pub'),
        "LIDO": LIDO.replace("<l:actor>", f"<l:actor><l:actorID>{ulan}</l:actorID><l:actorID>x</l:actorID>"),
    }
    found = {form: read_record(element(text), "http://m.example", ()).authorities for form, text in known.items()}
    ulan, viaf = "http://vocab.getty.edu/ulan/500063446", "http://viaf.org/viaf/69724466"
    assert found == {
        "EDM": (("国貞", viaf), ("国貞", ulan)),
        "MODS": (("国貞", viaf), ("市川団十郎", "http://www.wikidata.org/entity/Q552021")),
        "LIDO": (("国貞", ulan), ("市川団十郎", ulan)),
    }
    assert {read(form).authorities for form in FORMS} == {()}


@pytest.mark.parametrize("description", ["", "<marc/>", "<lidoWrap/>", "<metadata>" * 900 + "</metadata>" * 900])
def test_a_form_that_is_not_understood_is_a_bad_record(description: str) -> None:
    with pytest.raises(BadRecord):
        read_record(element(description), "http://m.example", ())
