//! Names of units: id, caption and symbol. Promises: spelled as Mantid's "Unit Factory" spells them, since scripts and
//! files compare them. Must not: convert.

/// Physical quantity of X, each in the one unit that Mantid gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// No unit: X is a plain number.
    Empty,
    /// Caption and symbol set by a script ([`Unit::label`]).
    Label,
    /// Time of flight, µs.
    TimeOfFlight,
    /// Wavelength, Å.
    Wavelength,
    /// Energy, meV.
    Energy,
    /// Energy, cm⁻¹.
    EnergyInWavenumber,
    /// d-spacing, Å.
    DSpacing,
    /// Momentum transfer, Å⁻¹.
    MomentumTransfer,
    /// Squared momentum transfer, Å⁻².
    QSquared,
    /// Energy transfer, meV.
    DeltaE,
    /// Energy transfer, cm⁻¹.
    DeltaEInWavenumber,
    /// Energy transfer, GHz.
    DeltaEInFrequency,
    /// Wave number k = 2π/λ, Å⁻¹.
    Momentum,
    /// Time, s.
    Time,
    /// Angle, degrees.
    Degrees,
    /// Temperature, K.
    Temperature,
    /// Distance in a pair distribution, Å.
    AtomicDistance,
    /// Azimuthal angle, degrees.
    Phi,
}

struct UnitNames {
    quantity: Quantity,
    id: &'static str,
    caption: &'static str,
    symbol: &'static str,
}

const UNIT_NAMES: &[UnitNames] = &[
    UnitNames {
        quantity: Quantity::Empty,
        id: "Empty",
        caption: "",
        symbol: "",
    },
    UnitNames {
        quantity: Quantity::Label,
        id: "Label",
        caption: "Quantity",
        symbol: "",
    },
    UnitNames {
        quantity: Quantity::TimeOfFlight,
        id: "TOF",
        caption: "Time-of-flight",
        symbol: "microsecond",
    },
    UnitNames {
        quantity: Quantity::Wavelength,
        id: "Wavelength",
        caption: "Wavelength",
        symbol: "Angstrom",
    },
    UnitNames {
        quantity: Quantity::Energy,
        id: "Energy",
        caption: "Energy",
        symbol: "meV",
    },
    UnitNames {
        quantity: Quantity::EnergyInWavenumber,
        id: "Energy_inWavenumber",
        caption: "Energy",
        symbol: "cm^-1",
    },
    UnitNames {
        quantity: Quantity::DSpacing,
        id: "dSpacing",
        caption: "d-Spacing",
        symbol: "Angstrom",
    },
    UnitNames {
        quantity: Quantity::MomentumTransfer,
        id: "MomentumTransfer",
        caption: "q",
        symbol: "Angstrom^-1",
    },
    UnitNames {
        quantity: Quantity::QSquared,
        id: "QSquared",
        caption: "Q2",
        symbol: "Angstrom^-2",
    },
    UnitNames {
        quantity: Quantity::DeltaE,
        id: "DeltaE",
        caption: "Energy transfer",
        symbol: "meV",
    },
    UnitNames {
        quantity: Quantity::DeltaEInWavenumber,
        id: "DeltaE_inWavenumber",
        caption: "Energy transfer",
        symbol: "cm^-1",
    },
    UnitNames {
        quantity: Quantity::DeltaEInFrequency,
        id: "DeltaE_inFrequency",
        caption: "Energy transfer",
        symbol: "GHz",
    },
    UnitNames {
        quantity: Quantity::Momentum,
        id: "Momentum",
        caption: "Momentum",
        symbol: "Angstrom^-1",
    },
    UnitNames {
        quantity: Quantity::Time,
        id: "Time",
        caption: "t",
        symbol: "second",
    },
    UnitNames {
        quantity: Quantity::Degrees,
        id: "Degrees",
        caption: "Scattering angle",
        symbol: "degrees",
    },
    UnitNames {
        quantity: Quantity::Temperature,
        id: "Temperature",
        caption: "Temperature",
        symbol: "K",
    },
    UnitNames {
        quantity: Quantity::AtomicDistance,
        id: "AtomicDistance",
        caption: "Atomic Distance",
        symbol: "Angstrom",
    },
    UnitNames {
        quantity: Quantity::Phi,
        id: "Phi",
        caption: "Phi",
        symbol: "degrees",
    },
];

