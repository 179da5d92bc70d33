//! Where a URL stands in a body.

use serde_json::json;

use super::path_of;

#[test]
fn a_url_is_found_where_the_caller_wrote_it() {
    let url = "https://a.example/1.png";
    for (body, path) in [
        (
            json!({"messages": [{"content": "hi"}, {"content": [{"text": url.len()}, {"image_url": {"url": url}}]}]}),
            "messages[1].content[1].image_url.url",
        ),
        (
            json!({"contents": [{"parts": [{"fileData": {"fileUri": url}}]}]}),
            "contents[0].parts[0].fileData.fileUri",
        ),
        (json!({"system": [[url]]}), "system[0][0]"),
    ] {
        assert_eq!(path_of(&body, url).as_deref(), Some(path));
    }
    assert_eq!(path_of(&json!({"messages": []}), url), None);
}
