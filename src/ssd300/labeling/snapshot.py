"""What is labeled so far, as a dataset of its own: training reads it while the labels go on changing.

A run that is resumed needs the very labels that it began with.
"""

import shutil
from pathlib import Path

from ssd300.data.formats.voc_folder import ANNOTATIONS, IMAGES
from ssd300.data.formats.voc_xml import to_xml
from ssd300.errors import DataError
from ssd300.images.header import UPRIGHT, read_header
from ssd300.images.upright import copy_upright
from ssd300.labeling.label_store import LabelStore
from ssd300.system.files import absolute, whole_folder


def write_snapshot(store: LabelStore, folder: Path) -> int:
    """Write the labeled images and their labels as a PASCAL VOC folder; how many there are.

    Images are links where the system allows it. Objects without a usable box are left out, and so are images whose
    labels have a fault.

    Raises:
        DataError: no image has a box.
        UsageError, RunError: the folder is not empty, or cannot be written.
    """
    summaries = store.summaries
    if not any(one.classes and not one.fault for one in summaries):
        raise DataError("no image has a box yet, so there is nothing to train on", fix="Draw some boxes first.")
    with whole_folder(folder) as building:
        (building / ANNOTATIONS).mkdir()
        (building / IMAGES).mkdir()
        count = 0
        for number, image in enumerate(store.files.images):
            if not summaries[number].exists or summaries[number].fault:
                continue
            labels = store.read(number).labels
            if not labels.exists or labels.fault:
                continue
            objects = [
                (one.object.name, one.object.box_px, one.object.difficult, False)
                for one in labels.objects
                if one.object.box_px is not None
            ]
            name = f"{number:06}_{image.stem}"
            size_hw = _put(image, building / IMAGES / f"{name}{image.suffix}")
            text = to_xml(f"{name}{image.suffix}", size_hw, objects)
            (building / ANNOTATIONS / f"{name}.xml").write_text(text, encoding="utf-8")
            count += 1
    return count


def _put(image: Path, target: Path) -> tuple[int, int]:
    """Make an image known in another place, upright; its (height, width) as shown."""
    header = read_header(image)
    if header.orientation != UPRIGHT:
        copy_upright(image, target)
    else:
        try:
            target.symlink_to(absolute(image))
        except OSError:
            shutil.copyfile(image, target)
    return header.size_hw
