import json

from ssd300.cli import main
from ssd300.metrics.error_kinds import KINDS


def test_the_folder_of_the_command_has_page_scores_errors_and_detections(coloured, light_run, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["eval", str(coloured), "--weights", str(light_run), "--out", str(out), "--failures"]
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["failures"]["kinds"].keys() == set(KINDS)
    assert json.loads((out / "failures.json").read_text()) == printed["failures"]
    assert json.loads((out / "scores.json").read_text())["map"] == printed["map"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Where it fails" in page
    assert page.count("data:image/png") == 5
    # the stored detections can be evaluated again
    assert main(["eval", str(coloured), "--predictions", str(out), "--failures"]) == 0
    assert "kind of error" in capsys.readouterr().out
    assert main(command) == 2
    assert "not empty" in capsys.readouterr().err


def test_a_page_names_the_worst_images_that_cannot_be_read(coloured, tmp_path):
    """Stored predictions need no pixels, so the images may be missing."""
    for image in (coloured / "JPEGImages").iterdir():
        image.unlink()
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "comp4_det_test_red.txt").write_text("p4 0.9 1 1 30 30\n")
    out = tmp_path / "out"
    assert main(["eval", str(coloured), "--predictions", str(stored), "--out", str(out)]) == 0
    assert "could not be read" in (out / "report.html").read_text(encoding="utf-8")
