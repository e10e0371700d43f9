//! Sample: name, size and oriented crystal lattice. Promises: a lattice has a non-zero volume. Must not: know the goniometer,
//! which belongs to the run.
//!
//! Source: W. R. Busing and H. A. Levy, Acta Cryst. 22, 457 (1967), doi:10.1107/S0365110X67000970, with Mantid's
//! convention of reciprocal vectors without 2π (page SetUB, class `OrientedLattice`).

use crate::instrument::V3D;

/// 3 × 3 matrix by rows.
pub type Matrix3 = [[f64; 3]; 3];

/// Sample of a measurement: Mantid's `Sample`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    pub name: String,
    /// Mantid's `geom_id`: 1 cylinder, 2 flat plate, 3 disc, 4 single crystal; 0 unknown.
    pub geometry: i32,
    /// Thickness, height and width, mm.
    pub size: [f64; 3],
    pub lattice: Option<OrientedLattice>,
}

/// Unit cell and orientation of a crystal: Mantid's `OrientedLattice`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrientedLattice {
    /// a, b, c in Å.
    pub lengths: [f64; 3],
    /// α, β, γ in degrees.
    pub angles: [f64; 3],
    /// Matrix UB, Å⁻¹ without 2π: its columns are a*, b*, c* in the laboratory frame with the goniometer at zero.
    pub ub: Matrix3,
}

impl OrientedLattice {
    /// Lattice with the reciprocal vector `u` along the beam (z) and `v` in the horizontal plane (x z), in (h, k, l).
    ///
    /// UB = U·B with U from the orthonormal frame of B·u, B·v and their product (Busing and Levy, equations 24 to 27).
    ///
    /// # Errors
    /// A sentence when the angles close no cell, a vector is zero, or both are parallel.
    ///
    /// ```
    /// # use live_data_reduction::workspace::sample::OrientedLattice;
    /// // Silicon, a = 5.431 Å: the volume of its cubic cell is 160.2 Å³.
    /// let cell = OrientedLattice::from_vectors([5.431; 3], [90.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).unwrap();
    /// assert!((cell.volume() - 160.2).abs() < 0.05);
    /// ```
    pub fn from_vectors(lengths: [f64; 3], angles: [f64; 3], u: [f64; 3], v: [f64; 3]) -> Result<Self, String> {
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

    /// Lattice of a matrix UB. The direct vectors are a = b* × c* / (a*·(b* × c*)) and cyclic.
    ///
    /// # Errors
    /// A sentence when the determinant is zero or not finite.
    pub fn from_ub(ub: Matrix3) -> Result<Self, String> {
        let [a, b, c] = columns(&ub);
        let volume = a.dot(b.cross(c));
        if volume == 0.0 || !volume.is_finite() {
            return Err("UB matrix determinant is 0".to_owned());
        }
        let direct = [b.cross(c), c.cross(a), a.cross(b)].map(|v| v * (1.0 / volume));
        let [x, y, z] = direct;
        Ok(Self {
            lengths: direct.map(V3D::norm),
            angles: [y.angle(z), z.angle(x), x.angle(y)].map(f64::to_degrees),
            ub,
        })
    }

    /// Volume of the unit cell, Å³: 1 / |det UB|.
    pub fn volume(&self) -> f64 {
        let [a, b, c] = columns(&self.ub);
        1.0 / a.dot(b.cross(c)).abs()
    }
}

fn columns(m: &Matrix3) -> [V3D; 3] {
    let [[a, b, c], [d, e, f], [g, h, i]] = *m;
    [V3D::new(a, d, g), V3D::new(b, e, h), V3D::new(c, f, i)]
}

fn times(m: &Matrix3, [h, k, l]: [f64; 3]) -> V3D {
    let [a, b, c] = columns(m);
    a * h + b * k + c * l
}

/// Matrix B of a cell, Å⁻¹: its columns are a* along x, b* in the x y plane, and c* (Busing and Levy, equation 3).
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
        let made =
            OrientedLattice::from_vectors([3.0, 4.0, 5.5], [80.0, 95.0, 110.0], [1.0, 1.0, 0.0], [0.0, 1.0, 2.0])
                .unwrap();
        let read = OrientedLattice::from_ub(made.ub).unwrap();
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
        assert!(OrientedLattice::from_vectors(unit, [10.0, 20.0, 170.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).is_err());
        assert!(OrientedLattice::from_vectors([0.0, 1.0, 1.0], right, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).is_err());
        assert_eq!(
            OrientedLattice::from_vectors(unit, right, [0.0; 3], [0.0, 1.0, 0.0]).unwrap_err(),
            "|B.u|~0"
        );
        assert!(OrientedLattice::from_vectors(unit, right, [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]).is_err());
        assert_eq!(
            OrientedLattice::from_ub([[1.0, 2.0, 3.0]; 3]).unwrap_err(),
            "UB matrix determinant is 0"
        );
    }
}
