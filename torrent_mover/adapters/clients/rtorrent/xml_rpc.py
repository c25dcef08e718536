"""XML-RPC as rTorrent speaks it: what its libraries cannot say or read as XML is carried anyway, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from xml.parsers.expat import ExpatError
from xmlrpc.client import MAXINT, MININT, Binary, Fault, ResponseError, dumps, loads

Value = str | int | bytes | bool | Sequence["Value"] | dict[str, "Value"]

_UNSAYABLE: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd]")
"""What a string of rTorrent's XML libraries cannot hold: controls, CR, bytes that are no UTF-8, planes above the first."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What no XML document may hold (XML 1.0, 2.2). rTorrent 0.9.8 sends them as they are."""

_SURROGATES: Final = re.compile("[\udc80-\udcff]")
_STAND_IN: Final = 0x10F000
"""Characters for private use, which carry what XML cannot through the parser."""
_STAND_INS: Final = re.compile(f"[{chr(_STAND_IN)}-{chr(_STAND_IN + 0xFF)}]")
_ESCAPED: Final = 0xDC00
_FIRST_BYTE_ABOVE_ASCII: Final = 0x80


class RpcFault(Exception):
    """A fault that rTorrent answers. `code` differs between versions for the same thing, so it decides nothing alone."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def untrusted(self) -> bool:
        """0.16 refuses the command because the web server in front marks the connection as untrusted (-507)."""
        return "not allowed for untrusted" in self.text

    @property
    def unknown_command(self) -> bool:
        """This version has no such command (-506, -503 inside a multicall)."""
        return "not defined" in self.text or "does not exist" in self.text


class NotXmlRpc(Exception):
    """The answer is no XML-RPC."""


def encode(method: str, parameters: Sequence[Value]) -> bytes:
    """A call. Text that XML cannot hold, or rTorrent's libraries cannot read, goes as base64; integers over 31 bits as text."""
    return dumps(tuple(_sayable(each) for each in parameters), method, encoding="utf-8").encode()


def decode(document: bytes) -> Any:  # noqa: ANN401  whatever the method returns
    """The value of an answer; base64 as bytes. Control characters and bytes that are no UTF-8 (as surrogate escapes) are kept.

    Raises RpcFault for a fault, NotXmlRpc for what is no answer.
    """
    text = document.decode("utf-8", "surrogateescape")
    clean = _SURROGATES.sub(lambda found: chr(ord(found[0]) - _ESCAPED + _STAND_IN), _CONTROLS.sub(_stand_in, text))
    plain = _plain(clean)
    if plain is not None:
        return plain[0] if clean == text else _restore(plain[0])
    if "<!" in clean and _DECLARES.search(clean):
        raise NotXmlRpc("it declares entities")  # no answer does; they could grow without bound
    try:
        values, _ = loads(clean, use_builtin_types=True)
    except Fault as fault:
        raise RpcFault(int(fault.faultCode), _restored(str(fault.faultString))) from fault
    except (ExpatError, ResponseError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise NotXmlRpc(str(error)) from error
    if len(values) != 1:
        raise NotXmlRpc("an answer of no value")
    return values[0] if clean == text else _restore(values[0])


_DECLARES: Final = re.compile("<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n<params>\r\n<param>'
_FOOT: Final = "</param>\r\n</params>\r\n</methodResponse>\r\n"
_TOKEN: Final = re.compile(
    "<value>(?:<i8>(-?[0-9]{1,20})</i8></value>|<i4>(-?[0-9]{1,20})</i4></value>|<string>([^<>\r]*)</string></value>"
    "|(<array><data>))(?:\r\n)?|(</data></array></value>)(?:\r\n)?"
)
_I8, _I4, _STRING, _ARRAY, _END = range(1, 6)
_ENTITY: Final = re.compile("&(lt|gt|amp|quot|apos);")
_MEANS: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def _plain(document: str) -> tuple[Any] | None:
    """The value of an answer of nothing but lists, integers and strings, as both versions write it; None for any other document.

    A list of torrents has tens of thousands of values: an XML parser calls for each of them five times.
    """
    end = len(document) - len(_FOOT)
    if not (document.startswith(_HEAD) and document.endswith(_FOOT)):
        return None
    outermost: list[Any] = []
    values, above = outermost, []
    reached = len(_HEAD)
    while found := _TOKEN.match(document, reached, end):
        reached = found.end()
        kind = found.lastindex
        if kind == _STRING:
            text = found[_STRING]
            if "&" in text:
                text, count = _ENTITY.subn(lambda entity: _MEANS[entity[1]], text)
                if count != found[_STRING].count("&"):
                    return None
            values.append(text)
        elif kind == _ARRAY:
            above.append(values)
            values.append([])
            values = values[-1]
        elif kind == _END:
            if not above:
                return None
            values = above.pop()
        else:
            values.append(int(found[kind or _I8]))
    return (outermost[0],) if reached == end and not above and len(outermost) == 1 else None


def _sayable(value: Value) -> Any:  # noqa: ANN401  what xmlrpc.client marshals
    if isinstance(value, bytes):
        return Binary(value)
    if isinstance(value, str):
        return Binary(value.encode("utf-8", "surrogateescape")) if _UNSAYABLE.search(value) else value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if MININT <= value <= MAXINT else str(value)
    if isinstance(value, dict):
        return {key: _sayable(each) for key, each in value.items()}
    return [_sayable(each) for each in value]


def _stand_in(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(code + _STAND_IN) if code < _FIRST_BYTE_ABOVE_ASCII else "\ufffd"


def _restore(value: Any) -> Any:  # noqa: ANN401  as decoded
    if isinstance(value, str):
        return _restored(value)
    if isinstance(value, list):
        return [_restore(each) for each in value]
    if isinstance(value, dict):
        return {key: _restore(each) for key, each in value.items()}
    return value


def _restored(text: str) -> str:
    return _STAND_INS.sub(_original, text)


def _original(found: re.Match[str]) -> str:
    code = ord(found[0]) - _STAND_IN
    return chr(code if code < _FIRST_BYTE_ABOVE_ASCII else code + _ESCAPED)
