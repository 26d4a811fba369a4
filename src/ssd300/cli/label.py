"""`ssd300 label`: a page on which boxes are drawn and saved."""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ssd300.cli.early_checks import check_device, check_weights
from ssd300.cli.help import DATA, LIMITS, USUAL
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import DataFormat, Device, Out, Several, Switch, Usual, read_classes, say
from ssd300.cli.out_folder import check_is_folder_name
from ssd300.cli.served import OPTION_NAMES, TOKEN, check_installed, name_of, opened, who, with_port
from ssd300.serve.listening import address_of, bind
from ssd300.serve.settings import ServeSettings
from ssd300.system.progress import shown
from ssd300.system.wording import counted, plural

if TYPE_CHECKING:
    from ssd300.labeling.project import Project

OfLimits = Parameter(group=LIMITS)


def label(
    folder: Annotated[Path, Parameter(group=DATA, metavar="FOLDER")],
    /,
    *,
    weights: Annotated[str | None, Parameter(name=["--weights", "-w"], group=USUAL, metavar="WEIGHTS")] = None,
    out: Annotated[Path | None, Out, Parameter(metavar="FOLDER", validator=check_is_folder_name)] = None,
    runs: Annotated[Path, Usual, Parameter(metavar="FOLDER")] = Path("runs/label"),
    classes: Annotated[Path | None, Usual, Parameter(metavar="FILE")] = None,
    list_: Annotated[Path | None, Usual, Parameter(name="--list", metavar="FILE")] = None,
    format_: DataFormat = "auto",
    host: Annotated[str, Usual, Parameter(metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, Usual] = 8301,
    open_: Annotated[Switch, Usual, Parameter(name="--open")] = False,
    token: Annotated[str | None, Usual] = None,
    device: Device = "auto",
    allow_host: Annotated[tuple[str, ...], Several, OfLimits, Parameter(metavar="NAME...")] = (),
) -> None:
    """Draw and correct boxes in the browser, until Ctrl-C.

    Parameters
    ----------
    folder
        A folder of images, or a dataset in VOC, COCO or YOLO format.
    weights
        Propose boxes with these: a run folder, a .safetensors file, a name such as coco, or an exported .onnx or .xml
        file. Default: no proposals.
    out
        A folder for the labels of images without labels, or of VOC. Default: the place where the data has them.
    runs
        A folder for a training that the page starts; the next ones get a number.
    classes
        A text file with one class per line. Default: the classes of the data; the page adds others.
    list_
        A text file of images, such as `ssd300 next --out` writes: the page lists these first, in this order. Default:
        all images.
    format_
        The format of the data; auto recognizes it by its content.
    host
        The address to listen on: 127.0.0.1 is for this machine alone, 0.0.0.0 for everyone who can reach it.
    port
        The port to listen on; 0 takes a free one.
    open_
        Open the page in the browser of this desktop.
    token
        The page asks for it. Default: the environment variable SSD300_TOKEN, which other users of this machine cannot
        read.
    device
        Where the weights run: auto, cpu, cuda or mps; auto takes a GPU if there is one.
    allow_host
        Further host names by which browsers reach it, such as labels.example.org.
    """
    mistakes = Mistakes()
    with mistakes.caught():
        check_installed("ssd300.labeling.running")
    values = {"token": token if token is not None else os.environ.get(TOKEN) or None, "allow_hosts": allow_host}
    settings = mistakes.built(ServeSettings, values, fix="See `ssd300 label --help`.", names=OPTION_NAMES)
    if weights is not None:
        check_device(mistakes, weights, device)
        check_weights(mistakes, weights)
    names: list[str] = []
    notes: list[str] = []
    listed: list[int] = []
    with mistakes.caught():
        names = read_classes(classes) or []
    with ExitStack() as until_end:
        with mistakes.caught():
            words = mistakes.words or ["label", str(folder)]
            listener = until_end.enter_context(bind(host, port, command=partial(with_port, words)))
        with mistakes.caught():
            from ssd300.labeling.opening import open_labels

            files = open_labels(folder, out=out, classes=names, format=format_)
            if list_ is not None:
                from ssd300.labeling.image_choice import listed_numbers

                listed = listed_numbers(list_, files.images, notes.append)
        mistakes.raise_all()
        say(notes)
        from dataclasses import replace

        from ssd300.labeling.label_store import LabelStore
        from ssd300.labeling.project import Project
        from ssd300.labeling.running import run

        with shown("reading the labels", len(files.images)) as task:
            store = LabelStore(files, progress=task.update)
        project = Project(folder, store, weights=weights, device=device, runs=runs, listed=listed)
        named = name_of(host)
        settings = replace(settings, allow_hosts=(*settings.allow_hosts, *filter(None, [named])))

        def started() -> None:
            address = address_of(listener)
            done = sum(one.is_labeled for one in store.summaries)
            say(
                [
                    f"{plural(len(files.images), 'image')}, {done:,} labeled, {files.title}; saved in {files.home}",
                    f"page {address}/",
                    *who(listener, named, settings),
                    "Ctrl-C stops the server; everything on the page is saved at once",
                ]
            )
            if open_:
                say(opened(address))

        try:
            run(project, settings, listener, started=started)
        except KeyboardInterrupt as signal:
            if command := project.training.command:
                say([f"the training goes on; `{command}` stops it, and the next `ssd300 label` shows it again"])
            signal.args = ("stopped",)  # this is how a server is meant to end
            raise
        finally:
            say(_unlisted(project))


def _unlisted(project: "Project") -> list[str]:
    """A line on labeled images that training on a split would leave out."""
    count = len(project.unlisted())
    if not count:
        return []
    what = counted(count, "labeled {image is|images are} in no list, so training on a split leaves {it|them} out")
    return [f"{what}; the tab Data of the page adds {'it' if count == 1 else 'them'} to one"]
