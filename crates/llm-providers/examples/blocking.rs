//! The same without an async runtime: `cargo run -p llm-providers --example blocking [model] [question]`.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use llm_providers::client::blocking::Client;
use llm_types::{ChatRequest, Message, Result};

fn main() -> Result<()> {
    let model = std::env::args().nth(1).unwrap_or_else(|| "mock/hello".to_owned());
    let question = std::env::args().nth(2).unwrap_or_else(|| "Why is the sky blue?".to_owned());

    let client = Client::from_env()?;
    let reply = client.chat(ChatRequest::new(model, [Message::user(question)]))?;

    println!("{}", reply.choices[0].message.text());
    Ok(())
}
