//! Points and rotations. Promises: plain arithmetic; angles in and out are radians unless the name says degrees; a
//! zero-length direction gives zero, never a NaN that spreads.

use std::ops::{Add, Mul, Neg, Sub};

/// A point or direction, m.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct V3 {
    /// First coordinate, horizontal in ISIS's frame.
    pub x: f64,
    /// Second coordinate, up in ISIS's frame.
    pub y: f64,
    /// Third coordinate, along the beam in ISIS's frame.
    pub z: f64,
}

impl V3 {
    /// From its coordinates.
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self { x, y, z }
    }

    /// From distance, polar angle from z and azimuth from x, angles in degrees.
    pub fn spherical(r: f64, theta: f64, phi: f64) -> Self {
        let (theta, phi) = (theta.to_radians(), phi.to_radians());
        Self::new(
            r * theta.sin() * phi.cos(),
            r * theta.sin() * phi.sin(),
            r * theta.cos(),
        )
    }

    /// The scalar product.
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// The vector product.
    pub fn cross(self, other: Self) -> Self {
        Self::new(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    /// The length.
    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// The direction, of length one; zero for a zero vector.
    pub fn unit(self) -> Self {
        let norm = self.norm();
        if norm > 0.0 { self * (1.0 / norm) } else { self }
    }

    /// The angle to another vector, radians; 0 when either is zero.
    pub fn angle(self, other: Self) -> f64 {
        let norms = self.norm() * other.norm();
        if norms > 0.0 {
            (self.dot(other) / norms).clamp(-1.0, 1.0).acos()
        } else {
            0.0
        }
    }

    /// The coordinates in order.
    pub fn to_array(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }
}

impl Add for V3 {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self::new(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}
impl Sub for V3 {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self::new(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Mul<f64> for V3 {
    type Output = Self;
    fn mul(self, f: f64) -> Self {
        Self::new(self.x * f, self.y * f, self.z * f)
    }
}
impl Neg for V3 {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

/// A rotation, as a unit quaternion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotation {
    w: f64,
    v: V3,
}

impl Default for Rotation {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Rotation {
    /// No rotation.
    pub const IDENTITY: Self = Self {
        w: 1.0,
        v: V3::new(0.0, 0.0, 0.0),
    };

    /// About an axis by an angle in degrees; no rotation about a zero axis.
    pub fn about(axis: V3, degrees: f64) -> Self {
        if axis.norm() == 0.0 {
            return Self::IDENTITY;
        }
        let half = degrees.to_radians() / 2.0;
        Self {
            w: half.cos(),
            v: axis.unit() * half.sin(),
        }
    }

    /// The rotation that turns one direction into another by the shortest way.
    pub fn between(from: V3, to: V3) -> Self {
        let (from, to) = (from.unit(), to.unit());
        let axis = from.cross(to);
        let degrees = from.angle(to).to_degrees();
        if axis.norm() > 1e-12 {
            return Self::about(axis, degrees);
        }
        if from.dot(to) > 0.0 || from.norm() == 0.0 {
            return Self::IDENTITY;
        }
        // Opposite directions: any axis across does.
        let across = if from.x.abs() < 0.9 {
            V3::new(1.0, 0.0, 0.0)
        } else {
            V3::new(0.0, 1.0, 0.0)
        };
        Self::about(from.cross(across), 180.0)
    }

    /// This rotation after another.
    pub fn after(self, first: Self) -> Self {
        Self {
            w: self.w * first.w - self.v.dot(first.v),
            v: first.v * self.w + self.v * first.w + self.v.cross(first.v),
        }
    }

    /// The rotation that undoes this one.
    pub fn inverse(self) -> Self {
        Self { w: self.w, v: -self.v }
    }

    /// Turns a vector.
    pub fn apply(self, p: V3) -> V3 {
        let t = self.v.cross(p) * 2.0;
        p + t * self.w + self.v.cross(t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: V3, b: V3) -> bool {
        (a - b).norm() < 1e-12
    }

    #[test]
    fn rotations_turn_and_turn_back() {
        let r = Rotation::about(V3::new(0.0, 1.0, 0.0), 90.0);
        assert!(close(r.apply(V3::new(0.0, 0.0, 1.0)), V3::new(1.0, 0.0, 0.0)));
        assert!(close(r.inverse().apply(V3::new(1.0, 0.0, 0.0)), V3::new(0.0, 0.0, 1.0)));
        let twice = r.after(r);
        assert!(close(twice.apply(V3::new(0.0, 0.0, 1.0)), V3::new(0.0, 0.0, -1.0)));
    }

    #[test]
    fn the_shortest_turn_reaches_its_target_even_when_opposite() {
        for (from, to) in [((1.0, 2.0, 3.0), (-3.0, 0.5, 1.0)), ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0))] {
            let (from, to) = (V3::new(from.0, from.1, from.2), V3::new(to.0, to.1, to.2));
            assert!(close(Rotation::between(from, to).apply(from.unit()), to.unit()));
        }
        assert_eq!(V3::default().angle(V3::new(1.0, 0.0, 0.0)), 0.0);
    }
}
