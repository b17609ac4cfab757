"""Who is counted: consent, and who is a victim, in whatever words a file says it."""

from __future__ import annotations

import json

import pytest
from test_mapping_drafts import raw_of

from ctdhub.core.errors import MappingError
from ctdhub.core.i18n import said
from ctdhub.sensitive.mapping.drafting.proposals import Glance
from ctdhub.sensitive.mapping.drafting.row_unit import who_counts_in
from ctdhub.sensitive.mapping.drafting.suggest import suggest
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

LENIENT = 'exclude: [{rule: no-consent, unless: {Consent: [Given, ""]}}]\n'


@pytest.mark.parametrize(
    "refusal",
    ["Refused", "denied", "Withdrawn", "none", "no", "refusée", "retiré", "ninguno", "رفضت",
     "recusado"],
)  # fmt: skip
def test_a_refusal_is_asked_about_and_no_blank_that_is_kept_keeps_it(refusal: str) -> None:
    with pytest.raises(MappingError, match="Consent") as fault:
        _harmonised({"Consent": [refusal, None]}, "")
    assert fault.value.rule == "who-counts"
    rows = {refusal: 4}
    found = who_counts_in(Glance("Consent", tuple(rows), rows=rows, all=12))
    assert found is not None
    assert said(found.account).startswith("consent: yes in 0 rows, no in 4, empty in 8")
    kept = f'empty: ["", "{refusal}", "-"]\n' + LENIENT
    done = _harmonised({"Consent": ["Given", refusal, None, "-"]}, kept)
    assert done.conservation.excluded == {"no-consent": 20}


def _harmonised(columns: dict[str, list[str | None]], more: str) -> Harmonised:
    raw = raw_of({"Sex": ["F", "M"], **columns}, 40)
    text = "version: 1\nrows: person\ncolumns: {gender: {from: Sex, map: {F: female, M: male}}}\n"
    return harmonise(raw, parse_mapping(text + more, "m.yaml"), "c", (2002, 2025), bytes(32))


def test_a_draft_with_a_refusal_among_its_texts_calls_no_answer_empty() -> None:
    raw = raw_of({"Sex": ["F", "M"], "Consent": ["Given", "Refused", "-", None]}, 40)
    draft = suggest(raw).yaml
    assert "consent: yes in 10 rows, no in 10, empty in 10, something else in 10" in draft
    assert 'empty: [""]' in draft
    assert 'unless: {"Consent": ["Given", ""]}}  # leave out 20 rows, keep' in draft


CONSENT = [
    "Permission to share", "May be shared", "OK to share info", "Agreed to share information",
    "Agrees to data being used for statistics", "Opt-in research", "Authorisation", "Signed ROI",
    "Release signed", "Data use agreement", "Autoriza uso de datos", "Autorización (sí/no)",
    "Acuerdo de compartir", "Autorização", "Aceita partilhar dados", "Termo assinado (TCLE)",
    "Einwilligung", "Consenso", "Consimțământ", "Согласие", "Согласна", "Đồng ý chia sẻ", "Rıza",
    "Zgoda", "Autorise l’utilisation de ses données", "GDPR", "Protection des données",
    "Protección de datos (sí/no)", "حماية البيانات", "Share with hub",
]  # fmt: skip
TURNED = [
    "Do not share", "Don't share", "Opted out", "Nicht einverstanden", "Không đồng ý",
    "Não autoriza", "Veto al tratamiento de datos", "No objection", "Consent/refusal",
]  # fmt: skip
OBJECTIONS = [
    "Objection", "GDPR objection", "Refus de partage", "Revoked authorisation", "Se opone al uso",
    "اعتراض على المشاركة", "Opposition RGPD (oui/non)", "Refuse le partage de ses données",
    "Несогласие", "Отказ от согласия", "Unwilling to share", "Objection to use",
    "Opposition à l'utilisation", "Oposición al uso", "Se opone a compartir",
    "Widerspruch", "Oposição ao uso de dados", "رفض المشاركة", "Consent withdrawn",
]  # fmt: skip
ORDINARY = [
    "Authorisation number", "Work authorisation", "Autorización de residencia", "Release date",
    "Autorisé à travailler", "Shared accommodation", "Market share", "Forced to share income",
    "Agreed wage", "Agreed to return home", "Horizon", "Motorizado", "Termo final", "Opt", "Permit",
    "Edad de acuerdo con documento", "Согласно документам", "Data de entrada", "Drug use",
    "Refused to work", "Consulate", "Accommodation", "Permission to work", "Acord de muncă",
    "Child protection", "Protection order", "Data entry",
    "Forced to share with others", "Political opposition", "Objections of the employer",
    "Refus de payer le salaire", "Refus de soins", "Data de recusa", "رفض دفع الأجور",
    "Authorisation refused for work", "Documents withdrawn",
]  # fmt: skip


