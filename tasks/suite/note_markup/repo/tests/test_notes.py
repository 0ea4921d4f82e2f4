import unittest

from notes.blocks import render_blocks
from notes.inline import render_inline
from notes.page import render_page


class InlineTest(unittest.TestCase):
    def test_emphasis(self):
        self.assertEqual(render_inline("a *b* **c d**"), "a <em>b</em> <strong>c d</strong>")

    def test_links(self):
        self.assertEqual(render_inline("[the *docs*](https://a.org/x)"),
                         '<a href="https://a.org/x">the <em>docs</em></a>')
        self.assertEqual(render_inline("[x](javascript:alert)"), "x")

    def test_escapes(self):
        self.assertEqual(render_inline("a < b & c"), "a &lt; b &amp; c")

    def test_code(self):
        self.assertEqual(render_inline("run `make all` now"), "run <code>make all</code> now")

    def test_code_is_escaped_once(self):
        self.assertEqual(render_inline("`a<b>&`"), "<code>a&lt;b&gt;&amp;</code>")

    def test_no_emphasis_in_code(self):
        self.assertEqual(render_inline("`a*b*c`"), "<code>a*b*c</code>")
        self.assertEqual(render_inline("`**x**` and *y*"), "<code>**x**</code> and <em>y</em>")

    def test_no_links_in_code(self):
        self.assertEqual(render_inline("`[x](y)`"), "<code>[x](y)</code>")

    def test_code_in_emphasis(self):
        self.assertEqual(render_inline("*see `f*`*"), "<em>see <code>f*</code></em>")

    def test_code_in_a_link(self):
        self.assertEqual(render_inline("[`f*` and `g*`](f.html)"),
                         '<a href="f.html"><code>f*</code> and <code>g*</code></a>')

    def test_many_pieces_of_code(self):
        text = " ".join(f"`*{number}*`" for number in range(12))
        expected = " ".join(f"<code>*{number}*</code>" for number in range(12))
        self.assertEqual(render_inline(text), expected)

    def test_open_backtick(self):
        self.assertEqual(render_inline("5` *tall*"), "5` <em>tall</em>")


class BlocksTest(unittest.TestCase):
    def test_blocks(self):
        self.assertEqual(render_blocks("# A\n\none\ntwo\n- x\n- y\n> z"),
                         "<h1>A</h1>\n<p>one two</p>\n<ul><li>x</li><li>y</li></ul>\n"
                         "<blockquote>z</blockquote>")

    def test_page(self):
        self.assertEqual(render_page("## Q & A\ntext"),
                         "<!doctype html>\n<title>Q &amp; A</title>\n"
                         "<h2>Q &amp; A</h2>\n<p>text</p>\n")
