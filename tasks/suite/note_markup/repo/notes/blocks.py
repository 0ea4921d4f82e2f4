"""Markup of whole lines: # headings, - lists, > quotations, paragraphs."""

import itertools
import re

from notes.inline import render_inline

_HEADING = re.compile(r"(#{1,3}) +(.+)")


def _kind(line):
    if not line.strip():
        return "blank"
    if _HEADING.fullmatch(line):
        return "heading"
    if line.startswith("- "):
        return "list"
    if line.startswith("> "):
        return "quotation"
    return "paragraph"


def _heading(line):
    signs, text = _HEADING.fullmatch(line).groups()
    return f"<h{len(signs)}>{render_inline(text)}</h{len(signs)}>"


def render_blocks(text):
    """A note as HTML, one block a line. Neighbouring lines of one kind belong together."""
    blocks = []
    for kind, group in itertools.groupby(text.splitlines(), key=_kind):
        lines = list(group)
        if kind == "heading":
            blocks += [_heading(line) for line in lines]
        elif kind == "list":
            items = "".join(f"<li>{render_inline(line[2:])}</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        elif kind == "quotation":
            quoted = render_inline(" ".join(line[2:] for line in lines))
            blocks.append(f"<blockquote>{quoted}</blockquote>")
        elif kind == "paragraph":
            blocks.append(f"<p>{render_inline(' '.join(lines))}</p>")
    return "\n".join(blocks)
