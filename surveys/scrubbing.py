"""Comments, stripped of what looks like names, addresses and secrets before they are released.

Names are those of the roster, known while this runs and kept nowhere. A name that is on no roster is
not found: the form says so. What is left is data: it is shown as text, and no model is given it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_SHORTEST_NAME = 3
_LETTERS = str.maketrans(
    {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "đ": "d", "ł": "l", "æ": "ae"}
)
# Controls and marks without a width: they turn text around, or hide a name from whoever looks for it.
_UNSEEN = re.compile(r"[^\S\n]|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_WORD = re.compile(r"[^\W_]+(?:[-.'’_][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_PLACES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL), "[secret]"),
    (re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://\S+", re.IGNORECASE), "[address]"),
    (
        re.compile(
            r"(?<![\w.+%-])[\w.+%-]{1,64}\s?(?:@|[\[({]\s?(?:at|ät)\s?[\])}])\s?[\w-]+"
            r"(?:\s?(?:\.|[\[({]\s?(?:dot|punkt)\s?[\])}])\s?[\w-]+)+",
            re.IGNORECASE,
        ),
        "[mail]",
    ),
    (re.compile(r"(?<![\w@])@[\w][\w.-]*"), "[name]"),
    (
        re.compile(
            r"\b(?:password|passwd|passwort|kennwort|pwd|secret|token|api[-_ ]?key|credentials?)\b"
            r"(?:\s+(?:is|ist|was|lautet)\b\s*[:=]?|\s*[:=])\s*[\"']?[^\s\"']{4,}",
            re.IGNORECASE,
        ),
        "[secret]",
    ),
    (re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"), "[address]"),
    (re.compile(r"(?<!\w)(?!\d{4}-\d\d-\d\d\b)\+?\d(?:[ ()/.-]{0,2}\d){7,}(?!\w)"), "[number]"),
    # Longer than any word, of letters and digits: a key, a hash, a session.
    (re.compile(r"(?<![\w+/=.-])(?=[\w+/=.-]*\d)(?=[\w+/=.-]*[A-Za-z])[\w+/=.-]{20,}"), "[secret]"),
)


class Scrubber:
    """Strips comments of names, addresses and secrets."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` are names and accounts, as `Ada Lovelace`, `ada-l`, `ada@acme.example`."""
        called = {name.partition("@")[0].strip() for name in names}
        words = {word for name in called for word in (name, *name.split())}
        joined = {"".join(_PART.findall(word)) for word in words}
        parts = {
            part for word in words for part in (word, *_PART.findall(word)) if not part.isdigit()
        } | joined
        self._names = {form for part in parts if len(part) >= _SHORTEST_NAME for form in _forms(part)}
        # Too short to be looked for in any case: `Bo` is a name, `bo` may be half a word.
        self._short = {part for part in parts if len(part) == 2 and part.istitle()}
        # Where scripts have no capitals, words often have no spaces between them either.
        uncased = sorted((part for part in parts if len(part) > 1 and part.upper() == part.lower()), key=len)
        self._uncased = re.compile("|".join(map(re.escape, reversed(uncased))) or r"(?!)")

    def clean(self, text: str) -> str:
        """The comment as it may be shown: plain text, with `[name]` and the like for what was taken out."""
        text = unicodedata.normalize("NFKC", text)
        text = _UNSEEN.sub(lambda found: " " if found[0].isspace() else "", text)
        text = "".join(each for each in text if each == "\n" or unicodedata.category(each)[0] != "C")
        for pattern, shown in _PLACES:
            text = pattern.sub(shown, text)
        for detector in _detectors():
            for secret in sorted(map(str, detector.analyze_string(text)), key=len, reverse=True):
                text = text.replace(secret, "[secret]") if secret else text
        text = self._uncased.sub("[name]", text)
        text = _WORD.sub(self._shown, text)
        text = re.sub(r"\[name\](?:[ .-]+\[name\])+", "[name]", text)
        return re.sub(r"[^\S\n]{2,}", " ", text).strip()

    def _shown(self, word: re.Match[str]) -> str:
        if self._is_name(word[0]):
            return "[name]"
        return _PART.sub(lambda part: "[name]" if self._is_name(part[0]) else part[0], word[0])

    def _is_name(self, word: str) -> bool:
        # `Adas review`, `Ada's review`.
        forms = {ending for form in _forms(word) for ending in (form, form.removesuffix("s").rstrip("'’"))}
        return word in self._short or not forms.isdisjoint(self._names)


def _forms(name: str) -> set[str]:
    """A name as it may be typed: without accents, with `ue` for `ü` and with a plain `u`."""
    folded = unicodedata.normalize("NFC", name).casefold().replace("’", "'")
    return {folded, _plain(folded), _plain(folded.translate(_LETTERS))}


def _plain(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


@cache
def _detectors() -> Sequence[RegexBasedDetector]:
    """Those of detect-secrets that know a secret by its form."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    kinds: dict[str, Any] = get_mapping_from_secret_type_to_class()
    return [kind() for kind in kinds.values() if issubclass(kind, RegexBasedDetector)]
