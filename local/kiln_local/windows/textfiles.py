"""Text in files as Windows PowerShell 5.1 and .NET Framework write and read it.

Set-Content writes the ANSI code page, Out-File UTF-16, .NET UTF-8 without a mark; a mark at the
start of a file decides when it is read (about_Character_Encoding).
"""

from __future__ import annotations

import codecs

from kiln_local.windows.errors import NotHere

ANSI, UTF8, UTF8_MARKED, UTF16, ASCII = "default", "utf8-plain", "utf8", "unicode", "ascii"
_WRITTEN = {
    ANSI: (b"", "cp1252"),
    UTF8: (b"", "utf-8"),
    UTF8_MARKED: (codecs.BOM_UTF8, "utf-8"),
    UTF16: (codecs.BOM_UTF16_LE, "utf-16-le"),
    "bigendianunicode": (codecs.BOM_UTF16_BE, "utf-16-be"),
    ASCII: (b"", "ascii"),
}


def codec(encoding: str) -> tuple[bytes, str]:
    """The mark and the codec of -Encoding's values. Raises NotHere for others."""
    if encoding.lower() not in _WRITTEN:
        raise NotHere(f"the encoding {encoding}")
    return _WRITTEN[encoding.lower()]


def encoded(content: str, encoding: str, mark: bool = True) -> bytes:
    """A file's bytes; what the encoding cannot say is a question mark."""
    start, name = codec(encoding)
    return (start if mark else b"") + content.encode(name, errors="replace")


def decoded(data: bytes, encoding: str) -> str:
    """A file's text: by its mark, else in the encoding that the reader takes for granted."""
    for start, name in _WRITTEN.values():
        if start and data.startswith(start):
            return data[len(start) :].decode(name, errors="replace")
    return data.decode(codec(encoding)[1], errors="replace")
