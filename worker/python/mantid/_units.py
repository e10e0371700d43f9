"""Units of axes."""

_KNOWN = {
    "Empty": ("", ""),
    "Label": ("", ""),
    "TOF": ("Time-of-flight", "microsecond"),
    "Wavelength": ("Wavelength", "Angstrom"),
    "Energy": ("Energy", "meV"),
    "Energy_inWavenumber": ("Energy", "cm^-1"),
    "dSpacing": ("d-Spacing", "Angstrom"),
    "MomentumTransfer": ("q", "Angstrom^-1"),
    "QSquared": ("Q2", "Angstrom^-2"),
    "DeltaE": ("Energy transfer", "meV"),
    "DeltaE_inWavenumber": ("Energy transfer", "cm^-1"),
    "DeltaE_inFrequency": ("Energy transfer", "GHz"),
    "Momentum": ("Momentum", "Angstrom^-1"),
    "SpinEchoLength": ("Spin Echo Length", "nm"),
    "SpinEchoTime": ("Spin Echo Time", "ns"),
    "Time": ("t", "second"),
    "Degrees": ("Scattering angle", "degrees"),
    "Temperature": ("Temperature", "K"),
    "AtomicDistance": ("Atomic Distance", "Angstrom"),
}


class DeltaEModeType:
    """Energy modes."""

    Elastic, Direct, Indirect, Undefined = 0, 1, 2, 3

    @staticmethod
    def asString(mode):
        return ("Elastic", "Direct", "Indirect", "Undefined")[mode]

    @staticmethod
    def fromString(text):
        return ("Elastic", "Direct", "Indirect", "Undefined").index(text)


class Unit:
    """A unit: its id, its caption for an axis, and its symbol."""

    def __init__(self, name, caption, symbol, change=None):
        self._name, self._caption, self._symbol, self._change = name, caption, symbol, change

    def unitID(self):
        return self._name

    name = unitID

    def caption(self):
        return self._caption

    def symbol(self):
        return Symbol(self._symbol)

    def label(self):
        return self._symbol

    def setLabel(self, caption, symbol=""):
        """Sets caption and symbol of a Label unit."""
        if self._name != "Label":
            raise RuntimeError(f"the unit {self._name} has a label of its own")
        self._caption, self._symbol = str(caption), str(symbol)
        if self._change is not None:
            self._change(self)

    def __eq__(self, other):
        return isinstance(other, Unit) and (self._name, self._caption) == (other._name, other._caption)

    def __hash__(self):
        return hash(self._name)

    def __repr__(self):
        return f"{self._caption} ({self._symbol})"


class Symbol(str):
    """A unit's symbol, as plain text and otherwise."""

    def ascii(self):
        return str(self)

    def utf8(self):
        return str(self).replace("Angstrom", "Å").replace("microsecond", "µs").replace("^-1", "⁻¹")

    def latex(self):
        return r"\AA" if self == "Angstrom" else str(self)


class UnitFactoryImpl:
    """Creation of units by name."""

    def create(self, name):
        if name not in _KNOWN:
            raise RuntimeError(f"there is no unit {name}: the known ones are {', '.join(sorted(_KNOWN))}")
        return Unit(name, *_KNOWN[name])

    def getKeys(self):
        return sorted(_KNOWN)

    def Instance(self):
        return self


UnitFactory = UnitFactoryImpl()
