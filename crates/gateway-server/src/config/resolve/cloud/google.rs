//! Sign-in to Google Cloud: `vertex_credentials` (JSON text, a mapping, or a path), else what Google's tools
//! leave on a machine, else the machine's own account.

use std::path::Path;

use llm_providers::signin::Source;
use llm_providers::signin::google::{Google, METADATA_HOST, project_of};

use super::{Said, env};
use crate::config::resolve::Section;
use crate::config::source::Tree;

/// What the entry says.
pub(super) fn said(section: &mut Section<'_, '_, '_>) -> Said {
    if !section.gives("vertex_credentials") {
        return Said::Nothing;
    }
    match entry_text(section) {
        Some(text) => read(section, &text, None),
        None => Said::Wrong,
    }
}

/// What the environment, the tools' file and the machine say.
pub(super) fn surrounding(section: &mut Section<'_, '_, '_>) -> Said {
    match surrounding_text(section) {
        Some((variable, text)) => read(section, &text, Some(&variable)),
        None => {
            let host = env(section, ["GCE_METADATA_HOST"]).unwrap_or_else(|| METADATA_HOST.to_owned());
            Said::Source(Source::Google(Google::Metadata { host }))
        }
    }
}

/// The project that the credentials belong to.
pub(super) fn project(section: &mut Section<'_, '_, '_>) -> Option<String> {
    let text = if section.gives("vertex_credentials") {
        entry_text(section)
    } else {
        surrounding_text(section).map(|(_, text)| text)
    };
    let text = text?;
    project_of(&contents(&text).ok()?)
}

fn entry_text(section: &mut Section<'_, '_, '_>) -> Option<String> {
    let node = section.value("vertex_credentials")?;
    match &node.tree {
        Tree::Map(_) => Some(node.json().to_string()),
        _ => section.text("vertex_credentials"),
    }
}

fn surrounding_text(section: &Section<'_, '_, '_>) -> Option<(String, String)> {
    for name in ["VERTEXAI_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"] {
        if let Some(text) = env(section, [name]) {
            return Some((name.to_owned(), text));
        }
    }
    let folder = env(section, ["CLOUDSDK_CONFIG"])
        .or_else(|| env(section, ["HOME"]).map(|home| format!("{home}/.config/gcloud")))?;
    let path = format!("{folder}/application_default_credentials.json");
    Path::new(&path).is_file().then(|| (path.clone(), path))
}

/// The JSON itself, or what the file at a path holds.
fn contents(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return Ok(text.to_owned());
    }
    std::fs::read_to_string(text)
        .map_err(|why| format!("a path to a file that cannot be read: {}", why.kind()))
}

fn read(section: &mut Section<'_, '_, '_>, text: &str, variable: Option<&str>) -> Said {
    match contents(text).and_then(|json| Google::from_json(&json)) {
        Ok(source) => Said::Source(Source::Google(source)),
        Err(why) => {
            let place = variable.map_or(String::new(), |name| format!(" in `{name}`"));
            let found = format!("found {why}{place}");
            section.error(
                "vertex_credentials",
                found,
                "expected Google credentials: JSON text or the path of a file",
            );
            Said::Wrong
        }
    }
}
