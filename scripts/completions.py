"""Completions for bash, zsh and fish and the man page, as the command line's parser says. Written by generate.py."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torrent_mover import __version__
from torrent_mover.cli import parser

PROGRAM = "torrent-mover"

DYNAMIC = {
    "ACTION": "echo backup check purge recover vacuum",
    "HASH": f"{{ {PROGRAM} status --json; {PROGRAM} history --json; }} 2>/dev/null | grep -oE '[0-9a-f]{{40}}' | sort -u",
    "DOMAIN": f"{PROGRAM} --list-rules 2>/dev/null | grep -v ' no rules' | cut -d ' ' -f 1",
}
"""What prints the values that the user's own journal and rules have, by what a value is called."""


@dataclass(frozen=True)
class Option:
    """One option: its spellings, what its value is called (empty: none), its choices, whether the value may be left out."""

    flags: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    optional: bool
    help: str
    group: str


@dataclass(frozen=True)
class Command:
    """The program itself, or a sub-command of it."""

    name: str
    help: str
    options: tuple[Option, ...]
    values: tuple[tuple[str, str], ...]


def options_of(of: argparse.ArgumentParser) -> Iterator[Option]:
    """Its options in the order of the help."""
    for group in of._action_groups:
        for action in group._group_actions:
            if action.option_strings and action.help is not argparse.SUPPRESS:
                names = action.metavar if isinstance(action.metavar, tuple) else (action.metavar or "",)
                takes = action.nargs != 0
                yield Option(
                    tuple(sorted(action.option_strings, key=len)),
                    " ".join(names) if takes and not action.choices else "|".join(action.choices or ()),
                    tuple(action.choices or ()),
                    action.nargs == "?",
                    (action.help or "").replace("%%", "%"),
                    group.title or "",
                )


def commands() -> list[Command]:
    """The program, then its sub-commands."""
    top = parser()
    found = [Command("", top.description or "", tuple(options_of(top)), ())]
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, sub in action.choices.items():
                values = [
                    (str(each.metavar or each.dest), each.help or "")
                    for each in sub._actions
                    if not each.option_strings
                ]
                found.append(Command(name, helps.get(name, ""), tuple(options_of(sub)), tuple(values)))
    return found


# -- bash --------------------------------------------------------------------------------------------------------------


def bash() -> str:
    """For bash-completion."""
    top, *subs = commands()
    lines = [
        f"# bash completion for {PROGRAM}; made by make template",
        "_torrent_mover() {",
        '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" each',
        "    COMPREPLY=()",
        '    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        f'        case "$each" in {"|".join(sub.name for sub in subs)}) command=$each ;; esac',
        "    done",
        '    case "$command $before" in',
    ]
    for each in (*subs, top):
        lines += [line for option in each.options if (line := _bash_value(each.name or "*", option))]
    lines += ["    esac", '    case "$command" in']
    for sub in subs:
        words = " ".join(flag for option in sub.options for flag in option.flags)
        dynamic = [f" $({DYNAMIC[name]})" for name, _ in sub.values if name in DYNAMIC]
        lines.append(f'        {sub.name}) COMPREPLY=($(compgen -W "{words}{"".join(dynamic)}" -- "$word")) ;;')
    words = " ".join([*(flag for option in top.options for flag in option.flags), *(sub.name for sub in subs)])
    lines += [f'        *) COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;', "    esac", "}"]
    return "\n".join([*lines, f"complete -o filenames -F _torrent_mover {PROGRAM}", ""])


def _bash_value(command: str, option: Option) -> str:
    """How the word after the option is completed; empty: as if the option was not there."""
    flags = "|".join(f'{"*" if command == "*" else command}" {flag}"' for flag in option.flags)
    if option.choices:
        return f'        {flags}) COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$word")); return ;;'
    if option.value in DYNAMIC:
        return f'        {flags}) COMPREPLY=($(compgen -W "$({DYNAMIC[option.value]})" -- "$word")); return ;;'
    if option.value == "PATH":
        return f'        {flags}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;'
    return f"        {flags}) return ;;" if option.value and not option.optional else ""


# -- zsh ---------------------------------------------------------------------------------------------------------------


def zsh() -> str:
    """For zsh's completion system."""
    top, *subs = commands()
    lines = [
        f"#compdef {PROGRAM}",
        "# made by make template",
        *(
            f'_torrent_mover_{name.lower()}() {{ compadd -- ${{(f)"$({command})"}} }}'
            for name, command in DYNAMIC.items()
        ),
        "_torrent_mover() {",
        "    local context state state_descr line",
        "    typeset -A opt_args",
        "    _arguments -C \\",
        *(f"        {_zsh_option(option)} \\" for option in top.options),
        "        '1:command:->command' '*::argument:->argument'",
        '    case "$state" in',
        "        command)",
        "            local -a commands=(",
        *(f"                {_quoted(f'{sub.name}:{sub.help}')}" for sub in subs),
        "            )",
        "            _describe command commands ;;",
        "        argument)",
        '            case "$line[1]" in',
    ]
    for sub in subs:
        parts = [_zsh_option(option) for option in sub.options]
        parts += [_quoted(f"1:{name}:_torrent_mover_{name.lower()}") for name, _ in sub.values if name in DYNAMIC]
        lines.append(f"                {sub.name}) _arguments {' '.join(parts)} ;;")
    return "\n".join([*lines, "            esac ;;", "    esac", "}", '_torrent_mover "$@"', ""])


