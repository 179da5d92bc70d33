//! `gateway route`: which deployments a call would be routed to, and why not to the others.

use gateway_server::config::Env;
use gateway_server::{RouteQuestion, explain_route};
use serde_json::Value;

use super::load;
use crate::args::RouteArgs;
use crate::render::{self, Exit, Failure};

/// Explains a route; nothing is started or asked. The exit status is 1 where nobody could serve.
///
/// # Errors
/// When the file cannot be used.
pub(crate) fn run(args: RouteArgs) -> Result<Exit, Failure> {
    let config = load::file(&args.config, &Env::of_process(), false)?;
    let question = RouteQuestion {
        model: args.model,
        tags: args.tags,
        tokens: args.tokens,
        stream: args.stream,
        structured: false,
        region: args.region,
        team: args.team,
        prompt: args.prompt,
        ..RouteQuestion::default()
    };
    let told = explain_route(config, &question);
    if args.json {
        render::data(format!("{told:#}"));
    } else {
        people(&told);
    }
    Ok(if told["refusal"].is_null() { Exit::Success } else { Exit::Failure })
}

fn people(told: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if told["model_group"].is_null() {
        render::data(format!("{}: {}", text(&told["model"]), text(&told["refusal"])));
        return;
    }
    if let Some(auto) = told["auto_router"].as_object() {
        let known = ["tier", "quality_tier", "request_type", "score", "keyword"].iter();
        let known = known
            .filter_map(|name| auto.get(*name).filter(|value| !value.is_null()).map(|value| (name, value)));
        let known: Vec<String> = known.map(|(name, value)| format!("{name} {value}")).collect();
        let (router, cause) = (text(&told["auto_router"]["router"]), text(&told["auto_router"]["cause"]));
        render::data(format!("{router} is an auto router: {cause}, {}", known.join(", ")));
    }
    let strategy = text(&told["routing_strategy"]);
    render::data(format!(
        "{} is the group {}, picked by {strategy}",
        text(&told["model"]),
        text(&told["model_group"])
    ));
    for one in told["deployments"].as_array().into_iter().flatten() {
        let chance = one["chance"].as_f64().unwrap_or_default() * 100.0;
        let verdict = if one["kept"] == true { format!("{chance:.0} %") } else { "-".to_owned() };
        let line = format!(
            "{verdict:>6}  {}  {}  {}",
            text(&one["model_id"]),
            text(&one["model"]),
            text(&one["why"])
        );
        render::data(line.trim_end());
    }
    if let Some(refusal) = told["refusal"].as_str() {
        render::data(format!("nobody serves: {refusal}"));
    }
    for (member, when) in [
        ("fallbacks", "then"),
        ("context_window_fallbacks", "then, after a prompt that is too long"),
        ("content_policy_fallbacks", "then, after a content policy refused"),
    ] {
        let fallbacks: Vec<String> = told[member].as_array().into_iter().flatten().map(text).collect();
        if !fallbacks.is_empty() {
            render::data(format!("{when}: {}", fallbacks.join(", ")));
        }
    }
    for note in told["notes"].as_array().into_iter().flatten() {
        render::data(format!("note: {}", text(note)));
    }
}
