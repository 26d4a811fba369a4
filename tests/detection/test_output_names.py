"""Names of the files that detection writes: no two sources share one."""

from pathlib import Path

import pytest

from ssd300.detection.contents import Content
from ssd300.detection.output_names import check_sources_stay, output_names
from ssd300.errors import UsageError


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/x.jpg", "b/x.jpg", "x_2.jpg"], ["x", "x_3", "x_2"]),
        (["film.mp4", "film_000000.jpg"], ["film_2", "film_000000"]),
        (["classes.png"], ["classes_2"]),
        (["camera:0", "https://example.org/dog.jpg?size=3"], ["camera_0", "dog"]),
        ([Path("what?.jpg"), Path("c#.jpg"), Path("a.b.jpg")], ["what?", "c#", "a.b"]),
        ([Path("new\nline.jpg"), Path("caf\udce9.jpg"), Path("a:b.jpg")], ["new_line", "caf_", "a_b"]),
        ([Content("a.zip/b\\c/d.jpg", bytes)], ["d"]),
        ([Path("é" * 120 + ".jpg")], ["é" * 80]),
    ],
)
def test_no_two_files_share_a_name(sources, names):
    assert output_names(sources) == names


def test_a_source_that_would_be_overwritten_is_refused(tmp_path):
    check_sources_stay([tmp_path / "a.png", tmp_path / "b/c.jpg"], tmp_path)
    with pytest.raises(UsageError, match="would overwrite a source"):
        check_sources_stay([tmp_path / "a.png", tmp_path / "c.jpg"], tmp_path)
