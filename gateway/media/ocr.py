"""Reads the words in a picture, inside the worker, by RapidOCR (the extra ``ocr``); its wheel brings the models."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 2000
SURE = 0.6
_ONE_THREAD = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "error",
}


def read(file: BinaryIO) -> str:
    """Return the lines that are read with some certainty; raises ImportError where the extra is not installed."""
    import numpy as np  # noqa: PLC0415 - comes with the extra

    with Image.open(file) as image:
        image.draft("RGB", (SIDE, SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((SIDE, SIDE))
    found = _reader()(np.asarray(upright)[:, :, ::-1])
    lines = zip(found.txts or (), found.scores or (), strict=True)
    return "\n".join(text for text, score in lines if score >= SURE)


@cache
def _reader() -> Callable[..., Any]:
    from rapidocr import RapidOCR  # noqa: PLC0415 - an extra of the distribution

    reader: Callable[..., Any] = RapidOCR(params=_ONE_THREAD)
    return reader
