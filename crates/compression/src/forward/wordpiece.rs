//! The lower-casing WordPiece tokeniser of BERT, from a `vocab.txt`.

use rustc_hash::FxHashMap;

/// Longest word that is split; longer ones are unknown, as in the published code.
const LONGEST_WORD: usize = 100;

/// The lower-casing WordPiece tokeniser of BERT.
#[derive(Clone, Debug)]
pub struct WordPiece {
    ids: FxHashMap<String, u32>,
    unknown: u32,
    start: u32,
    end: u32,
}

impl WordPiece {
    /// From the lines of a `vocab.txt`: line n is token n.
    ///
    /// # Errors
    /// A vocabulary without `[UNK]`, `[CLS]` or `[SEP]`.
    pub fn parse(vocabulary: &str) -> Result<Self, String> {
        let ids: FxHashMap<String, u32> =
            vocabulary.lines().zip(0..).map(|(token, id)| (token.to_owned(), id)).collect();
        let find =
            |token: &str| ids.get(token).copied().ok_or_else(|| format!("the vocabulary has no {token}"));
        let (unknown, start, end) = (find("[UNK]")?, find("[CLS]")?, find("[SEP]")?);
        Ok(Self { ids, unknown, start, end })
    }

    /// `[CLS]`, the pieces of a text, `[SEP]`; the pieces are cut to `longest - 2`.
    pub fn encode(&self, text: &str, longest: usize) -> Vec<u32> {
        let pieces = words(text).into_iter().flat_map(|word| self.pieces(&word));
        let inner = pieces.take(longest.saturating_sub(2));
        std::iter::once(self.start).chain(inner).chain(std::iter::once(self.end)).collect()
    }

    /// The longest token first, from left to right; a word with a part that is no token is unknown.
    fn pieces(&self, word: &str) -> Vec<u32> {
        let letters: Vec<char> = word.chars().collect();
        let mut found = Vec::new();
        let mut at = 0;
        while at < letters.len() {
            let token = (at + 1..=letters.len()).rev().find_map(|end| {
                let part: String = letters[at..end].iter().collect();
                let part = if at > 0 { format!("##{part}") } else { part };
                self.ids.get(&part).map(|&id| (id, end))
            });
            match token {
                Some((id, end)) if letters.len() <= LONGEST_WORD => {
                    found.push(id);
                    at = end;
                }
                _ => return vec![self.unknown],
            }
        }
        found
    }
}

/// Lower-case words; each punctuation mark and each Chinese character is a word. Accents stay, which the published code strips.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let heard = |letter: &char| letter.is_whitespace() || !(letter.is_control() || *letter == '\u{fffd}');
    for letter in text.chars().filter(heard).flat_map(char::to_lowercase) {
        if letter.is_whitespace() {
            words.push(String::new());
        } else if stands_alone(letter) {
            words.extend([letter.to_string(), String::new()]);
        } else if let Some(last) = words.last_mut() {
            last.push(letter);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// ASCII marks, the punctuation of Latin-1 and of U+2010 … U+205E, CJK marks and ideographs.
fn stands_alone(letter: char) -> bool {
    letter.is_ascii_punctuation()
        || matches!(letter, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿')
        || matches!(letter, '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}')
            && !matches!(letter, '\u{2044}' | '\u{2052}')
        || matches!(letter, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::WordPiece;

    #[test]
    fn words_fall_into_their_longest_pieces() {
        let vocabulary = "[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\n##affable\nthe\n.\n##a";
        let tokeniser = WordPiece::parse(vocabulary).unwrap();
        assert_eq!(tokeniser.encode("The UNaffable. xyz", 64), [1, 7, 3, 6, 8, 0, 2]);
        assert_eq!(tokeniser.encode("the the the the", 4), [1, 7, 7, 2]);
        assert!(WordPiece::parse("a\nb").unwrap_err().contains("[UNK]"));
    }
}
