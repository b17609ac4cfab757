"""Dates: what is read, what is refused, and never another year than the writer meant."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import MappingError
from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.core.tables import fold
from ctdhub.sensitive.ingest.identifiers import find_identifiers
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS, reason_of
from ctdhub.sensitive.mapping.dates import DAY_ZERO, DateForm
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

YEARS = (2002, 2025)


def raw_of(**columns: list[str | None]) -> RawTable:
    texts = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    [rows] = {len(cells) for cells in columns.values()}
    table = pa.table({**texts, "_row": pa.array(range(2, 2 + rows), pa.int64())})
    return RawTable("file.csv", "ab" * 32, table, REJECTS.empty_table(), rows)


def run(head: str, years: tuple[int, int] = YEARS, **columns: list[str | None]) -> Harmonised:
    text = f"version: 1\n{head}\ncolumns:\n  year_of_registration: {{from: d, year: true}}\n"
    if "born" in columns:
        text += "  age_band: {from: born, band: true, at: d}\nidentifiers: {born: band}\n"
    return harmonise(raw_of(**columns), parse_mapping(text, "m"), "ngo", years, b"k" * 16)


def years_of(head: str, *texts: str | None) -> list[object]:
    """The year of each text, or the rule that rejects its row."""
    done = run(head, d=[*texts, "2020"], b=["x"] * (len(texts) + 1))
    rows, found = done.records["source_row"].to_pylist(), done.records["year_of_registration"]
    years = dict(zip(rows, found.to_pylist(), strict=True))
    faults = {r["source_row"]: r["rule"] for r in done.rejects.to_pylist()}
    return [years.get(i, faults.get(i)) for i in range(2, 2 + len(texts))]


IN_2020 = """
2020 | 2020.0 | 2020-03 | 03/2020 | 3.2020 | Mar 2020 | mars 2020 | marzo de 2020 | 2020 مارس
2020-03-12 | 2020/3/12 | 12/03/2020 | 12.3.2020 | 12. 3. 2020 | 12-03-2020 | 12 03 2020 | 20200312
12 Mar 2020 | 12 March 2020 | March 12, 2020 | March 12th, 2020 | Thursday, 12 March 2020
12mar2020 | 12-Mar-2020 | 2020-Mar-12 | 12 MARS 2020 | 1er mars 2020 | jeudi 12 mars 2020
15 février 2020 | 15 fevr. 2020 | 31 déc. 2020 | 1 aout 2020 | 12 de marzo de 2020
12 de septiembre del 2020 | 12 set. 2020 | miércoles 12 de agosto de 2020 | 12/ene/2020
12 مارس 2020 | 12 آذار 2020 | 12 آذار/مارس 2020 | ١٢ تشرين الأوّل ٢٠٢٠ | 3 كانون الثاني 2020
12 جويلية 2020 | 12 غشت 2020 | 12 شتنبر 2020 | 12 أفريل 2020 | 12 افريل 2020 | 12 إبريل 2020
12 من مارس 2020 | ٢٠٢٠/٠٣/١٢ | ۲۰۲۰/۰۳/۱۲ | ١٢/٠٣/٢٠٢٠ | ١٢؍٠٣؍٢٠٢٠ | ٠٣/٢٠٢٠ | ２０２０
12–03–2020
2020-08-03T23:49:43.308 | 2020-03-12T10:00:00.000+03:00 | 2020-03-12T10:00:00Z | 20200312T101500Z
2020-03-12 10:00 | 2020-03-12 10:00:00 UTC | 2020-03-12 10:00:00+00 | 12/03/2020 10h30
12.3.2020. | 2020. 3. 12.
12/03/2020 10:00 PM | 12/03/2020, 10:00:00 p. m. | 12/03/2020 10:00 ص | 12 Mar 2020 10:00:00
""".replace("\n", "|").split("|")


@pytest.mark.parametrize("text", [text.strip() for text in IN_2020 if text.strip()])
def test_what_files_write_for_a_date(text: str) -> None:
    assert DateForm().year(fold(text), YEARS) == "2020", text


NO_YEAR = """
12.3.20 | 1-Mar-24 | Mar-20 | 12-Mar | Mar 12 | 12/03 | 20-03-12 | mars | 43905 | 31.02.2020
13/2020 | 2020-2021 | 2019/20 | 12 Mar 2020-2021 | 2020-02-03 to 2021-02-03 | 2020-02-03 2021
2020-13-01 | Mar-Apr 2020 | mar. 12 mai 2020
12 Marz 2020 | about 2020 | 15032020 | 202003 | 2020 Q1
12 mar 12 2020 | 12 2020 mar | 00012 mar 2020 | 1e5 | 12,5 | 20200231 | 1583971200
31 avril 2020 | 29 février 2019 | 2020年 | 12/03/2020?
""".replace("\n", "|").split("|")


@pytest.mark.parametrize("text", [text.strip() for text in NO_YEAR if text.strip()])
def test_what_names_no_year_for_certain_is_refused(text: str) -> None:
    assert DateForm().year(fold(text), YEARS) is None, text
    with_month_first = DateForm(order="mdy").year(fold(text), YEARS)
    assert with_month_first is None, text


def test_a_two_digit_year_is_read_where_the_mapping_says_its_century() -> None:
    texts = ["12.3.20", "1-Mar-24", "March 1, 24", "12/03/02", "12.3.2020", "Mar-20", "12-Mar"]
    bad = "unparsable-date"
    assert years_of("", *texts) == [bad, bad, bad, bad, 2020, bad, bad]
    expected = [2020, 2024, 2024, 2002, 2020, bad, bad]
    assert years_of("dates: {order: dmy, century: 2000}", *texts) == expected
    assert years_of("dates: {century: 2000}", *texts) == expected
    assert years_of("dates: {order: mdy, century: 2000}", "12/31/20") == [2020]
    assert years_of("dates: {century: 1930}", "12.3.29", "12.3.20") == ["year-bounds", 2020]


def test_a_format_of_ones_own() -> None:
    texts = [
        "1-Mar-24",
        "01-mars-24",
        "1-آذار-24",
        "1-Foo-24",
        "2020-02-03",
        "1/3/2020",
        "3 mai 2020",
    ]
    bad = "unparsable-date"
    expected = [2024, 2024, 2024, bad, 2020, bad, 2020]
    assert years_of('dates: {format: "%d-%b-%y"}', *texts) == expected
    both = 'dates: {order: mdy, format: "%d-%b-%y"}'
    assert years_of(both, "1/31/2020", "31/1/2020", "1-Mar-99") == [2020, bad, bad]
    two = 'dates: {format: ["%d%m%Y", "%b-%y", "Semana %d %B %Y %H:%M"]}'
    texts = ["15032020", "mar-20", "SEMANA 3 enero 2020 10:00", "1532020", "32012020"]
    assert years_of(two, *texts) == [2020, 2020, 2020, bad, bad]


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ("ymd", "allowed are"),
        ("{order: dmy, century: 20}", "1800"),
        ('{format: "%d-%b"}', "one year"),
        ('{format: "%j %Y"}', "%d, %m"),
        ('{format: "%Y %Y"}', "each once"),
        ('{format: "%m %b %Y"}', "one month"),
        ("{ordre: dmy}", "no such key"),
    ],
)
def test_what_a_mapping_may_not_say_of_dates(dates: str, said: str) -> None:
    with pytest.raises(MappingError, match=said) as caught:
        parse_mapping(f"version: 1\ndates: {dates}\ncolumns: {{gender: {{from: s}}}}", "m")
    assert "line 2" in str(caught.value)


def test_numbers_of_days_count_where_the_whole_column_holds_them() -> None:
    done = run("empty: ['', unknown]", d=["43905", None, "Unknown", "44562.5", "٤٣٩٠٥"])
    assert done.records["year_of_registration"].to_pylist() == [2020, None, None, 2022, 2020]
    for other in ("2020", "x", "99999", "36000"):  # the last two lie outside the hub's years
        done = run("", d=["43905", other, "43906"])
        assert "unparsable-date" in done.rejects["rule"].to_pylist()
        assert done.records.num_rows <= 1


def test_births_and_ages_of_dates_in_every_form() -> None:
    seen = ["15 يونيو 2018", "juin 2018", "15/06/18", "20180615", "15 Jun 2018"]
    born: list[str | None] = ["15 juin 2000", "2000-06-15", "16/06/00", "16 de junio de 2000", None]
    done = run("dates: {century: 1930}", d=seen, born=born)
    assert done.records["age_band"].to_pylist() == ["18-20", "9-17", "9-17", None]
    assert [(r["source_row"], r["column"]) for r in done.rejects.to_pylist()] == [(3, "d")]
    days = [str((date(y, 6, 15) - DAY_ZERO).days) for y in (2018, 2000, 1950)]
    done = run("", d=days[:1] * 2, born=days[1:])
    assert done.records["age_band"].to_pylist() == ["18-20", "48+"]


def test_births_in_words_are_identifiers_still() -> None:
    for text in ("12 de marzo de 1990", "12 آذار/مارس 1990", "March 12th, 1990", "1er août 1990"):
        [found] = find_identifiers(raw_of(birth_date=[text] * 3))
        assert found.kind == "birth_date", text
    assert not find_identifiers(raw_of(birth_date=["1990", "1991", "Marzo 1990"]))


def test_the_message_says_what_can_be_read_in_every_language() -> None:
    [reject] = run("", d=["12.3.20", "2020"]).rejects.to_pylist()
    for lang in LANGUAGES:
        with language(lang):
            reason = said(reason_of(reject["fields"]))
        assert "2020-03-12" in reason
        assert "dates" in reason
        assert "12.3.20" not in reason


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto setiembre octubre noviembre diciembre",
    "gulf": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "maghreb": "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
    "short": "jan feb mar apr may jun jul aug sep oct nov dec",
    "points": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
}
FORMS = (
    """
{Y}-{m:02}-{d:02} | {Y}/{m}/{d} | {d}/{m}/{Y} | {m}/{d}/{Y} | {d}.{m}.{y:02} | {y:02}-{m}-{d}
{m}/{d}/{y:02} | {d} {b} {Y} | {b} {d}, {Y} | {d}-{b}-{y:02} | {b}-{y:02} | {d}-{b} | {b} {d}
{b} {Y} | {m}/{Y} | {Y}-{m:02} | {Y}{m:02}{d:02} | {d:02}{m:02}{Y} | {y:02}{m:02}{d:02}
{d} de {b} de {Y} | {Y} {b} {d} | {y:02} {b} {d} | {d}/{m} | {Y} | {y:02} | {n} | {Y}-{Z}
{Y}-{m:02}-{d:02}T10:20:30.5Z | {d}/{m}/{Y} 20:19 | {Y}-{m:02}-{d:02} - {Z}-{m:02}-{d:02}
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")


