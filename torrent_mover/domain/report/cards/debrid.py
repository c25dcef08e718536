"""The debrid accounts in an overview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrent_mover.domain.report.debrid import DebridAccountView, DebridPhase, DebridSnapshot
from torrent_mover.domain.report.overview import DutyCard, Need, a_card

NAME: Final = "debrid"


def card(picture: DebridSnapshot) -> DutyCard:
    """What is broken, what is repaired, and what waits for a person."""
    accounts = picture.accounts
    phases = list(dict.fromkeys(account.phase for account in accounts))
    state = ", ".join(phase.value for phase in phases) or "no account"
    now = [
        f"{sum(each.proven for each in accounts):,} proven broken, {sum(each.suspect for each in accounts):,} suspected",
        f"{sum(each.repairing for each in accounts):,} repaired now, {sum(each.done for each in accounts):,} done,"
        f" {sum(sum(not one.given_up for one in each.retries) for each in accounts):,} tried again later",
    ]
    if accounts and not any(account.acts for account in accounts):
        now.insert(0, "only reports")
    untreated = sum(account.proven for account in accounts if not account.acts)
    if untreated and DebridPhase.ABSENT not in phases:
        state = f"{untreated:,} broken{', paused' if DebridPhase.PAUSED in phases else ''}"
    odd = bool({DebridPhase.ABSENT, DebridPhase.PAUSED} & {*phases}) or bool(untreated)
    return a_card(NAME, "Debrid", state, now, list(_needs(accounts)), odd=odd)


def _needs(accounts: tuple[DebridAccountView, ...]) -> Iterator[Need]:
    for account in accounts:
        if account.trouble is not None:
            code = f" [{account.trouble.code}]" if account.trouble.code else ""
            yield Need(NAME, f"{account.name}: {account.trouble.what}{code}", account.trouble.remedy)
        for held in account.held:
            yield Need(NAME, f"{account.name}: {held}")
