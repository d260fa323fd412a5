"""A badge in SVG, for a README or a wiki: the verdict, and how much was decided. It names itself for those who do not see it."""

from __future__ import annotations

from html import escape

from .result import VERDICTS, Result, Tone, decided, kept, overall, rows, tally

LABEL = "chatproof"
HEIGHT, PADDING, CHARACTER = 20, 8, 6.6
COLORS: dict[Tone, str] = {"good": "#1b6e3c", "bad": "#b3261e", "caution": "#8a5300"}
"""White on each has a contrast of 4.5 or more (WCAG 2.2, 1.4.3)."""


def render(result: Result) -> str:
    """The badge."""
    verdict, said = overall(result), _said(result)
    color = COLORS[VERDICTS[verdict][1]]
    left, right = (round(len(text) * CHARACTER + 2 * PADDING) for text in (LABEL, said))
    width, name = left + right, escape(f"{LABEL}: {said}")
    texts = "".join(
        f'<text x="{at + PADDING}" y="14" textLength="{size - 2 * PADDING}">{escape(text)}</text>'
        for at, size, text in ((0, left, LABEL), (left, right, said))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" role="img" aria-label="{name}">'
        f"<title>{name}</title>"
        f'<clipPath id="r"><rect width="{width}" height="{HEIGHT}" rx="3" fill="#fff"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="#444a55"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{color}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">{texts}</g></svg>\n'
    )


def _said(result: Result) -> str:
    """``conformant, 181 of 208``; what broke is counted instead."""
    every = [row for _, row in rows(result)]
    verdict, (part, whole) = overall(result), kept(every)
    if verdict == "nonconformant":
        return f"{whole - part} of {whole} MUSTs broken" if part < whole else verdict
    return f"{verdict}, {decided(tally(every))} of {len(every)}"
