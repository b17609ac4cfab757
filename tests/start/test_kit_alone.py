"""The kit on a system without ``fcntl`` and numba; what strace sees it speak to and write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctdhub.core.keys import age
from ctdhub.core.keys.signing import make_key
from ctdhub.sensitive.bundle.pack import HubCard, card_bytes, sign_card

HERE = Path(__file__).parent
CASES = "no_dossier;nom;sexe;date\n" + "".join(
    f"D{i};Secret;{'FH'[i % 2]};12/0{1 + i % 9}/2024\n" for i in range(60)
)
TRACED = "trace=%network,open,openat,creat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat"
WRITES = re.compile(r'(?:open|openat|creat)\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]*)')
MOVES = re.compile(r'(?:rename|renameat2?|mkdir|mkdirat|unlink|unlinkat)\((?:AT_FDCWD, )?"([^"]*)"')


def test_it_speaks_to_nobody_and_writes_in_its_folder(tmp_path: Path) -> None:
    steward, recipient = make_key(tmp_path / "s.pem"), age.make_identity(tmp_path / "inbox.age")
    card = HubCard(
        hub="Practice hub", invented=True, schema_version="1.2", years=(2002, 2030),
        recipients=(recipient,), contributor="our-ngo", contributor_name="Notre ONG",
        contributor_kind="case_management", date="2026-11-27",
    )  # fmt: skip
    (tmp_path / "our.ctdhub-card").write_bytes(card_bytes(sign_card(card, steward)))
    (tmp_path / "cases.csv").write_text(CASES, "utf-8")
    trace, kit = tmp_path / "trace", tmp_path / "kit"
    strace = shutil.which("strace")
    seen = [strace, "-f", "-qq", "-o", str(trace), "-e", TRACED] if strace else []
    done = subprocess.run(
        [*seen, sys.executable, str(HERE / "kit_alone.py"), str(kit),
         str(tmp_path / "our.ctdhub-card"), str(tmp_path / "cases.csv")],
        capture_output=True, text=True, check=False,
        env={**os.environ, "CTDHUB_LANG": "en", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "our-ngo-1.ctdbundle"
    if strace is None:
        pytest.skip("strace is missing: apt-get install strace")
    lines = trace.read_text("utf-8", "replace").splitlines()
    spoken = [x for x in lines if re.search(r"\b(connect|sendto|sendmsg|bind)\(", x)]
    other = [x for x in spoken if "sa_family=AF_INET" in x and 'inet_addr("127.0.0.1")' not in x]
    assert not other
    assert not [x for x in spoken if "sa_family=AF_INET6" in x]
    assert [x for x in spoken if " bind(" in x]  # that it sees sockets at all
    worked = [x for x in lines if " = -1" not in x]
    opened = [m for x in worked if (m := WRITES.search(x))]
    written = [m[1] for m in opened if re.search("O_WRONLY|O_RDWR|O_CREAT", m[2])]
    written += [m[1] for x in worked if (m := MOVES.search(x))]
    outside = {w for w in written if not w.startswith((str(kit), "/dev/", "/proc/self/"))}
    assert not outside
    assert [w for w in written if w.startswith(f"{kit}/bundles/")]
