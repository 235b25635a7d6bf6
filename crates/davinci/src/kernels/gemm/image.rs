//! The patches of an image as the rows of A: convolution by im2col, done by the loads themselves.
//!
//! The image is NHWC, padded at its borders in GM, C a multiple of 16. Row (y, x) of A is the patch under output pixel (y, x),
//! k running over (ky, kx, c); a chunk of K lies within one (ky, kx), so that one strided load brings it for a whole
//! row of output pixels.

use crate::isa::Type;

/// A convolution's geometry. One image; a batch is more rows of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    /// Width of the padded image, pixels.
    pub width: u32,
    /// Height of the padded image, pixels.
    pub height: u32,
    /// Channels, a multiple of 16.
    pub channels: u32,
    /// Kernel width and height.
    pub kernel: u32,
    /// Distance of neighbouring patches.
    pub stride: u32,
}

/// A load of the patches of neighbouring output pixels of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// First row of the block that it fills.
    pub(super) row: u32,
    /// Rows.
    pub(super) rows: u32,
    /// Bytes from the start of the image.
    pub(super) offset: u64,
    /// Bytes from one patch to the next.
    pub(super) pitch: u32,
}

impl Image {
    /// Output pixels a row.
    pub fn columns(&self) -> u32 {
        (self.width - self.kernel) / self.stride + 1
    }

    /// Rows of output pixels.
    pub fn rows(&self) -> u32 {
        (self.height - self.kernel) / self.stride + 1
    }

    /// Depth of the product: kernel² · channels.
    pub fn depth(&self) -> u32 {
        self.kernel * self.kernel * self.channels
    }

    /// The loads of a chunk that starts at `k`, for rows `first..first + count` of A.
    pub(super) fn pieces(&self, (first, count): (u32, u32), k: u32, ty: Type) -> Vec<Piece> {
        let (place, channel) = (k / self.channels, k % self.channels);
        let (ky, kx) = (place / self.kernel, place % self.kernel);
        let columns = self.columns();
        let mut pieces = Vec::new();
        let mut row = first;
        while row < first + count {
            let (y, x) = (row / columns, row % columns);
            let rows = (columns - x).min(first + count - row);
            let pixel =
                u64::from(y * self.stride + ky) * u64::from(self.width) + u64::from(x * self.stride + kx);
            let element = pixel * u64::from(self.channels) + u64::from(channel);
            let offset = element * u64::from(ty.bits()) / 8;
            pieces.push(Piece {
                row: row - first,
                rows,
                offset,
                pitch: ty.bytes(self.stride * self.channels),
            });
            row += rows;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_pixels_is_cut_at_row_ends() {
        let image = Image { width: 6, height: 6, channels: 16, kernel: 3, stride: 1 };
        let pieces = image.pieces((2, 5), 16 * 4, Type::F16);
        // 4 output pixels a row: rows 2, 3 then 4, 5, 6. k = 64 is (ky, kx) = (1, 1).
        assert_eq!(pieces.iter().map(|p| (p.row, p.rows)).collect::<Vec<_>>(), vec![(0, 2), (2, 3)]);
        assert_eq!(pieces[0].offset, ((6 + 3) * 16 * 2) as u64);
    }
}
