"""One image by every door: the same row, or the same words. The table in docs/detection.md lists what each kind gets.

The network of these tests finds one box, whose place and score are a checksum of the pixels that it was given. So equal
rows are equal pixels.
"""

import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from images_of_kinds import BAD, KINDS
from ssd300.detection.detector import Detector
from ssd300.detection.sources import find_sources
from ssd300.errors import DataError
from ssd300.images import header
from ssd300.types import Detections


@dataclass(frozen=True)
class Card:
    model: str = "checksum"
    classes: tuple[str, ...] = ("scene",)
    image_size_px: int = 300
    metric: None = None
    min_scores: dict[str, float] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)


class Checksum:
    """A network whose detection is a checksum of the image."""

    card = Card()

    def prepare(self, image):
        assert image.dtype == np.uint8
        return zlib.crc32(np.ascontiguousarray(image).tobytes()) / 2**32

    def predict(self, inputs, selection):
        return list(inputs)

    def select(self, predictions, selection):
        return [
            Detections(
                boxes=np.array([[0.0, 0.0, 0.5 + value / 2, 1.0]]), scores=np.array([0.5 + value / 2]),
                labels=np.zeros(1, np.int64), classes=self.card.classes,
            )
            for value in predictions
        ]  # fmt: skip


DETECTOR = Detector(Checksum())
Row = dict[str, object]


def row_of(result) -> Row:
    """A row without the name of its image, which differs by door."""
    return {key: value for key, value in result.to_dict().items() if key != "image"}


def detected(outcome) -> Row | str:
    return outcome.what if isinstance(outcome, DataError) else row_of(outcome)


def in_python(prepare: Callable[[Path], object]) -> Callable[[Path], Row | str]:
    def enter(path: Path) -> Row | str:
        try:
            return row_of(DETECTOR(prepare(path)))
        except DataError as error:
            return error.what

    return enter


def by_command(prepare: Callable[[Path], list[str]]) -> Callable[[Path], Row | str]:
    """As the command finds its sources, and reads them in threads."""

    def enter(path: Path) -> Row | str:
        sources = find_sources(prepare(path))
        outcomes = [detected(outcome) for _, outcome in DETECTOR.outcomes(sources, batch_size=2)]
        assert all(outcome == outcomes[0] for outcome in outcomes)
        return outcomes[0]

    return enter


def _opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def _loaded(path: Path) -> Image.Image:
    image = _opened(path)
    image.load()
    return image


def _folder(path: Path) -> list[str]:
    folder = path.parent / f"{path.name}.folder"
    folder.mkdir()
    (folder / path.name).write_bytes(path.read_bytes())
    return [str(folder)]


def _without_ending(path: Path) -> list[str]:
    folder = path.parent / f"{path.name}.plain"
    folder.mkdir()
    (folder / "IMG_0001").write_bytes(path.read_bytes())
    return [str(folder)]


def _list(path: Path) -> list[str]:
    listed = path.with_name(f"{path.name}.list.txt")
    listed.write_text(f"{path}\n{path.name}\n")
    return [str(listed)]


def _zip(path: Path) -> list[str]:
    archive = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, f"a/{path.name}")
        file.write(path, f"../../b/{path.name}")
    return [str(archive)]


def _tar(mode: str) -> Callable[[Path], list[str]]:
    def write(path: Path) -> list[str]:
        archive = path.with_name(f"{path.name}.{mode}.tar")
        with tarfile.open(archive, f"w:{mode}") as file:
            file.add(path, f"z/{path.name}")
            file.add(path, f"a/{path.name}")
        return [str(archive)]

    return write


PYTHON = {
    "path": lambda path: path,
    "name of a path": str,
    "content": Path.read_bytes,
    "open file": lambda path: io.BytesIO(path.read_bytes()),
}
PILLOW = {"opened": _opened, "loaded": _loaded}
COMMAND = {
    "named": lambda path: [str(path), str(path)],
    "folder": _folder,
    "list": _list,
    "zip": _zip,
    "tar": _tar(""),
    "tar.gz": _tar("gz"),
}
WITHOUT_NAME = {"without ending": _without_ending}


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    from serving import client_of

    with client_of(DETECTOR) as client:
        yield client


