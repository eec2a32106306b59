"""Keeps survey links and sign-ins out of the server's log: with a time, they say who was here when."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/pulse/|/sign-in/)[^\s\"]+")


class _Masking(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_masked(each) for each in record.args)
        record.msg = _masked(record.msg)
        return True


def mask_tokens() -> None:
    """From now on, in what uvicorn writes, whoever started it. Again is harmless."""
    for name in ("uvicorn.access", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Masking) for each in logger.filters):
            logger.addFilter(_Masking())


def _masked(part: object) -> object:
    return _TOKEN.sub(r"\1…", part) if isinstance(part, str) else part
