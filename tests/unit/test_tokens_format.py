"""Formats of tokens never mix, rows are filled up alike, and what a new hub's policy means."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctdhub.core.errors import PolicyError
from ctdhub.core.keys.linkage import filling_secret
from ctdhub.dp.policy import default_policy, load_policy
from ctdhub.hub.contributions import TOKENS as FILE
from ctdhub.hub.deliveries import check_one_format
from ctdhub.hub.folder import takes_tokens
from ctdhub.hub.init import new_hub
from ctdhub.sensitive.linkage.pprl.derive import Identity, Tokeniser, format_of
from ctdhub.sensitive.mapping.identifiers import FORM, TOKENS

KEY = bytes(range(32))
PERSON = Identity("Marta", "Cruz", "1990-05-03")


def harmonised(folder: Path, name: str, check: str) -> SimpleNamespace:
    """A contributor's file with one record, as far as its tokens are concerned."""
    output = folder / name / "2026-01-01" / "a.csv"
    output.mkdir(parents=True)
    rows = [[f"{name}1"] * 2, [name] * 2, [check, "m-0123456789abcdef01234567"]]
    pq.write_table(pa.table(rows, schema=TOKENS), output / FILE)
    return SimpleNamespace(output=output)


def test_two_formats_are_refused_by_name(tmp_path: Path) -> None:
    today, nobody = Tokeniser(KEY, "2026.1").check, pa.array([], pa.string())
    assert FORM.fullmatch(today)
    assert format_of(today) == 2
    old = f"z-{today.partition('_')[2]}"
    new = [harmonised(tmp_path, name, today) for name in ("one", "two")]
    late = harmonised(tmp_path, "late", old)
    check_one_format(new, nobody)  # type: ignore[arg-type]
    check_one_format([late], nobody)  # type: ignore[arg-type]
    with pytest.raises(PolicyError) as caught:
        check_one_format([*new, late], nobody)  # type: ignore[arg-type]
    assert caught.value.rule == "tokens-formats"
    assert "late" in str(caught.value)
    assert "one" not in str(caught.value).split()
    check_one_format([*new, late], pa.array(["late1"]))  # type: ignore[arg-type]


def test_what_fills_a_row_is_the_contributors_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    secret = filling_secret(tmp_path / "a" / "link.key")
    assert secret == filling_secret(tmp_path / "a" / "link.key")
    assert secret != filling_secret(tmp_path / "b" / "link.key")
    assert (tmp_path / "a" / "link.key.filling").stat().st_mode & 0o777 == 0o600
    one, again = (Tokeniser(KEY, "2026.1", secret) for _ in range(2))
    other = Tokeniser(KEY, "2026.1", filling_secret(tmp_path / "b" / "link.key"))
    real = one.tokens(PERSON)[1]
    assert real == other.tokens(PERSON)[1]
    assert one.filled(real, "row") == again.filled(real, "row")
    assert set(one.filled(real, "row")) & set(other.filled(real, "row")) == set(real)
    assert set(one.filled(real, "row")) & set(one.filled(real, "another")) == set(real)
    nobody = [maker.filled((), "row") for maker in (one, other)]
    assert not set(nobody[0]) & set(nobody[1]), "equal rows of two contributors never meet by it"


@pytest.mark.parametrize(("mapping", "people"), [("tokens: [link_tokens]", 1), ("tokens: []", 0)])
def test_a_new_hub_joins_rows_where_a_mapping_takes_tokens(
    tmp_path: Path, mapping: str, people: int
) -> None:
    hub = new_hub(tmp_path / "hub", "fictitious")
    assert hub.policy_file.read_text("utf-8") == default_policy()
    folder = hub.root / "mappings" / "one"
    folder.mkdir()
    (folder / "2026-01-01.yaml").write_text(mapping, "utf-8")
    (hub.root / "mappings" / "broken.yaml").write_text("a: [", "utf-8")
    assert takes_tokens(hub) == bool(people)
    linking = load_policy(hub.policy_file, takes_tokens(hub)).linking
    assert (linking.people, linking.lists) == (people, people)
    hub.policy_file.write_text("linking: {people: 0, lists: 2}", "utf-8")
    kept = load_policy(hub.policy_file, tokens=True).linking
    assert (kept.people, kept.lists) == (0, 2), "an older hub keeps what it has decided"