@settings(deadline=None, max_examples=1500, derandomize=True)
@given(
    day=st.dates(date(2002, 1, 1), date(2025, 12, 31)),
    shape=st.sampled_from(FORMS),
    names=st.sampled_from(sorted(MONTHS)),
    digits=st.sampled_from(DIGITS),
    form=st.sampled_from(
        [DateForm(), DateForm(order="mdy"), DateForm(century=2000), DateForm(format=("%d-%b-%y",))]
    ),
)
def test_no_other_year_than_the_writer_meant(
    day: date, shape: str, names: str, digits: str, form: DateForm
) -> None:
    """Whatever the order of day and month is said to be; what is not read is refused."""
    month = MONTHS[names].split()[day.month - 1]
    text = shape.format(
        Y=day.year, y=day.year % 100, m=day.month, d=day.day, b=month, n=(day - DAY_ZERO).days,
        Z=day.year + 1,
    )  # fmt: skip
    text = text.translate(str.maketrans(DIGITS[0], digits))
    if "{y:02}-" in shape or "{y:02} {b}" in shape:
        form = DateForm()  # with a century the order is said as well: the year stands last
    if form.century and "{m}/{d}/{y:02}" in shape:
        form = DateForm(order="mdy", century=2000)
    read = form.year(fold(text), YEARS)
    assert read in (None, str(day.year)), text
    if "{Y}" in shape and "{Z}" not in shape and shape not in ("{d:02}{m:02}{Y}",):
        ordered = shape.startswith(("{d}/{m}/", "{m}/{d}/"))
        assert read or ordered, text
    whole = form.date(fold(text), YEARS)
    assert whole is None or whole[:4] == read