@pytest.mark.parametrize("header", [*CONSENT, *TURNED, *ORDINARY])
def test_a_header_of_consent_is_known_from_others(header: str) -> None:
    found = who_counts_in(Glance(header, ("x",), rows={"x": 4}, all=12))
    assert (found is None) == (header in ORDINARY)
    assert bool(found and found.ways) == (header in CONSENT)


@pytest.mark.parametrize("header", OBJECTIONS)
def test_a_yes_that_objects_is_left_out_and_a_no_is_kept(header: str) -> None:
    draft = suggest(raw_of({"Sex": ["F"], header: ["yes", "no", None, "later"]}, 40)).yaml
    assert "turns consent round: yes in 10 rows, no in 10, empty in 10" in draft
    for kept, out in ((["no"], 30), (["no", ""], 20)):
        rule = json.dumps({header: kept}, ensure_ascii=False)
        assert f"unless: {rule}}}  # leave out {out} rows" in draft
        done = _harmonised(
            {header: ["yes", "no", None, "later"]}, f"exclude: [{{rule: o, unless: {rule}}}]"
        )
        assert done.conservation.excluded == {"o": out}


@pytest.mark.parametrize(
    ("header", "texts", "offered"),
    [
        ("Victim of trafficking", ["yes", "no"], ["no"]),
        ("Victim of trafficking", ["confirmed", "presumed", "rejected"], ["rejected"]),
        ("Is VoT", ["1", "0"], ["0"]),
        ("TIP victim?", ["Y", "N"], ["N"]),
        ("Trafficked", ["yes", "no"], ["no"]),
        ("Conclusive grounds decision", ["Positive", "Negative"], ["Negative"]),
        ("NRM decision", ["Positive grounds", "Negative grounds"], ["Negative grounds"]),
        ("Statut de la victime", ["Avérée", "Présumée", "Non avérée"], ["Non avérée"]),
        ("Estado de la víctima", ["identificada", "descartada"], ["descartada"]),
        ("Vítima de tráfico", ["sim", "não"], ["não"]),
        ("Opfer", ["ja", "nein"], ["nein"]),
        ("Жертва торговли людьми", ["да", "нет"], ["нет"]),
        ("Статус", ["Жертва", "Не жертва"], ["Не жертва"]),
        ("Tình trạng", ["Nạn nhân", "Không phải nạn nhân"], ["Không phải nạn nhân"]),
        ("Screening result", ["VoT", "Not VoT", "Migrant"], ["Not VoT"]),
        ("Résultat", ["Traite", "Aucune traite"], ["Aucune traite"]),
        ("النتيجة", ["اتجار بالأشخاص", "لا يوجد اتجار"], ["لا يوجد اتجار"]),
        ("Esito", ["Vittima", "Non vittima"], ["Non vittima"]),
        ("Call type", ["Victim", "Prank", "Information request"], ["Prank", "Information request"]),
        ("Tipo de llamada", ["Víctima", "Broma"], ["Broma"]),
        ("نوع المكالمة", ["ضحية", "مزحة"], ["مزحة"]),
        ("Case status", ["Open", "Unfounded"], ["Unfounded"]),
        ("Statut", ["Confirmée", "Non confirmée"], ["Non confirmée"]),
        ("Verified", ["yes", "no"], ["no"]),
        ("Duplicate", ["yes", "no"], ["yes"]),
        ("Deleted", ["0", "1"], ["1"]),
        ("Role", ["VIC", "SUSP", "WIT"], ["SUSP", "WIT"]),
        ("Status", ["Suspect", "Witness"], ["Suspect", "Witness"]),
        ("Qualité", ["Partie civile", "Prévenu", "Mère"], ["Prévenu", "Mère"]),
        ("Calidad", ["Agraviada", "Imputado", "TST"], ["Imputado", "TST"]),
        ("Papel", ["Vítima", "Arguido"], ["Arguido"]),
        ("الصفة", ["ضحية", "شاهدة", "متهم"], ["شاهدة", "متهم"]),
        ("Resident type", ["Survivor", "Dependent child"], ["Dependent child"]),
        ("Type d’appel", ["Information"], ["Information"]),
        ("Motivo de la llamada", ["Caso", "Consulta"], ["Consulta"]),
        ("Tipo de residente", ["Sobreviviente", "Hija dependiente"], ["Hija dependiente"]),
        ("Event status", ["COMPLETED", "SCHEDULE", "OVERDUE"], ["SCHEDULE", "OVERDUE"]),
        ("Statut de l’événement", ["Terminé", "Planifié"], ["Planifié"]),
        ("status", ["ACTIVE", "COMPLETED", "SCHEDULE"], ["SCHEDULE"]),
        ("Role", ["V", "S", "W"], []),
        ("Categoria", ["V", "F", "C"], []),
        ("Appelant", ["Victime", "Témoin", "Proche"], []),
        ("Categoria", ["A", "B", "C"], None),
        ("Role", ["Victim", "Presumed victim"], None),
        ("Recruiter", ["Family", "Friend", "Trafficker"], None),
        ("Perpetrator status", ["Suspect", "Convicted"], None),
        ("Assistance", ["Legal", "Witness protection"], None),
        ("Case status", ["Suspected", "Confirmed"], None),
        ("Case status", ["Open", "Scheduled"], None),
        ("Event status", ["ACTIVE", "COMPLETED"], None),
        ("Client type", ["New", "Returning"], None),
        ("Trafficked", ["yes"], None),
        ("Victim status", ["Victim", "Presumed victim"], None),
        ("Victim of trafficking", ["yes", "confirmed", "presumed"], None),
        ("Country trafficked to", ["Norway", "Oman"], None),
        ("Victim gender", ["F", "M"], None),
        ("Family member victim of trafficking", ["yes", "no"], None),
        ("Documents withheld", ["yes", "no"], None),
        ("Status", ["Active", "Rejected"], None),
        ("Marital status", ["Single", "Not married"], None),
        ("Pregnancy", ["Confirmed", "Not confirmed"], None),
        ("Assistance", ["Legal", "Information"], None),
        ("Case closed", ["yes", "no"], None),
        ("Opferhilfe", ["ja", "nein"], None),
    ],
)
def test_who_is_no_victim_is_asked_about_whatever_the_words(
    header: str, texts: list[str], offered: list[str] | None
) -> None:
    found = who_counts_in(Glance(header, tuple(texts), rows=dict.fromkeys(texts, 4), all=12))
    assert (found is None) == (offered is None)
    if found:
        ways = [way.conditions["when"][header] for way in found.ways]
        assert ways == ([offered] if offered else []), "codes of a list nobody knows: by hand"


@pytest.mark.parametrize(
    "denied",
    ["Sexual exploitation; no", "no;sexual exploitation", "Sexual exploitation; denied",
     "Explotación sexual; descartada", "Forced labour; Sexual exploitation; no"],
)  # fmt: skip
def test_a_denial_that_stands_apart_in_a_list_leaves_the_cell_unknown(denied: str) -> None:
    cells: list[str | None] = [denied, "Sexual exploitation", "Forced labour", "Explotación sexual"]
    raw = raw_of({"Exploitation": cells}, 40)
    text = suggest(raw).yaml
    assert f"no yes/no variable for: {denied} (rows: 10)" in text
    done = harmonise(raw, parse_mapping(text, "m.yaml"), "c", (2002, 2025), bytes(32))
    assert done.records["exploitation_sexual"].to_pylist()[:4] == [None, "yes", None, "yes"]
    assert [(one.text, one.rows) for one in done.texts.unknown] == [(denied, 10)]
