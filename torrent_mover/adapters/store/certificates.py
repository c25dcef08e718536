"""A certificate as JSON: every item of the delete gate with the values that it was judged by, for people and audits."""

from __future__ import annotations

import json
from typing import Any, Final

from torrent_mover.domain.torrent.attributes import DeferredAttributes
from torrent_mover.domain.torrent.certificate import Certificate, Evidence, FileFound, Reading
from torrent_mover.domain.torrent.torrent import ClientFile

_FORMAT: Final = 1


def certificate_json(certificate: Certificate, at: float) -> str:
    """The certificate, written at `at` (Unix seconds). Ages are seconds between the evidence and the certificate.

    It names no tracker. Surrogates and control characters are escaped, so that the text is plain ASCII.
    """
    evidence = certificate.evidence
    return json.dumps(
        {
            "format": _FORMAT,
            "at": at,
            "torrent": certificate.torrent.hex,
            "name": evidence.planned.name,
            "delete_data": certificate.delete_data,
            "kept_because": certificate.kept_because,
            "later": DeferredAttributes.of(evidence.planned).to_data(),
            "gate": _gate(evidence, certificate.issued_at),
            "files": _files(evidence.planned_files, evidence.files),
        },
        separators=(",", ":"),
    )


def _gate(evidence: Evidence, issued_at: float) -> dict[str, dict[str, Any]]:
    read, first, last = evidence.read_back, evidence.destination_first, evidence.destination_last
    return {
        "read_back": {
            "age": issued_at - read.at,
            "by": "the client's recheck" if read.by_client else "our own read-back",
            "pieces_good": read.pieces_good,
            "pieces": read.pieces,
            "amount_left": read.amount_left,
        },
        "own_hashes": {"pieces_good": evidence.own_pieces, "pieces": evidence.pieces},
        "files_found": {
            "age": issued_at - evidence.files_at,
            "files": len(evidence.files),
            "of_exact_size": sum(found.size == found.expected for found in evidence.files),
        },
        "layout_at_destination": {
            "save_path": str(evidence.save_path),
            "files": len(last.files),
            "same_as_planned": _layout(last.files) == _layout(evidence.planned_files),
        },
        "share_limits": _limits(last, could_remove=evidence.limited_there),
        "seeding": {
            "age": issued_at - last.at,
            "seen_for": last.at - first.at,
            "first": _state(first),
            "last": _state(last),
        },
        "source_read_again": {
            "age": issued_at - evidence.source.at,
            "state": _state(evidence.source),
            "same_layout": _layout(evidence.source.files) == _layout(evidence.planned_files),
            "siblings": [sibling.hex for sibling in evidence.siblings],
            "changed": list(evidence.source_changed),
            "common_folder": evidence.common_folder,
            "ignored_by_rule": evidence.ignored_by_rule,
        },
    }


def _limits(reading: Reading, *, could_remove: bool) -> dict[str, Any]:
    torrent = reading.torrent
    if torrent is None:
        return {}
    return {
        **torrent.limits.to_data(),
        "could_remove": could_remove,
        "automatic_management": torrent.auto_managed,
    }


def _state(reading: Reading) -> dict[str, Any] | None:
    torrent = reading.torrent
    if torrent is None:
        return None
    return {
        "id": torrent.id.hex,
        "state": torrent.state.value,
        "client_state": torrent.client_state,
        "category": torrent.category,
        "save_path": str(torrent.save_path),
        "amount_left": torrent.amount_left,
    }


def _layout(files: tuple[ClientFile, ...]) -> list[tuple[int, str, int, bool]]:
    return [(file.index, file.path, file.size, file.wanted) for file in files]


def _files(planned: tuple[ClientFile, ...], found: tuple[FileFound, ...]) -> dict[str, Any]:
    """Both lists as rows, once: that all layouts are equal stands in the gate."""
    return {
        "planned": [[file.index, file.path, file.size, file.wanted] for file in planned],
        "found": [[file.path, file.expected, file.size] for file in found],
    }
