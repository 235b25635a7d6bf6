//! A convolution as a product: A is the matrix of patches of an image, which MTE1 cuts on the way to L0A.
//!
//! The image lies in GM as NC1HWC0, without borders; k runs over (c1, ky, kx, c0), in A and in the weights. A block of C is whole
//! rows of output pixels, or a part of one. A chunk of K is a few groups of channels of the band of the image under
//! the block: one load brings them, each pixel once, and its patches overlap in L1 only.

use super::block::{A_ADDRESS, Block};
use super::parts::{Chunk, Step};
use super::schedule::parts;
use crate::isa::{Address, Burst, Img2col, Instruction, Move, Patches, Space, Type};

/// Bytes of a group of channels of a pixel.
const GROUP: u32 = 32;

/// A convolution's geometry: one image, a square kernel, the same padding on all sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Channels; memory holds whole groups of 32 bytes.
    pub channels: u32,
    /// Kernel width and height.
    pub kernel: u32,
    /// Distance of neighbouring patches.
    pub stride: u32,
    /// Zeros added on each side.
    pub padding: u32,
    /// Distance of neighbouring taps of the kernel.
    pub dilation: u32,
}

/// The part of an image under a block of output pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Band {
    /// First row and rows, clipped to the image; one row where all is padding.
    rows: (u32, u32),
    /// Rows of padding above and below.
    padding: (u32, u32),
    /// First patch of the block among those of the band.
    first: u32,
}

impl Image {
    /// No size is larger: as recalled, that of a map has 15 bits in the instruction.
    const LARGEST: u32 = 32767;

    /// Output pixels a row.
    pub fn columns(&self) -> u32 {
        self.outputs(self.width)
    }

    /// Rows of output pixels.
    pub fn rows(&self) -> u32 {
        self.outputs(self.height)
    }

    /// Whether the kernel fits the padded image, so that there is an output, and all extents fit their numbers.
    pub fn is_sound(&self) -> bool {
        let steps = [self.kernel, self.stride, self.dilation, self.channels];
        let mut sizes = steps.into_iter().chain([self.width, self.height, self.padding]);
        if steps.contains(&0) || sizes.any(|size| size > Self::LARGEST) {
            return false;
        }
        let (width, height) = (self.width + 2 * self.padding, self.height + 2 * self.padding);
        let bytes = u64::from(width) * u64::from(height) * u64::from(GROUP);
        let depth = u64::from(self.kernel * self.kernel) * u64::from(self.channels + 64);
        let fits = |count: u64| u32::try_from(count).is_ok();
        self.reach() < width.min(height) && fits(bytes) && fits(depth)
    }

    /// Groups of channels.
    pub fn groups(&self, ty: Type) -> u32 {
        self.channels.div_ceil(ty.fractal_depth())
    }

    /// Depth of one group: kernel² · c0.
    pub fn group_depth(&self, ty: Type) -> u32 {
        self.kernel * self.kernel * ty.fractal_depth()
    }

    /// Depth of the product.
    pub fn depth(&self, ty: Type) -> u32 {
        self.groups(ty) * self.group_depth(ty)
    }

    /// Depth without the zeros that fill up channels.
    pub fn useful_depth(&self) -> u32 {
        self.kernel * self.kernel * self.channels
    }

    /// Bytes in GM.
    pub fn bytes(&self, ty: Type) -> u64 {
        u64::from(self.groups(ty)) * u64::from(self.width) * u64::from(self.height) * u64::from(GROUP)
    }

    /// The rows of a block that are used of `m`: whole rows of output pixels if one fits, padded to fractals.
    pub fn block_rows(&self, m: u32) -> u32 {
        (m / self.columns() * self.columns()).max(m.min(self.columns())).next_multiple_of(16)
    }

    /// Blocks of up to `m` output pixels: first and count. Those that are part of a row start on a fractal of it.
    pub(super) fn blocks(&self, m: u32) -> Vec<(u32, u32)> {
        let (columns, rows) = (self.columns(), self.rows());
        if m >= columns {
            return parts(columns * rows, m / columns * columns).collect();
        }
        let row = |row: u32| parts(columns, m).map(move |(first, count)| (row * columns + first, count));
        (0..rows).flat_map(row).collect()
    }

    /// Bytes in L1 of one group of channels under the tallest block of `m` output pixels.
    pub fn band_bytes(&self, m: u32) -> u32 {
        let outputs = (m / self.columns()).max(1);
        let rows = ((outputs - 1) * self.stride + self.reach() + 1).min(self.height);
        rows * self.width * GROUP
    }

