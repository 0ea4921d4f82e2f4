"""Whole pages of notes."""

import html
import re

from notes.blocks import render_blocks

_PAGE = """<!doctype html>
<title>{title}</title>
{body}
"""


def title_of(text, default="Note"):
    """The first heading, without its signs."""
    match = re.search(r"^#{1,3} +(.+)$", text, re.MULTILINE)
    return match[1] if match else default


def render_page(text):
    return _PAGE.format(title=html.escape(title_of(text)), body=render_blocks(text))
