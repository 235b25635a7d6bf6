//! A command with its options, and how a shell reads it.

use std::fmt::Display;

/// A program, its options in order, and the variables that it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The list of [`super::names`] that has its options: `"vllm serve"`.
    pub options_of: &'static str,
    /// Variables of the environment.
    pub environment: Vec<(&'static str, String)>,
    /// Program and positional arguments.
    pub program: Vec<String>,
    /// Options, with their values.
    pub options: Vec<(&'static str, Vec<String>)>,
}

impl Command {
    /// A program whose options are those of `options_of`.
    pub fn new(options_of: &'static str, program: &[&str]) -> Self {
        let program = program.iter().map(|word| (*word).to_owned()).collect();
        Self { options_of, program, ..Self::default() }
    }

    /// Adds a variable.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Adds an option with a value.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: impl Display) -> Self {
        self.options.push((name, vec![value.to_string()]));
        self
    }

    /// Adds an option with several values.
    #[must_use]
    pub fn options(mut self, name: &'static str, values: Vec<String>) -> Self {
        self.options.push((name, values));
        self
    }

    /// Adds an option without a value, if wanted.
    #[must_use]
    pub fn switch(mut self, name: &'static str, wanted: bool) -> Self {
        if wanted {
            self.options.push((name, Vec::new()));
        }
        self
    }

    /// Adds an option where it differs from one: parallel degrees.
    #[must_use]
    pub fn degree(self, name: &'static str, degree: u32) -> Self {
        if degree > 1 { self.option(name, degree) } else { self }
    }

    /// Program, then one option a line; `"$@"` lets the caller add more.
    pub fn shell(&self) -> String {
        let mut lines: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("export {name}={}", quoted(value))).collect();
        let mut command = vec![format!("exec {}", joined(&self.program))];
        for (name, values) in &self.options {
            let words = std::iter::once((*name).to_owned()).chain(values.iter().map(|value| quoted(value)));
            command.push(format!("  {}", words.collect::<Vec<_>>().join(" ")));
        }
        command.push("  \"$@\"".to_owned());
        lines.push(command.join(" \\\n"));
        lines.join("\n")
    }

    /// Program and options as the words of one command.
    pub fn words(&self) -> Vec<String> {
        let options = self
            .options
            .iter()
            .flat_map(|(name, values)| std::iter::once((*name).to_owned()).chain(values.iter().cloned()));
        self.program.iter().cloned().chain(options).collect()
    }
}

fn joined(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell reads it back. `${NAME:-default}` stays a variable, inside double quotes.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.contains("${") {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('`', "\\`"))
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_spaces_are_quoted_and_variables_stay() {
        assert_eq!(quoted("fp8"), "fp8");
        assert_eq!(quoted(r#"{"a": 1}"#), r#"'{"a": 1}'"#);
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("${MODEL:-x}"), "\"${MODEL:-x}\"");
    }

    #[test]
    fn one_option_a_line() {
        let command =
            Command::new("vllm serve", &["vllm", "serve"]).variable("A", "1").option("--port", 8000);
        assert_eq!(command.shell(), "export A=1\nexec vllm serve \\\n  --port 8000 \\\n  \"$@\"");
        assert_eq!(command.words(), ["vllm", "serve", "--port", "8000"]);
    }
}
