"""Typesetting of documents: pages, scripts, hostile text, and the same bytes for the same data."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest

from partway.delivery.pdf.content import (
    Document,
    Headline,
    Issuer,
    LabeledValue,
    Recipient,
    Row,
    Stages,
    TextBlock,
)
from partway.delivery.pdf.typesetting import file, pdf
from partway.lib.money import MAX_AMOUNT_MINOR, Money
from tests.delivery.pdf import sample_documents
from tests.support import pdf_text

HOSTILE = [
    '#import "@preview/evil:1.0.0": *',
    '#panic() #read("/etc/passwd")',
    "*bold* _slanted_ `raw` = title",
    "$x^2 / 0$ <label> @reference",
    "\\ \\u{41} // comment /* comment */",
    "[brackets] {braces} (c) -> => 2x4 --- ...",
    "\"quotes\" 'single' </text></svg><script>",
    "{{ organization.name }} {% now %}",
]


def test_pdf_with_one_page_is_numbered_one_of_one() -> None:
    [page] = pdf_text.pages(pdf(sample_documents.invoice()))
    assert page.endswith("Invoice INV-7 from Alder Joinery 1 / 1")


def test_pdf_pages_are_numbered_and_repeat_table_header() -> None:
    lines = tuple(sample_documents.line(f"Piece {number}") for number in range(300))
    pages = pdf_text.pages(pdf(sample_documents.invoice(lines=lines)))
    assert len(pages) == 10
    for number, page in enumerate(pages, start=1):
        assert page.endswith(f"{number} / 10")
        assert "Description Quantity Unit price Amount" in page
    assert all(f"Piece {number} 1 $1,000.00" in " ".join(pages) for number in range(300))


def test_pdf_totals_are_never_split_over_pages() -> None:
    sums = tuple(Row(f"Row {number}", sample_documents.usd(number)) for number in range(8))
    for count in range(8, 24):
        lines = tuple(sample_documents.line(f"Piece {number}") for number in range(count))
        pages = pdf_text.pages(pdf(sample_documents.invoice(lines=lines, sums=sums)))
        assert sum("Row 0" in page and "Row 7" in page for page in pages) == 1


def test_pdf_shows_issuer_recipient_and_amounts() -> None:
    text = pdf_text.text(pdf(sample_documents.invoice()))
    for words in (
        "18 Quarry Lane Burlington Tax number 47-1234567",
        "Dana Whitfield",
        "Number INV-7 Due Dec 6, 2026",
        "Total Amount Due $700.00 due Dec 6, 2026",
        "Paid $300.00 Requested $250.00 Left $450.00",
    ):
        assert words in text


def test_pdf_qr_code_is_a_clickable_link() -> None:
    assert pdf_text.targets(pdf(sample_documents.invoice())) == [sample_documents.URL]
    assert pdf_text.targets(pdf(sample_documents.invoice(link=None))) == []


@pytest.mark.parametrize("words", HOSTILE)
def test_pdf_renders_typst_markup_as_plain_text(words: str) -> None:
    document = sample_documents.invoice(
        issuer=Issuer(words, address=words, tax_number=words, email=words, phone=words),
        recipient=Recipient(words),
        lines=(sample_documents.line(words),),
        text_blocks=(TextBlock(words, words),),
    )
    text = pdf_text.text(pdf(document)).replace(" ", "")
    assert text.count("".join(words.split())) >= 9


def test_pdf_drops_control_characters() -> None:
    text = pdf_text.text(
        pdf(sample_documents.invoice(recipient=Recipient("Da\x00na\x1b \u202eWhit\u2066field")))
    )
    assert "Dana Whitfield" in text


@pytest.mark.parametrize(
    "name",
    [
        "株式会社山田工務店",
        "北京建筑有限公司",
        "서울건축주식회사",
        "Αθήνα Κατασκευές",
        "Москва Строй",
        "Xây Dựng Hà Nội",
        "Łódź Ćwikła",
    ],
)
def test_pdf_renders_names_of_many_scripts(name: str) -> None:
    assert name in pdf_text.text(pdf(sample_documents.invoice(recipient=Recipient(name))))


@pytest.mark.parametrize("name", ["שלום בע״מ", "شركة الأفق للمقاولات", "پارسی چگونه"])
def test_pdf_renders_right_to_left_text(name: str) -> None:
    text = pdf_text.text(pdf(sample_documents.invoice(recipient=Recipient(name))))
    assert all(unicodedata.normalize("NFKC", word) in text for word in name.split())


@pytest.mark.parametrize("name", ["नई दिल्ली", "กรุงเทพ"])
def test_pdf_renders_combining_letters(name: str) -> None:
    assert set(name) <= set(pdf_text.text(pdf(sample_documents.invoice(recipient=Recipient(name)))))


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(125_000, "JPY"), "¥125,000"),
        (Money(125_500, "KWD"), "KWD 125.500"),
        (Money(MAX_AMOUNT_MINOR, "USD"), "$100,000,000,000.00"),
        (Money(-5_000, "USD"), "−$50.00"),
    ],
)
def test_pdf_amounts_have_decimals_of_currency(money: Money, shown: str) -> None:
    nothing = Money(0, money.currency)
    document = sample_documents.invoice(
        headline=Headline("Total", money),
        lines=(sample_documents.line("Oak", money.amount_minor, money.currency),),
        sums=(Row("Total", money),),
        stages=Stages(money, nothing, nothing, "Paid", "Requested", "Left"),
    )
    assert pdf_text.text(pdf(document)).count(shown) >= 4


def test_pdf_breaks_word_wider_than_column() -> None:
    word = "Donaudampfschifffahrtsgesellschaft" * 8
    text = pdf_text.text(pdf(sample_documents.invoice(lines=(sample_documents.line(word),))))
    assert word not in text
    assert word in text.replace(" ", "")


def test_pdf_of_same_data_is_byte_identical() -> None:
    assert pdf(sample_documents.invoice()) == pdf(sample_documents.invoice())


def test_pdf_metadata_date_is_document_date() -> None:
    assert b"D:20240229" in pdf(sample_documents.invoice(document_date=date(2024, 2, 29)))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Invoice-INV-7.pdf"),
        ({"status_label": "Draft", "number": ""}, "Draft-Invoice.pdf"),
        ({"number": "../2026/№ 7\r\n"}, "Invoice-2026-7.pdf"),
        ({"number": "請求-7"}, "Invoice-請求-7.pdf"),
    ],
)
def test_pdf_file_name_is_safe(changes: dict[str, str], name: str) -> None:
    assert file(sample_documents.invoice(**changes)).name == name


def _parts(document: Document) -> tuple[bool, bool]:
    text = pdf_text.text(pdf(document))
    return "Unit price" in text, "Scan" in text


def test_pdf_omits_missing_parts() -> None:
    assert _parts(sample_documents.invoice()) == (True, True)
    assert _parts(
        sample_documents.invoice(lines=(), link=None, stages=None, facts=(LabeledValue("A", "b"),))
    ) == (
        False,
        False,
    )
