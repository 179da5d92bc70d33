//! Keys that a program of the operator's prints (`credential_process`).
//!
//! Vendor's page: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>. The
//! command is split into words as a shell does, and started without one. What the program writes to its
//! error output is not shown: it may hold secrets.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use llm_types::{Result, Secret};
use serde_json::Value;

use super::{AwsKeys, Found};
use crate::signin::fetch::time;
use crate::signin::given::fault;

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often its end is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The most of its output that is read, bytes.
const LIMIT: u64 = 64 << 10;

/// Runs the program, beside the runtime where there is one, and reads the keys it prints.
pub(super) async fn keys(command: &Secret) -> Result<Found> {
    let output = output(command.clone()).await?;
    read(&output)
}

#[cfg(feature = "hyper")]
async fn output(command: Secret) -> Result<String> {
    if tokio::runtime::Handle::try_current().is_err() {
        return run(command.reveal(), PATIENCE);
    }
    let ran = tokio::task::spawn_blocking(move || run(command.reveal(), PATIENCE)).await;
    ran.unwrap_or_else(|_| Err(fault("`credential_process` could not be waited for")))
}

#[cfg(not(feature = "hyper"))]
async fn output(command: Secret) -> Result<String> {
    run(command.reveal(), PATIENCE)
}

/// Runs a program to its end.
fn run(command: &str, patience: Duration) -> Result<String> {
    let words = words(command).ok_or_else(|| fault("`credential_process` has a quote without its end"))?;
    let (program, rest) =
        words.split_first().ok_or_else(|| fault("`credential_process` names no program"))?;
    let started = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = started.map_err(|why| {
        fault(format!("`credential_process` cannot start `{program}`: {}", why.kind())).with_source(why)
    })?;
    let stdout = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|stdout| stdout.take(LIMIT).read_to_string(&mut text));
        read.transpose().map(|_| text)
    });
    end(&mut child, program, patience)?;
    let text = reader.join().ok().and_then(std::result::Result::ok);
    text.ok_or_else(|| fault(format!("`credential_process`: what `{program}` printed is no text")))
}

/// Waits for the end of a program, and ends one that takes too long.
fn end(child: &mut Child, program: &str, patience: Duration) -> Result<()> {
    let failed = |what: String| Err(fault(format!("`credential_process`: `{program}` {what}")));
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return failed(format!("ended with {status}")),
            Ok(None) if began.elapsed() < patience => thread::sleep(LOOK_EVERY),
            Ok(None) => {
                // It may have ended meanwhile: then there is nothing to end.
                let _gone = child.kill().is_err();
                let _status = child.wait();
                return failed(format!("took longer than {} s", patience.as_secs_f64()));
            }
            Err(why) => return failed(format!("cannot be waited for: {}", why.kind())),
        }
    }
}

/// The words of a command line: blanks part them, quotes and backslashes keep them together. `None` when a
/// quote has no end.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (_, '\\') if quote != Some('\'') => word.get_or_insert_default().extend(letters.next()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The keys in what a program printed.
fn read(output: &str) -> Result<Found> {
    let json: Value = serde_json::from_str(output)
        .map_err(|_| fault("`credential_process` printed something that is not JSON"))?;
    let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let needed = |name: &str| {
        text(name)
            .map(str::to_owned)
            .ok_or_else(|| fault(format!("`credential_process` printed no `{name}`")))
    };
    if json.get("Version").and_then(Value::as_u64) != Some(1) {
        return Err(fault("`credential_process` printed another `Version` than 1"));
    }
    let keys = AwsKeys {
        id: needed("AccessKeyId")?,
        secret: Secret::new(needed("SecretAccessKey")?),
        session: text("SessionToken").map(|token| Secret::new(token.to_owned())),
    };
    let expires = match text("Expiration") {
        Some(text) => {
            Some(time(text).ok_or_else(|| fault("`credential_process` printed no time in `Expiration`"))?)
        }
        None => None,
    };
    Ok((keys, expires))
}

#[cfg(test)]
mod tests;
