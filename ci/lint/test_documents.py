"""What ci/lint/documents finds wrong in a small repository made up for it."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

LOADER = importlib.machinery.SourceFileLoader("documents", str(Path(__file__).parent / "documents"))
documents = importlib.util.module_from_spec(importlib.util.spec_from_loader("documents", LOADER))
sys.modules["documents"] = documents
LOADER.exec_module(documents)

FILES = {
    "README.md": "# Title\n",
    "docs/page.md": "# Page\n\n## What it `does`, and why\n\n## Twice\n\n## Twice\n",
    "ci/test": "case $1 in --full) ;; esac\n",
    "ci/stages/10-lint": "",
    "ci/demo": "exec live-data-worker demo\n",
    "worker/Cargo.toml": '[package]\nname = "live-data-worker"\n',
    "worker/src/cli.rs": """
        pub enum Command {
    Run(Box<RunArgs>),
    CheckScript(CheckScriptArgs),
}
pub struct CheckScriptArgs { file: PathBuf }
pub struct RunArgs {
    #[arg(long, env = "OUTPUT_DIR")]
    pub output_dir: PathBuf,
    #[arg(long, env = "LIVE_FROM_NOW", num_args = 0..=1)]
    pub live_from_now: bool,
}
""",
    "worker/tests/it/bad_input.rs": "#[test]\nfn every_kind_of_record() {}\n\nfn helper() {}\n",
    "operator/src/main.rs": "enum Command {\n    Release,\n}\n",
}


@pytest.fixture
def faults(tmp_path):
    """What is wrong with a README of this text."""

    def look(text):
        for name, content in FILES.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (tmp_path / "README.md").write_text(text)
        return documents.check(tmp_path)

    return look


RIGHT = [
    "[page](docs/page.md), [part](docs/page.md#what-it-does-and-why), [second](docs/page.md#twice-1), [web](https://x.y/z#a)",
    "# A head\n\n[there](#a-head)",
    "[`RunArgs::output_dir`](worker/src/cli.rs)",
    "`ci/test lint --full`, `ci/test STAGE…`, `ci/stages/*`, `ci/lab/PART`, `ci/demo --output-dir x`",
    "`cargo test -p live-data-worker`, `cargo test -p CRATE`",
    "`live-data-worker check-script FILE`, `live-data-worker --live-from-now`, `live-data-operator release`",
    "`OUTPUT_DIR`, `LIVE_…`, `RUST_LOG`",
    "```sh\nOUTPUT_DIR=/tmp/x target/release/live-data-worker run   # ci/nothing\n```",
    "`bad_input::every_kind…`",
    "| a | tests |\n|---|---|\n| b | `bad_input`; `bad_input::every_kind_of_record` |",
    "`RunArgs`, `CheckScriptArgs::file`, `Word`",
    "| term | former name |\n|---|---|\n| `RunArgs` | `GoneArgs` |",
    "<!-- [gone](gone.md) -->\n\n```\n[gone](gone.md)\n```",
]

WRONG = [
    ("[gone](gone.md)", "leads to no file"),
    ("[page](docs/page.md#no-such-part)", "no heading"),
    ("[there](#nowhere)", "no heading"),
    ("[`RunArgs::gone`](worker/src/cli.rs)", "`RunArgs::gone` is not defined in worker/src/cli.rs"),
    ("[`PathBuf`](worker/src/cli.rs)", "`PathBuf` is not defined in worker/src/cli.rs"),
    ("`ci/gone`", "ci/gone does not exist"),
    ("`worker/src/*.py`", "matches no file"),
    ("```sh\nci/test nothing\n```", "no stage nothing"),
    ("`ci/test --fast`", "no option --fast"),
    ("`cargo test -p live-data-gone`", "no crate live-data-gone"),
    ("`live-data-worker dance`", "no command dance"),
    ("```\n$ live-data-worker run --gone 3\n```", "no option --gone"),
    ("`OUTPUT_FOLDER`", "the setting OUTPUT_FOLDER"),
    ("`GONE_…`", "the setting GONE"),
    ("```sh\nOUTPUT_FOLDER=x live-data-worker\n```", "the setting OUTPUT_FOLDER"),
    ("`GoneArgs`", "`GoneArgs` is in no program"),
    ("`RunArgs::gone`", "`RunArgs::gone` is in no program"),
    ("`bad_input::nothing…`", "no test is named"),
    ("`bad_input::helper…`", "no test is named"),
    ("| a | tests |\n|---|---|\n| b | `bad_input::every_kind` |", "no test is named"),
    ("| a | tests |\n|---|---|\n| b | `gone` |", "no file gone has tests"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_passes(faults, text):
    assert faults(text) == []


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_what_is_wrong_is_named(faults, text, expected):
    found = faults(text)
    assert len(found) == 1 and expected in found[0], found


def test_faults_have_file_and_line(faults):
    assert faults("one\n\n[gone](gone.md)\n")[0].startswith("README.md:3: ")


def test_a_bar_in_a_code_span_does_not_end_a_cell():
    assert documents.cells(r"| `a|b` | c \| d |") == ["`a|b`", r"c \| d"]
