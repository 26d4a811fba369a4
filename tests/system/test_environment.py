import json
import re
import subprocess

from ssd300.cli import main
from ssd300.system import environment as module
from ssd300.system.environment import cpu_has_bf16, environment, source_commit


def test_facts_are_plain_values_with_an_empty_version_where_a_package_is_missing(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("torch", "no-such-package"))
    facts = json.loads(json.dumps(environment()))
    assert facts["torch"]
    assert facts["no-such-package"] == ""
    assert facts["processors"] >= 1
    assert isinstance(facts["gpus"], list)


def test_bfloat16_is_read_from_the_processors_capabilities(monkeypatch):
    for capabilities, expected in (({"avx512_bf16": True}, True), ({"avx2": True, "bf16": False}, False), ({}, False)):
        monkeypatch.setattr(module.torch.cpu, "get_capabilities", lambda found=capabilities: found)
        assert cpu_has_bf16() is expected


def test_without_git_there_is_no_commit(monkeypatch):
    def fail(*_words, **_options):
        raise subprocess.CalledProcessError(128, "git")

    monkeypatch.setattr(module.subprocess, "run", fail)
    assert source_commit() is None


def test_the_verb_prints_lines_or_one_json_object(capsys):
    assert main(["env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["env", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    rows = dict(re.split(r" {2,}", line, maxsplit=1) for line in lines)
    for name in ("ssd300", "torch"):
        assert rows[name] == facts[name]
    assert (rows["system"], rows["Python"]) == (facts["platform"], facts["python"])
    assert ("instructions" in rows["bfloat16"]) == (not facts["bf16_on_cpu"])
