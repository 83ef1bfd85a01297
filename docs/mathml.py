"A Markdown extension: `$...$` and `$$...$$` become MathML, which browsers draw without any script."

import re

from latex2mathml.converter import convert
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

# As in pandoc: no space inside the dollars and no digit after them, so that "$100m and $5m" stays money.
INLINE = r"(?<![\\$])\$(?=[^\s$])((?:\\.|[^$\\])*?[^\s\\$]|\\.)\$(?!\d)"
DISPLAY = r"(?s)(?<!\\)\$\$(.+?)\$\$"
ENVIRONMENTS = {"aligned": "align*", "split": "align*"}  # what latex2mathml knows by another name


def mathml(tex: str, display: str = "inline") -> str:
    "One formula as MathML; a formula that cannot be drawn stops the build."
    for name, known in ENVIRONMENTS.items():
        tex = tex.replace(f"{{{name}}}", f"{{{known}}}")
    drawn = convert(tex.strip(), display=display)
    if left := re.search(r"<mi>(&|\\\w+)</mi>|<mtext>\\\w+", drawn):
        raise ValueError(f"cannot draw {left[0]} of the formula {tex!r}")
    return drawn


class Math(InlineProcessor):
    "Formulas are taken out before `_` and `*` are read as emphasis."

    def __init__(self, pattern: str, md, display: str):
        super().__init__(pattern, md)
        self.display = display

    def handleMatch(self, m, data):
        return self.md.htmlStash.store(mathml(m[1], self.display)), m.start(0), m.end(0)


class MathExtension(Extension):
    def extendMarkdown(self, md):
        # after code spans (190), before backslash escapes (180)
        md.inlinePatterns.register(Math(DISPLAY, md, "block"), "math-display", 187)
        md.inlinePatterns.register(Math(INLINE, md, "inline"), "math-inline", 186)


def makeExtension(**kwargs):
    return MathExtension(**kwargs)
