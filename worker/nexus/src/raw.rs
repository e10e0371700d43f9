//! Calls into the C library of HDF5 that `hdf5-metno` lacks: strings whose length is known at run time only, and blocks
//! of rows (hyperslabs).
//!
//! Promises: lengths are checked before a pointer is passed; every call holds the library's lock. Must not know NeXus.

use hdf5_metno::types::TypeDescriptor;
use hdf5_metno::{Attribute, Dataset, Dataspace, Datatype, FileBuilder, Group, H5Type, Location, Result};
use hdf5_metno_sys::h5a::{H5Aread, H5Awrite};
use hdf5_metno_sys::h5d::{H5Dread, H5Dwrite};
use hdf5_metno_sys::h5p::H5P_DEFAULT;
use hdf5_metno_sys::h5s::{H5S_ALL, H5S_SELECT_SET, H5Sselect_hyperslab};

/// Settings with which files are opened and created: without HDF5's file locking. A file is private until it is renamed,
/// network file systems often have no such locks, and a child process inherits and keeps them.
pub(crate) fn file_options() -> FileBuilder {
    let mut options = FileBuilder::new();
    options.with_fapl(|access| access.file_locking(false));
    options
}

fn check(code: i32, what: &str) -> Result<()> {
    if code < 0 {
        Err(hdf5_metno::Error::Internal(format!(
            "the HDF5 library could not {what}"
        )))
    } else {
        Ok(())
    }
}

fn wrong_length(what: &str, found: usize, expected: usize) -> hdf5_metno::Error {
    hdf5_metno::Error::Internal(format!("{what}: {found} given where {expected} are needed"))
}

fn string_type(text: &[&str], length: usize) -> TypeDescriptor {
    if text.iter().all(|text| text.is_ascii()) {
        TypeDescriptor::FixedAscii(length)
    } else {
        TypeDescriptor::FixedUnicode(length)
    }
}

/// Writes one fixed-length string as an array of one element, as NeXus prescribes.
pub(crate) fn write_string(group: &Group, name: &str, text: &str) -> Result<Dataset> {
    let length = text.len().max(1);
    let dataset = group
        .new_dataset_builder()
        .empty_as(string_type(&[text], length))
        .shape((1,))
        .create(name)?;
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(length, 0);
    write_bytes(&dataset, &bytes)?;
    Ok(dataset)
}

/// Writes strings of one fixed length: the longest and one terminating byte.
pub(crate) fn write_strings(group: &Group, name: &str, texts: &[&str], shape: &[usize]) -> Result<Dataset> {
    let length = texts.iter().map(|text| text.len()).max().unwrap_or(0) + 1;
    let dataset = group
        .new_dataset_builder()
        .empty_as(string_type(texts, length))
        .shape(shape)
        .create(name)?;
    let mut bytes = vec![0; length * texts.len()];
    for (padded, text) in bytes.chunks_mut(length).zip(texts) {
        padded[..text.len()].copy_from_slice(text.as_bytes());
    }
    write_bytes(&dataset, &bytes)?;
    Ok(dataset)
}

fn write_bytes(dataset: &Dataset, bytes: &[u8]) -> Result<()> {
    let dtype = dataset.dtype()?;
    let expected = dtype.size() * dataset.size();
    if bytes.len() != expected {
        return Err(wrong_length("bytes of a string dataset", bytes.len(), expected));
    }
    hdf5_metno::sync::sync(|| {
        // SAFETY: the ids are those of live objects. The memory type is the file's own fixed-length type, of which
        // `bytes` holds as many elements as the dataset.
        check(
            unsafe {
                H5Dwrite(
                    dataset.id(),
                    dtype.id(),
                    H5S_ALL,
                    H5S_ALL,
                    H5P_DEFAULT,
                    bytes.as_ptr().cast(),
                )
            },
            "write a string",
        )
    })
}

/// Writes a scalar attribute of a fixed-length string.
pub(crate) fn write_attribute(location: &Location, name: &str, text: &str) -> Result<()> {
    let length = text.len().max(1);
    let builder = location.new_attr_builder().empty_as(string_type(&[text], length));
    let attribute: Attribute = builder.shape(()).create(name)?;
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(length, 0);
    let dtype = attribute.dtype()?;
    if bytes.len() != dtype.size() {
        return Err(wrong_length("bytes of an attribute", bytes.len(), dtype.size()));
    }
    hdf5_metno::sync::sync(|| {
        // SAFETY: the ids are those of live objects, the memory type is the attribute's own, and `bytes` is as long
        // as its single element.
        check(
            unsafe { H5Awrite(attribute.id(), dtype.id(), bytes.as_ptr().cast()) },
            "write an attribute",
        )
    })
}

