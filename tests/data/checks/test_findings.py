from conftest import object_xml
from data.checks.spoilt import label, run
from ssd300.cli import main


def test_good_data_has_no_problems_and_its_objects_are_counted(data, capsys):
    code, report = run(capsys, data)
    assert (code, report["problems"]) == (0, [])
    assert (report["images"], report["objects"]) == (6, 6)
    assert report["classes"] == {"red": {"trainval": 4, "test": 2}}
    assert report["coverage"]["classes"]["red"] == {"objects": 6, "covered": 6, "share": 1.0}
    assert sum(size["objects"] for size in report["coverage"]["sizes_px"].values()) == 6
    assert main(["check", str(data)]) == 0
    assert "no problems found" in capsys.readouterr().out


def test_what_becomes_of_files_is_one_sentence(data, capsys):
    def said():
        main(["check", str(data)])
        return next(line for line in capsys.readouterr().out.splitlines() if " used" in line)

    used = sum(path.is_file() for path in data.rglob("*"))
    assert said() == f"{used} files, all used"
    (data / "LICENSE").touch()
    assert said() == f"{used + 1} files: {used} are used; 1 is neither an image nor an annotation: LICENSE"
    (data / "notes.md").touch()
    (data / "JPEGImages/.DS_Store").touch()
    assert said() == (
        f"{used + 3} files: {used} are used; 1 is not used, as listed above; "
        "2 are neither images nor annotations: LICENSE, notes.md"
    )


def test_coverage_is_explained(data, capsys):
    main(["check", str(data)])
    out = capsys.readouterr().out
    assert "fits: the share of objects that one of the network's default boxes fits" in out
    assert "    under 16         0       -\n    16 to 32 " in out
    assert "in an image of 300 x 300" in out


def test_all_problems_are_reported_at_once_and_no_file_is_changed(data, capsys):
    (data / "Annotations/a.xml").unlink()
    (data / "JPEGImages/b.jpg").write_bytes(b"text")
    label(data, "c", object_xml("red", (9, 9, 1, 1)))
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    _, report = run(capsys, data)
    assert {"annotation", "image", "box"} <= {problem["rule"] for problem in report["problems"]}
    assert before == {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert run(capsys, data, "--no-pixels")[1]["images"] == 6


def test_every_split_is_checked(data, capsys):
    lists = data / "ImageSets/Main"
    (lists / "trainval.txt").unlink()
    (lists / "train.txt").write_text("a\nb\n")
    (lists / "val.txt").write_text("c\nd\n")
    assert run(capsys, data)[1]["classes"] == {"red": {"train": 2, "val": 2, "test": 2}}
    for format_name, splits in (("coco", {"train", "val", "test"}), ("yolo", {"train", "val", "test"})):
        assert main(["convert", str(data), str(data.parent / format_name), "--to", format_name]) == 0
        capsys.readouterr()
        assert set(run(capsys, data.parent / format_name)[1]["classes"]["red"]) == splits


def test_the_page_has_every_problem_and_loads_nothing_from_the_web(data, capsys, tmp_path):
    label(data, "a", object_xml("&lt;b&gt;", (9, 9, 1, 1)))
    page = tmp_path / "findings.html"
    assert main(["check", str(data), "--html", str(page)]) == 3
    text = page.read_text(encoding="utf-8")
    assert "a.xml, object 1" in text
    assert "<b>:" not in text
    assert "://" not in text  # base64 has no colon
    capsys.readouterr()
    assert main(["check", str(data), "--html", str(page)]) == 2
    assert "--overwrite" in capsys.readouterr().err
