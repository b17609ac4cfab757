"""Harmonise 200,000 rows x 63 columns shaped like CTDC's 2021 file, beside plain pandas.

    python benchmarks/harmonise.py [--rows 200000]

The rows are made up here (seeded), with the spellings that such files have: -99 and Unknown for
missing values, 0/1 flags, alpha-2 codes and names of countries, double hyphens in age bands.
Each contender reads the same file in a process of its own; wall, CPU seconds and peak memory are
those of that process, imports included in "start".  pandas reads and recodes only: it finds no
identifiers, rejects nothing, keeps no lineage.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

SEED = 20211
TARGETS = {"wall": 5.0, "peak_gb": 1.5}

FLAGS = {
    "meansOfControlDebtBondage": "means_debt_bondage",
    "meansOfControlTakesEarnings": "means_takes_earnings",
    "meansOfControlRestrictsFinancialAccess": "means_restricts_financial_access",
    "meansOfControlThreats": "means_threats",
    "meansOfControlPsychologicalAbuse": "means_psychological_abuse",
    "meansOfControlPhysicalAbuse": "means_physical_abuse",
    "meansOfControlSexualAbuse": "means_sexual_abuse",
    "meansOfControlFalsePromises": "means_false_promises",
    "meansOfControlPsychoactiveSubstances": "means_psychoactive_substances",
    "meansOfControlRestrictsMovement": "means_restricts_movement",
    "meansOfControlRestrictsMedicalCare": "means_restricts_medical_care",
    "meansOfControlExcessiveWorkingHours": "means_excessive_working_hours",
    "meansOfControlUsesChildren": "means_uses_children",
    "meansOfControlThreatOfLawEnforcement": "means_threat_of_law_enforcement",
    "meansOfControlWithholdsNecessities": "means_withholds_necessities",
    "meansOfControlWithholdsDocuments": "means_withholds_documents",
    "meansOfControlOther": "means_other",
    "meansOfControlNotSpecified": "means_not_specified",
    "isForcedLabour": "exploitation_forced_labour",
    "isSexualExploit": "exploitation_sexual",
    "isOtherExploit": "exploitation_other",
    "isSexAndLabour": "exploitation_sex_and_labour",
    "isForcedMarriage": "exploitation_forced_marriage",
    "isForcedMilitary": "exploitation_forced_military",
    "isOrganRemoval": "exploitation_organ_removal",
    "isSlaveryAndPractices": "exploitation_slavery_and_practices",
    "typeOfLabourAgriculture": "labour_agriculture",
    "typeOfLabourAquafarming": "labour_aquafarming",
    "typeOfLabourBegging": "labour_begging",
    "typeOfLabourConstruction": "labour_construction",
    "typeOfLabourDomesticWork": "labour_domestic_work",
    "typeOfLabourHospitality": "labour_hospitality",
    "typeOfLabourIllicitActivities": "labour_illicit_activities",
    "typeOfLabourManufacturing": "labour_manufacturing",
    "typeOfLabourMiningOrDrilling": "labour_mining_or_drilling",
    "typeOfLabourPeddling": "labour_peddling",
    "typeOfLabourTransportation": "labour_transportation",
    "typeOfLabourOther": "labour_other",
    "typeOfLabourNotSpecified": "labour_not_specified",
    "typeOfSexProstitution": "sex_prostitution",
    "typeOfSexPornography": "sex_pornography",
    "typeOfSexRemoteInteractiveServices": "sex_remote_interactive_services",
    "typeOfSexPrivateSexualServices": "sex_private_sexual_services",
    "isAbduction": "abduction",
    "recruiterRelationIntimatePartner": "recruiter_intimate_partner",
    "recruiterRelationFriend": "recruiter_friend",
    "recruiterRelationFamily": "recruiter_family",
    "recruiterRelationOther": "recruiter_other",
    "recruiterRelationUnknown": "recruiter_unknown",
}
LISTS = {
    "meansOfControlConcatenated": ["Debt bondage", "Threats", "Physical abuse", "Other"],
    "typeOfExploitConcatenated": ["Forced labour", "Sexual exploitation", "Forced marriage"],
    "typeOfLabourConcatenated": ["Agriculture", "Construction", "Domestic work"],
    "typeOfSexConcatenated": ["Prostitution", "Pornography"],
    "RecruiterRelationship": ["Intimate Partner", "Friend/Acquaintance", "Family/Relative"],
}
CODED = {
    "Datasource": ["Case management", "Hotline"],
    "gender": ["Female", "Male", "Transgender/NonConforming", "Unknown"],
    "ageBroad": ["0--8", "9--17", "18--20", "21--23", "24--26", "30--38", "48+", "-99"],
    "majorityStatus": ["Adult", "Minor", "Unknown"],
    "majorityStatusAtExploit": ["Adult", "Minor", "-99"],
    "majorityEntry": ["Adult", "Minor", "-99"],
}
COUNTRY_OF = {
    "UA": "UKR",
    "MD": "MDA",
    "PH": "PHL",
    "US": "USA",
    "NA": "NAM",
    "CI": "CIV",
    "Côte d’Ivoire": "CIV",
    "RDC": "COD",
    "Viet Nam": "VNM",
    "Perú": "PER",
    "Y1": "SRB",
}
PLACES = [*COUNTRY_OF, "00"]
GENDER = {
    "Female": "female",
    "Male": "male",
    "Transgender/NonConforming": "transgender_nonconforming",
}
MAJORITY = {"Adult": "adult", "Minor": "minor"}
SOURCE = {"Case management": "case_management", "Hotline": "hotline"}
EMPTY = ["", "-99", "Unknown"]


def make_file(path: Path, rows: int) -> None:
    """Write the fictitious file."""
    rng = np.random.default_rng(SEED)

    def drawn(texts: list[str], blank: float = 0.2) -> pa.Array:
        codes = rng.integers(0, len(texts), rows)
        return pa.DictionaryArray.from_arrays(
            pa.array(codes, mask=rng.random(rows) < blank), pa.array(texts)
        ).cast(pa.string())

    columns = {"yearOfRegistration": drawn([str(y) for y in range(2002, 2022)], 0.0)}
    columns |= {name: drawn(texts) for name, texts in CODED.items()}
    columns["citizenship"] = drawn(PLACES)
    columns |= {name: drawn(["0", "1", "-99"], 0.5) for name in FLAGS}
    for name, texts in LISTS.items():
        columns[name] = drawn([*texts, ";".join(texts), ";".join(texts[:2])], 0.4)
    columns["CountryOfExploition"] = drawn(PLACES)
    assert len(columns) == 63
    options = pyarrow.csv.WriteOptions(delimiter=",", quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns), path, options)


def mapping_text() -> str:
    """The mapping, as a steward would write it."""
    as_map = json.dumps
    lines = ["version: 1", 'empty: ["", "-99", Unknown, "00"]', "columns:"]
    rules = {
        "year_of_registration": "{from: yearOfRegistration}",
        "source_type": f"{{from: Datasource, map: {as_map(SOURCE)}}}",
        "gender": f"{{from: gender, map: {as_map(GENDER)}}}",
        "age_band": "{from: ageBroad, band: true}",
        "majority_status": f"{{from: majorityStatus, map: {as_map(MAJORITY)}}}",
        "majority_at_exploitation": f"{{from: majorityStatusAtExploit, map: {as_map(MAJORITY)}}}",
        "majority_at_entry": f"{{from: majorityEntry, map: {as_map(MAJORITY)}}}",
        "citizenship": "{from: citizenship, country: true}",
        "country_of_exploitation": "{from: CountryOfExploition, country: true}",
    }
    rules |= {hub: f'{{from: {name}, map: {{"1": yes, "0": no}}}}' for name, hub in FLAGS.items()}
    return "\n".join([*lines, *(f"  {hub}: {rule}" for hub, rule in rules.items())]) + "\n"


def run_hub(path: Path) -> dict[str, float]:
    """Read, look for identifiers, harmonise."""
    from ctdhub.sensitive.ingest.raw import read_table
    from ctdhub.sensitive.mapping.mapping_file import parse_mapping
    from ctdhub.sensitive.mapping.run import harmonise

    mapping = parse_mapping(mapping_text(), "benchmark.yaml")
    begun = time.perf_counter()
    raw = read_table(path)
    read = time.perf_counter()
    done = harmonise(raw, mapping, "benchmark", (2002, 2021), bytes(32))
    assert done.conservation.records == raw.rows_read
    return {"read": read - begun, "recode": time.perf_counter() - read}


def run_pandas(path: Path) -> dict[str, float]:
    """Read and recode, nothing else."""
    import pandas as pd

    begun = time.perf_counter()
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    read = time.perf_counter()
    out = pd.DataFrame(index=frame.index)
    out["year_of_registration"] = pd.to_numeric(frame["yearOfRegistration"]).astype("Int16")
    frame = frame.where(~frame.isin(EMPTY))
    out["source_type"] = frame["Datasource"].map(SOURCE)
    out["gender"] = frame["gender"].map(GENDER)
    out["age_band"] = frame["ageBroad"].str.replace("--", "-")
    for hub, name in (
        ("majority_status", "majorityStatus"),
        ("majority_at_exploitation", "majorityStatusAtExploit"),
        ("majority_at_entry", "majorityEntry"),
    ):
        out[hub] = frame[name].map(MAJORITY)
    for hub, name in (
        ("citizenship", "citizenship"),
        ("country_of_exploitation", "CountryOfExploition"),
    ):
        out[hub] = frame[name].map(COUNTRY_OF)
    for name, hub in FLAGS.items():
        out[hub] = frame[name].map({"1": "yes", "0": "no"})
    return {"read": read - begun, "recode": time.perf_counter() - read}


CONTENDERS = {"ctdhub": run_hub, "pandas": run_pandas}


def child(name: str, path: Path) -> None:
    """Run one contender in this process and print what it took."""
    begun, cpu = time.perf_counter(), time.process_time()
    took = CONTENDERS[name](path)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    total = time.perf_counter() - begun
    took |= {
        "start": total - took["read"] - took["recode"],
        "wall": total,
        "cpu": time.process_time() - cpu,
        "peak_gb": usage.ru_maxrss / 1e6,
    }
    print(json.dumps(took))


def main() -> None:
    """Make the file, run the contenders, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--child", choices=list(CONTENDERS))
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, asked.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ctdc_like.csv"
        make_file(path, asked.rows)
        print(f"{asked.rows:,} rows x 63 columns, {path.stat().st_size / 1e6:.0f} MB\n")
        columns = ("start", "read", "recode", "wall", "cpu", "peak_gb")
        print("".join(["contender".ljust(12), *(c.rjust(10) for c in columns)]))
        for name in CONTENDERS:
            command = [sys.executable, __file__, "--child", name, "--file", str(path)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                print(name.ljust(12) + "not run: " + run.stderr.strip().splitlines()[-1])
                continue
            took = json.loads(run.stdout)
            print(name.ljust(12) + "".join(f"{took[c]:10.2f}" for c in columns))
        limits = "".join(f"{TARGETS[c]:10.2f}" if c in TARGETS else " " * 10 for c in columns)
        print("target".ljust(12) + limits)


if __name__ == "__main__":
    main()