/// Dataspace of the file with the block `start[i]..start[i] + count[i]` selected in each dimension, and a contiguous
/// dataspace of as many elements.
fn select(dataset: &Dataset, start: &[usize], count: &[usize]) -> Result<(Dataspace, Dataspace)> {
    let shape = dataset.shape();
    let inside = shape.len() == start.len()
        && shape.len() == count.len()
        && shape
            .iter()
            .zip(start.iter().zip(count))
            .all(|(size, (start, count))| start.checked_add(*count).is_some_and(|end| end <= *size));
    if !inside {
        return Err(hdf5_metno::Error::Internal(format!(
            "block {count:?} at {start:?} is outside a table of {shape:?}"
        )));
    }
    let file = dataset.space()?;
    let memory = Dataspace::try_new((count.iter().product::<usize>(),))?;
    let start: Vec<u64> = start.iter().map(|value| *value as u64).collect();
    let count: Vec<u64> = count.iter().map(|value| *value as u64).collect();
    hdf5_metno::sync::sync(|| {
        // SAFETY: `file` is a live space of as many dimensions as `start` and `count` have entries; absent stride
        // and block mean one.
        check(
            unsafe {
                H5Sselect_hyperslab(
                    file.id(),
                    H5S_SELECT_SET,
                    start.as_ptr(),
                    std::ptr::null(),
                    count.as_ptr(),
                    std::ptr::null(),
                )
            },
            "select a block",
        )
    })?;
    Ok((file, memory))
}

/// Writes the block `start[i]..start[i] + count[i]` of a dataset; `data` is in row-major order.
pub(crate) fn write_block<T: H5Type>(dataset: &Dataset, start: &[usize], count: &[usize], data: &[T]) -> Result<()> {
    let expected = count.iter().product();
    if data.len() != expected {
        return Err(wrong_length("elements of a block", data.len(), expected));
    }
    if data.is_empty() {
        return Ok(());
    }
    let (file, memory) = select(dataset, start, count)?;
    let dtype = Datatype::from_type::<T>()?;
    hdf5_metno::sync::sync(|| {
        // SAFETY: all ids are live, `dtype` is the library's type of `T`, and the memory space has `data.len()`
        // elements, checked above.
        check(
            unsafe {
                H5Dwrite(
                    dataset.id(),
                    dtype.id(),
                    memory.id(),
                    file.id(),
                    H5P_DEFAULT,
                    data.as_ptr().cast(),
                )
            },
            "write a block",
        )
    })
}

/// Strings of a dataset of fixed or variable length, ASCII or UTF-8; invalid bytes become U+FFFD.
pub(crate) fn read_strings(dataset: &Dataset) -> Result<Vec<String>> {
    let dtype = dataset.dtype()?;
    let length = match dtype.to_descriptor()? {
        TypeDescriptor::FixedAscii(length) | TypeDescriptor::FixedUnicode(length) => length,
        TypeDescriptor::VarLenAscii => {
            let texts = dataset.read_raw::<hdf5_metno::types::VarLenAscii>()?;
            return Ok(texts.iter().map(|text| text.as_str().to_owned()).collect());
        }
        TypeDescriptor::VarLenUnicode => {
            let texts = dataset.read_raw::<hdf5_metno::types::VarLenUnicode>()?;
            return Ok(texts.iter().map(|text| text.as_str().to_owned()).collect());
        }
        other => return Err(hdf5_metno::Error::Internal(format!("found {other:?} instead of text"))),
    };
    let mut bytes = vec![0_u8; length * dataset.size()];
    if bytes.is_empty() {
        return Ok(vec![String::new(); dataset.size()]);
    }
    if bytes.len() != dtype.size() * dataset.size() {
        return Err(wrong_length(
            "bytes of a string dataset",
            bytes.len(),
            dtype.size() * dataset.size(),
        ));
    }
    hdf5_metno::sync::sync(|| {
        // SAFETY: the ids are live, the memory type is the file's own fixed-length type, and `bytes` has room for
        // every element of the dataset.
        check(
            unsafe {
                H5Dread(
                    dataset.id(),
                    dtype.id(),
                    H5S_ALL,
                    H5S_ALL,
                    H5P_DEFAULT,
                    bytes.as_mut_ptr().cast(),
                )
            },
            "read a string",
        )
    })?;
    Ok(bytes.chunks(length).map(text_of).collect())
}

/// First string of an attribute, or `None` where the attribute is not text.
pub(crate) fn read_attribute(location: &Location, name: &str) -> Result<Option<String>> {
    let attribute = location.attr(name)?;
    let dtype = attribute.dtype()?;
    let length = match dtype.to_descriptor()? {
        TypeDescriptor::FixedAscii(length) | TypeDescriptor::FixedUnicode(length) => length,
        TypeDescriptor::VarLenAscii => {
            let texts = attribute.read_raw::<hdf5_metno::types::VarLenAscii>()?;
            return Ok(texts.first().map(|text| text.as_str().to_owned()));
        }
        TypeDescriptor::VarLenUnicode => {
            let texts = attribute.read_raw::<hdf5_metno::types::VarLenUnicode>()?;
            return Ok(texts.first().map(|text| text.as_str().to_owned()));
        }
        _ => return Ok(None),
    };
    let mut bytes = vec![0_u8; length * attribute.size()];
    if bytes.is_empty() || bytes.len() != dtype.size() * attribute.size() {
        return Ok(None);
    }
    hdf5_metno::sync::sync(|| {
        // SAFETY: the ids are live, the memory type is the attribute's own, and `bytes` has room for all of it.
        check(
            unsafe { H5Aread(attribute.id(), dtype.id(), bytes.as_mut_ptr().cast()) },
            "read an attribute",
        )
    })?;
    Ok(bytes.chunks(length).next().map(text_of))
}

fn text_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}
