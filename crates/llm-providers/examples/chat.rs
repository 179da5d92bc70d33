//! Asks one question: `cargo run -p llm-providers --example chat [model] [question]`.
//!
//! Without a model it asks OpenAI or Anthropic if the environment has a key for one, else the built-in
//! mock model.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use llm_providers::Client;
use llm_types::{ChatRequest, Message, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let model = std::env::args().nth(1).unwrap_or_else(usual_model);
    let question = std::env::args().nth(2).unwrap_or_else(|| "Why is the sky blue?".to_owned());

    let client = Client::from_env()?;
    let reply = client.chat(ChatRequest::new(model, [Message::user(question)])).await?;

    println!("{}", reply.choices[0].message.text());
    if let Some(usage) = reply.usage {
        println!("\n{}: {} tokens in, {} out", reply.model, usage.input_tokens, usage.output_tokens);
    }
    Ok(())
}

fn usual_model() -> String {
    let has = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let model = if has("OPENAI_API_KEY") {
        "openai/gpt-4o-mini"
    } else if has("ANTHROPIC_API_KEY") {
        "anthropic/claude-haiku-4-5"
    } else {
        "mock/hello"
    };
    model.to_owned()
}
