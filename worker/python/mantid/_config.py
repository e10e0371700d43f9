"""The configuration: keys and values, as scripts read and set them."""

from livedata import _engine
from mantid import _logger

_FACILITIES = {
    "ISIS": (
        "ALF ARGUS CHIPIR CHRONUS CRISP EMU ENGINX GEM HET HIFI HRPD IMAT INES INTER IRIS LARMOR LET LOKI LOQ MAPS "
        "MARI MERLIN MUSR NILE NIMROD NMIDG OFFSPEC OSIRIS PEARL POLARIS POLREF PRISMA ROTAX SANDALS SANS2D SURF SXD "
        "TOSCA VESUVIO WISH ZOOM"
    ).split(),
}


class InstrumentInfo:
    """Instrument as the facility's list describes it."""

    def __init__(self, name, facility):
        self._name, self._facility = name, facility

    def name(self):
        return self._name

    def shortName(self):
        """Prefix of run names, such as MER."""
        return _engine.short_name(self._name)

    def facility(self):
        return FacilityInfo(self._facility)

    def __str__(self):
        return self._name


class FacilityInfo:
    """Facility with its instruments."""

    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name

    def instruments(self):
        return [InstrumentInfo(name, self._name) for name in _FACILITIES.get(self._name, [])]

    def instrument(self, name):
        return InstrumentInfo(name.upper(), self._name)

    def __str__(self):
        return self._name


class ConfigServiceImpl:
    """Keys and values; also `config['key']`."""

    def Instance(self):
        return self

    def __getitem__(self, key):
        return _engine.config_get(key) or ""

    def __setitem__(self, key, value):
        _engine.config_set(key, str(value))

    def __contains__(self, key):
        return _engine.config_get(key) is not None

    def getString(self, key, _use_cache=True):
        return self[key]

    def setString(self, key, value):
        self[key] = value

    def get(self, key, default=""):
        held = _engine.config_get(key)
        return default if held is None else held

    def keys(self):
        return _engine.config_keys()

    def hasProperty(self, key):
        return key in self

    def getFacility(self, name=None):
        return FacilityInfo(name or self["default.facility"] or "ISIS")

    def setFacility(self, name):
        self["default.facility"] = name

    def getFacilityNames(self):
        return sorted(_FACILITIES)

    def getInstrument(self, name=None):
        name = name or self["default.instrument"]
        if not name:
            raise RuntimeError("no instrument is set: give a name, or set config['default.instrument']")
        return InstrumentInfo(str(name).upper(), self["default.facility"] or "ISIS")

    def getInstrumentDirectory(self):
        return (self.getInstrumentDirectories() or [""])[0]

    def getInstrumentDirectories(self):
        return self._folders("instrumentDefinition.directory")

    def setInstrumentDirectories(self, folders):
        self["instrumentDefinition.directory"] = ";".join(map(str, folders))

    def getDataSearchDirs(self):
        return self._folders("datasearch.directories")

    def setDataSearchDirs(self, folders):
        if isinstance(folders, str):
            folders = [folders]
        self["datasearch.directories"] = ";".join(map(str, folders))

    def appendDataSearchDir(self, folder):
        held = self.getDataSearchDirs()
        if str(folder) not in held:
            self.setDataSearchDirs([*held, folder])

    appendDataSearchSubDir = appendDataSearchDir

    def getUserFilename(self):
        return ""

    def saveConfig(self, filename):
        """No effect: the configuration lasts as long as the worker."""

    def setLogLevel(self, level, quiet=False):
        _logger.set_level(level)

    def setConsoleLogLevel(self, level):
        _logger.set_level(level)

    def getLogLevel(self):
        return _logger._LEVELS[_logger.get_level() - 1]

    def _folders(self, key):
        return [item.strip() for item in self[key].split(";") if item.strip()]

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("ConfigService", name)


config = ConfigService = ConfigServiceImpl()
