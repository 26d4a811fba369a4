"""The images of all splits of the data but one: to know a row of another split from one of an unknown image."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ssd300.data.choices import FormatName
from ssd300.data.recognition import open_data
from ssd300.data.shards.dataset import shards_among
from ssd300.data.shards.index import read_index
from ssd300.data.shards.tar_members import key
from ssd300.errors import DataError
from ssd300.system.stores import open_store


def images_of_other_splits(paths: Sequence[Path], split: str, format: FormatName = "auto") -> Iterator[tuple[str, str]]:
    """The path or id of each image in a split that is no part of `split`, such as val of test+train, and that split.
    Splits that cannot be read are left out. The smallest come first, such as val before trainval.
    """
    own = split.split("+")
    if (place := shards_among(paths)) is not None:
        store = open_store(place)
        for name, row in read_index(store).splits.items():
            for shard in row.shards if name not in own else ():
                yield from ((f"{store.place(shard.name)}/{key(number)}", name) for number in range(shard.images))
        return
    found: list[tuple[str, list[str]]] = []
    for source in open_data(list(paths), format).sources:
        for name in source.splits:
            if name not in own:
                with suppress(DataError):
                    images = source.read(name, require_images=False).images
                    found.append((name, [str(image.image_path or image.image_id) for image in images]))
    for name, images_of_split in sorted(found, key=lambda one: len(one[1])):
        yield from ((image, name) for image in images_of_split)
