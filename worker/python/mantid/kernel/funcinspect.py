"""Names of the variables that a call's result is assigned to."""

from livedata import names


def lhs_info(output_type="both", frame=None):
    """Names of the variables that the result of the calling function is assigned to.

    output_type: 'both' for (number, names), 'nreturns' for the number, 'names' for the names.
    frame: the frame whose call is looked at; that of the caller of the calling function when None.
    """
    if frame is None:
        frame = names.caller(2)
    count, targets = names.assigned(frame)
    if output_type == "nreturns":
        return count
    if output_type == "names":
        return targets
    return (count, targets)


def customise_func(func, name, signature, docstring):
    """Sets a function's name, signature and docstring."""
    func.__name__ = func.__qualname__ = str(name)
    func.__doc__ = docstring
    func.__signature__ = signature
    return func