    fn outputs(&self, size: u32) -> u32 {
        (size + 2 * self.padding - self.reach() - 1) / self.stride + 1
    }

    /// From the first tap of the kernel to the last.
    fn reach(&self) -> u32 {
        self.dilation * (self.kernel - 1)
    }

    fn band(&self, (first, count): (u32, u32)) -> Band {
        let columns = self.columns();
        let (above, below) = (first / columns, (first + count - 1) / columns);
        // Rows of the image with `padding` rows above it.
        let (start, end) = (above * self.stride, below * self.stride + self.reach() + 1);
        let (top, bottom) = (self.padding, self.padding + self.height);
        let first = first % columns;
        if end <= top || start >= bottom {
            return Band { rows: (0, 1), padding: (end - start, 0), first };
        }
        let (from, to) = (start.max(top), end.min(bottom));
        Band { rows: (from - top, to - from), padding: (from - start, end - to), first }
    }
}

impl Block<'_> {
    /// The band of a chunk: each group of channels is contiguous.
    pub(super) fn load_band(&self, image: Image, half: u32, chunk: Chunk) -> Instruction {
        let bytes = image.band(self.task.m).rows.1 * image.width * GROUP;
        Instruction::Burst(Burst {
            route: Move::GmToL1,
            dst: self.a_half(half),
            src: Address::indexed(Space::Gm, A_ADDRESS, 0),
            count: chunk.depth / image.group_depth(self.ty()),
            bytes,
            src_pitch: image.width * image.height * GROUP,
            dst_pitch: bytes,
            atomic: false,
        })
    }

    /// The patches of a step.
    pub(super) fn cut_patches(&self, image: Image, dst: Address, step: Step) -> Instruction {
        let band = image.band(self.task.m);
        let groups = step.chunk / image.group_depth(self.ty());
        let (width, height) = (image.width, band.rows.1);
        let patches = Patches {
            kernel: [image.kernel; 2],
            stride: [image.stride; 2],
            dilation: [image.dilation; 2],
            padding: [image.padding, image.padding, band.padding.0, band.padding.1],
            ..Patches::pixels(width, height, groups * self.ty().fractal_depth())
        };
        Instruction::Img2col(Img2col {
            dst,
            src: self.a_half(step.half),
            patches,
            m_start: band.first,
            m: self.m,
            k_start: step.done,
            k: step.size,
            ty: self.ty(),
        })
    }

    /// Bytes from the start of the image to the band of the block.
    pub(super) fn band_address(&self, image: Image) -> u64 {
        let row = u64::from(image.band(self.task.m).rows.0) * u64::from(image.width) * u64::from(GROUP);
        row + self.groups_bytes(image, self.task.k.0)
    }

    /// Bytes of the groups of channels that a depth stands for.
    pub(super) fn groups_bytes(&self, image: Image, depth: u32) -> u64 {
        let groups = u64::from(depth / image.group_depth(self.ty()));
        groups * u64::from(image.width) * u64::from(image.height) * u64::from(GROUP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Image =
        Image { width: 6, height: 6, channels: 3, kernel: 3, stride: 1, padding: 1, dilation: 1 };

    #[test]
    fn blocks_are_whole_rows_or_start_on_a_fractal_of_one() {
        assert_eq!(IMAGE.blocks(16), vec![(0, 12), (12, 12), (24, 12)]);
        let wide = Image { width: 40, height: 2, ..IMAGE };
        assert_eq!(wide.blocks(32), vec![(0, 32), (32, 8), (40, 32), (72, 8)]);
    }

    #[test]
    fn a_band_is_clipped_to_the_image() {
        // Output rows 0 and 1 look at rows −1 to 2, rows 4 and 5 at 3 to 6.
        assert_eq!(IMAGE.band((0, 12)), Band { rows: (0, 3), padding: (1, 0), first: 0 });
        assert_eq!(IMAGE.band((24, 12)), Band { rows: (3, 3), padding: (0, 1), first: 0 });
        // A single pixel in a border of five: its first three rows of output see nothing of it.
        let lost = Image { width: 1, height: 1, padding: 5, ..IMAGE };
        assert_eq!(lost.band((9, 9)).padding, (3, 0));
        assert_eq!(lost.band((72, 9)).padding, (3, 0));
        assert_eq!(lost.band((36, 9)), Band { rows: (0, 1), padding: (1, 1), first: 0 });
    }
}
