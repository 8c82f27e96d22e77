"""What a reader must know before relying on the classes, and what was done to the file: cautions and notes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from ..graphs import to_scipy
from ._network_check import LEAK, percent

__all__ = ["network_warnings"]

_FEW_INSIDE = 0.5
_SHAKY = 0.75
_MOST_BLANK = 0.5


def network_warnings(
    study: Any, agreed: Mapping[str, float], resolution: float | None
) -> tuple[list[dict[str, str]], list[str]]:
    """Return cautions (``text``, ``remedy``) and notes.

    Parameters
    ----------
    study : NetworkStudy
    agreed : mapping
        Adjusted mutual information of each category with the classes.
    resolution : float or None
        As asked for.

    Returns
    -------
    (list of dict, list of str)
    """
    found = study.found
    cautions = [
        *_of_structure(study),
        *_of_stability(study),
        *_of_nodes(study),
        *_of_leaks(found, agreed),
        *_of_directions(study),
    ]
    cautions += [{"text": f"{type(found.estimator).__name__}: {text}", "remedy": ""} for text in found.said]
    notes = [*study.network.notes, *found.actions, *_parts(study), *_agreement(found, agreed)]
    return cautions, [*notes, *_resolution(study, resolution)]


def _of_structure(study: Any) -> list[dict[str, str]]:
    structure, found = study.structure, study.found
    if structure["verdict"] == "none":
        remedy = "Don't read types into these classes. Where links run between unlike nodes, try --method block_model."
        return [{"text": structure["sentence"], "remedy": remedy}]
    if found.k > 1 and found.method != "block_model" and study.quality.coverage < _FEW_INSIDE and study.quality.total:
        share = percent(study.quality.coverage)
        return [
            {
                "text": f"Only {share} of the links stay inside the classes.",
                "remedy": "Try fewer classes, or --method block_model, which also finds classes that link across.",
            }
        ]
    return []


def _of_stability(study: Any) -> list[dict[str, str]]:
    agreement = study.stability.agreement
    if agreement is None or agreement >= _SHAKY or study.structure["verdict"] == "none":
        return []
    remedy = "Rely on the classes that were found again; fewer classes are often firmer (-k, or --resolution below 1)."
    return [{"text": study.stability.sentence, "remedy": remedy}]


def _of_nodes(study: Any) -> list[dict[str, str]]:
    """Say so where most nodes have no attributes: a file of other nodes, perhaps."""
    codings, n = study.attributes.codings, study.network.n_nodes
    least = min((one.missing for one in codings), default=0)
    if least <= _MOST_BLANK * n:
        return []
    return [
        {
            "text": f"At least {least:,} of the {n:,} nodes have no attributes.",
            "remedy": "Check that the file of nodes names them as the links do (--id says which column holds the names).",
        }
    ]


def _of_leaks(found: Any, agreed: Mapping[str, float]) -> list[dict[str, str]]:
    cautions = [
        {
            "text": f"The attribute {name} agrees with the classes that the links alone give, so it was not used to find them.",
            "remedy": f"If {name} is no label but a real trait, use --method attributed.",
        }
        for name in found.left_out
    ]
    cautions += [
        {
            "text": f"The attribute {name} alone gives the classes (agreement {agreed[name]:.2f} of 1).",
            "remedy": f"If it is a label, leave it out: --roles {name}=ignored, or compare with it: --truth {name}.",
        }
        for name in found.compared
        if agreed.get(name, 0.0) > LEAK
    ]
    return cautions


def _of_directions(study: Any) -> list[dict[str, str]]:
    if not study.network.directed or study.found.method == "block_model":
        return []
    return [
        {
            "text": "The classes were found without the directions of the links: the weights of both were added up. "
            "Relations between classes keep the directions.",
            "remedy": "Use --method block_model to find classes by directions too.",
        }
    ]


def _parts(study: Any) -> list[str]:
    _, part = connected_components(to_scipy(study.network.graph), directed=False)
    with_links = int((np.bincount(part) > 1).sum())
    if with_links < 2:
        return []
    largest = np.bincount(part).max() / len(part)
    return [
        f"The network falls into {with_links:,} parts without links between them; the largest holds {percent(largest)} of the nodes."
    ]


def _agreement(found: Any, agreed: Mapping[str, float]) -> list[str]:
    return [
        f"{name} agrees with the classes ({ami:.2f} of 1), though it took no part in finding them."
        for name, ami in agreed.items()
        if ami > LEAK and name not in found.compared and name not in found.left_out
    ]


def _resolution(study: Any, resolution: float | None) -> list[str]:
    found = study.found
    if found.method not in ("leiden", "louvain") or found.params.get("objective", "modularity") != "modularity":
        return []
    # Fortunato and Barthelemy (2007), doi:10.1073/pnas.0605965104: classes of fewer links than this may be joined.
    least = np.sqrt(study.quality.total / 2 / (resolution or 1.0))
    if found.k < 2 or study.network.n_edges < 1000:
        return []
    return [
        f"Modularity tends to join classes of fewer than about {least:,.0f} links; a higher --resolution finds smaller ones."
    ]
