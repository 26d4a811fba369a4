import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd300.data.formats.voc_xml import parse_xml
from ssd300.errors import DataError
from ssd300.labeling.voc_document import VocDocument, VocValues, edited, empty_document

# As no program would write it: other tags, attributes, comments, white space, a CDATA section.
ODD = b"""<?xml version="1.0" encoding="utf-8"?>
<!-- made by hand -->
<annotation verified="yes">
   <filename>a.jpg</filename><size><width>640</width><height>480</height><depth>3</depth></size>
   <object id='1>2'>
      <name>red <![CDATA[& blue]]></name><pose>Left</pose>
      <bndbox><xmin> 10.0 </xmin><ymin>20</ymin><xmax>110</xmax><ymax>120</ymax></bndbox>
      <attributes><attribute><name>color</name><value>red</value></attribute></attributes>
   </object>
   <!-- between -->
   <object><name>cat</name><difficult/><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>

   <segmented>0</segmented>
</annotation>
"""
CAT = VocValues(name="cat", corners=(1.0, 1.0, 5.0, 5.0))


def test_nothing_changed_is_the_same_file():
    document = VocDocument(ODD)
    assert document.with_parts(list(enumerate(document.parts))) == ODD


def test_only_what_differs_is_written():
    document = VocDocument(ODD)
    first, second = document.parts
    red = VocValues(name="red & blue", corners=(10.0, 20.0, 110.0, 120.0))
    moved = edited(first, red, VocValues(name="red & blue", corners=(12.0, 20.0, 110.0, 121.0)))
    marked = edited(second, CAT, VocValues(name="dog", corners=(1.0, 1.0, 5.0, 5.0), difficult=True, truncated=True))
    written = document.with_parts([(0, moved), (1, marked)])
    assert written == (
        ODD.replace(b" 10.0 ", b" 12 ").replace(b"<ymax>120<", b"<ymax>121<")
        .replace(b"<name>cat</name><difficult/>", b"<name>dog</name><truncated>1</truncated><difficult>1</difficult>")
    )  # fmt: skip
    file = parse_xml(written)
    assert [(item.name, item.difficult) for item in file.objects] == [("red & blue", False), ("dog", True)]
    assert file.objects[0].box_px == (11, 19, 110, 121)


def test_an_object_that_is_removed_takes_its_line_and_comes_back_as_it_was():
    document = VocDocument(ODD)
    first, second = document.parts
    without = document.with_parts([(1, second)])
    assert b"red" not in without
    assert b"<!-- between -->" in without
    again = VocDocument(without)
    assert VocDocument(again.with_parts([(None, first), (0, second)])).parts == (first, second)
    emptied = document.with_parts([])
    assert parse_xml(emptied).fault is None
    assert parse_xml(emptied).objects == ()


@pytest.mark.parametrize("newline", ["\n", "\r\n", ""])
@pytest.mark.parametrize("indent", ["\t", "    ", ""])
def test_a_new_object_is_written_as_the_others_are(newline, indent):
    step = indent if newline else ""
    rows = ["<annotation>", f"{step}<filename>a.jpg</filename>", "</annotation>"]
    document = VocDocument(newline.join(rows).encode())
    written = document.with_parts([(None, document.new_part(CAT))])
    assert parse_xml(written).objects[0].box_px == (0, 0, 5, 5)
    line = newline + step if newline else ""
    assert f"{line}<object>{line}{step or chr(9) if newline else ''}<name>cat</name>".encode() in written
    assert (b"\r" in written) == (newline == "\r\n")


@pytest.mark.parametrize(
    ("mark", "encoding", "head"),
    [
        (codecs.BOM_UTF8, "utf-8", ""),
        (codecs.BOM_UTF16_LE, "utf-16-le", ""),
        (codecs.BOM_UTF16_BE, "utf-16-be", ""),
        (b"", "latin-1", '<?xml version="1.0" encoding="latin-1"?>'),
        (b"", "gbk", '<?xml version="1.0" encoding="gbk"?>'),
    ],
)
def test_the_encoding_is_kept(mark, encoding, head):
    name = "车" if encoding == "gbk" else "café"
    text = f"{head}<annotation><object><name>{name}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax>"
    text += "<ymax>5</ymax></bndbox></object></annotation>"
    content = mark + text.encode(encoding)
    document = VocDocument(content)
    assert document.with_parts(list(enumerate(document.parts))) == content
    moved = edited(document.parts[0], CAT, VocValues(name="cat", corners=(1.0, 1.0, 5.0, 6.0)))
    assert document.with_parts([(0, moved)]) == content.replace("<ymax>5".encode(encoding), "<ymax>6".encode(encoding))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no xml", b"<annotation>", b"<annotation/>", "<annotation/>".encode("utf-16-le"),
        b'<?xml version="1.0" encoding="nothing"?><annotation></annotation>',
        b"<annotation><object><object></object></object></annotation>",
        b"<annotation><name>\xff</name></annotation>",
    ],
)  # fmt: skip
def test_what_cannot_be_edited_safely_is_refused(content):
    with pytest.raises(DataError):
        VocDocument(content)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)
CORNERS = st.tuples(*[st.integers(1, 500)] * 2).flatmap(
    lambda low: st.tuples(st.just(low[0]), st.just(low[1]), st.integers(low[0] + 1, 600), st.integers(low[1] + 1, 600))
)
VALUES = st.builds(
    VocValues,
    name=NAMES,
    corners=CORNERS.map(lambda box: tuple(map(float, box))),
    difficult=st.booleans(),
    truncated=st.booleans(),
)


@pytest.mark.slow
@settings(deadline=None)  # other work may share the cores
@given(st.lists(VALUES, max_size=4), st.data())
def test_any_edit_reads_back_and_leaves_the_others_alone(values, data):
    document = VocDocument(ODD)
    parts = [*enumerate(document.parts), *((None, document.new_part(one)) for one in values)]
    content = document.with_parts(parts)
    document = VocDocument(content)
    assert document.parts[:2] == VocDocument(ODD).parts
    assert content.startswith(ODD[: ODD.index(b"   <segmented>")].rstrip())
    assert content.endswith(ODD[ODD.index(b"\n\n   <segmented>") :])
    if values:
        place = data.draw(st.integers(0, len(values) - 1))
        after = data.draw(VALUES)
        changed = edited(document.parts[2 + place], values[place], after)
        now = VocDocument(document.with_parts([*enumerate(document.parts[:-1]), (len(document.parts) - 1, changed)]))
        item = parse_xml(now.with_parts(list(enumerate(now.parts)))).objects[-1]
        assert item.name.strip() == after.name.strip()
        assert item.written == tuple(map(float, after.corners))
        assert item.difficult == after.difficult


def test_a_new_file_is_one_without_objects():
    file = parse_xml(empty_document("a&b.jpg", (480, 640)))
    assert (file.image, file.size_hw, file.objects, file.fault) == ("a&b.jpg", (480, 640), (), None)
