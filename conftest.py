"""What every test needs: probes and backends that a test registers are gone after it."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _registered_for_one_test() -> Iterator[None]:
    yield
    base = sys.modules.get("splitleak.probes.base")
    if base is not None:
        for code in [code for code in base._REGISTRY if code not in base._BUILT_IN]:
            del base._REGISTRY[code]
