"""
Prints the descriptors of the fallback faces in fonts.css, whose text is as wide and as high as the typeface's own, and the
widths of letters in ../ui/text-width.ts, in thousandths of the font size, for 0x20 to 0x7e. README.md says how to run it.
"""

import sys
from pathlib import Path

from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = Path(__file__).parent
# What the pages say, with their figures: widths are those of running text.
SAMPLE = (
    "Round 6 of 15 is collecting: 5 masked updates are in, 6 are needed to open the sum. Version 78 is right for "
    "96.4 % of drawings it has never seen. Each line is a place in the count, not a device: line 3 is whoever came "
    "third. A device sends 13.0 kB a round and fetches 17.9 kB. This task adds no noise: the others in the sum hide a "
    "device, not mathematics. Every device checks these rules before it trains, and refuses a round that departs from "
    "what its owner agreed to. Nothing was sent. Waiting for devices: 12 are here, a round needs 16."
)


def load(path: str, axes: dict) -> TTFont:
    font = TTFont(path)
    present = {axis.axisTag for axis in font["fvar"].axes} if "fvar" in font else set()
    pinned = {tag: value for tag, value in axes.items() if tag in present}
    return instancer.instantiateVariableFont(font, pinned) if pinned else font


def em_width(font: TTFont) -> float:
    names, widths = font.getBestCmap(), font["hmtx"]
    return sum(widths[names[ord(letter)]][0] for letter in SAMPLE) / len(SAMPLE) / font["head"].unitsPerEm


def descriptors(own: TTFont, other: TTFont, scale: float) -> str:
    adjust = scale * em_width(own) / em_width(other)
    height = own["hhea"]
    unit = own["head"].unitsPerEm / scale
    parts = {
        "size-adjust": adjust,
        "ascent-override": height.ascent / unit / adjust,
        "descent-override": -height.descent / unit / adjust,
        "line-gap-override": height.lineGap / unit / adjust,
    }
    return "; ".join(f"{name}: {100 * value:.2f}%" for name, value in parts.items())


def tabular(font: TTFont) -> dict:
    """Figures of one width, which the pages use."""
    table = font["GSUB"].table
    lookups = [f.Feature.LookupListIndex for f in table.FeatureList.FeatureRecord if f.FeatureTag == "tnum"]
    found = {}
    for index in {index for indexes in lookups for index in indexes}:
        for part in table.LookupList.Lookup[index].SubTable:
            found.update(getattr(part, "ExtSubTable", part).mapping)
    return found


def widths(font: TTFont, scale: float) -> str:
    names, figures, unit = font.getBestCmap(), tabular(font), font["head"].unitsPerEm
    glyphs = [figures.get(names[code], names[code]) for code in range(0x20, 0x7F)]
    return " ".join(str(round(1000 * scale * font["hmtx"][glyph][0] / unit)) for glyph in glyphs)


for argument in sys.argv[1:]:
    file, weight, scale, *others = argument.split(",")
    own = load(str(HERE / file), {"wght": int(weight), "opsz": 20})
    print(file, weight, widths(own, float(scale)))
    for other in others:
        print(file, weight, other, descriptors(own, load(other, {}), float(scale)), sep="\n  ")
