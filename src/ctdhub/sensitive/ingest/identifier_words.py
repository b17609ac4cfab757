"""Words of column names that speak of direct identifiers, in the languages of contributors.

English, French, Spanish, Arabic, German and Italian; the fields of HTCDS 2.0 are covered by their
words (``prs_FirstName`` is "prs first name").  Accents do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Kind = Literal[
    "name", "telephone", "email", "document_number", "case_number", "birth_date", "free_text"
]


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


PHRASES: dict[Kind, tuple[str, ...]] = {
    "email": _phrases("email, e mail, emails, mail, courriel, correo, البريد, ايميل"),
    "telephone": _phrases(
        "phone, phones, telephone, tel, phonenumber, homephone, mobile, mobilephone, cellphone,"
        "cell phone, cellular, whatsapp, viber, msisdn, telefono, celular, movil, telefon,"
        "telefonnummer, handy, handynummer, telefonino, cellulare, هاتف, الهاتف, تلفون, جوال,"
        "الجوال, موبايل, المحمول"
    ),
    "document_number": _phrases(
        "passport, passports, passport number, passeport, pasaporte, passaporto, reisepass,"
        "passnummer, identity number, identitynumber, identity card, id number, id card,"
        "national id, nationalid, national identity, cni, dni, nie, nif, cedula, curp, ssn,"
        "soc sec id, social security, carte identite, carte d identite, documento identidad,"
        "numero documento, document number, document no, ausweis, ausweisnummer,"
        "personalausweis, codice fiscale, visa number, alien number, licence number,"
        "license number, fingerprint, جواز, الجواز, هوية, الهوية, بطاقة"
    ),
    "birth_date": _phrases(
        "birth, birthdate, birthday, dob, born, dateofbirth, naissance, nacimiento, fnac,"
        "geburt, geburtsdatum, geburtstag, geboren, nascita, ميلاد, الميلاد, الولادة"
    ),
    "name": _phrases(
        "firstname, first name, lastname, last name, surname, forename, given name, givenname,"
        "second name, secondname, middle name, family name, full name, fullname, nickname, alias,"
        "maiden name, name, names, nom, noms, prenom, prenoms, nombre, nombres, apellido,"
        "apellidos, nome, cognome, vorname, nachname, familienname, username, user name,"
        "submitted by, enumerator, interviewer, case owner, caseowner, case worker, caseworker,"
        "case manager, pangalan, apelyido, اسم, الاسم, اللقب, لقب, الكنية"
    ),
    "case_number": _phrases(
        "case number, casenumber, case no, case nr, case id, caseid, case ref, case reference,"
        "client id, clientid, client number, file number, file no, record id, recordid, rec id,"
        "victim id, survivor id, beneficiary id, beneficiary number, person id, individual id,"
        "household id, respondent id, patient id, instance id, instanceid, submission id,"
        "unique id, reference number, registration number, uuid, link token, link code, token,"
        "numero dossier, numero de dossier, num dossier, no dossier, n dossier,"
        "n de dossier, id dossier, id cas,"
        "matricule, expediente, folio, no folio, numero de folio,"
        "numero caso, numero de caso, nro caso, id caso,"
        "nro registro, numero registro, numero de registro, registro interno, aktenzeichen,"
        "fallnummer, fall id, رقم الحالة, رقم الملف, رقم القضية, رقم التسجيل"
    ),
    "free_text": _phrases(
        "note, notes, comment, comments, narrative, remark, remarks, description, details, summary,"
        "story, statement, commentaire, commentaires, remarque, remarques, observations, recit,"
        "observaciones, observacion, notas, comentarios, relato, bemerkung, bemerkungen,"
        "beschreibung, anmerkungen, note aggiuntive, ملاحظات, الملاحظات, تعليق, وصف, التفاصيل"
    ),
}
"""Phrases of each kind; the first kind with a phrase in the name wins."""

PLACE = _phrases(
    "address, street, mailing street, home address, adresse, rue, direccion, domicilio, calle,"
    "anschrift, strasse, indirizzo, postcode, postal code, postalcode, zip code, zipcode,"
    "code postal, codigo postal, postleitzahl, plz, gps, latitude, longitude, geolocation,"
    "geopoint, coordinates, عنوان, العنوان, الشارع"
)
"""Exact places; they are dealt with like free text."""

NOT_A_PERSON = frozenset(
    _phrases(
        "org, organisation, organization, agency, institution, ngo, country, pays, pais, land,"
        "paese, nationality, citizenship, file, variable, field, sheet, region, city, town,"
        "village, province, provincia, district, project, programme, program, list, code,"
        "product, company, employer, event, form, group, department, camp, site, location,"
        "localidad, institucion, organizacion, entreprise, population, team, clinic, server,"
        "host, column, table, type, version, language, المنظمة, الدولة, البلد, المدينة"
    )
)
"""Words beside "name" or "mobile" that make it the name of something else."""

_ALONE: dict[str, Kind] = {"id": "case_number", "pass": "document_number", "cell": "telephone"}
"""Words that mean something only as the whole name of a column."""

_PLACES_AND_BODIES = frozenset(
    _phrases(
        "org, organisation, organization, agency, institution, ngo, country, pays, pais, paese,"
        "nationality, nationalite, nacionalidad, citizenship, region, language, industry, sector,"
        "institucion, organizacion, الجنسية, المنظمة, الدولة, البلد"
    )
)
"""Words that make a column of words that hardly repeat one of countries, bodies or branches."""

_PARTS = frozenset(
    _phrases("day, month, mm, dd, jour, mois, dia, mes, tag, monat, giorno, mese, يوم, شهر")
)

_PERHAPS = ("name", "names", "nom", "noms", "nombre", "nombres", "nome", "اسم", "الاسم", "mobile")


def words(header: str) -> tuple[str, ...]:
    """The words of a column name, small and without accents.

    >>> words("prs_FirstName"), words("Date de naissance"), words("IDNumber")
    (('prs', 'first', 'name'), ('date', 'de', 'naissance'), ('id', 'number'))
    """
    split = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", header)
    plain = "".join(c for c in unicodedata.normalize("NFKD", split) if not unicodedata.combining(c))
    return tuple(re.findall(r"[^\W_]+", plain.casefold()))


def kind_of(header: str) -> Kind | None:
    """The kind of identifier that a column name speaks of.

    >>> kind_of("prs_HomePhone"), kind_of("Nom de famille"), kind_of("org_Name"), kind_of("age")
    ('telephone', 'name', None, None)
    """
    found = words(header)
    if len(found) == 1 and found[0] in _ALONE:
        return _ALONE[found[0]]
    for kind, phrases in PHRASES.items():
        for phrase in phrases:
            if _has(found, phrase) and not (phrase in _PERHAPS and NOT_A_PERSON & set(found)):
                return kind
    return None


def is_place(header: str) -> bool:
    """Whether a column name speaks of an exact place.

    >>> is_place("prs_MailingStreet"), is_place("province")
    (True, False)
    """
    found = words(header)
    return any(_has(found, phrase) for phrase in PLACE)


def is_of_no_person(header: str) -> bool:
    """Whether a column name speaks of a country, an organisation or the like.

    >>> is_of_no_person("Country of origin"), is_of_no_person("ref")
    (True, False)
    """
    return bool(_PLACES_AND_BODIES & set(words(header)))


def is_part_of_date(header: str) -> bool:
    """Whether a column name speaks of a day or a month.

    >>> is_part_of_date("birth_day"), is_part_of_date("birth_year")
    (True, False)
    """
    return bool(_PARTS & set(words(header)))


def _has(found: tuple[str, ...], phrase: str) -> bool:
    return f" {phrase} " in f" {' '.join(found)} "
