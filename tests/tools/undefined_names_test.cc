#include "tools/undefined_names.h"

#include "tests/catch.h"

using namespace dsv4::tools;
using Names = std::set<std::string>;

namespace {
Names undefined(std::string_view source) { return undefined_names(Language::kPython, source); }
}  // namespace

TEST_CASE("a misspelled name is found, an attribute or a keyword of a call is not one") {
  CHECK(undefined("LETTERS = 'AB'\ndef f(row):\n    return LETTRES[row]\n") == Names{"LETTRES"});
  CHECK(undefined("def f(x):\n    return x.upper().strange(key=len(x))\n").empty());
}

TEST_CASE("every way of binding a name in Python counts") {
  CHECK(undefined("import os, numpy as np\nfrom a.b import c as d, e\n"
                  "def f(p, q=1, *r, s: int = 2, **t):\n"
                  "    global g\n"
                  "    u, (v, *w) = p, q\n"
                  "    for x, y in r: print(x, y, s, t, u, v, w, g)\n"
                  "    with open(p) as z, open(q) as (aa, bb): print(z, aa, bb)\n"
                  "    try: pass\n"
                  "    except ValueError as cc: print(cc)\n"
                  "    if (dd := len(p)) > 1: print(dd)\n"
                  "    ee: int = 3\n"
                  "    return [ff for ff in r if ff] + [lambda gg, hh=1: gg + hh + ee]\n"
                  "class K(Exception):\n    ii = 1\n"
                  "print(os, np, d, e, f, K, __name__)\n") == Names{});
  CHECK(undefined("def f(v):\n    match v:\n        case {'a': jj, **kk}: return jj, kk\n"
                  "        case [ll, *mm]: return ll, mm\n        case P(n=nn): return nn\n"
                  "from x import P\n") == Names{});
}

TEST_CASE("where names cannot be known none is called undefined") {
  CHECK(undefined("from somewhere import *\nprint(anything)\n").empty());
  CHECK(undefined_names(Language::kCpp, "int f() { return nothing; }").empty());
  CHECK(undefined("").empty());
}
