"""Vectors of three numbers."""

import math


class V3D:
    """A vector; positions are in metres, in the laboratory's frame."""

    __slots__ = ("_v",)

    def __init__(self, x=0.0, y=0.0, z=0.0):
        self._v = (float(x), float(y), float(z))

    def X(self):
        return self._v[0]

    def Y(self):
        return self._v[1]

    def Z(self):
        return self._v[2]

    getX, getY, getZ = X, Y, Z

    def __getitem__(self, index):
        return self._v[index]

    def __len__(self):
        return 3

    def __iter__(self):
        return iter(self._v)

    def __eq__(self, other):
        return isinstance(other, V3D) and all(abs(a - b) <= 1e-7 for a, b in zip(self._v, other._v))

    __hash__ = None

    def __repr__(self):
        return "[" + ",".join(f"{value:g}" for value in self._v) + "]"

    __str__ = __repr__

    def __add__(self, other):
        return V3D(*(a + b for a, b in zip(self._v, other)))

    def __sub__(self, other):
        return V3D(*(a - b for a, b in zip(self._v, other)))

    def __mul__(self, other):
        if isinstance(other, V3D):
            return V3D(*(a * b for a, b in zip(self._v, other._v)))
        return V3D(*(a * other for a in self._v))

    __rmul__ = __mul__

    def __truediv__(self, other):
        if isinstance(other, V3D):
            return V3D(*(a / b for a, b in zip(self._v, other._v)))
        return V3D(*(a / other for a in self._v))

    def __neg__(self):
        return V3D(*(-a for a in self._v))

    def norm(self):
        return math.sqrt(self.norm2())

    def norm2(self):
        return sum(a * a for a in self._v)

    def normalize(self):
        length = self.norm()
        if length == 0:
            raise RuntimeError("Unable to normalize a zero length vector.")
        self._v = tuple(a / length for a in self._v)
        return length

    def distance(self, other):
        return (self - other).norm()

    def scalar_prod(self, other):
        return sum(a * b for a, b in zip(self._v, other._v))

    def cross_prod(self, other):
        (a, b, c), (x, y, z) = self._v, other._v
        return V3D(b * z - c * y, c * x - a * z, a * y - b * x)

    def angle(self, other):
        """Angle in radians."""
        cosine = self.scalar_prod(other) / (self.norm() * other.norm())
        return math.acos(max(-1.0, min(1.0, cosine)))

    def spherical(self, r, theta, phi):
        """Sets the vector from a length and angles in degrees."""
        theta, phi = math.radians(theta), math.radians(phi)
        self._v = (r * math.sin(theta) * math.cos(phi), r * math.sin(theta) * math.sin(phi), r * math.cos(theta))

    def getSpherical(self):
        r = self.norm()
        theta = math.degrees(math.acos(self._v[2] / r)) if r else 0.0
        return [r, theta, math.degrees(math.atan2(self._v[1], self._v[0]))]
