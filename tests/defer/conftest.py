"""No test here may leave an error that nobody handled, unless it asks for those by the fixture `unhandled`."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def texts(self) -> list[str]:
        return [self.format(record) for record in self.records]


@pytest.fixture(autouse=True)
def unhandled() -> Iterator[Kept]:
    """Everything that logger ``reactor.defer`` says during the test; the test has to empty `records`."""
    kept = Kept()
    logger = logging.getLogger("reactor.defer")
    logger.addHandler(kept)
    try:
        yield kept
        gc.collect()
        assert kept.texts() == []
    finally:
        logger.removeHandler(kept)


@pytest.fixture
def noCollector() -> Iterator[None]:
    """The test runs without the cyclic garbage collector: what is freed is freed by reference counts."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
