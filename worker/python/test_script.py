"""Loading of a script: modules beside it are read again, embedded ones stay."""

import sys
import types

import pytest

from livedata.script import Host


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield Host(str(tmp_path))
    for name in set(sys.modules) - set(before):
        del sys.modules[name]


def test_a_helper_beside_the_script_is_read_again(host, tmp_path):
    (tmp_path / "helper.py").write_text("value = 1\n")
    host.load("import helper\ndef execute():\n    return helper.value\n")
    (tmp_path / "helper.py").write_text("value = 22\n")
    host.load("import helper\ndef execute():\n    return helper.value\n")
    assert sys.modules["reduction_script"].execute() == 22


def test_an_embedded_module_stays_the_same_module(host):
    embedded = types.ModuleType("embedded_module")
    embedded.__file__ = "<live-data>/mantid/_wrap.py"
    sys.modules["embedded_module"] = embedded
    host.load("def execute():\n    pass\n")
    assert sys.modules.get("embedded_module") is embedded