def _zsh_option(option: Option) -> str:
    told = _unzshed(option.help)
    value = ""
    for name in () if option.choices else option.value.split():
        filled = "_files" if name == "PATH" else ""
        if option.value in DYNAMIC:
            filled = f"_torrent_mover_{name.lower()}"
        value += f"{'::' if option.optional else ':'}{_unzshed(name)}:{filled}"
    if option.choices:
        value = f":{option.flags[-1].lstrip('-')}:({' '.join(option.choices)})"
    if len(option.flags) == 1:
        return _quoted(f"{option.flags[0]}[{told}]{value}")
    both = ",".join(option.flags)
    return f"{_quoted('(' + ' '.join(option.flags) + ')')}{{{both}}}{_quoted(f'[{told}]{value}')}"


def _unzshed(text: str) -> str:
    """Without what means something to _arguments."""
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# -- fish --------------------------------------------------------------------------------------------------------------


def fish() -> str:
    """For fish."""
    top, *subs = commands()
    names = " ".join(sub.name for sub in subs)
    none_yet = f"not __fish_seen_subcommand_from {names}"
    lines = [f"# fish completion for {PROGRAM}; made by make template", f"complete -c {PROGRAM} -f"]
    lines += [_fish(option, none_yet) for option in top.options]
    for sub in subs:
        lines.append(f"complete -c {PROGRAM} -n {_fished(none_yet)} -a {sub.name} -d {_fished(sub.help)}")
        seen = f"__fish_seen_subcommand_from {sub.name}"
        lines += [_fish(option, seen) for option in sub.options]
        for name, _ in sub.values:
            if name in DYNAMIC:
                lines.append(f"complete -c {PROGRAM} -n {_fished(seen)} -a {_fished(f'({_for_fish(name)})')}")
    return "\n".join([*lines, ""])


def _fish(option: Option, where: str) -> str:
    parts = [f"complete -c {PROGRAM} -n {_fished(where)}"]
    parts += [_fish_flag(flag) for flag in option.flags]
    if option.choices:
        parts.append(f"-x -a {_fished(' '.join(option.choices))}")
    elif option.value in DYNAMIC:
        parts.append(f"-x -a {_fished(f'({_for_fish(option.value)})')}")
    elif option.value == "PATH":
        parts.append("-r -F")
    elif option.value and not option.optional:
        parts.append("-x")
    return " ".join([*parts, f"-d {_fished(option.help)}"])


def _for_fish(name: str) -> str:
    return DYNAMIC[name].replace("{ ", "begin; ", 1).replace("; }", "; end")


def _fish_flag(flag: str) -> str:
    if flag.startswith("--"):
        return f"-l {flag[2:]}"
    return f"-s {flag[1:]}" if len(flag) == 2 else f"-o {flag[1:]}"  # noqa: PLR2004  one letter, or an old-style word


def _fished(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# -- man ---------------------------------------------------------------------------------------------------------------


def man() -> str:
    """The man page, in roff."""
    top, *subs = commands()
    usage = [rf".B {PROGRAM}", r"[\fIoptions\fR] [\fIcommand\fR]"]
    lines = [
        '.\\" made by make template',
        f'.TH TORRENT-MOVER 1 "" "torrent_mover {__version__}" "User Commands"',
        ".SH NAME",
        rf"{PROGRAM} \- move completed torrents from one client to another over SSH",
        ".SH SYNOPSIS",
        *usage,
        ".SH DESCRIPTION",
        _man(top.help),
        "Without a command, it moves what the config says.",
        ".SH OPTIONS",
    ]
    group = ""
    for option in top.options:
        if option.group != group:
            group = option.group
            lines.append(f".SS {_man(group.capitalize())}")
        lines += _man_option(option)
    lines.append(".SH COMMANDS")
    for sub in subs:
        values = "".join(rf" \fI{name}\fR" for name, _ in sub.values)
        lines += [".TP", rf"\fB{sub.name}\fR{values}", _man(sub.help)]
        for option in sub.options:
            if option.flags[-1] != "--help":
                lines += [".RS", *_man_option(option), ".RE"]
    lines += [".SH EXIT STATUS", *_man_exits(), ".SH FILES", ".TP", r"\fI~/.config/torrent\-mover/config.ini\fR"]
    lines += ["The config; config.ini.template has every key.", ".TP", r"\fI~/.local/state/torrent\-mover\fR"]
    lines += ["The journal and the logs, where the config names no other place.", ".SH SEE ALSO"]
    return "\n".join([*lines, ".BR ssh (1),", ".BR rsync (1)", ""])


def _man_option(option: Option) -> list[str]:
    value = "" if not option.value else " " + option.value.replace("|", " | ")
    shown = rf" [\fI{value.strip()}\fR]" if option.optional else rf"\fI{_man(value)}\fR" if value else ""
    return [".TP", ", ".join(rf"\fB{_man(flag)}\fR" for flag in option.flags) + shown, _man(option.help)]


def _man_exits() -> Iterator[str]:
    told = (parser().epilog or "").partition(": ")[2].rstrip(".")
    for part in told.split(", "):
        code, _, meaning = part.partition(" ")
        yield from (".TP", rf"\fB{code}\fR", _man(meaning))


def _man(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped[:1] in (".", "'") else escaped
