"""What needs no cluster: both charts with every file of the matrix, by both Helms."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from checks.programs import CHART, CHART_CHECKS, INSTRUMENTS, ROOT, call, run
from checks.report import Failed, Report, expect, expect_equal, expect_in

from .prometheus import promtool

HELMS = ("helm", "helm3")
# Without a cluster Helm takes the version that it was built with, which a build from source may not have set.
AS_NEW = ("--kube-version", "1.34.0")
WRONG = (
    (CHART, "replicas=two", "replicas"),
    (CHART, "site.fiaApiURL=http://x", "fiaApiURL"),
    (CHART, "site.fiaApiUrl=localhost", "fiaApiUrl"),
    (CHART, "site.kafka.bootstrapServers=broker:65536", "bootstrapServers"),
    (CHART, "site.ceph.secretName=a..b", "secretName"),
    (CHART, "site.valkey.port=70000", "port"),
    (CHART, "image.digest=latest", "digest"),
    (CHART, "worker.resources.limits.memory=12Gx", "memory"),
    (CHART, "worker.storage.output.emptyDri.sizeLimit=1Gi", "emptyDri"),
    (CHART, "worker.suspend=true", "suspend"),
    (CHART, "networkPolicy.apiServerPorts={0}", "apiServerPorts"),
    (INSTRUMENTS, "instruments={LET}", "instruments/0"),
    (INSTRUMENTS, "defaults.live.colour=red", "colour"),
)


def matrix(chart: Path) -> list[Path]:
    """The files of values that a chart is installed with."""
    files = sorted((chart / "ci").glob("*-values.yaml"))
    expect(files, f"{chart}/ci holds no *-values.yaml")
    return files


def workspace_version() -> str:
    """The version in the root Cargo.toml, which the charts bear too."""
    text = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^\[workspace\.package\]\n(?:.+\n)*?version = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise Failed("Cargo.toml has no version under [workspace.package]")
    return found[1]


def versions_agree() -> None:
    """Both charts and the workspace bear one version."""
    for chart in (CHART, INSTRUMENTS):
        text = (chart / "Chart.yaml").read_text(encoding="utf-8")
        for field in ("version", "appVersion"):
            found = re.search(rf"^{field}: \"?([^\"\n]+)", text, re.MULTILINE)
            expect_equal(found and found[1], workspace_version(), f"{chart.name}/Chart.yaml: {field}")


def lint(helm: str, chart: Path) -> None:
    """`helm lint --strict` with no values and with each file."""
    run(helm, "lint", "--strict", chart)
    for file in matrix(chart):
        run(helm, "lint", "--strict", chart, "--values", file)


def renders_alike(chart: Path) -> None:
    """Helm 3 and 4 make the same objects of the same values."""
    for file in matrix(chart):
        texts = [
            re.sub(
                r"\n+(?=---\n)",
                "\n",
                run(helm, "template", "live-data", chart, *AS_NEW, "--namespace", "fia", "--values", file),
            ).strip()
            for helm in HELMS
        ]
        expect_equal(texts[0] == texts[1], True, f"{file.name} rendered by both")


def refuses(helm: str, chart: Path, setting: str, field: str) -> None:
    """A wrong value is refused before anything reaches a cluster, and the answer names its field."""
    done = call(helm, "template", "live-data", chart, *AS_NEW, "--set", setting)
    expect(done.returncode != 0, f"{helm} took {setting}")
    expect_in(field, done.stderr, f"{helm}'s answer to {setting}")


def refuses_all_at_once(helm: str, chart: Path) -> None:
    """A file with many mistakes is answered with all of them, not with the first."""
    wrong = [(setting, field) for of, setting, field in WRONG if of == chart]
    settings = [word for setting, _ in wrong for word in ("--set", setting)]
    done = call(helm, "template", "live-data", chart, *AS_NEW, *settings)
    expect(done.returncode != 0, f"{helm} took {len(wrong)} mistakes")
    missing = [field for _, field in wrong if field not in done.stderr]
    expect(not missing, f"{helm} does not name {missing} among {len(wrong)} mistakes:\n{done.stderr}")


def package_is_lean(chart: Path) -> None:
    """The packaged chart holds what users need: no tests of templates, no matrix, but `helm test`'s hook."""
    with tempfile.TemporaryDirectory() as folder:
        run("helm", "package", chart, "--destination", folder)
        archive = next(Path(folder).glob("*.tgz"))
        names = run("tar", "-tzf", archive).split()
    wanted = {f"{chart.name}/{name}" for name in ("Chart.yaml", "values.yaml", "values.schema.json", "README.md")}
    if chart == CHART:
        wanted |= {"live-data/templates/tests/ready.yaml", "live-data/templates/crd.yaml"}
    expect(wanted <= set(names), f"missing: {sorted(wanted - set(names))}")
    for folder in ("ci", "tests"):
        extra = [name for name in names if name.startswith(f"{chart.name}/{folder}/")]
        expect(not extra, f"packaged although only tests read it: {extra}")


