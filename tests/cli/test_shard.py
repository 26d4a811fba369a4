"""`ssd300 shard`, and the other verbs on shards: their words, exit codes and refusals."""

import json
import shlex
from pathlib import Path

import pytest

from packed import pack, write_dataset
from ssd300.cli import main
from ssd300.system.stores import open_store


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A dataset `data`, shards of it in `shards`, and `text.txt`."""
    monkeypatch.chdir(tmp_path)
    write_dataset(Path("data"))
    pack("data", "shards")
    Path("text.txt").write_text("nut\nbolt\n")
    return tmp_path


def test_the_counts_and_the_next_commands_are_printed(place, capsys):
    capsys.readouterr()
    pack(Path("data"), "more")
    out = capsys.readouterr().out
    assert "train: 23 images, 23 written in" in out
    assert "test: 3 images, 3 written in 1 shard" in out
    assert "shards in more" in out
    commands = [line.strip() for line in out.splitlines() if line.startswith("    ssd300 ")]
    assert commands == ["ssd300 check more", "ssd300 train more --out runs/more"]
    assert main(shlex.split(commands[0])[1:]) == 0


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        ("shard data --out shards", 2, ["exists and is not empty", "shards-2", "not written over"]),
        ("shard data --out new --size 10 parsecs", 2, ["parsecs"]),
        ("shard data --out new --size big", 2, ["--size: 'big' is not a size", "256MB"]),
        ("shard data --out new --size 5KB", 2, ["--size is 5KB", "10 kB or more"]),
        ("shard data --out new --size -1", 2, ["--size"]),
        ("shard dataa --out new", 3, ["no such folder", "Did you mean data"]),
        ("shard data", 2, ["shard needs DATA and OUT"]),
        ("shard data --out text.txt", 2, ["text.txt"]),
        ("shard data --out new --split mini", 3, ["no split 'mini'"]),
        ("shard data --out nowhere://bucket/a", 2, ["nowhere"]),
        ("shard shards --out new", 3, ["these are shards"]),
        ("shard data --out shards --size 1B --split mini", 2, ["not empty", "--size is 1", "no split 'mini'"]),
        ("train shards --out run --holdout 0.2", 2, ["no images can be held out of shards", "ssd300 split"]),
        ("train shards --out run --sampling balanced", 2, ["--sampling balanced cannot be used on shards"]),
        ("train shards --out run --cache disk", 2, ["--cache disk cannot be used on shards"]),
        ("train shards data --out run", 2, ["shards are not joined"]),
        ("train shards --out run --only nut", 2, ["--only cannot be used on shards", "`ssd300 shard` has --only"]),
        ("train shards/train-000000.tar --out run", 3, ["this is a single shard", "folder of all of them: shards."]),
        ("train shards --out run --classes text.txt", 2, ["--classes cannot"]),
        ("train shards --out run --drop-difficult", 2, ["--drop-difficult cannot"]),
        ("train shards --out run --split mini", 3, ["no split 'mini'", "train, test"]),
        ("train shards --out run --eval-split mini", 3, ["no split 'mini'"]),
        ("train shards --out run --eval-split train", 2, ["'train' is what is trained on"]),
        ("train shards --out run --shard-cache lots", 2, ["--shard-cache: 'lots' is not a size"]),
        ("train shards --out run --shard-cache-folder text.txt", 2, ["--shard-cache-folder is a file"]),
        ("train memory://nothing/here --out run", 3, ["there are no shards", "memory://nothing/here"]),
        ("convert shards --out new --to voc", 3, ["these are shards"]),
        ("split shards --out new --holdout 0.2", 2, ["no images can be held out of shards"]),
        ("prepare shards --out new", 3, ["these are shards"]),
        ("check shards --html page.html", 2, ["--html cannot be used on shards"]),
        ("check shards --split mini", 3, ["no split 'mini'"]),
    ],
)
def test_wrong_inputs_are_told(place, capsys, words, code, parts):
    capsys.readouterr()
    preset = " --preset light --init none --steps 1" if words.startswith("train") else ""
    assert main(shlex.split(words + preset)) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    for part in parts:
        assert part in " ".join(err.split())
    assert not Path("new").exists()
    assert not Path("run").exists()


def test_an_address_is_written_once_and_checked(place, capsys):
    address = f"memory://{place.name}/shards"
    pack(Path("data"), address)
    assert open_store(address).names()[0] == "index.json"
    capsys.readouterr()
    assert main(["shard", "data", "--out", address]) == 2
    assert "there are files already, such as index.json" in capsys.readouterr().err
    cache = ["--shard-cache-folder", "cache"]
    assert main(["check", address, "--json", *cache]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 26


@pytest.mark.slow
def test_an_address_is_trained_on_and_measured_on(place, capsys):
    address, cache = pack(Path("data"), f"memory://{place.name}/shards"), ["--shard-cache-folder", "cache"]
    words = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--workers", "0"]
    assert main(["train", address, "--out", "run", *words, "--image-size", "128", *cache]) == 0
    capsys.readouterr()
    assert main(["eval", address, "--weights", "run", "--json", *cache]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 3
    assert list(Path("cache").glob("*.tar"))


def test_check_counts_all_images_and_names_each_damaged_shard(place, capsys):
    capsys.readouterr()
    assert main(["check", "data", "--json"]) == main(["check", "shards", "--json"]) == 0
    whole, packed = (json.loads(text + "}") for text in capsys.readouterr().out.split("\n}")[:2])
    for name in ("images", "objects", "classes", "coverage"):
        assert packed[name] == whole[name]
    first, second, *_ = sorted(Path("shards").glob("train-*.tar"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    assert main(["check", "shards", "--json"]) == 3
    problems = [one for one in json.loads(capsys.readouterr().out)["problems"] if one["rule"] == "shard"]
    assert [(one["file"], one["message"].split(",")[0].split(";")[0]) for one in problems] == [
        (str(first), "the shard is missing"), (str(second), "the shard is truncated"),
    ]  # fmt: skip
    assert main(["check", "shards"]) == 3
    assert "ssd300 train" not in capsys.readouterr().out


@pytest.mark.slow
def test_eval_compare_and_verify_read_shards(place, capsys):
    words = ["--preset", "light", "--init", "none", "--steps", "1", "--batch-size", "2", "--workers", "0"]
    assert main(["train", "shards", "--out", "run", *words, "--image-size", "128"]) == 0
    capsys.readouterr()
    for data in ("data", "shards"):
        assert main(["eval", data, "--weights", "run", "--json"]) == 0
    ours, theirs = (json.loads(text + "}") for text in capsys.readouterr().out.split("\n}")[:2])
    assert ours.pop("trained_on_images") == theirs.pop("trained_on_images")
    assert ours == theirs
    assert main(["verify", "run", "shards"]) == 0
    assert main(["compare", "run", "run", "shards"]) == 0
    assert main(["eval", "shards", "--weights", "run", "--out", "page"]) == 0
    assert Path("page/report.html").is_file()
    assert main(["export", "shards", "--weights", "run", "--out", "model.onnx"]) == 3
    assert "images in shards" in capsys.readouterr().err
