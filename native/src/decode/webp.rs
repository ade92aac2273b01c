//! WEBP: lossy without alpha to its planes, everything else to RGB or RGBA.

use super::{Decoded, Form, raster};
use crate::bytes::FileBytes;
use crate::container::riff::{self, Chunks, FILE_HEADER_LEN};
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};
use crate::raster::{Plane, Planes, Range, Raster};
use crate::vp8;

pub(crate) fn decode(data: &[u8], info: &ImageInfo, form: Form) -> Result<Decoded, ImageError> {
    let file = FileBytes::new(Format::Webp, data);
    let is_planar = form == Form::Any
        && info.color == ColorModel::YCbCr
        && !info.has_alpha
        && !info.is_animated;
    match lossy_bitstream(file)? {
        Some(bitstream) if is_planar && raster::webp_profile(data, info).is_none() => {
            planes(file, info, bitstream)
        }
        _ => raster::decode(data, info, raster::read_webp),
    }
}

/// The payload of the chunk `VP8 `.
fn lossy_bitstream(file: FileBytes<'_>) -> Result<Option<&[u8]>, ImageError> {
    let end = riff::end(file)?.min(file.len());
    let mut chunks = Chunks::new(file, FILE_HEADER_LEN..end);
    while let Some(chunk) = chunks.next_chunk()? {
        if &chunk.fourcc == b"VP8 " {
            return file.range(chunk.payload, "chunk VP8").map(Some);
        }
    }
    Ok(None)
}

fn planes(file: FileBytes<'_>, info: &ImageInfo, bitstream: &[u8]) -> Result<Decoded, ImageError> {
    let pixels = u64::from(info.width) * u64::from(info.height);
    let decoded = vp8::decode(bitstream, pixels)
        .map_err(|error| file.damaged(format!("its image data cannot be decoded: {error}")))?;
    if (decoded.width, decoded.height) != (info.width, info.height) {
        return Err(file.damaged("its headers contradict each other"));
    }
    let plane = |plane: vp8::Plane| Plane {
        data: plane.data,
        width: plane.width,
        height: plane.height,
        stride: plane.stride,
    };
    Ok(Decoded {
        raster: Raster::Planes(Planes {
            width: decoded.width,
            height: decoded.height,
            luma: plane(decoded.y),
            chroma: Some(Box::new([plane(decoded.u), plane(decoded.v)])),
            chroma_scale: [0.5; 2],
            range: Range::Video,
        }),
        profile: None,
    })
}
