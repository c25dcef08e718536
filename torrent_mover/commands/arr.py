"""arr: how each Arr is, what waits for it and why; one torrent explained, or handed over by hand."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from torrent_mover.adapters.config.reading import find
from torrent_mover.bootstrap.arr_office import ArrOffice
from torrent_mover.commands.looking import at
from torrent_mover.domain.arrs.belonging import belongs
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep, reasons_of
from torrent_mover.domain.arrs.import_proof import prove_import
from torrent_mover.domain.errors import ExitCode, MoverError, worst
from torrent_mover.domain.text import clock, pad, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.examination import ArrPicture, examine

SCHEMA_VERSION: Final = 1
_BELOW: Final = "       "


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Show, explain or hand over. 1: an import was refused or is incomplete; 3: an Arr gives no true answer."""
    with ArrOffice(find(arguments.config), writes=bool(arguments.scan)) as office:
        if arguments.scan:
            return _scan(office, arguments)
        if arguments.explain:
            return _explain(office, arguments)
        return _overview(office, arguments)


def _overview(office: ArrOffice, arguments: argparse.Namespace) -> ExitCode:
    told, codes = [], [ExitCode.DONE]
    for name, manager in office.arrs.managers.items():
        try:
            told.append(_arr_data(office, name, examine(manager, office.wishes(name)), None))
        except MoverError as error:
            told.append(_arr_data(office, name, None, error))
            codes.append(error.exit_code)
    records = office.journal.handovers()
    if any(record.tries and record.step is not HandoverStep.IMPORTED for record in records):
        codes.append(ExitCode.SOME_FAILED)
    if arguments.json:
        _print({"schema": SCHEMA_VERSION, "arrs": told, "rows": [row_of(record) for record in records]})
    else:
        width = max(len(each["name"]) for each in told)
        for each in told:
            sys.stdout.writelines(f"{line}\n" for line in _arr_lines(each, width))
        now = office.clock.now()
        open_ones = [record for record in records if record.step is not HandoverStep.IMPORTED]
        sys.stdout.writelines(f"{_record_line(record, now)}\n" for record in open_ones)
    return worst(codes)


def _arr_data(office: ArrOffice, name: str, picture: ArrPicture | None, error: MoverError | None) -> dict[str, Any]:
    steps = [record.step for record in office.journal.handovers(name)]
    settings = office.sections[name]
    pairs = [(str(pair.ours), str(pair.theirs), "path_map") for pair in settings.pairs]
    pairs += [(str(pair.ours), str(pair.theirs), "found") for pair in office.journal.arr_pairs(name)]
    if picture is not None:
        pairs += [(each.remote, str(each.local), f"its mapping for {each.host}") for each in picture.mappings]
    return {
        "name": name,
        "server": office.arrs.managers[name].server,
        "product": picture.info.product if picture else None,
        "version": picture.info.version if picture else None,
        "categories": sorted(picture.categories) if picture else [],
        "paths": [{"ours": ours, "theirs": theirs, "by": by} for ours, theirs, by in pairs],
        "waiting": sum(not step.ended for step in steps),
        "imported": steps.count(HandoverStep.IMPORTED),
        "refused": steps.count(HandoverStep.REFUSED),
        "advice": list(picture.advice) if picture else [],
        "alarms": list(picture.alarms) if picture else [],
        "error": {"code": error.code, "what": error.what, "kept": error.kept, "remedy": error.remedy}
        if error
        else None,
    }


def _arr_lines(told: dict[str, Any], width: int) -> Iterator[str]:
    """`tv  Sonarr 4.0.19  category tv  /data -> /tv (found)  2 waiting`."""
    name = pad(safe(told["name"]), width)
    if told["error"] is not None:
        kept = f"Kept: {told['waiting']} hand-overs wait." if told["waiting"] else ""
        said = (told["error"]["code"], told["error"]["what"], kept, told["error"]["remedy"])
        yield safe(f"{name}  {' '.join(part for part in said if part)}")
        return
    categories = ", ".join(told["categories"]) or "(none)"
    paths = "  ".join(f"{each['ours']} -> {each['theirs']} ({each['by']})" for each in told["paths"])
    counts = [f"{told[key]} {key}" for key in ("waiting", "imported", "refused") if told[key]]
    parts = (f"{told['product']} {told['version']}", f"category {categories}", paths, ", ".join(counts))
    yield safe(f"{name}  {'  '.join(part for part in parts if part)}")
    for each in (*told["advice"], *told["alarms"]):
        yield safe(f"{' ' * width}  ! {each}")


def row_of(record: ArrHandover) -> dict[str, Any]:
    """One hand-over for programs. Times in Unix seconds; `next_at` None: nothing more is done by itself."""
    return {
        "id": f"{record.arr}:{record.torrent.hex}",
        "hash": record.torrent.hex,
        "arr": record.arr,
        "name": record.name,
        "step": record.step.value,
        "tries": record.tries,
        "data": str(record.data.path),
        "path": str(record.path) if record.path else None,
        "told_at": record.told_at,
        "next_at": None if record.step.ended else record.next_at,
        "proof": record.proof or None,
        "trouble": record.trouble or None,
    }


