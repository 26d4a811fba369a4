import resource
import subprocess
import sys

import pytest
from PIL import Image

from ssd300.images.encode import encoded, write_image


def test_the_content_is_that_of_a_file_that_pillow_writes(tmp_path):
    image = Image.effect_noise((60, 40), 50).convert("RGB")
    image.save(tmp_path / "pillow.jpg", quality=95)
    write_image(tmp_path / "ours.jpg", image, "JPEG", quality=95)
    assert (tmp_path / "ours.jpg").read_bytes() == (tmp_path / "pillow.jpg").read_bytes()
    assert encoded(image, "PNG")[:4] == b"\x89PNG"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_does_not_fit_is_an_error(tmp_path, form):
    """Pillow itself leaves half a JPEG without one. A limit on the size of files stands in for a full disk."""
    code = (
        "import sys; from pathlib import Path; from PIL import Image; from ssd300.images.encode import write_image\n"
        f"write_image(Path(sys.argv[1]), Image.effect_noise((300, 300), 90).convert('RGB'), {form!r})"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a"], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )  # fmt: skip
    assert "OSError" in ended.stderr.splitlines()[-1]
