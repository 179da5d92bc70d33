//! A running Ollama is recognised, and nothing else is.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{ask, names};

const TAGS: &str = r#"{"models":[{"name":"llama3.2:1b","size":1},{"name":"qwen3:8b"}]}"#;

/// An address that gives this answer once.
fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let read = connection.read(&mut [0; 1024]).unwrap();
        assert!(read > 0);
        connection.write_all(answer.as_bytes()).unwrap();
    });
    address.to_string()
}

#[test]
fn a_running_ollama_names_its_models() {
    let address = answering(format!("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{TAGS}"));
    assert_eq!(ask(&format!("http://{address}/")).unwrap(), ["llama3.2:1b", "qwen3:8b"]);
}

#[test]
fn anything_else_is_no_ollama() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ask(&format!("http://{nobody}")), None);
    assert_eq!(ask("https://ollama.example"), None, "a remote one is configured, not detected");
    for other in
        ["HTTP/1.0 404 Not Found\r\n\r\n{\"models\":[]}", "HTTP/1.0 200 OK\r\n\r\n<html>", "garbage", ""]
    {
        assert_eq!(names(other.as_bytes()), None, "{other}");
    }
}
