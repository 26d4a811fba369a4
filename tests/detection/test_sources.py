"""Folders, patterns, lists and standard input name images in a stable order."""

import io
import os
import sys
import tarfile
import zipfile

import pytest

from ssd300.detection.sources import find_sources
from ssd300.errors import DataError, SSDError


def test_sources_are_found_in_order(coloured, tmp_path, monkeypatch):
    folder = coloured / "JPEGImages"
    every = sorted(folder.iterdir())
    (tmp_path / "list.txt").write_text(f"\n{every[2]}\n coloured/JPEGImages/p4.jpg \n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{every[0]}\n\n{every[1]}\n"))
    assert find_sources([str(folder)]) == every
    assert find_sources([str(folder / "p[34].jpg")]) == every[3:]
    assert find_sources([str(tmp_path / "list.txt"), str(every[0])]) == [every[2], every[4], every[0]]
    assert find_sources(["-"]) == every[:2]


def test_every_ending_of_an_image_or_video_is_found_and_litter_is_not(tmp_path):
    named = ["a.Jpg", "b.jfif", "c.PNM", "d.MP4"]
    for name in [*named, "._a.jpg", "._d.mp4", "notes.txt", ".DS_Store"]:
        (tmp_path / name).touch()
    assert find_sources([str(tmp_path)]) == [tmp_path / name for name in named]
    assert find_sources([str(tmp_path / "*")]) == [tmp_path / name for name in named]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "no image was named"),
        (["none.jpg"], "no such image"),
        (["*.nothing"], "no image matches"),
        (["empty.txt"], "no path is listed"),
        (["folder"], "no images"),
    ],
)
def test_a_source_without_images_is_refused(sources, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SSDError, match=message):
        find_sources(sources)


JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


