"""An eviction's certificate as plain data: every item of the gate with the values that it was judged by, for audits."""

from __future__ import annotations

from typing import Any, Final

from torrent_mover.domain.torrent.certificate import Reading
from torrent_mover.duties.tiering.certificate import EvictionCertificate, MemberEvidence
from torrent_mover.duties.tiering.picture import NameFound
from torrent_mover.duties.tiering.roots import RootFinding

_FORMAT: Final = 1


def certificate_data(certificate: EvictionCertificate, at: float) -> dict[str, Any]:
    """The certificate, written at `at` (Unix seconds). Ages are seconds between the evidence and the certificate."""
    evidence, issued = certificate.evidence, certificate.issued_at
    return {
        "format": _FORMAT,
        "at": at,
        "names": [_name(name) for name in certificate.names],
        "torrents": [_member(member, issued) for member in evidence.members],
        "union": evidence.union,
        "siblings": list(evidence.siblings),
        "names_elsewhere": evidence.elsewhere,
        "originals_age": issued - evidence.originals_at,
        "siblings_age": issued - evidence.siblings_at,
        "roots_age": issued - evidence.roots_at,
        "ssds": [_root(root) for root in evidence.ssds],
        "targets": [_root(root) for root in evidence.targets],
    }


def _name(name: NameFound) -> list[Any]:
    return [str(name.path), name.size, name.mtime_ns, *name.identity]


def _member(member: MemberEvidence, issued: float) -> dict[str, Any]:
    proof = member.proof
    return {
        "client": member.client,
        "infohash": member.torrent.hex,
        "name": member.name,
        "pieces": member.pieces,
        "proven": None if proof is None else {"at": proof.at, "pieces": proof.pieces, "read_back": proof.read_back},
        "check": {
            "by": member.check.by.value,
            "age": issued - member.check.at,
            "pieces_good": member.check.pieces_good,
            "pieces": member.check.pieces,
        },
        "save_path": str(member.save_path),
        "persisted": str(member.persisted) if member.persisted else None,
        "opened": [str(path) for path in member.opened],
        "ran": member.ran,
        "first": _reading(member.first),
        "last": _reading(member.last),
        "last_age": issued - member.last.at,
    }


def _reading(reading: Reading) -> dict[str, Any] | None:
    torrent = reading.torrent
    if torrent is None:
        return None
    return {
        "state": torrent.state.value,
        "client_state": torrent.client_state,
        "save_path": str(torrent.save_path),
        "amount_left": torrent.amount_left,
    }


def _root(root: RootFinding) -> dict[str, Any]:
    return {"path": str(root.path), "id": root.id, "state": root.state.value}
