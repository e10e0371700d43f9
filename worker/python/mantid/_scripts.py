"""Execution of Python code with a workspace as `input` and a name as `output`, as RunPythonScript does."""

from livedata import _engine, names


def run_code(code, workspace, output, name="<RunPythonScript>"):
    """Executes `code` with everything of mantid.simpleapi; `input` is the workspace, `output` the name that the code
    has to give its result; tracebacks call the code `name`.

    Code may as well assign its result, or another name of it, to the variable: that workspace is returned.
    """
    from mantid.api import Workspace, mtd

    if code is None:
        raise RuntimeError("Must specify python to execute")
    if not code.strip():
        raise RuntimeError("Python script is empty")
    scope = {"__name__": "__main__", "input": workspace, "output": output}
    exec("import mantid\nfrom mantid.simpleapi import *", scope)
    exec(compile(code, name, "exec", dont_inherit=True), scope)
    result = scope.get("output")
    if not output or result is None or result == output:
        return None
    if isinstance(result, str):
        result = mtd[result]
    if not isinstance(result, Workspace):
        raise RuntimeError(
            f"Invalid type assigned to 'output' variable: {type(result).__name__}. Must be a string or a Workspace object"
        )
    return result


def RunPythonScript(Code=None, InputWorkspace=None, OutputWorkspace=None, Filename=None):
    """Executes a piece of Python, or a file of it.

    Code: the Python, in which `input` is the workspace given and `output` the name that the result must get;
    InputWorkspace: a workspace or its name; OutputWorkspace: the name of the result, that of the variable it is
    assigned to when none is given; Filename: a file to read the code from instead.
    """
    from mantid.api import mtd

    title = "RunPythonScript-v1"
    if OutputWorkspace is None:
        OutputWorkspace = next(iter(names.assigned(names.caller())[1]), None)
    if Filename is not None:
        try:
            with open(Filename, encoding="utf-8") as file:
                Code = file.read()
        except OSError as error:
            raise ValueError(f'Problem setting "Filename" in {title}: {error}') from None
    workspace = mtd[InputWorkspace] if isinstance(InputWorkspace, str) and InputWorkspace else InputWorkspace
    try:
        assigned = run_code(Code, None if isinstance(workspace, str) else workspace, OutputWorkspace)
    except Exception as error:
        raise RuntimeError(f"{title}: {type(error).__name__}: {error}") from error
    if not OutputWorkspace:
        return None
    if assigned is not None:
        mtd.addOrReplace(OutputWorkspace, assigned)
    if not _engine.contains(OutputWorkspace):
        raise RuntimeError(
            f"{title}: the script has made no workspace {OutputWorkspace}: give its result the name `output`"
        )
    return mtd[OutputWorkspace]
