//! Shows an answer while it is being made: `cargo run -p llm-providers --example stream [model] [question]`.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::io::Write as _;

use futures_util::StreamExt as _;
use llm_providers::Client;
use llm_types::{ChatRequest, Event, Message, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let model = std::env::args().nth(1).unwrap_or_else(|| "mock/hello".to_owned());
    let question = std::env::args().nth(2).unwrap_or_else(|| "Why is the sky blue?".to_owned());

    let client = Client::from_env()?;
    let mut events = client.chat_stream(ChatRequest::new(model, [Message::user(question)])).await?;

    while let Some(event) = events.next().await {
        match event? {
            Event::Text { text, .. } => {
                print!("{text}");
                // A terminal that is gone ends the program when it prints next.
                std::io::stdout().flush().ok();
            }
            Event::Usage(usage) => {
                println!("\n\n{} tokens in, {} out", usage.input_tokens, usage.output_tokens)
            }
            _ => {}
        }
    }
    Ok(())
}
