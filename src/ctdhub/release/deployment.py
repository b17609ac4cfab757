"""A ready entry for the OpenDP deployments registry.

Source of the shape: github.com/opendp/deployments-registry-data, folder ``deployments``.
"""

from __future__ import annotations

from statistics import median

import yaml

from ctdhub.release.catalogue import WHAT_IT_IS, citation, title
from ctdhub.release.facts import PublicFacts
from ctdhub.release.manifest import Manifest


def _noise(manifest: Manifest) -> str:
    found, sources = manifest.perpetrators, manifest.sources
    kinds = {
        "people": manifest.drawn or manifest.sigma,
        "perpetrators": found.sigma if found else {},
        "people by contributor or list": sources.sigma if sources else {},
    }
    parts = []
    for counted, by_table in kinds.items():
        if sigmas := sorted(s for table, s in by_table.items() if table):
            parts.append(
                f"{sigmas[0]:.4g} to {sigmas[-1]:.4g} {counted}, median {median(sigmas):.4g}, "
                f"{len(sigmas)} tables"
            )
    return f"Standard deviation by table: {'; '.join(parts)}. Each is in manifest.json."


def _rows(manifest: Manifest) -> str:
    """How many rows that may be, where it is more than one."""
    rows = manifest.rows_per_person
    return f", in at most {rows} rows" if rows > 1 else ""


def _children(manifest: Manifest) -> str:
    """How rows that belong to a person are bounded, empty where there are none."""
    if (found := manifest.perpetrators) is None:
        return ""
    return (
        f" Of the perpetrators that these records mention, at most {found.rows_per_person} of each "
        "person count."
    )


def deployment(manifest: Manifest, facts: PublicFacts) -> str:
    """The entry as YAML: what is protected, for whom, by what, at what loss."""
    words = "Practice release of fictitious data; not for the registry. "
    invented = words if facts.invented else ""
    entry = {
        "url_slug": f"trafficking-release-{manifest.version}".replace(".", "-").lower(),
        "deployment": {
            "basic": {
                "name": title(manifest, facts),
                "data_curators": [
                    {"data_curator_name": facts.hub, "data_curator_type": "Nonprofit"}
                ],
                "description": invented + WHAT_IT_IS,
                "intended_use": (
                    "Evidence for counter-trafficking policy, research and assistance: counts with "
                    "intervals, and records that agree with them."
                ),
                "data_product_type": "Synthetic data and summary statistics",
                "data_product_region": "Global",
                "data_product_sector": "Nonprofit",
                "publication_date": manifest.created[:10],
            },
            "dp_variant": {
                "variant_name": "Approximate DP",
                "data_domain": (
                    "Sets of people identified as victims of trafficking, each with one value or "
                    "none in every public variable. The values come from the public schema "
                    f"(version {manifest.schema_version}) and the years {facts.years[0]} to "
                    f"{facts.years[1]} from the public policy, never from the data."
                ),
                "unprotected_quantities": (
                    "Names of the hub and of its contributors, their years, the schema, the policy "
                    "and the parameters of the mechanism."
                ),
            },
            "privacy_loss": {
                "privacy_unit": "User-level" if manifest.unit == "person" else manifest.unit,
                "privacy_unit_details": (
                    f"Unit: {manifest.unit}. Neighbouring data sets differ in all case records of "
                    f"one person{_rows(manifest)}, added or removed.{_children(manifest)}"
                ),
                "privacy_parameters": {
                    "epsilon": manifest.epsilon,
                    "delta": manifest.delta,
                    "rho": manifest.rho,
                },
                "privacy_parameters_details": (
                    "Composed in zero-concentrated differential privacy (zCDP) over all tables of "
                    "the release, then converted to epsilon and delta."
                ),
            },
            "deployment_model": {
                "model_name": "Central",
                "release_type": "One release",
                "release_type_details": (
                    "All releases of the hub draw on one ledger; this entry states this release."
                ),
                "data_source_type": "Static",
                "access_type": "Non-interactive",
            },
            "implementation": {
                "mechanisms": f"{manifest.mechanism}, once on each table of counts",
                "accountant": "zCDP, tight conversion to (epsilon, delta)",
                "noise": _noise(manifest),
                "post_processing": (
                    "Records are fitted to the noisy tables alone; the original data are not read "
                    "again. Noisy counts by year are published as they were measured, of groups "
                    "whose noisy total stands out."
                ),
                "software": manifest.software,
                "justification": "The policy of the hub, approved before the release.",
            },
            "administrative": {
                "evidence_sources": {
                    "release": {
                        "evidence_source_type": (
                            "Formal publication by the deploying organization"
                        ),
                        "misc": {"title": citation(manifest.version, manifest.created[:4], facts)},
                    }
                },
                "status": "Draft",
                "tier": 3,
            },
        },
    }
    if facts.homepage:
        entry["deployment"]["administrative"]["evidence_sources"]["release"]["misc"]["url"] = (  # type: ignore[index]
            facts.homepage
        )
    return yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=96)
