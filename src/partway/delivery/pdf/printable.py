"""The text that a document can print: without controls, and with a mark for the characters that no font shows.

HarfBuzz, of which typst has a port, shapes the text with one font after the other; a cluster that no font knows is
missing. Clusters and not characters are looked at, because a letter and the accent on it are printed from one font,
and a font that has no é still shows e with ´.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import uharfbuzz

Cluster = tuple[int, int]  # its first position in the line, and the one after its last


class _Font(NamedTuple):
    font: uharfbuzz.Font
    known: uharfbuzz.Set  # code points of the characters that it has


# Printed once for missing characters in a row. Not a lone question mark, which reads as one that was typed, and not
# U+FFFD or a box, which look like a damaged file.
MISSING_MARK = "[?]"

_FONTS = Path(__file__).parent / "fonts"
# They reverse the text around them, so a name could show an amount backwards.
_BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def printable(text: str) -> str:
    """Returns the text as documents print it; a line break stays one."""
    return "\n".join(map(_with_marks, _lines(text)))


def missing_characters(text: str) -> list[str]:
    """Returns what no font shows, each once and in the order of the text; an item is a character with its accents."""
    missing = [line[start:end] for line in _lines(text) for start, end in _missing_clusters(line)]
    return list(dict.fromkeys(missing))


def _lines(text: str) -> list[str]:
    """Returns the lines without control characters, which have no shape."""
    lines = text.translate(_BIDI_CONTROLS).replace("\t", " ").splitlines()
    return ["".join(c for c in line if unicodedata.category(c) != "Cc") for line in lines]


def _with_marks(line: str) -> str:
    pieces, position = [], 0
    for run in _runs(_missing_clusters(line)):
        pieces += [line[position : run[0][0]], MISSING_MARK]
        position = run[-1][1]
    return "".join([*pieces, line[position:]])


def _missing_clusters(line: str) -> list[Cluster]:
    """Returns the clusters that no font shows."""
    if line.isascii():  # most lines; Inter has all of these
        return []
    first, *others = _fonts()
    # Of characters that are never drawn, such as joiners, no font needs to know any: the first font drops them.
    missing = _missing_in(first.font, line, (0, len(line)))
    return [cluster for run in _runs(missing) for cluster in _missing_in_run(line, run, others)]


def _runs(clusters: list[Cluster]) -> list[list[Cluster]]:
    """Returns the clusters in groups of those that follow each other without a gap."""
    runs: list[list[Cluster]] = []
    for cluster in clusters:
        if runs and runs[-1][-1][1] == cluster[0]:
            runs[-1].append(cluster)
        else:
            runs.append([cluster])
    return runs


def _missing_in_run(line: str, run: list[Cluster], fonts: list[_Font]) -> list[Cluster]:
    """Returns those clusters of the run that none of these fonts shows."""
    start, end = run[0][0], run[-1][1]
    # Decomposed too, because a font without é may have e and ´.
    characters = {ord(c) for c in (*line[start:end], *unicodedata.normalize("NFD", line[start:end]))}
    for position, (font, known) in enumerate(fonts, start=1):
        if any(character in known for character in characters):  # most fonts know nothing of most texts
            missing = _missing_in(font, line, (start, end))
            return [
                cluster
                for part in _runs(missing)
                for cluster in _missing_in_run(line, part, fonts[position:])
            ]
    return run


def _missing_in(font: uharfbuzz.Font, line: str, part: Cluster) -> list[Cluster]:
    """Shapes this part of the line and returns the clusters for which the font has no glyph."""
    import uharfbuzz  # here, since most processes print no document

    start, end = part
    buffer = uharfbuzz.Buffer()
    buffer.add_str(line[start:end])
    buffer.guess_segment_properties()
    uharfbuzz.shape(font, buffer)
    glyphs = buffer.glyph_infos
    begins = sorted({start + glyph.cluster for glyph in glyphs})
    missing = {start + glyph.cluster for glyph in glyphs if glyph.codepoint == 0}
    return [(begin, next_begin) for begin, next_begin in pairwise([*begins, end]) if begin in missing]


@cache
def _fonts() -> list[_Font]:
    """Returns the fonts, mapped into memory; only the time depends on their order.

    The weights of a family have the same characters, so the regular one stands for all.
    """
    import uharfbuzz

    paths = sorted(_FONTS.glob("*.ttf"), key=lambda path: (not path.name.startswith("Inter"), path.name))
    faces = [
        uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
        for path in paths
        if "SemiBold" not in path.name
    ]
    return [_Font(uharfbuzz.Font(face), face.unicodes) for face in faces]
