//! Diagnostics as rustc draws them. The one file that knows annotate-snippets.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use vitruvian_diagnostics::{Diagnostic, Label, Severity};

/// All diagnostics, one below the other, with the lines they point into.
pub(crate) fn render(diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let drawn = diagnostics.iter().map(|diagnostic| renderer.render(&[group(diagnostic)]));
    drawn.flat_map(|one| [one, "\n\n".to_owned()]).collect()
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = if diagnostic.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    let group = title.elements(snippets(&diagnostic.labels));
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// One snippet a source, in order of first mention; the first label is the primary one.
fn snippets(labels: &[Label]) -> Vec<Snippet<'_, Annotation<'_>>> {
    let mut sources: Vec<&Label> = Vec::new();
    for label in labels {
        if !sources.iter().any(|seen| seen.source == label.source) {
            sources.push(label);
        }
    }
    sources.iter().map(|first| snippet(first, labels)).collect()
}

fn snippet<'a>(first: &'a Label, labels: &'a [Label]) -> Snippet<'a, Annotation<'a>> {
    let here = labels.iter().enumerate().filter(|(_, label)| label.source == first.source);
    let annotations = here.map(|(index, label)| annotation(label, index == 0));
    Snippet::source(first.source.text()).path(first.source.name()).annotations(annotations)
}

fn annotation(label: &Label, primary: bool) -> Annotation<'_> {
    let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let annotation = kind.span(inside(label));
    if label.message.is_empty() { annotation } else { annotation.label(&label.message) }
}

/// The span, kept within the text and on the boundaries of characters.
fn inside(label: &Label) -> std::ops::Range<usize> {
    let text = label.source.text();
    let start = text.floor_char_boundary(label.span.start.min(text.len()));
    let end = text.ceil_char_boundary(label.span.end.clamp(start, text.len()));
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitruvian_diagnostics::{SourceText, Span};

    #[test]
    fn place_fault_and_fix_are_drawn() {
        let source = SourceText::new("my.toml", "name = \"x\"\nl2 = \"4\"\n");
        let diagnostic = Diagnostic::error("unit-missing", "`4` has no unit")
            .at(&source, Span::new(16, 19), "a size")
            .help("write \"4 MiB\"");
        let expected = "\
error[unit-missing]: `4` has no unit
 --> my.toml:2:6
  |
2 | l2 = \"4\"
  |      ^^^ a size
  |
  = help: write \"4 MiB\"

";
        assert_eq!(render(&[diagnostic], false), expected);
    }

    #[test]
    fn a_span_beyond_the_text_points_at_its_end() {
        let source = SourceText::new("cut.json", "{\"µ");
        let diagnostic = Diagnostic::error("json", "ends too soon").at(&source, Span::new(90, 99), "here");
        assert!(render(&[diagnostic], false).contains("cut.json:1:4"));
    }

    #[test]
    fn a_fault_without_a_place_is_one_line() {
        let diagnostic = Diagnostic::error("file-missing", "`x.toml` does not exist");
        assert_eq!(render(&[diagnostic], false), "error[file-missing]: `x.toml` does not exist\n\n");
    }
}
