"""The names of uploaded files, in the ways in which clients write them. A name is only a name: no file is opened by it.

RFC 7578 wants the bytes of the name in quotes, in UTF-8. Clients also send `filename*` (RFC 5987, and RFC 2231 with its
numbered parts), encoded words (RFC 2047), and %22 for a quotation mark, as browsers do.
"""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header
from urllib.parse import unquote_to_bytes

LONGEST_NAME = 200
PARAMETER = re.compile(r';\s*filename(\*\d+)?(\*)?\s*=\s*("(?:\\.|[^"\\])*"|[^;\s]*)', re.IGNORECASE)
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
ENCODED_WORD = re.compile(r"=\?[\w-]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)
CHARSETS = ("utf", "ascii", "iso8859", "cp", "windows", "koi8", "mac", "gb", "big5", "euc", "shift_jis", "johab")


def extended_name(disposition: str) -> str | None:
    """The name in the `filename*` of a Content-Disposition; None where there is none.

    Where it cannot be decoded, None too if there is also a plain `filename`, else as much of it as can.
    """
    whole: list[tuple[str, bool]] = []
    has_plain = False
    parts: dict[int, tuple[str, bool]] = {}
    for place, star, value in PARAMETER.findall(_hidden_quotes(disposition)):
        text = value[1:-1] if value.startswith('"') else value
        if place:
            parts[int(place[1:])] = (text, bool(star))
        elif star:
            whole = [(text, True)]
        else:
            has_plain = True
    pieces = whole or [parts[number] for number in range(len(parts)) if number in parts]
    return _decoded(pieces, "strict" if has_plain else "replace") if pieces else None


def plain_name(name: str | None) -> str:
    """The last part of a path of any system, without characters that are not printable; "" for '.' and '..'."""
    last = re.split(r"[/\\]", _without_encodings(name or ""))[-1]
    if not last.strip("."):
        return ""
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME]


def _hidden_quotes(disposition: str) -> str:
    """Without the values of other parameters in quotes, in which anything may stand."""

    def kept(match: re.Match[str]) -> str:
        before = disposition[: match.start()].rstrip().lower()
        return match[0] if re.search(r"filename[*\d]*\s*=$", before) else '""'

    return QUOTED.sub(kept, disposition)


def _decoded(pieces: list[tuple[str, bool]], errors: str) -> str | None:
    """The pieces together: the first with a star begins with charset'language'; those with one have % and digits.

    None where they cannot be decoded and `errors` is "strict".
    """
    charset = "utf-8"
    content = b""
    for number, (text, is_encoded) in enumerate(pieces):
        if number == 0 and is_encoded:
            named, quote, rest = text.partition("'")
            if quote:
                charset, text = named or charset, rest.partition("'")[2]
        content += unquote_to_bytes(text) if is_encoded else text.encode("latin-1", "replace")
    try:
        known = codecs.lookup(charset).name
        return content.decode(known if known.startswith(CHARSETS) else "utf-8", errors)
    except (LookupError, UnicodeError, ValueError):
        return None if errors == "strict" else content.decode("utf-8", "replace")


def _without_encodings(name: str) -> str:
    """With encoded words decoded, and %22 as the quotation mark that a browser wrote so."""
    if ENCODED_WORD.search(name):
        try:
            pieces = decode_header(name)
            name = "".join(
                piece if isinstance(piece, str) else piece.decode(charset or "ascii") for piece, charset in pieces
            )
        except (HeaderParseError, LookupError, UnicodeError, ValueError):
            pass
    return name.replace("%22", '"')
