"""What must outlive a loss of power is forced to disk, and names after what is in the files."""

from __future__ import annotations

from pathlib import Path

from synced_files import synced  # noqa: F401 (a fixture)

from ctdhub.core.files import append_chain
from ctdhub.dp import answer_store
from ctdhub.dp.noise import ChargeSecret


def test_a_secret_is_there_before_its_charge_and_gone_for_good_after(
    tmp_path: Path,
    synced: list[str],  # noqa: F811
) -> None:
    folder = tmp_path / "pending"
    answer_store.write_pending(folder, answer_store.Pending("id", ChargeSecret(bytes(32)), "exact"))
    above, file, names = synced
    assert (above, names) == (tmp_path.name, "pending"), "the folder, then the file in it"
    assert file.startswith(".new-charge.json-")
    synced.clear()
    answer_store.destroy_pending(folder)
    assert synced == ["charge.json", "pending"], "overwritten, then deleted"


def test_a_line_of_a_chain_is_there_when_it_was_told(
    tmp_path: Path,
    synced: list[str],  # noqa: F811
) -> None:
    append_chain(tmp_path / "chain.jsonl", {"a": 1})
    assert synced == ["chain.jsonl", tmp_path.name]
