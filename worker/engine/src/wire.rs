//! Little-endian columns borrowed from a message: read in place, copied once.
//!
//! Promises: any alignment is accepted, no element is converted twice, and every access is checked. It must not own
//! data: a column lives as long as the bytes of the message.

/// Declares a borrowed column of little-endian numbers.
macro_rules! column {
    ($name:ident, $number:ty, $size:literal, $document:literal) => {
        #[doc = $document]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name<'a>(&'a [u8]);

        impl<'a> $name<'a> {
            /// Wraps bytes; an incomplete last element is dropped.
            #[must_use]
            pub fn new(bytes: &'a [u8]) -> Self {
                Self(&bytes[..bytes.len() / $size * $size])
            }

            /// Number of complete elements.
            #[must_use]
            pub const fn len(self) -> usize {
                self.0.len() / $size
            }

            /// True for a column without elements.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0.is_empty()
            }

            /// Bytes of all elements, little-endian.
            #[must_use]
            pub const fn bytes(self) -> &'a [u8] {
                self.0
            }

            /// Element `index`; `None` beyond the end.
            #[must_use]
            pub fn get(self, index: usize) -> Option<$number> {
                let start = index.checked_mul($size)?;
                let bytes = self.0.get(start..start.checked_add($size)?)?;
                Some(<$number>::from_le_bytes(bytes.try_into().ok()?))
            }

            /// Elements in `[from, to)`; `None` if any of them does not exist or `from > to`.
            #[must_use]
            pub fn slice(self, from: usize, to: usize) -> Option<Self> {
                let (from, to) = (from.checked_mul($size)?, to.checked_mul($size)?);
                self.0.get(from..to).map(Self)
            }

            /// All elements in order.
            pub fn iter(self) -> impl ExactSizeIterator<Item = $number> + DoubleEndedIterator + use<'a> {
                let (elements, _) = self.0.as_chunks::<$size>();
                elements.iter().map(|bytes| <$number>::from_le_bytes(*bytes))
            }
        }
    };
}

column!(LeU32, u32, 4, "A column of `u32`, little-endian.");
column!(LeI32, i32, 4, "A column of `i32`, little-endian.");
column!(LeI64, i64, 8, "A column of `i64`, little-endian.");

/// Smallest and largest number; `(u32::MAX, 0)` for an empty slice.
#[must_use]
pub(crate) fn limits(numbers: &[u32]) -> (u32, u32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { limits_of_eight(numbers) };
    }
    limits_plain(numbers)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn limits_of_eight(numbers: &[u32]) -> (u32, u32) {
    limits_plain(numbers)
}

#[inline(always)]
fn limits_plain(numbers: &[u32]) -> (u32, u32) {
    numbers.iter().fold((u32::MAX, 0), |(low, high), number| {
        (low.min(*number), high.max(*number))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn elements_are_read_from_any_alignment() {
        let mut bytes = vec![0xff];
        for value in [1_u32, 0x8000_0000, 3] {
            bytes.extend(value.to_le_bytes());
        }
        let column = LeU32::new(&bytes[1..]);
        assert_eq!(column.iter().collect::<Vec<_>>(), [1, 0x8000_0000, 3]);
        assert_eq!(column.get(2), Some(3));
        assert_eq!(column.get(3), None);
        assert_eq!(column.get(usize::MAX), None);
        assert_eq!(column.slice(1, 3).unwrap().iter().collect::<Vec<_>>(), [0x8000_0000, 3]);
        assert!(column.slice(2, 4).is_none());
        assert!(column.slice(3, 2).is_none());
    }

    #[test]
    fn an_incomplete_element_is_left_out() {
        assert_eq!(LeI64::new(&[1, 0, 0, 0, 0, 0, 0, 0, 9]).iter().collect::<Vec<_>>(), [1]);
        assert!(LeI32::new(&[1, 2, 3]).is_empty());
    }
}