def rendered_alerts(folder: Path) -> Path:
    """The PrometheusRule's groups as a file of rules."""
    text = run(
        "helm",
        "template",
        "live-data",
        CHART,
        "--namespace",
        "fia",
        "--set",
        "prometheusRule.enabled=true",
        "--show-only",
        "templates/prometheusrule.yaml",
    )
    lines = text.split("\n  groups:\n", 1)[1].splitlines()
    target = folder / "alerts.yaml"
    target.write_text("groups:\n" + "\n".join(line[2:] for line in lines) + "\n", encoding="utf-8")
    return target


def alerts() -> None:
    """The alerts' expressions are PromQL, and fire when they should and not before."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rendered_alerts(folder)
        run(promtool(), "check", "rules", "--lint=all", "--lint-fatal", folder / "alerts.yaml")
        (folder / "test.yaml").write_text(
            (CHART_CHECKS / "alerts_test.yaml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        run(promtool(), "test", "rules", folder / "test.yaml")


def dashboards() -> list[Path]:
    """Grafana's files."""
    files = sorted((CHART / "dashboards").glob("*.json"))
    expect(files, "there is no dashboard")
    return files


def expressions(board: dict) -> list[str]:
    """Every query of a dashboard."""
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def dashboards_hold() -> None:
    """The dashboards are JSON with panels of their own, and their queries are PromQL."""
    with tempfile.TemporaryDirectory() as name:
        rules = ["groups:", "  - name: dashboards", "    rules:"]
        for file in dashboards():
            board = json.loads(file.read_text(encoding="utf-8"))
            ids = [panel["id"] for panel in board["panels"]]
            expect_equal(len(set(ids)), len(ids), f"{file.name}: panels' ids")
            expect_equal(board["uid"], file.stem, f"{file.name}: uid")
            expect(expressions(board), f"{file.name} asks for nothing")
            for number, text in enumerate(expressions(board)):
                plain = text.replace("$__rate_interval", "5m").replace("$__range", "1h")
                rules.append(f"      - record: {file.stem.replace('-', '_')}:q{number}")
                rules.append(f"        expr: {json.dumps(plain)}")
        path = Path(name) / "dashboards.yaml"
        path.write_text("\n".join(rules) + "\n", encoding="utf-8")
        run(promtool(), "check", "rules", "--lint=none", path)


def known_metrics() -> set[str]:
    """Names of the samples that worker and operator export, read from the tables in their sources."""
    suffixes = {"Counter": "_total", "Counters": "_total", "Seconds": "_seconds", "Bytes": "_bytes"}
    worker = ROOT / "worker"
    page = (worker / "src" / "http" / "metrics.rs").read_text(encoding="utf-8")
    rows = re.findall(r'\bname: "(\w+)",\s*help: "[^"]*",\s*samples: Samples::(\w+)', page)
    for file in ("counters.rs", "memo.rs"):
        text = (worker / "engine" / "src" / file).read_text(encoding="utf-8")
        rows += [(name, kind) for kind, name in re.findall(r'=> (\w+) "(\w+)", "', text)]
    expect(len(rows) > 20, f"only {len(rows)} of the worker's metrics were found: adapt known_metrics()")
    names = {"up"} | {f"live_data_{name}{suffixes.get(kind, '')}" for name, kind in rows}
    for name in re.findall(r'"(live_data_\w+_seconds)"', page):
        names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return names | operator_metrics()