@pytest.fixture
def mixed(tmp_path):
    """A folder of what folders hold."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("IMG_0001", "photo.2024", "wrong.csv"):  # images by their content
        (folder / name).write_bytes(JPEG)
    (folder / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (folder / "link.jpg").symlink_to("nowhere")
    for name in ("a.csv", "b.csv", "README", "Thumbs.db", ".DS_Store", "._a.png"):
        (folder / name).write_text("text")
    (folder / "folder.jpg").mkdir()
    (folder / "below").mkdir()
    return folder


def test_files_of_a_folder_are_found_by_content_and_the_others_are_told(mixed):
    notes = []
    found = [path.name for path in find_sources([str(mixed)], notes.append)]
    assert found == ["IMG_0001", "IMG_1.HEIC", "link.jpg", "photo.2024", "wrong.csv"]
    assert notes == [
        f"{mixed}: 3 files are not images: 2 .csv, 1 without ending",
        f"{mixed}: 2 folders are not searched: below, folder.jpg; '{mixed}/**/*' finds images in folders below",
    ]
    assert [path.name for path in find_sources([f"{mixed}/**/*"], notes.append)] == found
    assert len(notes) == 3
    find_sources([f"{mixed}/*o*"], notes.append)
    assert (
        notes[-1]
        == f"{mixed}/*o*: 2 folders are not searched: below, folder.jpg; '{mixed}/**/*' finds images in folders below"
    )


def test_a_folder_of_folders_names_them_all(tmp_path):
    col = tmp_path / "c[1]"
    for name in ("a/1.jpg", "a/2.jpg", "b/deep/3.mp4", "c/notes.txt", ".hidden/4.jpg"):
        (col / name).parent.mkdir(parents=True, exist_ok=True)
        (col / name).touch()
    (col / "b/deep/up").symlink_to(col)
    with pytest.raises(DataError) as raised:
        find_sources([str(col)])
    pattern = f"{tmp_path}/c[[]1]/**/*"
    assert raised.value.fix == f"2 folders in it have images: a, b/deep. Name those, or '{pattern}' for all of them."
    (col / "b/deep/up").unlink()
    assert [path.name for path in find_sources([pattern])] == ["1.jpg", "2.jpg", "3.mp4"]
    (col / "JPEGImages").mkdir()
    (col / "JPEGImages/1.jpg").touch()
    with pytest.raises(DataError, match=r"Name its images: .*JPEGImages"):
        find_sources([str(col)])


def write_zip(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"text" if name.endswith("txt") else JPEG)
    return path


def write_tar(path, names):
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(JPEG)
            archive.addfile(info, io.BytesIO(JPEG if not name.endswith("txt") else bytes(len(JPEG))))
        link = tarfile.TarInfo("out.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


HOSTILE = ["b.jpg", "../../etc/a.jpg", "/abs.png", "C:\\x\\y.gif", "__MACOSX/._b.jpg", "plain", "notes.txt", "film.mp4"]
PLAIN = ["C:/x/y.gif", "abs.png", "b.jpg", "etc/a.jpg", "plain"]


@pytest.mark.parametrize(
    ("name", "write", "more"), [("photos.bin", write_zip, []), ("photos.tgz", write_tar, ["out.jpg"])]
)
def test_the_images_of_an_archive_by_name_and_nothing_is_unpacked(name, write, more, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = write(tmp_path / name, HOSTILE)
    notes = []
    found = find_sources([str(archive)], notes.append)
    assert [str(one) for one in found] == [f"{archive}/{name}" for name in sorted(PLAIN + more)]
    assert notes == [
        f"{archive}: 1 file is not an image: 1 .txt",
        f"{archive}: 1 video (1 .mp4) left out: videos in archives are not read. Unpack the archive, and name them.",
    ]
    assert list(tmp_path.iterdir()) == [archive]
    assert found[0].read() == JPEG
    if more:
        with pytest.raises(DataError, match="cannot be read from the archive"):
            next(one for one in found if one.name.endswith(more[0])).read()
    archive.write_bytes(archive.read_bytes()[:90])
    with pytest.raises(DataError, match="damaged"):
        find_sources([str(archive)])


def test_a_list_in_any_encoding(tmp_path):
    wanted = tmp_path / "café ☕.jpg"
    other = tmp_path / "café.jpg"
    for path in (wanted, other):
        path.write_bytes(JPEG)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        (tmp_path / "list.txt").write_bytes(f"{wanted.name}\r\n\r\n{other.name}\r\n".encode(encoding))
        assert find_sources([str(tmp_path / "list.txt")]) == [wanted, other], encoding
    (tmp_path / "list.txt").write_bytes(f" {other.name} \n".encode("latin-1"))
    assert find_sources([str(tmp_path / "list.txt")]) == [other]
    for content in (bytes(range(256)), b"\x01\xff\xfe\x80", b"a\0b\0\0"):
        (tmp_path / "list.txt").write_bytes(content)
        with pytest.raises(DataError, match="not text"):
            find_sources([str(tmp_path / "list.txt")])


def test_a_folder_of_archives_names_one(tmp_path):
    for name in ("b.tar", "c.tar"):
        with tarfile.open(tmp_path / name, "w") as archive:
            archive.addfile(tarfile.TarInfo("a.jpg"))
    with pytest.raises(DataError, match=r"no images; it holds 2 \.tar") as raised:
        find_sources([str(tmp_path)])
    assert f"such as {tmp_path / 'b.tar'}; --save parquet" in str(raised.value.fix)


def test_an_archive_of_videos_alone_says_so(tmp_path):
    archive = write_zip(tmp_path / "a.zip", ["a.mp4", "b.MOV", "notes.txt"])
    with pytest.raises(DataError, match="it holds 2 videos"):
        find_sources([str(archive)])


def test_quotes_and_comments_in_a_list(tmp_path):
    for name in ("a b.jpg", "#1.jpg", "'kept'"):
        (tmp_path / name).write_bytes(JPEG)
    lines = ["# my photos", '"a b.jpg"', " 'a b.jpg' ", "#1.jpg", "'kept'", '"none.jpg"', "#" + "long" * 100, "a b.jpg"]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    notes = []
    found = [path.name for path in find_sources([str(tmp_path / "list.txt")], notes.append)]
    assert found == ["a b.jpg", "a b.jpg", "#1.jpg", "'kept'", '"none.jpg"', "a b.jpg"]
    (note,) = notes
    assert note.startswith(
        f"{tmp_path}/list.txt: 2 lines that begin with # are left out as comments: # my photos, #long"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes")
def test_a_list_may_name_a_file_whose_name_is_not_text(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    path.write_bytes(JPEG)
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg\n")
    assert find_sources([str(tmp_path / "list.txt")]) == [path]


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "no path"), (b"PK\3\4", "archive"), (b"\0\0\0\x18ftypisom", "video")]
)
def test_what_is_piped_and_is_neither_paths_nor_an_image(content, message, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(DataError, match=message):
        find_sources(["-"])


def test_names_that_patterns_and_addresses_would_read_otherwise(tmp_path):
    for name in ("[1].jpg", "what?.jpg", "c#.jpg"):
        (tmp_path / name).write_bytes(JPEG)
        assert find_sources([str(tmp_path / name)]) == [tmp_path / name]
