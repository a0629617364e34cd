//! Stored numbers to f32. Bytes are taken as they lie, since old files do not align them.

use half::{bf16, f16};
use safetensors::Dtype;

/// Why stored numbers cannot become f32.
pub(super) enum ConvertError {
    /// Not a floating-point type that weights come in.
    UnsupportedDtype,
    /// A finite double that would become infinite.
    TooLarge { position: usize, value: f64 },
}

/// All numbers of a tensor, whose bytes are a whole number of them. Only F64 loses precision.
pub(super) fn to_f32(dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>, ConvertError> {
    match dtype {
        Dtype::F32 => Ok(bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect()),
        Dtype::F16 => Ok(bytes.as_chunks().0.iter().map(|&number| f16::from_le_bytes(number).to_f32()).collect()),
        Dtype::BF16 => Ok(bytes.as_chunks().0.iter().map(|&number| bf16::from_le_bytes(number).to_f32()).collect()),
        Dtype::F64 => bytes.as_chunks().0.iter().enumerate().map(narrow).collect(),
        _ => Err(ConvertError::UnsupportedDtype),
    }
}

fn narrow((position, &number): (usize, &[u8; 8])) -> Result<f32, ConvertError> {
    let value = f64::from_le_bytes(number);
    let narrowed = value as f32;
    if narrowed.is_infinite() && value.is_finite() {
        return Err(ConvertError::TooLarge { position, value });
    }
    Ok(narrowed)
}
