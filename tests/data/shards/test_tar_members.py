"""Plain tar files: any program reads them, and what is none is refused."""

import tarfile

import pytest

from ssd300.data.shards.tar_members import add_member, image_places, open_new, stored_bytes


def write(path, members):
    with open_new(path) as archive:
        for name, content in members:
            add_member(archive, name, content)
    return path


PAIR = [("000000000.jpg", b"x" * 700), ("000000000.json", b"{}")]


def test_members_are_found_where_they_were_written(tmp_path):
    members = [*PAIR, ("000000001.png", b""), ("000000001.json", b"[1]")]
    path = write(tmp_path / "a.tar", members)
    content = path.read_bytes()
    places = image_places(path)
    found = [content[start : start + count] for row in places.tolist() for start, count in (row[:2], row[2:])]
    assert found == [content for _, content in members]
    with tarfile.open(path) as archive:
        assert [one.name for one in archive] == [name for name, _ in members]
        assert {(one.mtime, one.uid, one.uname) for one in archive.getmembers()} == {(0, 0, "")}
    assert stored_bytes(*(content for _, content in members)) <= len(content)


def test_an_archive_of_no_image_has_no_places(tmp_path):
    assert image_places(write(tmp_path / "a.tar", [])).shape == (0, 4)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.jpg", b"")], "'a.jpg' is not that of image 0"),
        (PAIR[::-1], "'000000000.json' is not that of image 0"),
        (PAIR[:1], "the last image has no annotation"),
        ([*PAIR, ("000000002.jpg", b"")], "is not that of image 1"),
    ],
)
def test_what_is_not_in_pairs_is_refused(tmp_path, members, message):
    with pytest.raises(ValueError, match=message):
        image_places(write(tmp_path / "a.tar", members))


def test_a_file_that_ends_too_soon_and_a_link_are_refused(tmp_path):
    path = write(tmp_path / "a.tar", PAIR)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="it ends too soon"):
        image_places(path)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        link = tarfile.TarInfo("000000000.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ValueError, match="no file"):
        image_places(tmp_path / "b.tar")
