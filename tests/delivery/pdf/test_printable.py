"""Every script that people write names in is printed with real glyphs; what no font shows is marked and reported."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
import typst
import uharfbuzz

from partway.delivery.pdf import typesetter
from partway.delivery.pdf.content import TextBlock
from partway.delivery.pdf.printable import missing_characters, printable
from partway.delivery.pdf.serialization import to_json_value
from partway.delivery.pdf.typesetting import pdf
from tests.delivery.pdf import sample_documents
from tests.support import pdf_text

NAMES = {
    "ASCII": "".join(chr(number) for number in range(0x20, 0x7F)),
    "Adlam": "𞤀𞤣𞤤𞤢𞤥 𞤆𞤵𞤤𞤢𞤪",
    "Amharic": "አበበ ቢቂላ",
    "Arabic": "شركة الأفق محمّد",
    "Armenian": "Արամ Խաչատրյան",
    "Assamese": "ভূপেন হাজৰিকা",
    "Bengali": "রবীন্দ্রনাথ ঠাকুর",
    "Burmese": "အောင်ဆန်း မြန်မာ",
    "Cherokee": "ᏍᏏᏉᏯ ᏣᎳᎩ",
    "Chinese": "北京建筑有限公司",
    "Cyrillic": "Нұрсұлтан Әбішұлы",
    "Devanagari": "श्रीमती क्षितिज",
    "Georgian": "შოთა რუსთაველი",
    "Greek": "Ἀθῆναι Κατασκευές",
    "Gujarati": "નરસિંહ મહેતા",
    "Gurmukhi": "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "Haida": "G̱uud X̱aaydaga ƛ̓",
    "Hebrew": "יִצְחָק בע״מ",
    "Inuktitut": "ᐃᓄᒃᑎᑐᑦ",
    "Japanese": "株式会社髙島屋 ㈱ ヤマダ",
    "Kannada": "ಕೃಷ್ಣರಾಜ ಒಡೆಯರ್",
    "Khmer": "ក្រុមហ៊ុន សុខ",
    "Korean": "서울건축주식회사",
    "Lao": "ສຸພານຸວົງ",
    "Malayalam": "ശ്രീകുമാരൻ തമ്പി",
    "Meetei Mayek": "ꯃꯤꯇꯩ ꯃꯌꯦꯛ",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ",
    "N’Ko": "ߒߞߏ ߛߏߟߏ",
    "Ol Chiki": "ᱥᱟᱱᱛᱟᱲᱤ",
    "Oriya": "ଫକୀର ମୋହନ",
    "Pashto": "ښاغلی ګلاب ځوړ",
    "Sindhi": "ڀٽائي ڳوٺ ڄام",
    "Sinhala": "ශ්‍රී ලංකා මහින්ද",
    "Syriac": "ܐܦܪܝܡ ܣܘܪܝܝܐ",
    "Tamil": "சுப்பிரமணிய பாரதி",
    "Telugu": "శ్రీనివాస రామానుజం",
    "Thaana": "މުހައްމަދު",
    "Thai": "สมชาย ใจดี",
    "Tibetan": "བསྟན་འཛིན་རྒྱ་མཚོ",
    "Tifinagh": "ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "Urdu": "محمد علی ٹھیکیدار",
    "Uyghur": "ئۇيغۇر مۇھەممەت",
    "Vietnamese": unicodedata.normalize("NFD", "Xây Dựng Hà Nội Nguyễn"),
    "Yoruba": "Ọlátúnjí Adéṣọlá Ẹ̀kọ́",
    "currencies": "₿ ₾ ₸ ﷼ ₹ ₦ ₱ ₫ ₴ ₪ ₩ ₡ ₲ ₵ ₭ ₮ ₺ ₼ ₽ ¢ £ ¥ €",
    "emoji": "🪵 😀 ❤️ 👍🏽 👩‍👩‍👧 🇩🇪 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "symbols": "✓ ☐ ☒ → ⇒ ⌀ ≤ ≈ ㎡ ⑨ ★ № ℃ ½",
}
# A variant in Japanese family names, beyond the characters of Droid Sans Fallback.
UNPRINTABLE = "𠮷"


@pytest.fixture(scope="module")
def fonts() -> typst.Fonts:
    return typesetter.load_fonts()


@pytest.fixture(scope="module")
def document_of_names() -> bytes:
    """An invoice with a line for each name."""
    lines = tuple(sample_documents.line(name) for name in NAMES.values())
    return pdf(sample_documents.invoice(lines=lines))


@pytest.fixture(scope="module")
def text_of_names(document_of_names: bytes) -> set[str]:
    return set(pdf_text.text(document_of_names))


def raw_pdf(text: str, fonts: typst.Fonts) -> bytes:
    """Returns a document with the text as it is, without the marks."""
    document = to_json_value(sample_documents.invoice())
    notes = [{"title": "Notes", "text": text}]
    return typesetter.typeset(json.dumps({**document, "text_blocks": notes}), fonts)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_pdf_prints_name_in_each_script(name: str, text_of_names: set[str]) -> None:
    assert missing_characters(name) == []
    # Not marks and joiners, of which the text of a PDF has none where they are part of another glyph.
    letters = {c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c)[0] in "LNS"}
    assert letters <= text_of_names


def test_pdf_prints_names_with_real_glyphs(document_of_names: bytes, fonts: typst.Fonts) -> None:
    assert pdf_text.missing_glyphs(document_of_names) == 0
    assert pdf_text.missing_glyphs(raw_pdf("\n".join(NAMES.values()), fonts)) == 0


def test_missing_characters_are_reported_once_and_printed_as_one_mark() -> None:
    assert missing_characters(f"{UNPRINTABLE}野家 {UNPRINTABLE}𒀀\nx") == [UNPRINTABLE, "𒀀"]
    assert printable(f"{UNPRINTABLE}野家 {UNPRINTABLE}𒀀\nx") == "[?]野家 [?]\nx"
    content = pdf(sample_documents.invoice(text_blocks=(TextBlock(UNPRINTABLE, f"a{UNPRINTABLE}b"),)))
    assert "a[?]b" in pdf_text.text(content)
    assert pdf_text.missing_glyphs(content) == 0


def test_accent_on_missing_letter_is_missing_with_it() -> None:
    assert missing_characters(f"{UNPRINTABLE}\u0301e\u0301") == [f"{UNPRINTABLE}\u0301"]


def test_letter_of_no_font_is_drawn_from_its_parts(fonts: typst.Fonts) -> None:
    # A compatibility ideograph: fonts have only the plain one, which Unicode says is the same.
    assert missing_characters("\ufa30") == []
    assert pdf_text.missing_glyphs(raw_pdf("\ufa30", fonts)) == 0


def test_characters_that_are_never_drawn_are_not_missing() -> None:
    assert missing_characters("a\u200db\u2060c\ufe0f \u200f\u00ad\U000e0041 \t\x00\r\n") == []
    assert printable("a\tb\x00\r\nc\u202ed") == "a b\ncd"


def test_half_of_a_character_is_missing() -> None:
    assert printable("a\ud83eb") == "a[?]b"


def test_typst_misses_the_same_characters(fonts: typst.Fonts) -> None:
    numbers = [number for number in range(0x20, 0x30000, 199) if not 0xD800 <= number < 0xE000]
    sample = [chr(number) for number in numbers]
    cases = [f"a{c}" if unicodedata.category(c)[0] == "M" else c for c in sample]
    missing = [case for case in cases if missing_characters(case)]
    shown = [case for case in cases if case not in missing and case.isprintable()]
    assert min(len(shown), len(missing)) > 150
    assert pdf_text.missing_glyphs(raw_pdf("\n".join(shown), fonts)) == 0
    assert pdf_text.missing_glyphs(raw_pdf("\n".join(missing), fonts)) >= len(missing)


def test_weights_of_a_family_have_the_same_characters() -> None:
    regular = {path.name: path for path in (typesetter.HERE / "fonts").glob("*-Regular.ttf")}
    bold = list((typesetter.HERE / "fonts").glob("*-SemiBold.ttf"))
    assert len(bold) == 3
    for path in bold:
        other = regular[path.name.replace("SemiBold", "Regular")]
        known = [
            set(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(one))).unicodes) for one in (path, other)
        ]
        assert known[0] == known[1]


def test_layout_names_every_font_in_the_folder(fonts: typst.Fonts) -> None:
    layout = (typesetter.LAYOUT / "document.typ").read_text()
    [block] = re.findall(r"font: \(\n(.*?)\n  \),", layout, re.DOTALL)
    assert set(re.findall(r'"(.+?)"', block)) == set(fonts.families())