def by_server(client, path: Path) -> Row | str:
    as_body = client.post("/v1/detect", content=path.read_bytes(), headers={"Content-Type": "image/jpeg"})
    as_form = client.post("/v1/detect", files=[("file", (path.name, path.read_bytes(), "image/jpeg"))])
    answers = [answer.json() for answer in (as_body, as_form)]
    if as_body.status_code == 200:
        kept = ("width", "height", "detections", "notes")
        rows = [{key: answer["images"][0][key] for key in kept if key in answer["images"][0]} for answer in answers]
        assert rows[0] == rows[1]
        return rows[0]
    assert as_body.status_code in (413, 415, 422)
    return answers[0]["detail"]


def from_stdin(path: Path, monkeypatch) -> Row | str:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    (source,) = find_sources(["-"])
    assert str(source) == "stdin"
    ((_, outcome),) = DETECTOR.outcomes([source])
    return detected(outcome)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_gives_the_same_row_by_every_door(kind, tmp_path, monkeypatch, client):
    path = KINDS[kind](tmp_path)
    wanted = in_python(PYTHON["path"])(path)
    assert isinstance(wanted, dict)
    with Image.open(path) as image:
        pages = getattr(image, "n_frames", 1) if image.format != "ICO" else 1
    assert wanted.get("notes", []) == ([f"1 of {pages} pages or frames is used"] if pages > 1 else [])
    doors = {name: in_python(door) for name, door in (PYTHON | PILLOW).items()}
    doors |= {name: by_command(door) for name, door in COMMAND.items()}
    if kind != "tga":  # which has no mark inside
        doors |= {name: by_command(door) for name, door in WITHOUT_NAME.items()}
        doors["stdin"] = lambda path: from_stdin(path, monkeypatch)
    doors["server"] = lambda path: by_server(client, path)
    assert {name: enter(path) for name, enter in doors.items()} == dict.fromkeys(doors, wanted)


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_image_gets_the_same_words_by_every_door(kind, tmp_path, monkeypatch, client):
    monkeypatch.setattr(header, "_heif_library", lambda: None)
    name, content, words = BAD[kind]
    path = tmp_path / name
    path.write_bytes(content)
    doors = {name: in_python(door) for name, door in PYTHON.items()}
    doors["named"] = by_command(COMMAND["named"])
    doors |= {name: by_command(COMMAND[name]) for name in ("folder", "zip", "tar.gz") if kind in ("heic", "truncated")}
    found = {name: enter(path) for name, enter in doors.items()}
    assert found == dict.fromkeys(doors, found["path"])
    assert words in found["path"]
    if content:
        assert words in by_server(client, path)


def test_an_edited_image_is_turned_once(tmp_path):
    """By its EXIF data, unless it was turned before, as Pillow's own function does, or as its size tells."""
    path = KINDS["turned"](tmp_path)
    wanted = DETECTOR(path).pixels
    opened = _opened(path)
    before = (opened.size, dict(opened.getexif()), opened.info.get("exif"))
    assert (DETECTOR(opened).pixels == wanted).all()
    assert (opened.size, dict(opened.getexif()), opened.info.get("exif")) == before
    for edited in (ImageOps.exif_transpose(_opened(path)), _opened(path).transpose(Image.Transpose.ROTATE_270)):
        result = DETECTOR(edited)
        assert result.pixels.shape == wanted.shape
        assert (result.pixels == wanted).all()
    copy = DETECTOR(_opened(path).convert("RGB"))
    assert (copy.pixels == wanted).all()
    assert copy.notes == ()


def test_an_image_that_does_not_tell_whether_it_was_turned_is_noted():
    exif = Image.Exif()
    exif[header.ORIENTATION] = 6
    file = io.BytesIO()
    Image.new("RGB", (6, 4)).save(file, "PNG", exif=exif)
    (note,) = DETECTOR(Image.open(file).copy()).notes
    assert "turned" in note


