"""A split of a PASCAL VOC folder, with the names that classes have in VOC. No image is opened."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath

from ssd300.data.formats.annotations import (
    NO_ANNOTATION_FILE,
    AnnotatedImage,
    AnnotatedImages,
    DataFiles,
    Source,
    unique_ids,
)
from ssd300.data.formats.file_index import key_of, normal
from ssd300.data.formats.voc_folder import IMAGES, VocFolder
from ssd300.data.formats.voc_xml import VocFile, read_xml
from ssd300.data.problems import Fault
from ssd300.data.splits import UnusableSplitError
from ssd300.images.header import is_image_name

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
MASKS = ("SegmentationClass", "SegmentationObject")  # VOC's folders of images that are no photographs


@dataclass(frozen=True)
class VocSource(Source):
    """The dataset of a VOC folder; each XML file is read once."""

    root: Path
    _read: dict[Path, VocFile] = field(default_factory=dict)
    folder: VocFolder = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", VocFolder(self.root))

    @property
    def home(self) -> Path:
        return self.root

    @property
    def splits(self) -> Sequence[str]:
        return self.folder.splits

    def find(self, wanted: str) -> str | None:
        return wanted if wanted in self.folder.class_lists else super().find(wanted)

    def ids(self, split: str) -> Sequence[str]:
        return self.folder.ids(split)

    def read(self, split: str, *, require_images: bool) -> AnnotatedImages:
        """The images of a split. An absent or broken XML file is a fault of its image.

        Raises:
            UnusableSplitError: the list is empty, or none of its annotations is there.
            DataError: a list cannot be used.
        """
        ids = self.ids(split)
        if not ids:
            raise UnusableSplitError(
                f"the split '{split}' is empty", where=self._list(split), fix="Name another with --split."
            )
        paths = {key: self.folder.annotation_path(key) for key in ids}
        if not any(path.is_file() for path in paths.values()):
            raise UnusableSplitError(
                f"there is no annotation file for any of the {len(paths)} images of the split '{split}'",
                where=f"first {next(iter(paths.values()))}",
                fix="Put the annotations there, or name another split with --split.",
            )
        listed = split in self.folder.lists or split in self.folder.class_lists
        names = ids if listed else unique_ids([f"{key}.xml" for key in ids])
        names = [name.removesuffix(".xml") for name in names]
        return AnnotatedImages(
            images=[
                self._image(key, name, path, require_images=require_images)
                for (key, path), name in zip(paths.items(), names, strict=True)
            ],
            split=split,
            notes=(self._note(split, len(ids)),),
            classes=None,
            count_names=self._count_names,
            find_images=self._find_images(split),
            bare_images=() if listed else tuple(self._bare_images),
        )

    def files(self) -> DataFiles:
        folder = self.folder
        used: set[Path] = set()
        for split in self.splits:
            for key in self.ids(split):
                path = folder.annotation_path(key)
                used.add(path)
                if isinstance(image := self._image_of(key, path), Path):
                    used.add(image)
        paired = [path for path in used if path.is_file()]
        return DataFiles(
            used=frozenset(paired),
            folders=tuple(dict.fromkeys([*folder.annotations.folders, *(path.parent for path in paired),
                                         *(path.parent for path in folder.bare_images)])),
            known=frozenset(path for files in (*folder.lists.values(), *folder.class_lists.values()) for path in files),
            label_suffix=".xml",
            why=self._why_unused,
        )  # fmt: skip

    @cached_property
    def _unlisted_bare(self) -> frozenset[Path]:
        """Images without an annotation that no list excludes: an error where they are read."""
        return frozenset(() if self.folder.lists else self._bare_images)

    @cached_property
    def _bare_images(self) -> list[Path]:
        """Images that no annotation of their name or in its <filename> belongs to."""
        bare = self.folder.bare_images
        if not bare:
            return bare
        used = {self._image_of(key, self.folder.annotation_path(key)) for key in self.folder.annotations.by_key}
        return [path for path in bare if path not in used]

    def _why_unused(self, path: Path) -> Fault | None:
        folder = self.folder
        if path in folder.annotations and folder.images.files and self._image_of(self._key(path), path) is None:
            return Fault("annotation-without-image", "there is no image of this name, so its objects are not used")
        if not is_image_name(path):
            return Fault("unlisted-annotation", "no split has it, so its objects are not used")
        if path.parent.name in MASKS:
            return None
        if path in self._unlisted_bare:
            return NO_ANNOTATION_FILE
        found = folder.annotations.find(self._key(path)) if path in folder.images else ()
        if not found:
            return Fault("image-without-annotation", "it has no annotation file, so it is not used")
        owners = [self._image_of(self._key(one), one) for one in found]
        if any(isinstance(owner, Fault) for owner in owners):
            return Fault("ambiguous-image", "another image has this name, and the annotation may belong to either")
        if path not in owners:
            return Fault("image-without-annotation", "the annotation of this name belongs to another image")
        return Fault("unlisted-image", "it has an annotation, but no split has it, so it is not used")

    def _key(self, path: Path) -> str:
        return key_of(path.relative_to(self.root))

    def _image(self, key: str, name: str, path: Path, *, require_images: bool) -> AnnotatedImage:
        file = self._file(path)
        image, fault = self._image_of(key, path), file.fault
        if isinstance(image, Fault):
            image, fault = None, fault or image
        named = PurePath(normal(file.image))
        own = normal(image.stem) if image is not None else PurePath(key).name
        remarks: tuple[Fault, ...] = ()
        if file.image and own not in (named.stem, named.name):
            remarks = (Fault("misnamed", f"its <filename> is '{file.image}'"),)
        if image is None and not require_images:
            image = self.root / IMAGES / f"{key}.jpg"
        return AnnotatedImage(
            image_id=name,
            image_path=image,
            size_hw=file.size_hw,
            objects=file.objects,
            where=str(path),
            fault=fault,
            remarks=remarks,
        )

    def _image_of(self, key: str, path: Path) -> Path | Fault | None:
        """The image of the same name; where there is none, the one that the XML file names, if it is no other's."""
        found = self.folder.images.find(key)
        if len(found) == 1:
            return found[0]
        written = self._file(path).image
        if found:
            same = [image for image in found if normal(image.name) == normal(written)]
            if len(same) != 1:
                return Fault("ambiguous-image", f"it may belong to {' or '.join(image.name for image in found)}")
            return same[0]
        named = self.folder.images.find_written(written) if written else None
        return named if named is not None and not self.folder.annotations.find(normal(named.stem)) else None

    def _file(self, path: Path) -> VocFile:
        if path not in self._read:
            self._read[path] = read_xml(path)
        return self._read[path]

    def _count_names(self) -> Counter[str]:
        files = map(self._file, self.folder.annotations.files)
        return Counter(item.name for file in files for item in file.objects if item.name.strip())

    def _find_images(self, split: str) -> str:
        if not self.folder.images.files:
            return (
                f"{self.root} holds no image: put them into {IMAGES}, or name the folder of images and annotations; "
                "unpack archives."
            )
        where = "their ids from the list of the split" if split in self.folder.lists else "their annotations"
        return f"Put them into {self._image_folder()}, or remove {where}."

    def _image_folder(self) -> Path | str:
        folders = self.folder.images.folders
        return folders[0] if len(folders) == 1 else IMAGES

    def _list(self, split: str) -> Path:
        return next(iter(self.folder.lists.get(split, ())), self.root)

    def _note(self, split: str, count: int) -> str:
        folder = self.folder.label_folder.name if self.folder.label_folder != self.root else "XML files"
        if split in self.folder.lists or split in self.folder.class_lists:
            return f"PASCAL VOC (it has {folder}), split '{split}'"
        if split in self.folder.split_folders:
            return f"PASCAL VOC (it has {folder}), split '{split}' (a folder)"
        return f"PASCAL VOC without split lists, all {count} annotations are read"
