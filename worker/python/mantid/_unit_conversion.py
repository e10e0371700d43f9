"""Conversion of single numbers between units."""

import enum

from livedata import _engine
from mantid._units import DeltaEModeType


class UnitParams(enum.Enum):
    """Parameters of a unit conversion: angles in radians, lengths in m, energies in meV."""

    l2, twoTheta, efixed, delta, difa, difc, tzero = range(7)


class UnitConversion:
    """Conversion of single numbers between units."""

    @staticmethod
    def run(src, dest, srcValue, l1, *rest):
        """run(from, to, value, l1, l2, two theta, energy mode, fixed energy), or
        run(from, to, value, l1, energy mode, {UnitParams: number})."""
        if len(rest) == 4:
            l2, two_theta, mode, e_fixed = rest
        elif len(rest) == 2:
            mode, given = rest
            l2, two_theta, e_fixed = (
                given.get(key, 0.0) for key in (UnitParams.l2, UnitParams.twoTheta, UnitParams.efixed)
            )
        else:
            raise TypeError("run() takes l1, l2, the angle, the energy mode and the fixed energy after the value")
        ids = [unit if isinstance(unit, str) else unit.unitID() for unit in (src, dest)]
        numbers = [float(number) for number in (srcValue, l1, l2, two_theta)]
        return _engine.convert_unit(*ids, *numbers, DeltaEModeType.asString(mode), float(e_fixed))