def operator_metrics() -> set[str]:
    """The names that the operator exports: what it registers, by the type of the field that it registers."""
    text = (ROOT / "operator" / "src" / "metrics.rs").read_text(encoding="utf-8")
    kinds = {
        field: next(kind for kind in ("Counter", "Gauge", "Histogram") if kind in what)
        for field, what in re.findall(r"^    (\w+): (.*(?:Counter|Gauge|Histogram).*),$", text, re.MULTILINE)
    }
    suffixes = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}
    return {
        f"live_data_operator_{name}{suffix}"
        for name, field in re.findall(r'\bregister\(\s*"(\w+)",\s*"[^"]*",\s*self\.(\w+)', text)
        for suffix in suffixes[kinds[field]]
    }


def metrics_exist() -> None:
    """Alerts and dashboards ask for nothing that nobody exports."""
    known = known_metrics()
    expect(len(known) > 20, f"only {len(known)} metrics were found in the sources: adapt known_metrics()")
    with tempfile.TemporaryDirectory() as name:
        texts = [rendered_alerts(Path(name)).read_text(encoding="utf-8")]
    for file in dashboards():
        texts += expressions(json.loads(file.read_text(encoding="utf-8")))
    used = {name for text in texts for name in re.findall(r"\blive_data_\w+\b", text)}
    unknown = sorted(used - known)
    expect(not unknown, f"exported by nobody: {unknown}; there are: {sorted(known)}")


def yaml_is_clean() -> None:
    """What is YAML and no template."""
    files = [CHART_CHECKS / "alerts_test.yaml", CHART_CHECKS / "fixtures"]
    for chart in (CHART, INSTRUMENTS):
        files += [chart / "Chart.yaml", chart / "values.yaml", chart / "ci", chart / "tests"]
    run("yamllint", "--strict", "--config-file", ROOT / ".yamllint", *files)


def checks(report: Report) -> None:
    """All of them."""
    report.check("the charts and the workspace bear one version", versions_agree)
    report.check("YAML that is no template passes yamllint", yaml_is_clean)
    report.check("the tables of values are those of values.yaml", lambda: run(CHART_CHECKS / "values-table", "--check"))
    for chart in (CHART, INSTRUMENTS):
        for helm in HELMS:
            report.check(
                f"{helm} lint --strict {chart.name}, no values and {len(matrix(chart))} files",
                lambda helm=helm, chart=chart: lint(helm, chart),
            )
        report.check(f"{chart.name}: Helm 3 and 4 render the same", lambda chart=chart: renders_alike(chart))
        report.check(f"{chart.name}: the package holds what it should", lambda chart=chart: package_is_lean(chart))
        report.check(
            f"{chart.name}: unit tests of the templates",
            lambda chart=chart: run("helm-unittest", "--strict", "--color=false", chart),
        )
    for chart, setting, field in WRONG:
        report.check(
            f"{chart.name}: {setting} is refused, by name",
            lambda chart=chart, setting=setting, field=field: [refuses(h, chart, setting, field) for h in HELMS],
        )
    for chart in (CHART, INSTRUMENTS):
        report.check(
            f"{chart.name}: many mistakes are all answered at once",
            lambda chart=chart: [refuses_all_at_once(helm, chart) for helm in HELMS],
        )
    report.check("alerts are PromQL and fire when they should", alerts)
    report.check("dashboards are JSON and their queries PromQL", dashboards_hold)
    report.check("alerts and dashboards ask for metrics that there are", metrics_exist)
