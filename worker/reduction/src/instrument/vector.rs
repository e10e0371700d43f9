//! Vectors and rotations in three dimensions. Promises: angles are radians unless a parameter is named degrees; directions
//! of length zero give zero, not NaN.

use std::ops::{Add, Mul, Neg, Sub};

/// Vector of three coordinates, m for positions: Mantid's `V3D`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct V3D {
    /// Horizontal in the default reference frame.
    pub x: f64,
    /// Up in the default reference frame.
    pub y: f64,
    /// Along the beam in the default reference frame.
    pub z: f64,
}

impl V3D {
    /// Vector (x, y, z) in the laboratory frame unless a caller names another.
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self { x, y, z }
    }

    /// Vector (r sin θ cos φ, r sin θ sin φ, r cos θ), angles in degrees: θ from z, φ from x.
    ///
    /// ```
    /// # use live_data_reduction::instrument::V3D;
    /// let v = V3D::spherical(2.0, 90.0, 90.0);
    /// assert!((v - V3D::new(0.0, 2.0, 0.0)).norm() < 1e-12);
    /// ```
    pub fn spherical(r: f64, theta: f64, phi: f64) -> Self {
        let (theta, phi) = (theta.to_radians(), phi.to_radians());
        Self::new(
            r * theta.sin() * phi.cos(),
            r * theta.sin() * phi.sin(),
            r * theta.cos(),
        )
    }

    /// Scalar product `self · other`.
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// Vector product `self × other`.
    pub fn cross(self, other: Self) -> Self {
        Self::new(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    /// Euclidean length √(x² + y² + z²).
    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Direction of length 1; zero for the zero vector.
    pub fn unit(self) -> Self {
        let norm = self.norm();
        if norm > 0.0 { self * (1.0 / norm) } else { self }
    }

    /// Angle to another vector, radians in [0, π]; 0 when either is zero.
    pub fn angle(self, other: Self) -> f64 {
        let norms = self.norm() * other.norm();
        if norms > 0.0 {
            (self.dot(other) / norms).clamp(-1.0, 1.0).acos()
        } else {
            0.0
        }
    }

    /// Coordinates [x, y, z].
    pub fn to_array(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }
}

impl Add for V3D {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self::new(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}
impl Sub for V3D {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self::new(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Mul<f64> for V3D {
    type Output = Self;
    fn mul(self, f: f64) -> Self {
        Self::new(self.x * f, self.y * f, self.z * f)
    }
}
impl Neg for V3D {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

/// Rotation as a unit quaternion (cos α/2, n sin α/2): Mantid's `Quat`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotation {
    w: f64,
    v: V3D,
}

impl Default for Rotation {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Rotation {
    /// Rotation by zero, which maps each vector to itself.
    pub const IDENTITY: Self = Self {
        w: 1.0,
        v: V3D::new(0.0, 0.0, 0.0),
    };

    /// Rotation about an axis of any length by degrees, counterclockwise seen against the axis; identity for a zero axis.
    ///
    /// ```
    /// # use live_data_reduction::instrument::{Rotation, V3D};
    /// // By 90° about y, z becomes x.
    /// let rotated = Rotation::about(V3D::new(0.0, 1.0, 0.0), 90.0).apply(V3D::new(0.0, 0.0, 1.0));
    /// assert!((rotated - V3D::new(1.0, 0.0, 0.0)).norm() < 1e-12);
    /// ```
    pub fn about(axis: V3D, degrees: f64) -> Self {
        if axis.norm() == 0.0 {
            return Self::IDENTITY;
        }
        let half = degrees.to_radians() / 2.0;
        Self {
            w: half.cos(),
            v: axis.unit() * half.sin(),
        }
    }

    /// Rotation of the smallest angle that maps the direction `from` to the direction `to`.
    pub fn between(from: V3D, to: V3D) -> Self {
        let (from, to) = (from.unit(), to.unit());
        let axis = from.cross(to);
        let degrees = from.angle(to).to_degrees();
        if axis.norm() > 1e-12 {
            return Self::about(axis, degrees);
        }
        if from.dot(to) > 0.0 || from.norm() == 0.0 {
            return Self::IDENTITY;
        }
        // Opposite directions: any perpendicular axis is right.
        let across = if from.x.abs() < 0.9 {
            V3D::new(1.0, 0.0, 0.0)
        } else {
            V3D::new(0.0, 1.0, 0.0)
        };
        Self::about(from.cross(across), 180.0)
    }

    /// Composition: first `first`, then this rotation.
    pub fn after(self, first: Self) -> Self {
        Self {
            w: self.w * first.w - self.v.dot(first.v),
            v: first.v * self.w + self.v * first.w + self.v.cross(first.v),
        }
    }

    /// Inverse rotation: the same axis, the opposite angle.
    pub fn inverse(self) -> Self {
        Self { w: self.w, v: -self.v }
    }

    /// Vector `p` rotated about the origin; its length is kept.
    pub fn apply(self, p: V3D) -> V3D {
        let t = self.v.cross(p) * 2.0;
        p + t * self.w + self.v.cross(t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: V3D, b: V3D) -> bool {
        (a - b).norm() < 1e-12
    }

    #[test]
    fn rotations_turn_and_turn_back() {
        let r = Rotation::about(V3D::new(0.0, 1.0, 0.0), 90.0);
        assert!(close(r.apply(V3D::new(0.0, 0.0, 1.0)), V3D::new(1.0, 0.0, 0.0)));
        assert!(close(
            r.inverse().apply(V3D::new(1.0, 0.0, 0.0)),
            V3D::new(0.0, 0.0, 1.0)
        ));
        let twice = r.after(r);
        assert!(close(twice.apply(V3D::new(0.0, 0.0, 1.0)), V3D::new(0.0, 0.0, -1.0)));
    }

    #[test]
    fn the_shortest_turn_reaches_its_target_even_when_opposite() {
        for (from, to) in [((1.0, 2.0, 3.0), (-3.0, 0.5, 1.0)), ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0))] {
            let (from, to) = (V3D::new(from.0, from.1, from.2), V3D::new(to.0, to.1, to.2));
            assert!(close(Rotation::between(from, to).apply(from.unit()), to.unit()));
        }
        assert_eq!(V3D::default().angle(V3D::new(1.0, 0.0, 0.0)), 0.0);
    }
}
