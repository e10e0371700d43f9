//! Signal of a sample workspace: a sum of functions of X.
//!
//! A text such as `name=Gaussian,Height=1,PeakCentre=5,Sigma=0.1;name=FlatBackground,A0=2` has these terms, with x in
//! the unit of X:
//!
//! | name | f(x) |
//! |---|---|
//! | FlatBackground | A0 |
//! | LinearBackground | A0 + A1·x |
//! | Gaussian | Height·exp(−(x − PeakCentre)² / (2·Sigma²)) |
//! | Lorentzian | (Amplitude / π)·(FWHM / 2) / ((x − PeakCentre)² + (FWHM / 2)²) |
//! | ExpDecay | Height·exp(−x / Lifetime) |
//!
//! Sources: Mantid's pages of the fit functions of these names, and CreateSampleWorkspace v1 for the presets.
//!
//! Promises: an unknown name or parameter is refused by name; every value is finite or the function is refused. Must
//! not know workspaces.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use crate::error::{Result, failed};

/// Name and text of each preset; `$PC0$` to `$PC10$` are replaced by points at every tenth of X.
pub(crate) const PRESETS: &[(&str, &str)] = &[
    (
        "One Peak",
        "name=LinearBackground,A0=0.3;name=Gaussian,PeakCentre=$PC5$,Height=10,Sigma=0.7",
    ),
    (
        "Multiple Peaks",
        "name=LinearBackground,A0=0.3;name=Gaussian,PeakCentre=$PC3$,Height=10,Sigma=0.7;\
         name=Gaussian,PeakCentre=$PC6$,Height=8,Sigma=0.5",
    ),
    ("Flat background", "name=LinearBackground,A0=1"),
    ("Exp Decay", "name=ExpDecay,Height=100,Lifetime=1000"),
    (
        "Powder Diffraction",
        "name=LinearBackground,A0=0.0850208,A1=-4.89583e-06;\
         name=Gaussian,Height=0.584528,PeakCentre=$PC1$,Sigma=14.3772;\
         name=Gaussian,Height=1.33361,PeakCentre=$PC2$,Sigma=15.2516;\
         name=Gaussian,Height=1.74691,PeakCentre=$PC3$,Sigma=15.8395;\
         name=Gaussian,Height=0.950388,PeakCentre=$PC4$,Sigma=19.8408;\
         name=Gaussian,Height=1.92185,PeakCentre=$PC5$,Sigma=18.0844;\
         name=Gaussian,Height=3.64069,PeakCentre=$PC6$,Sigma=19.2404;\
         name=Gaussian,Height=2.8998,PeakCentre=$PC7$,Sigma=21.1127;\
         name=Gaussian,Height=2.05237,PeakCentre=$PC8$,Sigma=21.9932;\
         name=Gaussian,Height=8.40976,PeakCentre=$PC9$,Sigma=25.2751",
    ),
    (
        "Quasielastic",
        "name=Lorentzian,FWHM=0.3,PeakCentre=$PC5$,Amplitude=0.8;\
         name=Lorentzian,FWHM=0.1,PeakCentre=$PC5$,Amplitude=1;name=LinearBackground,A0=0.1",
    ),
    (
        "Quasielastic Tunnelling",
        "name=LinearBackground,A0=0.1;name=Lorentzian,FWHM=0.1,PeakCentre=$PC5$,Amplitude=1;\
         name=Lorentzian,FWHM=0.05,PeakCentre=$PC7$,Amplitude=0.04;\
         name=Lorentzian,FWHM=0.05,PeakCentre=$PC3$,Amplitude=0.04;\
         name=Lorentzian,FWHM=0.05,PeakCentre=$PC8$,Amplitude=0.02;\
         name=Lorentzian,FWHM=0.05,PeakCentre=$PC2$,Amplitude=0.02",
    ),
];

/// Text of a preset, or `user_defined` where no preset has the name.
pub(crate) fn text_of(preset: &str, user_defined: &str) -> String {
    let found = PRESETS.iter().find(|(name, _)| *name == preset);
    found.map_or_else(|| user_defined.to_owned(), |(_, text)| (*text).to_owned())
}

/// Absolute values of the function at the points `x`.
///
/// # Errors
/// `Execution` for a text that is not a function, an unknown name or parameter, and a value that is not finite.
pub(crate) fn evaluate(text: &str, x: &[f64]) -> Result<Vec<f64>> {
    let mut text = text.to_owned();
    for tenth in (0..=10).rev() {
        let mut index = x.len() / 10 * tenth;
        if tenth == 10 && index > 0 {
            index -= 1;
        }
        let point = x.get(index).copied().unwrap_or_default();
        text = text.replace(&format!("$PC{tenth}$"), &point.to_string());
    }
    let terms = parse(&text)?;
    if terms.is_empty() {
        return failed(
            "UserDefinedFunction: no function is given, such as \"name=Gaussian,Height=1,PeakCentre=5,Sigma=1\"",
        );
    }
    let value = |x: &f64| terms.iter().map(|term| term.at(*x)).sum::<f64>().abs();
    let values: Vec<f64> = x.iter().map(value).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => failed(format!(
            "the function {text} is not finite at X = {}",
            x.get(index).copied().unwrap_or_default()
        )),
        None => Ok(values),
    }
}

