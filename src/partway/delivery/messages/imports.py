"""Sentences of refusals by billing.imports: of files, of their columns and formats, and of single cells."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    # The file
    "import_file.missing": _("Choose a file."),
    "import_file.base64": _("The file is not base64."),
    "import_file.empty": _("This file is empty."),
    "import_file.too_large": _("A file can have %(limit)s MB. Split it into several files."),
    "import_file.encoding_unknown": _(
        "This file is not in UTF-8. If it comes from Windows, choose Windows-1252; else save it as “CSV UTF-8”."
    ),
    "import_file.encoding_wrong": _(
        "This file is not in that encoding. Save it as “CSV UTF-8” and try again."
    ),
    "import_file.nul": _(
        "This file has NUL characters in it, so it is no CSV file. Save it as CSV once more."
    ),
    "import_file.malformed": _(
        'Row %(row)s is no row of a CSV file: look for a quote (") that is never closed.'
    ),
    "import_file.old_excel": _(
        "This is an old or a protected Excel file. Save it as .xlsx without a password, or as CSV."
    ),
    "import_file.damaged": _(
        "This spreadsheet is damaged. Open it, save it once more as .xlsx, and try again."
    ),
    "import_file.unpacked_too_large": _(
        "This spreadsheet holds much more than a table. Save only the table as CSV."
    ),
    "import_file.too_many_columns": _("A file can have %(limit)s columns."),
    "import_file.cell_too_long": _("Row %(row)s has a cell of more than %(limit)s characters."),
    "import_file.no_header": _("The first row must name the columns."),
    "import_file.header_twice": _("Two columns are called “%(name)s”. Rename one of them."),
    "import_file.no_rows": _("This file has no row below the names of its columns."),
    "import_file.too_many_rows": _(
        "A file of this kind can have %(limit)s rows. Split it into several files."
    ),
    "import_kind": _("Choose what the file contains."),
    "import_encoding": _("Choose the encoding of the file."),
    "import_encoding_unused": _("This file says itself how it is encoded: leave this at UTF-8."),
    # Columns and formats
    "import_column_missing": _("The file has no column “%(column)s”."),
    "import_column_required": _("Choose the column."),
    "import_customer_required": _(
        "Choose the column with the customer’s reference, or that with their mail address."
    ),
    "import_date_format": _("Choose how the file writes dates."),
    "import_decimal_mark": _("Choose what the file writes before the decimals."),
    "import_field_unknown": _("Rows of this kind have no such field."),
    "import_format_unused": _("No column of the file is read by this: leave it empty."),
    # Cells
    "cell_amount_too_large": _("This amount is larger than any can be."),
    "cell_day": _(
        "This is no day written as %(date_format)s. Correct it, or choose how the file writes dates."
    ),
    "cell_decimals": _("An amount in %(currency)s has at most %(places)s decimals."),
    "cell_empty": _("This cell is empty. Fill it in."),
    "cell_error_value": _("This cell shows an error. Correct it in the spreadsheet."),
    "cell_formula": _("This cell is a formula. Replace it by its value: copy, then “Paste values”."),
    "cell_number": _("This is no number written like %(example)s. Leave out letters and currency signs."),
    "import_customer_ambiguous": _(
        "Several customers have this address. Use a column with the customer’s reference."
    ),
    "import_customer_unknown": _(
        "There is no such customer. Import the customers first, or correct the cell."
    ),
    "import_deposit_twice": _("Give the deposit as an amount or in percent, not both."),
    "import_paid_on_missing": _("Say on which day it was paid."),
    "import_reference_twice": _("Row %(first)s has the same reference. Each may be in the file once."),
    "import_row_too_long": _("This row has more cells than there are columns: %(columns)s."),
    # Acts
    "conflict.import_has_ended": _("This import has ended already."),
    "conflict.import_is_running": _("This import is being worked on. Wait until it is finished."),
    "conflict.import_not_ready": _("Only a file that was checked and has no wrong row can be imported."),
    "conflict.many_imports": _("%(limit)s files wait to be imported. Import or discard some of them first."),
}
