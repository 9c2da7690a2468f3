"""What the second look costs is measured on this machine, once."""

from __future__ import annotations

import pytest

from rapport.pipeline import second_look
from rapport.pipeline.second_look import measure_look


def test_a_look_takes_a_measured_time() -> None:
    pytest.importorskip("onnxruntime", reason="the second look needs the extra rapport[deep]")
    measure_look.cache_clear()
    took = measure_look()
    assert took is not None
    assert 0.0001 < took < 5
    assert measure_look() == took


def test_without_the_extra_there_is_nothing_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_look, "load_deep", lambda: None)
    measure_look.cache_clear()
    assert measure_look() is None
    measure_look.cache_clear()
