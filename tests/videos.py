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


def write_clip(path, images, *, codec="libx264", form=None, rate=10, times=None, prepare=None, **options):
    """These images (RGB) in any codec; `times` are in milliseconds, `prepare` changes the stream before the first."""
    av = pytest.importorskip("av")
    with av.open(f"file:{path}", "w", format=form, options=options.pop("container", {})) as out:
        stream = out.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if times is not None:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        if prepare is not None:
            prepare(stream)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if times is not None:
                frame.time_base, frame.pts = Fraction(1, 1000), times[number]
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def noise(count, size=(48, 64)):
    """Images that differ, and that take some bytes."""
    base = np.random.default_rng(0).integers(0, 255, (size[0] // 4, size[1] // 4, 3), np.uint8)
    return [np.roll(base.repeat(4, 0).repeat(4, 1), number, 1) for number in range(count)]
