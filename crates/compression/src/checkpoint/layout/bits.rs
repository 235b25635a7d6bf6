//! Numbers of a few bits in words of 32.

/// Words read as a stream of bits, the lowest first: number `index` of a run of words.
pub(super) fn unpack(words: &[u32], bits: usize, index: usize) -> u32 {
    let (word, shift) = (index * bits / 32, index * bits % 32);
    let low = u64::from(words[word]);
    let high = words.get(word + 1).map_or(0, |word| u64::from(*word));
    ((low | high << 32) >> shift) as u32 & ((1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn numbers_may_cross_words() {
        // Eleven numbers of 3 bits take 33: the last has its highest bit in the next word.
        let words = [0b111 << 30, 0b1];
        assert_eq!(unpack(&words, 3, 10), 0b111);
        assert_eq!(unpack(&[0x8765_4321], 4, 7), 8);
    }
}
