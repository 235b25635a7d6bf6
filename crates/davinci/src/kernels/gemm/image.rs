//! A convolution as a product: A is the matrix of patches of an image, which MTE1 cuts on the way to L0A.
//!
//! The image lies in GM as NC1HWC0, without borders; k runs over (c1, ky, kx, c0), in A and in the weights. A block of C is whole
//! rows of output pixels, or a part of one. A chunk of K is a few groups of channels of the part of the image under
//! the block: each pixel comes once, and patches overlap in L1 only.

use super::block::{A_ADDRESS, Block};
use super::parts::{Chunk, Step};
use super::schedule::parts;
use crate::isa::{Address, Burst, Img2col, Instruction, Move, Patches, Space, Type};
use crate::program::ProgramBuilder;

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

/// The part of an axis of an image that a block looks at, clipped to the image; one pixel where all is padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: u32,
    count: u32,
    /// Padding before and after it.
    padding: [u32; 2],
}

impl Span {
    /// From `start` to before `end` of an axis of `size` pixels with `padding` before the first.
    fn clipped(start: u32, end: u32, padding: u32, size: u32) -> Self {
        let limit = padding + size;
        if end <= padding || start >= limit {
            return Self { first: 0, count: 1, padding: [end - start, 0] };
        }
        let (from, to) = (start.max(padding), end.min(limit));
        Self { first: from - padding, count: to - from, padding: [from - start, end - to] }
    }
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

    /// Blocks of up to `m` output pixels: first and count.
    pub(super) fn blocks(&self, m: u32) -> Vec<(u32, u32)> {
        let (columns, rows) = (self.columns(), self.rows());
        if m >= columns {
            return parts(columns * rows, m / columns * columns).collect();
        }
        let row = |row: u32| parts(columns, m).map(move |(first, count)| (row * columns + first, count));
        (0..rows).flat_map(row).collect()
    }

    /// Bytes in L1 of one group of channels under the largest block of `m` output pixels.
    pub fn band_bytes(&self, m: u32) -> u32 {
        let (across, down) = (m.min(self.columns()), (m / self.columns()).max(1));
        let seen = |outputs: u32, size: u32| ((outputs - 1) * self.stride + self.reach() + 1).min(size);
        let width = if m < self.columns() { seen(across, self.width) } else { self.width };
        seen(down, self.height) * width * GROUP
    }

    fn outputs(&self, size: u32) -> u32 {
        (size + 2 * self.padding - self.reach() - 1) / self.stride + 1
    }

    /// From the first tap of the kernel to the last.
    fn reach(&self) -> u32 {
        self.dilation * (self.kernel - 1)
    }

    /// What a block looks at, across and down: all of the width under whole rows of output pixels.
    fn band(&self, (first, count): (u32, u32)) -> (Span, Span) {
        let columns = self.columns();
        let span = |first: u32, last: u32, size: u32| {
            Span::clipped(first * self.stride, last * self.stride + self.reach() + 1, self.padding, size)
        };
        let (left, last) = (first % columns, first + count - 1);
        let across = if left == 0 && count >= columns {
            Span { first: 0, count: self.width, padding: [self.padding; 2] }
        } else {
            span(left, left + count - 1, self.width)
        };
        (across, span(first / columns, last / columns, self.height))
    }
}

impl Block<'_> {
    /// The band of a chunk: each group of channels is contiguous under whole rows of output pixels, and a copy of its own
    /// under a part of one.
    pub(super) fn load_band(&self, b: &mut ProgramBuilder, image: Image, half: u32, chunk: Chunk) {
        let (across, down) = image.band(self.task.m);
        let (row, group) = (image.width * GROUP, image.width * image.height * GROUP);
        let groups = chunk.depth / image.group_depth(self.ty());
        let copy = |index: u32, count: u32, bytes: u32, src_pitch: u32| {
            Instruction::Burst(Burst {
                route: Move::GmToL1,
                dst: self.a_half(half).plus(u64::from(index) * u64::from(count * bytes)),
                src: Address::indexed(Space::Gm, A_ADDRESS, 0).plus(u64::from(index) * u64::from(group)),
                count,
                bytes,
                src_pitch,
                dst_pitch: bytes,
                atomic: false,
            })
        };
        if across.count == image.width {
            b.push(copy(0, groups, down.count * row, group));
            return;
        }
        for index in 0..groups {
            b.push(copy(index, down.count, across.count * GROUP, row));
        }
    }

    /// The patches of a step.
    pub(super) fn cut_patches(&self, image: Image, dst: Address, step: Step) -> Instruction {
        let (across, down) = image.band(self.task.m);
        let groups = step.chunk / image.group_depth(self.ty());
        let patches = Patches {
            kernel: [image.kernel; 2],
            stride: [image.stride; 2],
            dilation: [image.dilation; 2],
            padding: [across.padding[0], across.padding[1], down.padding[0], down.padding[1]],
            ..Patches::pixels(across.count, down.count, groups * self.ty().fractal_depth())
        };
        Instruction::Img2col(Img2col {
            dst,
            src: self.a_half(step.half),
            patches,
            m_start: 0,
            m: self.m,
            k_start: step.done,
            k: step.size,
            ty: self.ty(),
        })
    }

    /// Bytes from the start of the image to the band of the block.
    pub(super) fn band_address(&self, image: Image) -> u64 {
        let (across, down) = image.band(self.task.m);
        let pixel = u64::from(down.first) * u64::from(image.width) + u64::from(across.first);
        pixel * u64::from(GROUP) + self.groups_bytes(image, self.task.k.0)
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
    fn blocks_are_whole_rows_or_parts_of_one() {
        assert_eq!(IMAGE.blocks(16), vec![(0, 12), (12, 12), (24, 12)]);
        let wide = Image { width: 40, height: 2, ..IMAGE };
        assert_eq!(wide.blocks(32), vec![(0, 32), (32, 8), (40, 32), (72, 8)]);
    }

    #[test]
    fn a_band_is_clipped_to_the_image() {
        // Output rows 0 and 1 look at rows −1 to 2, rows 4 and 5 at 3 to 6.
        let whole = Span { first: 0, count: 6, padding: [1, 1] };
        assert_eq!(IMAGE.band((0, 12)), (whole, Span { first: 0, count: 3, padding: [1, 0] }));
        assert_eq!(IMAGE.band((24, 12)), (whole, Span { first: 3, count: 3, padding: [0, 1] }));
        // Pixels 0 to 15 of output row 1 of a wider one look at −1 to 16.
        let wide = Image { width: 40, ..IMAGE };
        let part = Span { first: 0, count: 17, padding: [1, 0] };
        assert_eq!(wide.band((40, 16)), (part, Span { first: 0, count: 3, padding: [0, 0] }));
        // A single pixel in a border of five: the first three and last three rows of output see nothing of it.
        let lost = Image { width: 1, height: 1, padding: 5, ..IMAGE };
        let down = |first| lost.band((first, 9)).1.padding;
        assert_eq!([9, 36, 72].map(down), [[3, 0], [1, 1], [3, 0]]);
    }
}
