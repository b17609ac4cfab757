"""The codebook as one HTML page in each language, for screens, telephones and paper; apart, for it
loads Jinja.
"""

from collections.abc import Mapping
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ctdhub.core.i18n import NATIVE_NAMES, RIGHT_TO_LEFT
from ctdhub.schema import codebook, countries, labels
from ctdhub.schema.model import load_schema


def codebook_html(lang: str, links: Mapping[str, str] | None = None) -> str:
    """The whole codebook as one self-contained page: no script, no request to anywhere.

    Args:
        lang: one of the offered languages; Arabic runs from right to left.
        links: addresses of the page in other languages, by language; none are shown without.

    Raises:
        KeyError: the language is not offered.
    """
    own = {table: codebook.own_variables(table) for table in codebook.TABLES}
    return _template().render(
        lang=lang,
        direction="rtl" if lang in RIGHT_TO_LEFT else "ltr",
        words=labels.load_labels(lang).page,
        kinds=labels.load_labels(lang).kinds,
        version=load_schema().version,
        # a run of variables under one heading: a group, whose codes are shown once, or none
        chapters={
            table: [(group, list(run)) for group, run in groupby(variables, codebook.section)]
            for table, variables in own.items()
        },
        links={code: (NATIVE_NAMES[code], href) for code, href in (links or {}).items()},
        codebook=codebook,
        countries=countries,
        labels=labels,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ctdhub.schema", "data"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("codebook.html.jinja")
