"""Names of the variables that a call's result is assigned to, from the caller's byte code.

Works on the byte code of Python 3.11 to 3.13. Looks at what follows the instruction that is being executed: stores,
or the unpacking of a sequence into stores.
"""

import dis
import sys

# Instructions that neither use nor move the result.
_TRANSPARENT = frozenset(("CACHE", "NOP", "EXTENDED_ARG", "RESUME", "NOT_TAKEN"))
_STORES = frozenset(("STORE_NAME", "STORE_FAST", "STORE_GLOBAL", "STORE_DEREF"))
_CACHE_SIZE = 4096
_cache = {}


def assigned(frame):
    """(number, names) of the variables that the present call of `frame` is assigned to.

    The number is 0 when the result is dropped or used in an expression. Names of targets that are no plain variables
    (attributes, items) are empty.
    """
    code = frame.f_code
    key = (id(code), frame.f_lasti)
    held = _cache.get(key)
    # The code object is kept with its result: otherwise another one could get its id.
    if held is not None and held[0] is code:
        return held[1]
    answer = _read(code, frame.f_lasti)
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    _cache[key] = (code, answer)
    return answer


def is_import_from(frame):
    """True if the frame is executing `from … import …`."""
    current = None
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset > frame.f_lasti:
            break
        current = instruction
    return current is not None and current.opname == "IMPORT_FROM"


def _read(code, lasti):
    current = None
    following = []
    for instruction in dis.get_instructions(code):
        # While Python calls Python, 3.11 points behind the call's own instruction, into its cache.
        if instruction.offset <= lasti:
            current = instruction
        elif instruction.opname not in _TRANSPARENT:
            following.append(instruction)
    # 3.11 splits a call in two, and the frame may point at either.
    if current is not None and current.opname == "PRECALL" and following and following[0].opname == "CALL":
        following = following[1:]
    names = _targets(_expand(following))
    return (len(names), names)


def _expand(instructions):
    """Yields (opname, argument, number), with the fused stores of 3.13 taken apart."""
    for instruction in instructions:
        name = instruction.opname
        if name == "STORE_FAST_STORE_FAST":
            first, second = instruction.argval
            yield "STORE_FAST", first, None
            yield "STORE_FAST", second, None
        elif name == "STORE_FAST_LOAD_FAST":
            first, second = instruction.argval
            yield "STORE_FAST", first, None
            yield "LOAD_FAST", second, None
        elif name == "STORE_FAST_MAYBE_NULL":
            yield "STORE_FAST", instruction.argval, None
        else:
            yield name, instruction.argval, instruction.arg


def _targets(instructions):
    instructions = iter(instructions)
    for name, value, number in instructions:
        if name in _STORES:
            return (value,)
        if name == "COPY" and number == 1:
            # a = b = call(): the first target names it.
            continue
        if name == "UNPACK_SEQUENCE":
            return _unpacked(instructions, value)
        return ()
    return ()


def _unpacked(instructions, count):
    names = []
    for name, value, _ in instructions:
        if len(names) == count:
            break
        if name in _STORES:
            names.append(value)
        elif name in ("STORE_ATTR", "STORE_SUBSCR"):
            names.append("")
        elif name == "UNPACK_SEQUENCE":
            # A nested target receives one output, which it cannot name.
            return tuple(names) + ("",) * (count - len(names))
        # Instructions that load the object or index of a target that is no variable are skipped.
    return tuple(names)


def caller(depth=1):
    """Frame `depth` calls above the caller of this function."""
    return sys._getframe(depth + 1)
