"""Instruments and their parts."""

from mantid._instrument import Component, Detector, Instrument, ReferenceFrame
from mantid._run import Goniometer


def __getattr__(name):
    from mantid._absent import absent

    raise absent("mantid.geometry", name)
