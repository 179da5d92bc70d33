//! The file as text: a head, then one model a line.

use serde_json::{Map, Value};

/// What the file says about itself.
const ABOUT: &str = "USD per million tokens, characters or pixels, and per one of everything else; \
see docs/reference/model_prices.md";

/// The order of models: by name without regard to case, then by name.
pub(crate) fn order(name: &str) -> (String, &str) {
    (name.to_ascii_lowercase(), name)
}

/// The file for these models, which must be in order.
pub(crate) fn render(source: &str, models: &[(String, Map<String, Value>)]) -> Result<String, String> {
    let mut providers: Vec<&str> =
        models.iter().filter_map(|(_, model)| model.get("provider")?.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    let json = |value: &Value| serde_json::to_string(value).map_err(|error| error.to_string());
    let mut text = format!(
        "{{\n\"about\":{},\n\"source\":{},\n\"providers\":{},\n\"models\":{{\n",
        json(&ABOUT.into())?,
        json(&source.into())?,
        json(&providers.into())?,
    );
    for (index, (name, model)) in models.iter().enumerate() {
        text.push_str(&json(&name.as_str().into())?);
        text.push(':');
        text.push_str(&serde_json::to_string(model).map_err(|error| error.to_string())?);
        text.push_str(if index + 1 == models.len() { "\n" } else { ",\n" });
    }
    text.push_str("}\n}\n");
    Ok(text)
}
