"""The alphabet of GSM 03.38, which a text may use up without becoming UCS-2."""

from __future__ import annotations

from typing import Final

GSM7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_ESCAPED: Final = frozenset("^{}\\[~]|€\f")
"""The extension table: an escape stands before each of them, so that it takes two septets."""
GSM7_ALL: Final = GSM7 | GSM7_ESCAPED
