"""Videos for the tests, made here: frames of known shades, with or without sound."""

from fractions import Fraction

import numpy as np
import pytest

RATE = Fraction(30000, 1001)
FRAMES = 40


def write_video(path, *, sound=None, rotation=0, size=(64, 96), options=None):
    """Frames of increasing brightness, every tenth red; `sound` names a codec."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", options=options or {}) as out:
        images = out.add_stream("mpeg4", rate=RATE, options={"qscale": "2"})
        images.height, images.width, images.pix_fmt = *size, "yuv420p"
        tone = out.add_stream(sound, rate=44_100, layout="mono") if sound else None
        sent = 0
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(shade(number, size), format="rgb24")
            out.mux(images.encode(frame))
            while tone is not None and sent / 44_100 < number / RATE:
                piece = av.AudioFrame(format="s16", layout="mono", samples=1024)
                piece.planes[0].update((np.sin(np.arange(sent, sent + 1024) / 16) * 9000).astype(np.int16).tobytes())
                piece.sample_rate, piece.pts = 44_100, sent
                sent += 1024
                out.mux(tone.encode(piece))
        out.mux(images.encode(None))
        if tone is not None:
            out.mux(tone.encode(None))
    return path


def opened(path):
    """The file in PyAV; a test is skipped without it."""
    return pytest.importorskip("av").open(str(path))


def shade(number, size):
    return np.full((*size, 3), (200, 20, 20) if number % 10 == 0 else (number * 5,) * 3, np.uint8)


def cut_off(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    return path