def _record_line(record: ArrHandover, now: float) -> str:
    name = record.name or record.torrent.short
    state = "given up" if record.step is HandoverStep.REFUSED else record.step.value
    later = f", again in {clock(record.next_at - now)}" if not record.step.ended and record.next_at > now else ""
    why = f": {record.trouble}" if record.trouble else ""
    return safe(f"  {record.torrent.short}  {record.arr}  {name}  {state}{later}{why}")


def _scan(office: ArrOffice, arguments: argparse.Namespace) -> ExitCode:
    torrent = office.torrent_of(arguments.scan)
    records = office.tell(torrent)
    troubles = {desk.manager.name: desk.status().trouble for desk in office.arrs.telling.desks}
    if arguments.json:
        _print({"schema": SCHEMA_VERSION, "rows": [row_of(record) for record in records]})
    else:
        now = office.clock.now()
        for record in records:
            imported = record.step is HandoverStep.IMPORTED
            line = f"  {record.torrent.short}  {record.arr}  {record.proof}" if imported else _record_line(record, now)
            trouble = troubles.get(record.arr, "")
            sys.stdout.write(f"{safe(line)}{safe(f'  {trouble}') if trouble and not imported else ''}\n")
    open_ones = [record for record in records if record.step is not HandoverStep.IMPORTED]
    if any(troubles.get(record.arr) for record in open_ones):
        return ExitCode.UNREACHABLE
    return ExitCode.SOME_FAILED if open_ones else ExitCode.DONE


def _explain(office: ArrOffice, arguments: argparse.Namespace) -> ExitCode:
    torrent = office.torrent_of(arguments.explain)
    codes, told = [ExitCode.DONE], []
    for name in office.arrs.managers:
        try:
            told.append(
                {"arr": name, "hash": torrent.hex, "id": f"{name}:{torrent.hex}", **_explained(office, name, torrent)}
            )
        except MoverError as error:
            told.append({"arr": name, "hash": torrent.hex, "id": f"{name}:{torrent.hex}", "error": str(error)})
            codes.append(error.exit_code)
    if arguments.json:
        _print({"schema": SCHEMA_VERSION, "rows": told})
    else:
        sys.stdout.write(f"{torrent.hex}\n")
        for each in told:
            sys.stdout.writelines(f"{line}\n" for line in _explained_lines(each))
    return worst(codes)


def _explained(office: ArrOffice, name: str, torrent: InfoHash) -> dict[str, Any]:
    """All that one Arr says of a torrent, and what was done about it. Changes nothing."""
    manager, record = office.arrs.managers[name], office.journal.handover(torrent, name)
    picture = examine(manager, office.wishes(name))
    queue = [item for item in manager.queue() if item.torrent == torrent]
    events = manager.events(torrent)
    path = record.path if record else None
    if path is None and record is not None:
        found = office.finder(name).look(torrent, record.data, record.category)
        path = found.path if found else None
    proof = prove_import(torrent, events, queue, path, all_imported_is_told=picture.info.has_all_imported)
    rejected = list(manager.why_not(path)) if path is not None and not proof.proven else []
    hold = office.arrs.holds.of(torrent, record.category) if record else None
    return {
        "belongs": belongs(record.category, picture.categories) if record else None,
        "categories": sorted(picture.categories),
        "queue": [{"state": item.word, "title": item.title, "path": str(item.output_path or "")} for item in queue],
        "history": [{"at": event.at, "event": event.word, "media": event.media} for event in events],
        "proven": proof.proven,
        "proof": str(proof),
        "path": str(path) if path else None,
        "why_not": reasons_of(torrent, queue, rejected) or None,
        "hold": hold.words(office.clock.now()) if hold else None,
        "handover": row_of(record) if record else None,
    }


def _explained_lines(told: dict[str, Any]) -> Iterator[str]:
    yield safe(f"{told['arr']}")
    if "error" in told:
        yield safe(f"{_BELOW}{told['error']}")
        return
    record = told["handover"]
    lines: list[tuple[str, str]] = [("categories", ", ".join(told["categories"]) or "(none)")]
    lines += [("queue", f"{item['state']}  {item['title']}  {item['path']}") for item in told["queue"]] or [
        ("queue", "it is not in it, which proves nothing")
    ]
    lines += [("history", _history(told["history"]))]
    lines += [("proof", told["proof"])]
    lines += [("path", told["path"] or "it is not seen under any path that was tried")] if record else []
    lines += [("why not", told["why_not"])] if told["why_not"] else []
    lines += [("hold", told["hold"])] if told["hold"] else []
    if record is None:
        lines.append(("handover", "it was not told of it"))
    else:
        tries = f", {record['tries']} tries came to nothing" if record["tries"] else ""
        lines.append(("handover", f"{record['step']}{tries}, told at {at(record['told_at'])}"))
        lines += [("trouble", record["trouble"])] if record["trouble"] else []
    for key, text in lines:
        yield safe(f"{_BELOW}{pad(key, 10)}  {text}")


def _history(events: Sequence[dict[str, Any]]) -> str:
    shown = [f"{each['event']} {at(each['at'])}" for each in events[:3]]
    more = f", and {len(events) - len(shown)} before" if len(events) > len(shown) else ""
    return (", ".join(shown) + more) if shown else "nothing: it never grabbed it"


def _print(data: dict[str, Any] | Iterable[Any]) -> None:
    json.dump(data, sys.stdout, indent=2)
    sys.stdout.write("\n")
