"""Data with one fault each, and what `ssd300 check` must find in it."""

import json

from conftest import object_xml
from ssd300.cli import main
from ssd300.system.wording import plural

GOOD = object_xml("red", (20, 20, 90, 90))


def label(root, name, objects, size="<size><width>160</width><height>120</height></size>"):
    (root / f"Annotations/{name}.xml").write_text(f"<annotation>{size}{objects}</annotation>")


def run(capsys, *words):
    code = main(["check", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def assert_found(data, capsys, rule, spoilt):
    """`spoilt` is what spoils the data, and the level, file and object of the problem that follows."""
    spoil, level, file, number = spoilt
    spoil(data)
    code, report = run(capsys, data)
    found = [problem for problem in report["problems"] if problem["rule"] == rule.strip()]
    assert found, report["problems"]
    assert found[0]["level"] == level
    assert found[0]["file"].endswith(file)
    assert found[0]["object"] == number
    assert found[0]["message"]
    assert found[0]["fix"]
    assert code == (3 if level == "error" else 0)
    assert main(["check", str(data), "--strict"]) == 3
    shown = capsys.readouterr().out
    assert f"{level}: {rule.strip()}, {plural(len(found), 'time')}" in shown
