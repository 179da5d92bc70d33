//! Pictures, sounds and documents of messages: they are left with the provider before the call, which names them by
//! their ids. <https://developers.sber.ru/docs/ru/gigachat/api/working-with-files>

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use llm_types::{Error, Result};
use serde_json::Value;

use crate::deposit::{Deposit, File};

/// Padding may be left out: that is how some callers write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where files are left, and where they are taken away.
const PATHS: (&str, &str) = ("/files", "/files/{id}/delete");

/// Takes the parts that are files out of a message.
pub(super) fn taken(message: &mut Value) -> Vec<Value> {
    let is_file = |part: &Value| matches!(part["type"].as_str(), Some("image_url" | "input_audio" | "file"));
    match message.get_mut("content").and_then(Value::as_array_mut) {
        None => Vec::new(),
        Some(parts) => parts.extract_if(.., |part| is_file(part)).collect(),
    }
}

/// The files to leave for the attachments of a body, which wait there for their ids. One that the caller names by
/// its id was left before.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] for a file whose bytes are not there, or are none.
pub(super) fn deposits(body: &mut Value) -> Result<Vec<Deposit>> {
    let mut left = Vec::new();
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for (at, message) in messages.into_iter().flatten().enumerate() {
        let attachments = message.get_mut("attachments").and_then(Value::as_array_mut);
        for (number, attachment) in attachments.into_iter().flatten().enumerate() {
            let part = attachment.take();
            match part.pointer("/file/file_id").and_then(Value::as_str) {
                Some(id) if !id.contains("://") => *attachment = id.into(),
                _ => left.push(deposit(&part, format!("/messages/{at}/attachments/{number}"))?),
            }
        }
    }
    Ok(left)
}

fn deposit(part: &Value, place: String) -> Result<Deposit> {
    let word = |place: &str| part.pointer(place).and_then(Value::as_str);
    let sound = word("/input_audio/format").unwrap_or("wav");
    let (mime, data) = match word("/input_audio/data") {
        Some(data) => (format!("audio/{sound}"), data),
        None => {
            let url =
                word("/image_url/url").or_else(|| word("/image_url")).or_else(|| word("/file/file_data"));
            let said = url.and_then(|url| url.strip_prefix("data:")?.split_once(','));
            let (head, data) = said.ok_or_else(|| refused("a file without its bytes, such as a URL"))?;
            let mime =
                head.strip_suffix(";base64").ok_or_else(|| refused("a `data:` URL without `;base64`"))?;
            (mime.to_owned(), data)
        }
    };
    let bytes =
        BASE64.decode(data).map_err(|fault| refused(&format!("bytes that are not base64 ({fault})")))?;
    let ending = mime.rsplit(['/', '+', '.']).next().unwrap_or_default();
    let name = word("/file/filename").map_or_else(|| format!("file.{ending}"), str::to_owned);
    let file = File { name: &name, mime: &mime, bytes: &bytes };
    Deposit::form(place, PATHS, file, &[("purpose", "general")])
}

fn refused(found: &str) -> Error {
    let message = format!(
        "`messages`: expected pictures, sounds and documents as `data:` URLs in base64, which this model's provider \
         is given before the call; found {found}"
    );
    Error::bad_param("messages", message)
}
