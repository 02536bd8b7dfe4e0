"""Folds text for searching and sorting, the same on every database: Ärzte, ärzte, ARZTE and Ａｒｚｔｅ become arzte.

`fold` drops what people leave out when they type a name: capitals, accents, the width and the look of letters. The
databases cannot: SQLite knows the capitals of ASCII only, and PostgreSQL those of the locale it was made with.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Bound what is stored and indexed: an entry of a B-tree of PostgreSQL must be below 2,704 bytes, and a letter is up to
# four. A name and an address of full length fit; only compatibility characters unfold to many times their length.
MAX_KEY_LENGTH = 600
# Each word is a condition of its own; more say nothing that these do not.
MAX_WORDS = 10

# Before all else, since NFKD makes a space and a mark of it.
_ACUTE_ACCENT = str.maketrans("´", "'")
# The other way to write a letter without its key: Müller as Mueller, Åse as Aase, Đoković as Djokovic.
_SECOND_SPELLING = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj", "ə": "a"}
    | {"Ä": "ae", "Ö": "oe", "Ü": "ue", "Å": "aa", "Ø": "oe", "Đ": "dj", "Ə": "a"}
)
_QUOTES = str.maketrans("", "", "'\"")

# Marks that a reader of their script may leave out. All others are part of a word: vowels of Thai and of the scripts
# of India, and the voicing of Japanese.
_OPTIONAL_MARKS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # Latin, Greek, Cyrillic
    "\u0591-\u05c7"  # Hebrew points
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"  # Arabic vowels and hamza; the stretched line
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"  # variants of an emoji or of a Chinese character
)
# Letters that Unicode does not decompose.
_LETTERS = {
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    "ŋ": "ng",
    "ə": "e",
    "ɛ": "e",
    "ɔ": "o",
    "ґ": "г",
    # One letter with two codes: the alef of the Koran; yeh and kaf of Persian; what ends a word in Egypt or Iran.
    "ٱ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ة": "ه",
    "ہ": "ه",
    "ە": "ه",
    # The forms that Hebrew letters have at the end of a word, as casefold does with those of Greek.
    "ך": "כ",
    "ם": "מ",
    "ן": "נ",
    "ף": "פ",
    "ץ": "צ",
    # Katakana are the same sounds as hiragana.
    **{chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)},
}
_PUNCTUATION = {
    **dict.fromkeys("`‘’‚‛‹›′ʹʻʼʽˈ׳՚＇", "'"),
    **dict.fromkeys("“”„‟«»″״〝〞〟", '"'),
    **dict.fromkeys("−־⁃", "-"),
    "⁄": "/",
}
_WITH_STROKE = re.compile("LATIN SMALL LETTER ([A-Z]) WITH ")  # ø, ł, đ, ħ, ɓ, ƙ …


class _FoldedCharacters(dict[int, str]):
    """The folded form of each character, for str.translate; of those that are not stored, computed."""

    def __missing__(self, code: int) -> str:
        return _fold_character(chr(code))


# Bounded, so that texts of a million different characters take no memory for ever.
@lru_cache(maxsize=4_096)
def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category in ("Cf", "Cc", "Cs") or _OPTIONAL_MARKS.match(character):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Pd":
        return "-"
    if found := _WITH_STROKE.match(unicodedata.name(character, "")):
        return found[1].lower()
    return _LETTERS.get(character) or _PUNCTUATION.get(character, character)


# Those of ASCII but for the backtick, which is typed as an apostrophe.
_FOLDED = _FoldedCharacters({code: chr(code) for code in range(ord(" "), ord("~") + 1) if chr(code) != "`"})


def fold(text: str) -> str:
    """Returns the text in small letters without accents, with ASCII digits, quotes, dashes and single spaces.

    Folding twice changes nothing. The result is longer than the text where letters unfold, as ß to ss.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().replace("`", "'").split())
    # Twice: casefold makes letters that decompose, and capitals of letters that do not.
    once = unicodedata.normalize("NFKD", text.translate(_ACUTE_ACCENT)).translate(_FOLDED).casefold()
    folded = unicodedata.normalize("NFKD", once).translate(_FOLDED)
    # Composed again, so that か does not match the first half of が, and a Korean syllable is one character.
    return " ".join(unicodedata.normalize("NFC", folded).split())


def search_key(*texts: str) -> str:
    """Returns the text that a search looks through: a line for each text, folded, in both spellings where they differ.

    A line ends before and after each, so that `whole_line` finds a text only in full. No quotes are in it: they are
    typed or not, as in O'Brien.
    """
    lines = dict.fromkeys(line for text in texts for line in _spellings(text) if line)
    return "".join(("\n", *(f"{line}\n" for line in lines)))[:MAX_KEY_LENGTH]


def whole_line(text: str) -> str:
    """Returns a part that a search key has if this is one of its texts, in any capitals and accents."""
    return f"\n{_searched(text)}\n"


def search_words(typed: str) -> list[tuple[str, ...]]:
    """Returns the words that were typed, each as the spellings of which a search key must contain one.

    Empty when nothing is left to search for, as of a lone accent: then a search finds nothing, since it finds only what
    contains the text.
    """
    words: dict[str, tuple[str, ...]] = {}
    for word in typed.split():
        # Jean-Luc is found in Jean Luc; that Jean Luc is found in Jean-Luc follows from its words.
        found = [one for line in _spellings(word) for one in (line, line.replace("-", " ").strip()) if one]
        if found:
            words[found[0]] = tuple(dict.fromkeys(found))
    kept: list[str] = []
    # A word within another one narrows nothing. Of too many, the longest narrow most.
    for word in sorted(words, key=len, reverse=True):
        if len(kept) < MAX_WORDS and not any(word in other for other in kept):
            kept.append(word)
    return [words[word] for word in kept]


def _spellings(text: str) -> tuple[str, str]:
    return _searched(text), _searched(unicodedata.normalize("NFC", text).translate(_SECOND_SPELLING))


def _searched(text: str) -> str:
    return " ".join(fold(text).translate(_QUOTES).split())
