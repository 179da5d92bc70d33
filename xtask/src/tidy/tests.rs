//! The project is tidy, and each check can fail.

use super::functions::{Function, functions};
use super::*;

#[test]
fn the_project_is_tidy() {
    if let Err(faults) = run() {
        panic!("{faults}");
    }
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn text_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    text::check(&[file(path, text)], &mut faults);
    faults
}

#[test]
fn files_begin_with_a_sentence() {
    assert_eq!(text_faults("crates/x/src/a.rs", "//! What it is.\n"), [""; 0]);
    assert_eq!(text_faults("crates/x/src/a.rs", "#![doc(html_root_url = \"\")]\n//! What it is.\n"), [""; 0]);
    for text in ["", "//!\n", "use std::fmt;\n//! Late.\n", "/// Wrong.\n"] {
        assert_eq!(text_faults("crates/x/src/a.rs", text).len(), 1, "{text:?}");
    }
}

#[test]
fn leftovers_inline_tests_and_foreign_paths_are_found() {
    for line in [concat!("to", "do!()"), concat!("// FIX", "ME later"), "mod tests {", concat!("/wo", "rk/x")]
    {
        assert_eq!(text_faults("crates/x/src/a.rs", &format!("//! A.\n{line}\n")).len(), 1, "{line}");
    }
}

#[test]
fn links_must_lead_somewhere() {
    let page =
        "[a](../Cargo.toml) [b](https://example.com/x) [c](#here) `[d](none.md)`\n```\n[e](none.md)\n```\n";
    assert_eq!(text_faults("docs/page.md", page), [""; 0]);
    assert_eq!(text_faults("docs/page.md", "see [f](none.md#top)\n").len(), 1);
    assert_eq!(text::targets("[a](b.md \"title\") and [c](d/e.md)"), ["b.md", "d/e.md"]);
}

#[test]
fn fragments_are_named_by_kind() {
    assert_eq!(text_faults("changelog.d/new-thing.feature.md", "A new thing.\n"), [""; 0]);
    for (name, text) in
        [("thing.md", "x"), ("thing.news.md", "x"), ("A_b.fix.md", "x"), ("thing.fix.md", " \n")]
    {
        assert_eq!(text_faults(&format!("changelog.d/{name}"), text).len(), 1, "{name}");
    }
}

#[test]
fn dialects_know_no_vendor() {
    let records = file(
        "crates/llm-providers/src/providers/clouds.rs",
        "provider! { id: \"groq\", },\nid: \"anthropic\",",
    );
    let faults = |path: &str, text: &str| {
        let mut faults = Vec::new();
        let dialect = file(&format!("crates/llm-providers/src/dialects/{path}"), text);
        names::check(&[file(&records.path, &records.text), dialect], &mut faults);
        faults.len()
    };
    assert_eq!(faults("openai/request.rs", "if target.spec.id == \"groq\" {"), 1);
    assert_eq!(faults("openai/request.rs", "let model = \"groq/llama\";"), 1);
    assert_eq!(faults("openai/request.rs", "// like \"groq\" does"), 0);
    assert_eq!(faults("openai/tests.rs", "\"groq\""), 0);
    assert_eq!(faults("anthropic/request.rs", "\"anthropic\""), 0);
    assert_eq!(faults("openai/request.rs", "\"model\""), 0);
}

#[test]
fn heavy_types_do_not_show() {
    let faults = |line: &str| {
        let mut faults = Vec::new();
        names::check(&[file("crates/gateway-db/src/a.rs", line)], &mut faults);
        faults.len()
    };
    assert_eq!(faults("    pub fn open(db: sea_orm::DbConn) -> Self {"), 1);
    assert_eq!(faults("    pub map: DashMap<K, V>,"), 1);
    assert_eq!(faults("    pub(crate) map: DashMap<K, V>,"), 0);
    assert_eq!(faults("    map: DashMap<K, V>,"), 0);
}

#[test]
fn functions_are_measured() {
    let text = "\
//! A.
fn one_line() {}
trait T {
    fn without(&self);
    fn long_head(
        a: u8,
    ) -> u8;
}
impl A {
    pub(crate) async fn method(
        &self,
    ) {
        if true {
            call();
        }
    }
}
// fn commented() {
";
    assert_eq!(functions(text), [Function { name: "method", line: 10, lines: 7 }]);
}

#[test]
fn lengths_have_limits() {
    let faults = |path: &str, text: &str| {
        let mut faults = Vec::new();
        let _ = sizes::check(&[file(path, text)], &mut faults);
        faults.len()
    };
    assert_eq!(faults("crates/x/src/a.rs", &"//\n".repeat(600)), 0);
    assert_eq!(faults("crates/x/src/a.rs", &"//\n".repeat(601)), 1);
    assert_eq!(faults("crates/x/src/lib.rs", &"//\n".repeat(121)), 1);
    let body = |lines: usize| format!("fn f() {{\n{}}}\n", "    call();\n".repeat(lines));
    assert_eq!(faults("crates/x/src/a.rs", &body(78)), 0);
    assert_eq!(faults("crates/x/src/a.rs", &body(79)), 1);
}
