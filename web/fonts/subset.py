"""
Makes the two typefaces of the pages from Adobe's Source Sans 3 and Source Serif 4; README.md says how to run it.

The licence reserves the name "Source", so the subsets have a name of their own.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = Path(__file__).parent

# Latin of Europe, and the signs that the pages print: quotes, dashes, arrows, marks of measures and units, epsilon.
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180), 0x218, 0x219, 0x21A, 0x21B, 0x1E9E]
PUNCTUATION = [*range(0x2010, 0x2016), *range(0x2018, 0x201F), 0x2022, 0x2026, 0x202F, 0x2032, 0x2033, 0x2039, 0x203A]
SIGNS = [0x20AC, 0x2122, *range(0x2190, 0x2194), 0x2212, 0x2215, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265]
SUPERSCRIPTS = [0x2070, *range(0x2074, 0x207A), *range(0x2080, 0x208A)]
GREEK = [0x394, 0x3A3, *[ord(letter) for letter in "αβδεθλμπσχ"]]
CHARACTERS = [*LATIN, *PUNCTUATION, *SIGNS, *SUPERSCRIPTS, *GREEK]

FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "liga", "calt", "tnum", "pnum", "lnum"]


def build(source: str, target: str, family: str, axes: dict) -> None:
    font = TTFont(source)
    options = subset.Options()
    options.layout_features = FEATURES
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.hinting = False
    options.notdef_outline = True
    options.drop_tables += ["DSIG", "meta"]
    maker = subset.Subsetter(options)
    maker.populate(unicodes=CHARACTERS)
    maker.subset(font)
    font = instancer.instantiateVariableFont(font, axes)
    postscript = family.replace(" ", "")
    for record in font["name"].names:
        words = {1: family, 3: postscript, 4: family, 6: postscript}.get(record.nameID)
        if words is not None:
            record.string = words
    font.flavor = "woff2"
    font.save(HERE / target)
    print(target, (HERE / target).stat().st_size)


sans, serif = sys.argv[1:]
build(sans, "chorus-sans.woff2", "Chorus Sans", {"wght": (400, 400, 600)})
build(serif, "chorus-serif.woff2", "Chorus Serif", {"wght": 400, "opsz": (14, 20, 36)})
