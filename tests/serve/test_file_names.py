import pytest

from ssd300.serve.file_names import extended_name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("form-data; name=\"file\"; filename*=UTF-8''a%20b.jpg", "a b.jpg"),
        ("x; FILENAME* = \"utf-8''a.jpg\" ; y=1", "a.jpg"),
        ("x; filename*0*=UTF-8''caf%C3; filename*1*=%A9; filename*2=\".jpg\"", "café.jpg"),
        ('x; filename*0="a"; filename*1="b.jpg"', "ab.jpg"),
        ("x; filename*=gb18030''%BA%EC.jpg", "红.jpg"),
        ("x; filename*=a.jpg", "a.jpg"),
        ("x; filename*=utf-8''%FF; filename=a.jpg", None),  # the plain one is whole
        ("x; filename*=utf-8''%FF", "\ufffd"),
        ("x; filename*=unicode_escape''%5Cx41", "\\x41"),  # no encoding of texts in files
        ('x; name="a; filename*=UTF-8\'\'b"; filename="c.jpg"', None),
        ("x; filename=\"a; filename*=UTF-8''b\"", None),
        ('x; filename="a.jpg"', None),
        ("", None),
    ],
)
def test_an_extended_name(disposition, name):
    assert extended_name(disposition) == name
