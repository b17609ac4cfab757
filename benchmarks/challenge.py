"""Break this release: a program guesses secrets of a practice hub from what is public alone.

    python benchmarks/challenge.py [--runs 3] [--guesses 8] [--epsilon 1] -- COMMAND ...

Each run plants twenty fictitious people by fair coins into a practice hub, publishes two versions
and deletes the hub; the coins are in memory alone.  COMMAND starts in a folder with the releases,
``ledger.jsonl`` and ``secrets.csv``, and prints its guesses.  What is right gives a lower bound on
epsilon, which stands beside what was promised; a bound above it misses the target, and by chance
that comes once in twenty challenges at most.  How to take part: docs/how-to/break-a-release.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from attacks.bounds import one_run_epsilon

from ctdhub.api.records import harmonise
from ctdhub.core.files import VARIABLE as STATE
from ctdhub.dp.accounting import epsilon_of
from ctdhub.hub.folder import Hub
from ctdhub.hub.init import practice_hub
from ctdhub.hub.pipeline import build

KINDS = {"member": 8, "left": 6, "value": 6}
"""How many secrets of each kind: she is in both versions or in none; she is in the first, and in
the second too or not; she is in both, and :data:`ASKED` is yes or no of her."""
SECRETS = tuple(kind for kind, number in KINDS.items() for _ in range(number))
"""The kind of each secret."""
ASKED, COLUMN = "exploitation_sexual", "ExploitationSexual"
CONTRIBUTOR, PEOPLE, RISK = "harbour-casework", 1000, 0.05
MOST_BYTES = 2**16
"""Of what a program prints; twenty guesses take a hundred."""
WALLS = "unshare --user --map-root-user --net --pid --fork --kill-child --mount --mount-proc"
"""The program sees no network and no process but its own."""


class Unscored(Exception):
    """Why the guesses of a run all count as wrong."""


@dataclass(frozen=True)
class Secret:
    """A planted person.

    Attributes:
        row: as the contributor writes it, by column.
        public: in the codes of a release, with a question mark for what is secret.
        coin: what is to be guessed.
    """

    kind: str
    row: Mapping[str, str]
    public: Mapping[str, str]
    coin: bool

    def in_version(self, number: int) -> bool:
        """Whether she is in version 1 or 2."""
        return self.coin or self.kind == "value" or (self.kind == "left" and number == 1)


def read_rows(file: Path) -> list[dict[str, str]]:
    """The contributor's rows by column."""
    with file.open(encoding="cp1252", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def write_rows(file: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Rows as the contributor's program writes them."""
    with file.open("w", encoding="cp1252", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def planted(rows: Sequence[Mapping[str, str]], mapping: Path, scratch: Path) -> list[Secret]:
    """People with a random value of the file in every column, so that each stands out."""
    values = {name: sorted({row[name] for row in rows} - {"", "-99"}) for name in rows[0]}
    drafts = [
        {name: secrets.choice(some) if some else "" for name, some in values.items()}
        | {"LinkToken": secrets.token_hex(32), "CaseNo": f"PRACTICE-{secrets.token_hex(4)}"}
        | {"Consent": "Y", "CaseStatus": "CONFIRMED", COLUMN: secrets.choice("01")}
        for _ in range(40 * len(SECRETS))
    ]
    write_rows(scratch, drafts)  # some values are faults that the hub rejects
    done = harmonise(scratch, mapping, contributor=CONTRIBUTOR)
    bad = set(done.rejects["source_row"].to_pylist())
    kept = [row for number, row in enumerate(drafts, 2) if number not in bad]
    found = []
    for kind, row, record in zip(SECRETS, kept, done.records.to_pylist(), strict=False):
        coin = bool(secrets.randbits(1))
        known = {name: value or "" for name, value in record.items()}
        if kind == "value":
            row, known[ASKED] = row | {COLUMN: "01"[coin]}, "?"
        found.append(Secret(kind, row, known, coin))
    return found


def published(place: Path, people: int, epsilon: float) -> list[bool]:
    """Fill a folder with what is public of a hub that is gone afterwards; gives the coins."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[STATE] = f"{scratch}/state"
        hub = practice_hub(Path(scratch) / "hub", people)
        policy = hub.root / "policy.yaml"
        text = re.sub(r"(?m)^epsilon: .*", f"epsilon: {epsilon}", policy.read_text("utf-8"))
        text = re.sub(r"(?m)^budget: {epsilon: [0-9.]+", f"budget: {{epsilon: {3 * epsilon}", text)
        policy.write_text(text, "utf-8")
        [file] = (hub.root / "contributions" / CONTRIBUTOR).glob("*/*.csv")
        others = read_rows(file)
        mapping = hub.root / "mappings" / f"{CONTRIBUTOR}.yaml"
        of = planted(others, mapping, Path(scratch) / "drafts.csv")
        for number in (1, 2):
            write_rows(file, [*others, *(s.row for s in of if s.in_version(number))])
            build(hub, until="release", accept_alarms=True)
        hand_out(hub, of, place)
    return [secret.coin for secret in of]


def hand_out(hub: Hub, of: Sequence[Secret], place: Path) -> None:
    """Write down what an attacker gets: the releases, the lines of the ledger, whom to guess."""
    shutil.copytree(hub.releases, place / "releases")
    shutil.copy(hub.ledger / "ledger.jsonl", place)
    release = sorted((place / "releases").iterdir())[-1]
    with (release / "records.csv").open(encoding="utf-8-sig", newline="") as lines:
        names = [n for n in next(csv.reader(lines)) if n in of[0].public]
    with (place / "secrets.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["secret", "kind", *names])
        for number, secret in enumerate(of, 1):
            writer.writerow([number, secret.kind, *(secret.public[n] for n in names)])


def answered(place: Path, command: Sequence[str], seconds: float, walls: str = WALLS) -> str:
    """What a program prints that is started in a folder.

    Raises:
        Unscored: it cannot be started, takes too long, prints too much, or ends with an error.
    """
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(place), "LANG": "C.UTF-8"}
    try:
        program = subprocess.Popen(
            [*walls.split(), *command],
            cwd=place,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as cause:
        raise Unscored(f"it cannot be started: {cause.strerror}") from None
    with program:
        assert program.stdout is not None
        clock = Timer(seconds, os.killpg, (program.pid, signal.SIGKILL))
        clock.start()
        text = program.stdout.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            os.killpg(program.pid, signal.SIGKILL)
        code, late = program.wait(), not clock.is_alive()
        clock.cancel()
    if late:
        raise Unscored(f"it took more than {seconds:g} seconds")
    if len(text) > MOST_BYTES:
        raise Unscored(f"it printed more than {MOST_BYTES} bytes")
    if code:
        raise Unscored(f"it ended with {code}")
    return text.decode("utf-8", "replace")


def guesses_of(text: str, most: int) -> dict[int, bool]:
    """The guesses by number of the secret, out of lines ``number,1`` and ``number,0``.

    Raises:
        Unscored: a line is none, a secret is guessed twice, or more of a kind than ``most``.

    >>> guesses_of("3,1\\n20,0\\n", most=8)
    {3: True, 20: False}
    """
    guesses: dict[int, bool] = {}
    for place, line in enumerate(text.splitlines(), 1):
        of = re.fullmatch(r"([0-9]{1,2}),([01])", line.strip(), re.ASCII)
        if not of or not 1 <= int(of[1]) <= len(SECRETS):
            raise Unscored(f"line {place} is no guess")
        if int(of[1]) in guesses:
            raise Unscored(f"line {place} guesses again what was guessed")
        guesses[int(of[1])] = of[2] == "1"
    if max(Counter(SECRETS[number - 1] for number in guesses).values(), default=0) > most:
        raise Unscored(f"there are more than {most} guesses of a kind")
    return guesses


def right_of(coins: Sequence[bool], guesses: Mapping[int, bool]) -> Counter[str]:
    """How many guesses of each kind are right; what is not guessed is wrong."""
    return Counter(
        kind
        for number, (kind, coin) in enumerate(zip(SECRETS, coins, strict=True), 1)
        if guesses.get(number) is coin
    )


def promised(place: Path) -> tuple[dict[str, float], float]:
    """Epsilon of each kind and delta, from the ledger: of both versions; of the second; of both
    for one person in place of another one, which are two apart."""
    lines = (place / "ledger.jsonl").read_text("utf-8").splitlines()
    first, second = (json.loads(line) for line in lines)
    both = first["rho"] + second["rho"]
    costs = {"member": both, "left": second["rho"], "value": 4 * both}
    return {kind: epsilon_of(rho, first["delta"]) for kind, rho in costs.items()}, first["delta"]


def above(
    right: Mapping[str, int], promise: Mapping[str, float], delta: float, runs: int, most: int
) -> bool:
    """Print what the guesses prove; gives whether it is more than was promised."""
    print(f"{'kind':8}{'guesses':>8}{'right':>7}{'bound':>8}{'promised':>10}{'share':>7}")
    more = False
    for kind, size in KINDS.items():
        made = runs * min(size, most)
        bound = one_run_epsilon(runs * size, made, right[kind], delta, RISK / len(KINDS))
        of = promise[kind]
        print(f"{kind:8}{made:8}{right[kind]:7}{bound:8.3f}{of:10.3f}{bound / of:7.0%}")
        more |= bound > of
    return more


def main() -> int:
    """Run the challenge; 1 where the guesses prove more than was promised."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--guesses", type=int, default=8, help="of a kind, at most, in a run")
    options.add_argument("--epsilon", type=float, default=1.0, help="of each of two versions")
    options.add_argument("--people", type=int, default=PEOPLE)
    options.add_argument("--seconds", type=float, default=600.0, help="for the program, in a run")
    options.add_argument("--no-walls", action="store_true", help="where there is no unshare")
    options.add_argument("command", nargs="+", help="the program and its arguments, after --")
    asked = options.parse_args()
    words = (str(Path(word).absolute()) if Path(word).is_file() else word for word in asked.command)
    command, walls = [*words], "" if asked.no_walls else WALLS
    right: Counter[str] = Counter()
    for run in range(1, asked.runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            coins = published(place, asked.people, asked.epsilon)
            promise, delta = promised(place)
            try:
                text = answered(place, command, asked.seconds, walls)
                right += right_of(coins, guesses_of(text, asked.guesses))
            except Unscored as cause:
                print(f"run {run}: all guesses count as wrong, for {cause}")
    return int(above(right, promise, delta, asked.runs, asked.guesses))


if __name__ == "__main__":
    sys.exit(main())
