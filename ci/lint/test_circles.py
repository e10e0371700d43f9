"""The circles that ci/lint/circles finds in crates made up for it."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

LOADER = importlib.machinery.SourceFileLoader("circles", str(Path(__file__).parent / "circles"))
circles = importlib.util.module_from_spec(importlib.util.spec_from_loader("circles", LOADER))
sys.modules["circles"] = circles
LOADER.exec_module(circles)


@pytest.fixture
def found(tmp_path):
    """Circles of a crate that is given as {file: text}, each as a set of module names."""

    def look(**files):
        for name, text in files.items():
            path = tmp_path / "src" / (name.replace("__", "/") + ".rs")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        graph = circles.Crate(tmp_path / "src" / "lib.rs").edges()
        return [{"::".join(module) for module in group} for group in circles.components(graph)]

    return look


def test_two_files_that_import_each_other(found):
    assert found(lib="mod a; mod b;", a="use crate::b::B; pub struct A;", b="use super::a::{self, A};") == [{"a", "b"}]


def test_a_chain_is_no_circle(found):
    assert found(lib="mod a; mod b; mod c;", a="use crate::b::B;", b="use crate::c::C;", c="pub struct C;") == []


def test_a_circle_through_three_files_and_a_use_tree_over_lines(found):
    tree = "use crate::{\n    c::{C as Other, inner::*},\n};"
    assert found(lib="mod a; mod b; mod c;", a="use crate::b;", b=tree, c="use crate::a::A;") == [{"a", "b", "c"}]


def test_a_re_export_leads_to_the_file_that_defines(found):
    files = {"lib": "mod a; mod m;", "m": "mod x; mod y; pub use x::X; pub use y::Y;"}
    assert found(**files, a="use crate::m::X;", m__x="pub struct X;", m__y="use crate::a::A;") == []
    assert found(**files, a="use crate::m::Y;", m__x="pub struct X;", m__y="use crate::a::A;") == [{"a", "m::y"}]


def test_a_parent_is_in_a_circle_with_a_child_that_uses_its_own_item(found):
    assert found(lib="mod m;", m="mod x; pub use x::X; pub struct Own;", m__x="use super::Own;") == [{"m", "m::x"}]
    assert found(lib="mod m;", m="mod x; pub use x::X; pub struct Own;", m__x="pub struct X;") == []


def test_a_path_without_a_use_line_counts(found):
    assert found(lib="mod a; mod b;", a="fn f() { super::b::g() }", b="use crate::a::f;") == [{"a", "b"}]


def test_tests_comments_and_strings_do_not_count(found):
    text = """
        // use crate::b::B;
        const TEXT: &str = "use crate::b::B;";
        #[cfg(test)]
        use crate::b::B;
        #[cfg(test)]
        mod tests { use crate::b::B; fn f() { crate::b::g() } }
        #[cfg(test)]
        mod more;
        macro_rules! m { () => { $crate::b::g() } }
    """
    assert found(lib="mod a; mod b;", a=text, a__more="use crate::b::B;", b="use crate::a::A;") == []


def test_code_after_a_test_module_counts(found):
    text = "#[cfg(test)] mod tests { fn f() { if true {} } } use crate::b::B;"
    assert found(lib="mod a; mod b;", a=text, b="use crate::a::A;") == [{"a", "b"}]


def test_the_report_names_files_and_lines(tmp_path, capsys):
    for name, text in {"lib": "mod a;\nmod b;", "a": "\nuse crate::b::B;", "b": "use crate::a::A;"}.items():
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / f"{name}.rs").write_text(text)
    assert circles.main([str(tmp_path)]) == 1
    output = capsys.readouterr().out
    assert "src/a.rs:2: use crate::b::B" in output and "1 import circles in 1 crates" in output


def test_a_crate_without_circles_passes(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lib.rs").write_text("pub struct Alone;")
    assert circles.main([str(tmp_path)]) == 0
