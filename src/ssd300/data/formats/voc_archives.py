"""PASCAL VOC's archives: where they are published, their checksums, and how they become a VOCdevkit."""

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ssd300.errors import DataError
from ssd300.system.download import RemoteFile

OXFORD = ("https://thor.robots.ox.ac.uk/pascal/VOC", "http://host.robots.ox.ac.uk/pascal/VOC")
MIRROR = "https://pjreddie.com/media/files"
LICENCE = "the images are Flickr's, under the terms of their owners; see VOC's pages"


def _archive(year: str, name: str, md5: str, *more: str) -> RemoteFile:
    places = (*(f"{place}/voc{year}" for place in OXFORD), MIRROR, *more)
    return RemoteFile(name=name, addresses=tuple(f"{place}/{name}" for place in places), md5=md5)


# MD5 as torchvision has them.
VOC07 = (
    _archive("2007", "VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64"),
    _archive("2007", "VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f"),
)
VOC12 = (
    _archive(
        "2012", "VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd",
        "https://d2l-data.s3-accelerate.amazonaws.com",
    ),
)  # fmt: skip
ARCHIVES: Mapping[str, tuple[RemoteFile, ...]] = MappingProxyType(
    {"voc": VOC07 + VOC12, "voc07": VOC07, "voc12": VOC12}
)


def unpack(archive: Path, root: Path, advance: Callable[[int, int], None] = lambda _done, _all: None) -> int:
    """Put the archive's files below `root`. Returns how many were not there yet.

    Each file appears whole; files of the right size are not written again, so a second call resumes an interrupted one.

    Raises:
        DataError: this is not a whole tar archive, or it would write outside `root`.
    """
    added = 0
    try:
        with tarfile.open(archive) as files, tempfile.TemporaryDirectory(dir=root, prefix=".unpacking-") as room:
            members = [member for member in files.getmembers() if member.isfile()]
            for number, member in enumerate(members, start=1):
                target = root / member.name
                if not (target.is_file() and target.stat().st_size == member.size):
                    files.extract(member, room, filter="data")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(Path(room) / member.name, target)
                    added += 1
                advance(number, len(members))
    except (tarfile.TarError, EOFError) as error:
        raise DataError(
            f"this is not a whole tar archive of VOC ({type(error).__name__}: {error})",
            where=archive,
            fix="Remove it and download it again.",
        ) from error
    return added
