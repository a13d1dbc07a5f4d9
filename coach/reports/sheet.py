"""Sheets of paper, filled from above: paragraphs, tables, charts; what finds no room is named, never cut off."""

from __future__ import annotations

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, Table, TableStyle

from coach.language import gettext as _
from coach.said import said

# The look of the pages, in print: ink, calm, notice, quiet, hairline.
INK, CALM, NOTICE, QUIET, LINE = (HexColor(each) for each in ("#1d2733", "#0f766e", "#b45309", "#526072", "#d5d2ca"))
BAND: Color = HexColor("#e3efed")
# Bitstream Vera comes with reportlab: the same glyphs, and so the same bytes, on every machine.
REGULAR, BOLD = "Vera", "VeraBd"
# pt. Own choices: what still reads well on paper.
MARGIN, BODY_PT, SMALL_PT, HEAD_PT = 40.0, 8.0, 7.0, 10.0
WIDTH, HEIGHT = float(A4[0]), float(A4[1])
INNER = WIDTH - 2 * MARGIN
_FOOT_PT, _HEAD_NEEDS_PT = 24.0, 36.0
_MISSING = "\N{REPLACEMENT CHARACTER}"


def _fonts() -> None:
    # Files of the library's own; registering twice is no work.
    for name in (REGULAR, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def _style(name: str, size: float, **more: object) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=REGULAR, fontSize=size, leading=size * 1.32, textColor=INK, **more)


class Sheet:
    """So many pages, filled from above. `left_out` names what found no room; `unprintable`: a sign had no glyph."""

    def __init__(self, title: str, author: str, foot: str, pages: int) -> None:
        _fonts()
        self._bytes = io.BytesIO()
        # Neither clock nor chance in the file: the same report is the same bytes.
        self.canvas = Canvas(self._bytes, pagesize=A4, invariant=1, pageCompression=1)
        self._glyphs = pdfmetrics.getFont(REGULAR).face.charToGlyph
        self.unprintable = False
        self.canvas.setTitle(self.printable(title))
        self.canvas.setAuthor(self.printable(author))
        self._foot, self._pages, self.page = self.printable(foot), pages, 1
        self.y: float = HEIGHT - MARGIN
        self.left_out: list[str] = []
        self._section = title
        # Kept free for what is said at the very end, pt.
        self.reserve = 0.0

    @property
    def room(self) -> float:
        """Return how much of the page is left, pt."""
        return self.y - MARGIN - _FOOT_PT - self.reserve

    def printable(self, text: str) -> str:
        """Return text with `?` for each sign that the font lacks."""
        kept = "".join(each if each in "\n\t" or ord(each) in self._glyphs else _MISSING for each in text)
        self.unprintable |= _MISSING in kept
        return kept.replace(_MISSING, "?")

    def text(self, text: str, most: int = 600) -> str:
        """Return what a person wrote as it may stand in a paragraph: bounded, without markup."""
        text = " ".join(said(text).split())
        return escape(self.printable(text if len(text) <= most else text[: most - 1].rstrip() + "…"))

    def head(self, text: str) -> None:
        """Begin a section; without room for a line of it, it is named as left out."""
        self._section = text
        if self.room < _HEAD_NEEDS_PT:
            self.left_out.append(text)
            return
        self.y -= 5
        self._draw(Paragraph(f"<b>{self.text(text)}</b>", _style("head", HEAD_PT)))
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(0.6)
        self.canvas.line(MARGIN, self.y, WIDTH - MARGIN, self.y)
        self.y -= 3

    def say(self, markup: str, small: bool = False, what: str = "") -> bool:
        """Write a paragraph; tell whether it found room. markup: from `text`. what: named when it did not."""
        size = SMALL_PT if small else BODY_PT
        style = _style("small" if small else "body", size)
        if small:
            style.textColor = QUIET
        return self._draw(Paragraph(markup, style), what)

    def boxed(self, markup: str) -> None:
        """Write a paragraph in a box."""
        cell = Paragraph(markup, _style("boxed", BODY_PT))
        table = Table([[cell]], colWidths=[INNER])
        table.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), BAND), ("BOX", (0, 0), (-1, -1), 0.6, CALM)]))
        self._draw(table)
        self.y -= 2

    def rows(self, rows: Sequence[Sequence[str]], widths: Sequence[float], what: str) -> None:
        """Write a table whose first row is its head, row by row as long as there is room. Cells: from `text`."""
        for number, row in enumerate(rows):
            bold = "<b>{}</b>" if number == 0 else "{}"
            cells = [Paragraph(bold.format(cell), _style("cell", SMALL_PT)) for cell in row]
            table = Table([cells], colWidths=[INNER * share for share in widths])
            under = ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)
            tight = [("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]
            table.setStyle(
                TableStyle([under, *tight, ("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")])
            )
            if not self._draw(
                table, _("%(left)s of %(all)s %(what)s", left=len(rows) - number, all=len(rows) - 1, what=what), gap=0
            ):
                return
        self.y -= 3

    def next_page(self) -> None:
        """End this page and begin the next one."""
        self._finish_page()
        self.page += 1
        self.y = HEIGHT - MARGIN

    def bytes(self) -> bytes:
        """Return the finished document."""
        self._finish_page()
        self.canvas.save()
        return self._bytes.getvalue()

    def _finish_page(self) -> None:
        self.canvas.setFont(REGULAR, SMALL_PT - 1)
        self.canvas.setFillColor(QUIET)
        self.canvas.drawString(MARGIN, MARGIN - 8, self._foot)
        self.canvas.drawRightString(
            WIDTH - MARGIN, MARGIN - 8, _("Page %(page)s of %(pages)s", page=self.page, pages=self._pages)
        )
        self.canvas.showPage()

    def _draw(self, flowable: Paragraph | Table, what: str = "", gap: float = 2) -> bool:
        _, height = flowable.wrap(INNER, HEIGHT)
        if height > self.room:
            self.left_out.append(what or self._section)
            return False
        flowable.drawOn(self.canvas, MARGIN, self.y - height)
        self.y -= height + gap
        return True
