"""The folder that `export --format web` writes, without a browser."""

import gzip
import json
import shutil

import pytest

from kept_offline import checksum, kept_files
from ssd300 import Detector
from ssd300.cli import main
from ssd300.errors import UsageError
from ssd300.site.exporting import HEAVY, check_site
from ssd300.system.web_runtime import WEBGPU

pytestmark = pytest.mark.slow


def test_the_folder_is_small_and_all_of_it_is_kept_offline(site):
    kept = kept_files(site)
    for name, noted in kept["files"].items():
        assert noted == checksum(site / ("index.html" if name == "./" else name)), name
    written = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert written - kept["files"].keys() == {
        "index.html", "parity.json", "service_worker.js", "static/files.js", "ThirdPartyNotices.txt",
    }  # fmt: skip
    assert {f"static/{name}" for name in WEBGPU} == set(kept["webgpu"]) <= kept["files"].keys()
    assert sum(len(gzip.compress((site / name).read_bytes())) for name in written) < HEAVY


def test_the_model_is_one_that_every_verb_takes_and_the_page_knows_it(site, unsure_run):
    card = Detector.load(site / "model.onnx").card
    described = json.loads((site / "static/model.json").read_text())
    assert [one["name"] for one in described["classes"]] == list(card.classes)
    assert (described["image_size_px"], described["resize"]) == (card.image_size_px, card.resize)
    assert json.loads((site / "parity.json").read_text())["raw_agreement"]["moved"] < 1e-3
    assert "not stated" in (site / "licenses.txt").read_text()


def test_a_site_is_replaced_only_if_that_is_asked_for(site, unsure_run, tmp_path, capsys):
    out = tmp_path / "site"
    shutil.copytree(site, out)
    (out / "CNAME").write_text("cells.example\n")
    (out / "index.html").write_text("old")
    words = ["export", "--weights", str(unsure_run), "--format", "web", "--out", str(out)]
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    for sizes in (report["site"], report["site"]["webgpu"]):
        assert 0 < sizes["compressed_bytes"] < sizes["bytes"] < 2**25  # some hosts take no file above 25 MiB
    assert (out / "index.html").read_bytes() == (site / "index.html").read_bytes()
    assert (out / "CNAME").is_file()


@pytest.mark.parametrize(
    ("precision", "name", "message"),
    [("bf16", "new", "in bf16"), ("fp32", "file", "file where a folder is needed"), ("fp32", "", "not empty")],
)
def test_mistakes_are_told_before_the_work(precision, name, message, tmp_path, web_package):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=message):
        check_site(tmp_path / name, precision, overwrite=False)
