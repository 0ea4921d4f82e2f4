"""Markup inside a line: *emphasis*, **strong**, `code` and [text](address)."""

import html
import re

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_EMPHASIS = re.compile(r"\*(.+?)\*")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_SAFE_ADDRESS = re.compile(r"(https?:|mailto:|[/#]|[\w.-]+(/|$))")


def _link(match):
    text, address = match.groups()
    if not _SAFE_ADDRESS.match(address):
        return text
    return f'<a href="{address}">{text}</a>'


def _words(text):
    """Everything but code; `text` is escaped already."""
    text = _LINK.sub(_link, text)
    text = _STRONG.sub(r"<strong>\1</strong>", text)
    return _EMPHASIS.sub(r"<em>\1</em>", text)


def render_inline(text):
    """A line's text as HTML."""
    text = html.escape(text, quote=False)
    text = _CODE.sub(r"<code>\1</code>", text)
    return _words(text)