def test_the_page_at_which_an_opened_image_stands_is_the_one_that_is_used(tmp_path):
    with Image.open(KINDS["pages"](tmp_path)) as image:
        image.seek(1)
        result = DETECTOR(image)
        assert result.notes == ("2 of 3 pages or frames is used",)
        assert image.tell() == 1


SCENE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("array", "same"),
    [
        (SCENE[..., 0], lambda: Image.fromarray(SCENE[..., 0])),
        (SCENE[..., :1], lambda: Image.fromarray(SCENE[..., 0])),
        (np.dstack([SCENE, SCENE[..., 0]]), lambda: Image.fromarray(np.dstack([SCENE, SCENE[..., 0]]))),
        (SCENE[..., 0] > 100, lambda: Image.fromarray(SCENE[..., 0] > 100)),
        (SCENE[..., 0].astype(np.uint16) * 257, lambda: Image.fromarray(SCENE[..., 0])),
        (SCENE.astype(np.uint16) * 256, lambda: Image.fromarray(SCENE)),
        (SCENE / 255, lambda: Image.fromarray(SCENE)),
        (SCENE.astype(np.float32), lambda: Image.fromarray(SCENE)),
        (SCENE[..., 0].astype(np.float32), lambda: Image.fromarray(SCENE[..., 0].astype(np.float32))),
        (SCENE[:, ::-1], lambda: Image.fromarray(np.ascontiguousarray(SCENE[:, ::-1]))),
    ],
    ids=["gray", "one channel", "rgba", "bool", "uint16", "uint16 rgb", "0..1", "0..255", "float gray", "a view"],
)
def test_an_array_is_the_image_of_such_pixels(array, same, tmp_path):
    before = array.copy()
    same().save(tmp_path / "a.tif")
    assert (DETECTOR(array).pixels == DETECTOR(tmp_path / "a.tif").pixels).all()
    assert (array == before).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (SCENE.transpose(2, 0, 1), r"transpose\(1, 2, 0\)"),
        (SCENE[None], "shape"),
        (SCENE[..., :2], "shape"),
        (SCENE.astype(np.int64), "int64"),
        ((SCENE / 255 - 0.45) / 0.22, "normalization"),
        (SCENE * np.float32(np.nan), "values"),
        (SCENE[:0], "no pixels"),
        (io.StringIO("text"), "'rb'"),
        (Image.new("RGB", (0, 4)), "no pixels"),
    ],
)
def test_what_is_no_image_is_refused_in_words(given, words):
    with pytest.raises(ValueError, match=words):
        DETECTOR(given)


def test_a_closed_image_is_refused_in_words(tmp_path):
    image = Image.open(KINDS["rgb"](tmp_path))
    image.close()
    with pytest.raises(DataError, match="closed"):
        DETECTOR(image)


def test_a_file_is_left_where_it_stands(tmp_path):
    with KINDS["rgb"](tmp_path).open("rb") as file:
        file.seek(7)
        assert len(DETECTOR(file)) == 1
        assert file.tell() == 7


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_heic_photo_is_read_where_its_library_is_installed(tmp_path):
    library = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[header.ORIENTATION] = 6
    shown = Image.fromarray(np.repeat(np.repeat(SCENE[:4, :4], 16, 0), 16, 1)[:48])
    library.from_pillow(shown).save(tmp_path / "a.heic", quality=95, exif=exif.tobytes())
    (tmp_path / "a.heic").rename(tmp_path / "a.jpg")
    found = DETECTOR(tmp_path / "a.jpg").pixels
    wanted = np.asarray(shown.transpose(Image.Transpose.ROTATE_270))
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).mean() < 12
    assert (DETECTOR(library.HeifImageFile(tmp_path / "a.jpg")).pixels == found).all()
    assert json.dumps(DETECTOR(tmp_path / "a.jpg").to_dict())
