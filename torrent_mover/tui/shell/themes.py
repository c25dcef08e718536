"""The four themes. Each is complete without the others' colours; mono says everything with bold, dim and reverse."""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

_FOOT, _TOP = 0.7, 0.3  # how much of its own colour a graph has at its foot, and of another one at its top
NAMES = ("dark", "light", "contrast", "mono")


def _inks(dim: str, track: str, incoming: str, outgoing: str, cursor: str) -> dict[str, str]:
    flat = {f"ink-{way}-{part}": ink for way, ink in (("in", incoming), ("out", outgoing)) for part in ("low", "high")}
    return {"ink-dim": dim, "ink-track": track, "ink-in": incoming, "ink-out": outgoing, "ink-cursor": cursor, **flat}


def _shaded(inks: dict[str, str], ground: str, bright: str) -> dict[str, str]:
    """The same, with graphs that fade into the ground at their foot and grow brighter towards their top."""
    shades = {}
    for way in ("in", "out"):
        ink = Color.parse(inks[f"ink-{way}"])
        shades[f"ink-{way}-low"] = Color.parse(ground).blend(ink, _FOOT).hex
        shades[f"ink-{way}-high"] = ink.blend(Color.parse(bright), _TOP).hex
    return {**inks, **shades}


DARK = Theme(
    name="dark",
    dark=True,
    background="#12151a",
    surface="#181c22",
    panel="#20252d",
    foreground="#c9d1d9",
    primary="#58a6d6",
    secondary="#7d8fa3",
    accent="#58a6d6",
    success="#7fb069",
    warning="#e0a94f",
    error="#e5636b",
    variables=_shaded(_inks("#808b97", "#3a424d", "#58a6d6", "#a98fd8", "#2a3038"), "#12151a", "#ffffff"),
)

LIGHT = Theme(
    name="light",
    dark=False,
    background="#fafafa",
    surface="#f0f1f3",
    panel="#e4e7eb",
    foreground="#24292f",
    primary="#0a63a8",
    secondary="#57606a",
    accent="#0a63a8",
    success="#2b7a2b",
    warning="#8f5b00",
    error="#b3261e",
    variables=_shaded(_inks("#5f6975", "#b9c0c8", "#0a63a8", "#6f42a8", "#d6e6f5"), "#fafafa", "#000000"),
)

CONTRAST = Theme(
    name="contrast",
    dark=True,
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    foreground="#ffffff",
    primary="#00d7ff",
    secondary="#ffffff",
    accent="#00d7ff",
    success="#5fff5f",
    warning="#ffff00",
    error="#ff8080",
    variables=_inks("#d0d0d0", "#808080", "#00d7ff", "#ffafff", "#0000af"),
)

MONO = Theme(
    name="mono",
    ansi=True,
    dark=True,
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    foreground="ansi_default",
    primary="ansi_default",
    secondary="ansi_default",
    accent="ansi_default",
    success="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    variables={
        **_inks("ansi_default", "ansi_default", "ansi_default", "ansi_default", "ansi_default"),
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-text-style": "reverse",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_default",
        "input-selection-foreground": "ansi_default",
        "screen-selection-background": "ansi_default",
        "screen-selection-foreground": "ansi_default",
    },
)

ALL = (DARK, LIGHT, CONTRAST, MONO)


def next_name(name: str) -> str:
    """The theme after that one."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]
