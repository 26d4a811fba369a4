import re
from urllib.parse import urljoin

import pytest

from ssd300.site.page_files import page_files, without_server

IMPORT = re.compile(r'(?:from|import) "(\./[\w.]+)"|importScripts\("([\w./]+)"\)|new URL\("([\w./]+)", import')
REFERENCE = re.compile(r'(?:src|href)="([^"]+)"')
WRITTEN_AT_EXPORT = {
    "manifest.json", "static/files.js", "static/model.json", "static/ort.wasm.bundle.min.js",
}  # fmt: skip


def test_what_the_page_names_is_there_and_nothing_of_a_server_is():
    files = page_files()
    named = set(REFERENCE.findall(files["index.html"].decode()))
    for path, content in files.items():
        if path.endswith(".js"):
            named |= {urljoin(path, "".join(found)) for found in IMPORT.findall(content.decode())}
    assert named - files.keys() <= WRITTEN_AT_EXPORT
    assert named >= {"static/page.js", "static/api.js", "static/worker.js", "static/model.json", "static/resize.js"}
    everything = b"".join(files.values()).decode()
    assert [word for word in ('"v1/', "`v1/", 'id="token-form"', "swagger") if word in everything] == []


def test_each_script_of_the_page_is_used():
    files = page_files()
    used = "".join(content.decode() for path, content in files.items() if path.endswith((".js", ".html")))
    scripts = {path.rpartition("/")[2] for path in files if path.endswith(".js")}
    assert {name for name in scripts if f'{name}"' not in used} == set()


@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("a\n<!--server-->\nb\n<!--/server-->\nc\n", "a\nc\n"),
        ("a\n<!--site\nb\nsite-->\nc\n", "a\nb\nc\n"),
        ("<!--server-->\nb\n<!--/server-->\nc\n<!--server-->\nd\n<!--/server-->\n", "c\n"),
    ],
)
def test_marks_say_which_page_has_a_line(page, made):
    assert without_server(page) == made


@pytest.mark.parametrize("page", ["<!--server-->\nb\n", "<!--site\nb\n", "<!-- other -->\n"])
def test_a_mark_without_its_other_one_is_noticed(page):
    with pytest.raises(AssertionError):
        without_server(page)
