"""Times, vectors, configuration, logging and time series."""

from mantid._config import ConfigService, ConfigServiceImpl, config
from mantid._logger import Logger, logger
from mantid._properties import (
    BoolPropertyWithValue,
    BoolTimeSeriesProperty,
    Direction,
    FloatArrayProperty,
    FloatPropertyWithValue,
    FloatTimeSeriesProperty,
    Int32TimeSeriesProperty,
    Int64TimeSeriesProperty,
    IntArrayProperty,
    IntPropertyWithValue,
    Property,
    PropertyMode,
    StringPropertyWithValue,
    StringTimeSeriesProperty,
    TimeSeriesPropertyStatistics,
)
from mantid._times import DateAndTime, time_duration
from mantid._unit_conversion import UnitConversion, UnitParams
from mantid._units import DeltaEModeType, Unit, UnitFactory, UnitFactoryImpl
from mantid._vectors import V3D
from mantid.kernel import funcinspect


def version_str():
    """Version of Mantid that the API follows."""
    import mantid

    return mantid.__version__


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.kernel", name)