/// Ids of the units that `ConvertUnits` accepts as target, in alphabetical order.
pub const CONVERTIBLE: &[&str] = &[
    "DeltaE",
    "DeltaE_inFrequency",
    "DeltaE_inWavenumber",
    "Energy",
    "Energy_inWavenumber",
    "Momentum",
    "MomentumTransfer",
    "QSquared",
    "TOF",
    "Wavelength",
    "dSpacing",
];

/// Unit of X or of a vertical axis, by the ids of Mantid's concept page "Unit Factory".
///
/// ```
/// # use live_data_reduction::unit::Unit;
/// let unit = Unit::from_id("TOF").unwrap();
/// assert_eq!((unit.caption(), unit.symbol()), ("Time-of-flight", "microsecond"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    quantity: Quantity,
    /// Caption and symbol of a label.
    label: Option<(String, String)>,
}

impl Unit {
    /// Unit of plain numbers, with an empty symbol.
    pub const EMPTY: Self = Self {
        quantity: Quantity::Empty,
        label: None,
    };
    /// Time of flight, µs.
    pub const TIME_OF_FLIGHT: Self = Self {
        quantity: Quantity::TimeOfFlight,
        label: None,
    };

    /// Unit of a quantity; captions of `Label` are empty until set by [`Unit::label`].
    pub const fn of(quantity: Quantity) -> Self {
        Self { quantity, label: None }
    }

    /// Unit with a free caption and symbol, which no conversion accepts.
    pub fn label(caption: &str, symbol: &str) -> Self {
        Self {
            quantity: Quantity::Label,
            label: Some((caption.to_owned(), symbol.to_owned())),
        }
    }

    /// Unit with a Mantid id such as `TOF` or `dSpacing`; ids are case-sensitive.
    pub fn from_id(id: &str) -> Option<Self> {
        UNIT_NAMES
            .iter()
            .find(|names| names.id == id)
            .map(|names| Self::of(names.quantity))
    }

    /// Quantity that decides whether and how X is converted.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    fn names(&self) -> Option<&'static UnitNames> {
        UNIT_NAMES.iter().find(|names| names.quantity == self.quantity)
    }

    /// Mantid id such as `TOF`, as files and scripts spell it.
    pub fn id(&self) -> &'static str {
        self.names().map_or("", |names| names.id)
    }

    /// Axis caption such as `Time-of-flight`.
    pub fn caption(&self) -> &str {
        match &self.label {
            Some((caption, _)) => caption,
            None => self.names().map_or("", |names| names.caption),
        }
    }

    /// Symbol such as `microsecond` or `Angstrom`; empty for plain numbers.
    pub fn symbol(&self) -> &str {
        match &self.label {
            Some((_, symbol)) => symbol,
            None => self.names().map_or("", |names| names.symbol),
        }
    }
}

/// True for quantities that convert to time of flight, given a [`FlightPath`](super::FlightPath).
pub fn is_convertible(quantity: Quantity) -> bool {
    UNIT_NAMES
        .iter()
        .any(|names| names.quantity == quantity && CONVERTIBLE.contains(&names.id))
}

/// True for energy transfers, which exist in the modes `Direct` and `Indirect` only.
pub fn is_energy_transfer(quantity: Quantity) -> bool {
    matches!(
        quantity,
        Quantity::DeltaE | Quantity::DeltaEInWavenumber | Quantity::DeltaEInFrequency
    )
}
