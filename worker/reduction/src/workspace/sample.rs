//! The sample: its name, size and crystal lattice. Promises: plain values; a lattice that is there can be inverted.
//! Must not know how it is turned: the run's goniometer does.

use crate::instrument::V3;

/// Three by three numbers, row by row.
pub type Matrix3 = [[f64; 3]; 3];

/// A sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// 1 to 4 for a cylinder, a flat plate, a disc, a single crystal; 0 when it is not known.
    pub geometry: i32,
    /// Thickness, height and width, mm.
    pub size: [f64; 3],
    /// Its crystal lattice and orientation, if they are known.
    pub lattice: Option<Lattice>,
}

/// A crystal lattice that is oriented: lengths in Å, angles in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice {
    /// a, b, c.
    pub lengths: [f64; 3],
    /// alpha, beta, gamma.
    pub angles: [f64; 3],
    /// Reciprocal vectors in the laboratory's frame with the goniometer at zero, as columns, Å⁻¹ without 2π.
    pub ub: Matrix3,
}

impl Lattice {
    /// A lattice with one vector along the beam, and another in the horizontal plane.
    ///
    /// # Errors
    /// When the angles close no cell, a vector is zero, or both are parallel.
    pub fn along(lengths: [f64; 3], angles: [f64; 3], u: [f64; 3], v: [f64; 3]) -> Result<Self, String> {
        let b = reciprocal(lengths, angles)?;
        let (along, in_plane) = (times(&b, u), times(&b, v));
        if along.norm() < 1e-5 {
            return Err("|B.u|~0".to_owned());
        }
        if in_plane.norm() < 1e-5 {
            return Err("|B.v|~0".to_owned());
        }
        let up = along.cross(in_plane);
        if up.norm() < 1e-5 {
            return Err("u and v are parallel".to_owned());
        }
        let (z, y) = (along.unit(), up.unit());
        let rows = [y.cross(z), y, z];
        let ub = rows.map(|row| columns(&b).map(|column| row.dot(column)));
        Ok(Self { lengths, angles, ub })
    }

    /// The lattice of reciprocal vectors.
    ///
    /// # Errors
    /// When they span no volume.
    pub fn of(ub: Matrix3) -> Result<Self, String> {
        let [a, b, c] = columns(&ub);
        let volume = a.dot(b.cross(c));
        if volume == 0.0 || !volume.is_finite() {
            return Err("UB matrix determinant is 0".to_owned());
        }
        let direct = [b.cross(c), c.cross(a), a.cross(b)].map(|v| v * (1.0 / volume));
        let [x, y, z] = direct;
        Ok(Self {
            lengths: direct.map(V3::norm),
            angles: [y.angle(z), z.angle(x), x.angle(y)].map(f64::to_degrees),
            ub,
        })
    }

    /// The volume of the cell, Å³.
    pub fn volume(&self) -> f64 {
        let [a, b, c] = columns(&self.ub);
        1.0 / a.dot(b.cross(c)).abs()
    }
}

fn columns(m: &Matrix3) -> [V3; 3] {
    let [[a, b, c], [d, e, f], [g, h, i]] = *m;
    [V3::new(a, d, g), V3::new(b, e, h), V3::new(c, f, i)]
}

fn times(m: &Matrix3, [h, k, l]: [f64; 3]) -> V3 {
    let [a, b, c] = columns(m);
    a * h + b * k + c * l
}

/// The reciprocal vectors of a cell as columns: the first along x, the second in the plane of x and y.
fn reciprocal([a, b, c]: [f64; 3], angles: [f64; 3]) -> Result<Matrix3, String> {
    let [(sa, ca), (sb, cb), (sg, cg)] = angles.map(|angle| angle.to_radians().sin_cos());
    let square = 1.0 - ca * ca - cb * cb - cg * cg + 2.0 * ca * cb * cg;
    let volume = square.sqrt();
    if !(square > 0.0 && a > 0.0 && b > 0.0 && c > 0.0) {
        let [alpha, beta, gamma] = angles;
        return Err(format!(
            "no cell has the lengths {a}, {b}, {c} and the angles {alpha}, {beta}, {gamma}"
        ));
    }
    let (a_star, b_star, c_star) = (sa / (a * volume), sb / (b * volume), sg / (c * volume));
    let cos_gamma = (ca * cb - cg) / (sa * sb);
    let cos_beta = (ca * cg - cb) / (sa * sg);
    let sine = |cosine: f64| (1.0 - cosine * cosine).max(0.0).sqrt();
    Ok([
        [a_star, b_star * cos_gamma, c_star * cos_beta],
        [0.0, b_star * sine(cos_gamma), -c_star * sine(cos_beta) * ca],
        [0.0, 0.0, 1.0 / c],
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lattice_and_its_reciprocal_vectors_say_the_same() {
        let made = Lattice::along([3.0, 4.0, 5.5], [80.0, 95.0, 110.0], [1.0, 1.0, 0.0], [0.0, 1.0, 2.0]).unwrap();
        let read = Lattice::of(made.ub).unwrap();
        for (a, b) in made
            .lengths
            .iter()
            .chain(&made.angles)
            .zip(read.lengths.iter().chain(&read.angles))
        {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        let along = times(&made.ub, [1.0, 1.0, 0.0]);
        assert!(along.x.abs() < 1e-12 && along.y.abs() < 1e-12 && along.z > 0.0);
        let in_plane = times(&made.ub, [0.0, 1.0, 2.0]);
        assert!(in_plane.y.abs() < 1e-12 && in_plane.x > 0.0);
    }

    #[test]
    fn cells_that_cannot_be_are_refused() {
        let (unit, right) = ([1.0; 3], [90.0; 3]);
        assert!(Lattice::along(unit, [10.0, 20.0, 170.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).is_err());
        assert!(Lattice::along([0.0, 1.0, 1.0], right, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).is_err());
        assert_eq!(
            Lattice::along(unit, right, [0.0; 3], [0.0, 1.0, 0.0]).unwrap_err(),
            "|B.u|~0"
        );
        assert!(Lattice::along(unit, right, [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]).is_err());
        assert_eq!(
            Lattice::of([[1.0, 2.0, 3.0]; 3]).unwrap_err(),
            "UB matrix determinant is 0"
        );
    }
}