/// Term of a user-defined function, which is a sum.
#[derive(Debug, PartialEq)]
enum FunctionTerm {
    Linear { a0: f64, a1: f64 },
    Gaussian { height: f64, centre: f64, sigma: f64 },
    Lorentzian { amplitude: f64, centre: f64, fwhm: f64 },
    ExpDecay { height: f64, lifetime: f64 },
}

impl FunctionTerm {
    fn at(&self, x: f64) -> f64 {
        match *self {
            Self::Linear { a0, a1 } => a0 + a1 * x,
            Self::Gaussian { height, centre, sigma } => height * (-0.5 * ((x - centre) / sigma).powi(2)).exp(),
            Self::Lorentzian {
                amplitude,
                centre,
                fwhm,
            } => {
                let half = fwhm / 2.0;
                amplitude / PI * half / ((x - centre).powi(2) + half * half)
            }
            Self::ExpDecay { height, lifetime } => height * (-x / lifetime).exp(),
        }
    }
}

fn parse(text: &str) -> Result<Vec<FunctionTerm>> {
    text.split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(parse_term)
        .collect()
}

fn parse_term(text: &str) -> Result<FunctionTerm> {
    let mut name = "";
    let mut given = BTreeMap::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            return failed(format!(
                "\"{part}\" in the function \"{text}\" is not of the form parameter=value"
            ));
        };
        let (key, value) = (key.trim(), value.trim());
        if key.eq_ignore_ascii_case("name") {
            name = value;
            continue;
        }
        match value.parse::<f64>() {
            Ok(number) => given.insert(key, number),
            Err(_) => return failed(format!("{key}=\"{value}\" in the function \"{text}\" is no number")),
        };
    }
    let mut parameter = |key: &str, default: f64| given.remove(key).unwrap_or(default);
    let made = match name {
        "LinearBackground" => FunctionTerm::Linear {
            a0: parameter("A0", 0.0),
            a1: parameter("A1", 0.0),
        },
        "FlatBackground" => FunctionTerm::Linear {
            a0: parameter("A0", 0.0),
            a1: 0.0,
        },
        "Gaussian" => FunctionTerm::Gaussian {
            height: parameter("Height", 0.0),
            centre: parameter("PeakCentre", 0.0),
            sigma: parameter("Sigma", 0.0),
        },
        "Lorentzian" => FunctionTerm::Lorentzian {
            amplitude: parameter("Amplitude", 1.0),
            centre: parameter("PeakCentre", 0.0),
            fwhm: parameter("FWHM", 0.0),
        },
        "ExpDecay" => FunctionTerm::ExpDecay {
            height: parameter("Height", 1.0),
            lifetime: parameter("Lifetime", 1.0),
        },
        other => {
            return failed(format!(
                "the native engine has no function \"{other}\": it has ExpDecay, FlatBackground, Gaussian, \
                 LinearBackground and Lorentzian"
            ));
        }
    };
    match given.keys().next() {
        Some(unknown) => failed(format!("the function {name} has no parameter \"{unknown}\"")),
        None => Ok(made),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::evaluate;

    #[test]
    fn functions_add_up_and_lose_their_sign() {
        let made = evaluate(
            "name=LinearBackground,A0=1,A1=-2; name=FlatBackground, A0=0.5;",
            &[0.0, 1.0, 4.0],
        )
        .unwrap();
        assert_eq!(made, [1.5, 0.5, 6.5]);
        let decay = evaluate("name=ExpDecay,Height=4,Lifetime=2", &[0.0, 2.0]).unwrap();
        assert!((decay[1] - 4.0 / std::f64::consts::E).abs() < 1e-12);
        let peak = evaluate("name=Lorentzian,Amplitude=3,PeakCentre=1,FWHM=2", &[1.0, 2.0]).unwrap();
        assert!((peak[0] - 3.0 / std::f64::consts::PI).abs() < 1e-12 && (peak[1] - peak[0] / 2.0).abs() < 1e-12);
    }

    #[test]
    fn tenths_of_the_range_are_centres() {
        let x: Vec<f64> = (0..25).map(f64::from).collect();
        for (tenth, at) in [(0, 0), (1, 2), (5, 10), (10, 19)] {
            let text = format!("name=Gaussian,Height=7,PeakCentre=$PC{tenth}$,Sigma=0.1");
            assert_eq!(evaluate(&text, &x).unwrap()[at], 7.0, "{tenth}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let expect_error = |text: &str, word: &str| {
            let error = evaluate(text, &[1.0]).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        expect_error("name=Voigt,A0=1", "Voigt");
        expect_error("name=Gaussian,Width=1", "Width");
        expect_error("name=Gaussian,Height=tall", "tall");
        expect_error("Gaussian", "Gaussian");
        expect_error(" ; ", "no function is given");
        expect_error("name=Gaussian,Height=1,PeakCentre=1", "not finite");
    }
}
