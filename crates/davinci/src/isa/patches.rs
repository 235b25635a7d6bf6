//! Patches of a feature map: the left matrix of a convolution, cut on the way from L1 to the cube.

use super::{Address, Type};

/// A feature map in L1 and the patches that a kernel sees of it.
///
/// The map lies as NC1HWC0, its channels in groups of c0 = 32 B / size: element (c, y, x) at
/// `((c/c0 · height + y) · width + x) · c0 + c%c0`. Row m of the patch matrix is the patch of output pixel
/// (m / columns, m % columns), its columns run over (c/c0, ky, kx, c%c0). Layout, order and operands are those of
/// `LoadData3DParamsV2` as CATLASS uses it (`conv/tile/atlasa2/copy_l1_to_l0a.hpp`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patches {
    /// Width of the map, pixels.
    pub width: u32,
    /// Height of the map, pixels.
    pub height: u32,
    /// Channels, whole groups of c0.
    pub channels: u32,
    /// Width and height of the kernel.
    pub kernel: [u32; 2],
    /// Pixels from one patch to the next, across and down.
    pub stride: [u32; 2],
    /// Pixels from one tap of the kernel to the next, across and down.
    pub dilation: [u32; 2],
    /// Pixels added left, right, above and below.
    pub padding: [u32; 4],
    /// What they hold.
    pub value: f32,
}

/// `img2colv2_cbuf_to_ca` and `img2colv2_cbuf_to_cb`: a block of the patch matrix becomes an operand of the cube.
///
/// In L0A patches are the rows of the product and lie in zZ order, as a fractal load leaves them. In L0B they are its depth:
/// element (n, k) is that of column n of patch k, at `(k/c0)·N·c0 + n·c0 + k%c0` with N rounded up to 16; a gradient
/// of weights multiplies so. The hardware keeps size of the map and padding in registers (`set_fmatrix`, `set_padding`);
/// here they are part of the instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Img2col {
    /// Written, in L0A or L0B.
    pub dst: Address,
    /// The feature map, in L1.
    pub src: Address,
    /// Its patches.
    pub patches: Patches,
    /// First patch, a multiple of 16.
    pub m_start: u32,
    /// Patches, a multiple of 16; what lies past the last patch is undefined.
    pub m: u32,
    /// First column of the patch matrix, a multiple of c0.
    pub k_start: u32,
    /// Columns, a multiple of c0.
    pub k: u32,
    /// Element type.
    pub ty: Type,
}

impl Patches {
    /// Every pixel of a map as a patch of its own.
    pub const fn pixels(width: u32, height: u32, channels: u32) -> Self {
        Self {
            width,
            height,
            channels,
            kernel: [1; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [0; 4],
            value: 0.0,
        }
    }

    /// Patches side by side.
    pub fn columns(&self) -> u32 {
        self.outputs(0, self.width, self.padding[0] + self.padding[1])
    }

    /// Rows of patches.
    pub fn rows(&self) -> u32 {
        self.outputs(1, self.height, self.padding[2] + self.padding[3])
    }

    /// Columns of the patch matrix.
    pub fn depth(&self) -> u32 {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    fn outputs(&self, axis: usize, size: u32, padding: u32) -> u32 {
        let reach = self.dilation[axis] * (self.kernel[axis] - 1);
        (size + padding).checked_sub(reach + 1).map_or(0, |free| free / self.stride[axis] + 1)
    }

    /// Group of channels and pixel (y, x) under a patch at a group of c0 columns of the matrix; no pixel in the padding.
    pub fn source(&self, patch: u32, group: u32) -> (u32, Option<(u32, u32)>) {
        let taps = self.kernel[0] * self.kernel[1];
        let (tap, columns) = (group % taps, self.columns());
        let place = |axis: usize, output: u32, tap: u32, padding: u32, size: u32| {
            let padded = output * self.stride[axis] + tap * self.dilation[axis];
            padded.checked_sub(padding).filter(|pixel| *pixel < size)
        };
        let x = place(0, patch % columns, tap % self.kernel[0], self.padding[0], self.width);
        let y = place(1, patch / columns, tap / self.kernel[0], self.padding[2], self.height);
        (group / taps, y.zip(x))
    }
}
