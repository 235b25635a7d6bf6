//! Console blocks of a Markdown text.

/// One fenced block marked `console`.
pub(crate) struct Block {
    pub(crate) steps: Vec<Step>,
}

/// A command and what the text shows that it prints.
pub(crate) struct Step {
    /// Line of the command, from one.
    pub(crate) line: usize,
    /// The command, without `$ `.
    pub(crate) command: String,
    /// The lines below it.
    pub(crate) shown: String,
}

impl Block {
    /// The arguments of our command; none if it is another's.
    pub(crate) fn arguments(command: &str) -> Option<Vec<String>> {
        let prefixes = ["vitruvian ", "cargo run --release -- ", "cargo run -- "];
        let rest = prefixes.iter().find_map(|prefix| command.strip_prefix(prefix))?;
        Some(words(rest))
    }
}

/// Words at blanks; quotes keep blanks together.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' | '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The blocks of a text in order.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        match line {
            "```console" => {
                inside = true;
                blocks.push(Block { steps: Vec::new() });
            }
            "```" => inside = false,
            line if inside => add(blocks.last_mut().unwrap(), index + 1, line),
            _ => {}
        }
    }
    blocks
}

fn add(block: &mut Block, number: usize, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        block.steps.push(Step { line: number, command: command.to_owned(), shown: String::new() });
    } else if let Some(step) = block.steps.last_mut() {
        step.shown.push_str(line);
        step.shown.push('\n');
    }
}

/// The text with what was printed in place of what is shown, where they differ; lines `...` stay.
pub(crate) fn rewrite(text: &str, blocks: &[Block], printed: &[Vec<Option<String>>]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let steps = blocks.iter().zip(printed).flat_map(|(block, printed)| block.steps.iter().zip(printed));
    for (step, printed) in steps.collect::<Vec<_>>().into_iter().rev() {
        let Some(printed) = printed else { continue };
        if !super::matching::matches(&step.shown, printed) {
            let shown = step.line..step.line + step.shown.lines().count();
            let new = super::matching::renewed(&step.shown, printed);
            lines.splice(
                shown,
                new.unwrap_or_else(|| printed.trim_end().lines().map(str::to_owned).collect()),
            );
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn a_block_is_its_commands_with_what_they_print() {
    let blocks = blocks("text\n```console\n$ vitruvian a 'b c'\none\n\ntwo\n$ ls\n```\n");
    let [Block { steps }] = &blocks[..] else { panic!("one block") };
    assert_eq!((steps[0].line, steps[0].shown.as_str()), (3, "one\n\ntwo\n"));
    assert_eq!(Block::arguments(&steps[0].command), Some(vec!["a".to_owned(), "b c".to_owned()]));
    assert_eq!(Block::arguments(&steps[1].command), None);
}

#[test]
fn blessing_replaces_what_differs() {
    let text = "```console\n$ vitruvian a\nold\n$ vitruvian b\nsame\n```\nend\n";
    let printed = vec![vec![Some("new\nlines\n".to_owned()), Some("same\n".to_owned())]];
    let expected = "```console\n$ vitruvian a\nnew\nlines\n$ vitruvian b\nsame\n```\nend\n";
    assert_eq!(rewrite(text, &blocks(text), &printed), expected);
}

#[test]
fn blessing_keeps_dots_where_the_lines_beside_them_are_found() {
    let text = "```console\n$ vitruvian a\n...\n  time  ms  229\n...\n```\n";
    let printed = |lines: &str| vec![vec![Some(lines.to_owned())]];
    let found = rewrite(text, &blocks(text), &printed("head 1\n  time s 2\n  time  ms  218\nrest\n"));
    assert_eq!(found, text.replace("229", "218"));
    let lost = rewrite(text, &blocks(text), &printed("head\nrest\n"));
    assert_eq!(lost, "```console\n$ vitruvian a\nhead\nrest\n```\n");
}
