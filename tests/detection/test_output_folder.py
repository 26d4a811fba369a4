"""An interrupted run is resumed by the same command, with the same files as without an interruption."""

import pytest

from ssd300.cli import main
from ssd300.detection.output_folder import PROGRESS, DetectionFolder, open_usual_folder
from ssd300.detection.outputs import save_image
from ssd300.errors import RunError, UsageError
from ssd300.system.lock import LOCK, InUseError


@pytest.fixture
def words(coloured, light_run):
    return ["detect", str(coloured / "JPEGImages"), "-w", str(light_run), "--top-k", "3", "--out"]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def interrupted(words, tmp_path, monkeypatch, capsys):
    """A folder in which three of five images are done."""

    def save(folder, name, *rest):
        if name == "p3":
            raise KeyboardInterrupt
        save_image(folder, name, *rest)

    monkeypatch.setattr("ssd300.detection.run.save_image", save)
    assert main([*words, str(tmp_path / "out"), "--save", "image", "jsonl", "csv", "comp4"]) == 130
    monkeypatch.undo()
    assert "of 5 are done; the same command resumes" in capsys.readouterr().err
    return tmp_path / "out"


def test_the_same_command_resumes(interrupted, words, tmp_path, capsys):
    assert (interrupted / PROGRESS).is_file()
    assert not (interrupted / "detections.jsonl").exists()
    command = [*words, str(interrupted), "--save", "image", "jsonl", "csv", "comp4"]
    assert main(command) == 0
    assert "resuming: 3 of 5 are done" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "whole"), "--save", "image", "jsonl", "csv", "comp4"]) == 0
    assert files(interrupted) == files(tmp_path / "whole")


@pytest.mark.slow
def test_another_command_does_not_resume(interrupted, words, capsys):
    before = files(interrupted)
    assert main([*words, str(interrupted), "--save", "jsonl"]) == 2
    assert "an unfinished run of another command" in capsys.readouterr().err
    assert files(interrupted) == before
    assert main([*words, str(interrupted), "--save", "jsonl", "--overwrite"]) == 0
    assert not (interrupted / PROGRESS).exists()


@pytest.mark.slow
def test_an_image_whose_line_is_incomplete_is_done_again(interrupted, words):
    progress = interrupted / PROGRESS
    progress.write_bytes(progress.read_bytes()[:-20])
    assert main([*words, str(interrupted), "--save", "image", "jsonl", "csv", "comp4"]) == 0
    assert len((interrupted / "detections.jsonl").read_text().splitlines()) == 5


def test_a_skipped_image_that_was_mended_is_read(coloured, words, tmp_path):
    broken = coloured / "JPEGImages/p1.jpg"
    whole = broken.read_bytes()
    broken.write_bytes(b"broken")
    folder = DetectionFolder(tmp_path / "out", {"a": 1})
    folder.end(0, skipped="broken")
    folder.add(1, "p2", {"image": "p2.jpg"}, done=True)
    folder.close(finished=False)
    broken.write_bytes(whole)
    again = DetectionFolder(tmp_path / "out", {"a": 1})
    assert (again.done, again.skipped) == ({1}, {})
    assert list(again.rows()) == [("p2", {"image": "p2.jpg"})]
    again.close(finished=False)
    with pytest.raises(UsageError, match="another command"):
        DetectionFolder(tmp_path / "out", {"a": 2})


@pytest.mark.slow
def test_a_run_that_was_interrupted_before_its_first_record_is_resumed(words, tmp_path, monkeypatch):
    """Images that are written but not recorded are written again."""
    assert main([*words, str(tmp_path / "whole")]) == 0

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(DetectionFolder, "add", interrupt)
    assert main([*words, str(tmp_path / "out")]) == 130
    monkeypatch.undo()
    assert (tmp_path / "out/p0.jpg").exists()
    (tmp_path / "out/.p1.xml.99.partial").touch()  # as kill -9 leaves it
    assert main([*words, str(tmp_path / "out")]) == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")


@pytest.mark.slow
def test_other_images_are_reported_as_such(interrupted, words, coloured, capsys):
    (coloured / "JPEGImages/a.jpg").write_bytes((coloured / "JPEGImages/p0.jpg").read_bytes())
    assert main([*words, str(interrupted), "--save", "image", "jsonl", "csv", "comp4"]) == 2
    assert "an unfinished run on other images (5 then)" in capsys.readouterr().err


def test_a_second_run_in_the_folder_is_refused_and_changes_nothing(tmp_path):
    """An overlapping cron job: two runs once wrote 904 rows for 480 images."""
    first = DetectionFolder(tmp_path / "out", {"a": 1})
    first.add(0, "p0", {"image": "p0.jpg"}, done=True)
    before = files(tmp_path / "out")
    for overwrite in (False, True):
        with pytest.raises(InUseError, match=r"another run is writing here.*out-2"):
            DetectionFolder(tmp_path / "out", {"a": 1}, overwrite=overwrite)
    assert files(tmp_path / "out") == before
    first.add(1, "p1", {"image": "p1.jpg"}, done=True)
    assert [name for name, _ in first.rows()] == ["p0", "p1"]
    first.close(finished=False)
    assert not (tmp_path / "out" / LOCK).exists()
    DetectionFolder(tmp_path / "out", {"a": 1}).close(finished=True)


def test_runs_without_out_at_the_same_time_take_the_next_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [open_usual_folder({"a": 1}, lambda _: None) for _ in range(3)]
    assert [str(run.folder) for run in runs] == ["detections", "detections-2", "detections-3"]
    runs[0].end(0)
    for run in runs:
        run.close(finished=False)
    again = open_usual_folder({"a": 1}, lambda _: None)  # the unfinished one of the same command
    assert (str(again.folder), again.done) == ("detections", {0})
    again.close(finished=True)
    assert not any((tmp_path / "detections").iterdir())


def test_a_folder_that_a_run_was_killed_in_before_its_first_line_is_free(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK).touch()
    DetectionFolder(tmp_path / "out", {"a": 1}).close(finished=True)
    assert not any((tmp_path / "out").iterdir())


def test_a_line_that_the_disk_has_no_room_for_is_an_error_that_names_the_file(tmp_path):
    folder = DetectionFolder(tmp_path / "out", {"a": 1})
    folder.add(0, "p0", {"image": "p0.jpg"}, done=True)
    folder._file.close()
    folder._file = open("/dev/full", "a")  # noqa: SIM115, PTH123  # close() closes it
    with pytest.raises(RunError, match=r"detections\.progress.*cannot be written \(No space left"):
        folder.add(1, "p1", {"image": "p1.jpg"}, done=True)
    folder.close(finished=False)
    again = DetectionFolder(tmp_path / "out", {"a": 1})
    assert again.done == {0}
    again.close(finished=True)
