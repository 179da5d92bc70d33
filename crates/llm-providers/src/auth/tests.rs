//! Keys go where the record says and show nowhere.

use http::HeaderMap;
use llm_types::{ErrorKind, Origin, Secret};

use super::SignIn;
use crate::{Auth, ProviderSpec, providers};

fn spec(auth: Auth) -> ProviderSpec {
    let mut spec = providers::built_in().find(|spec| spec.id.as_str() == "groq").unwrap().clone();
    spec.auth = auth;
    spec
}

fn headers(auth: Auth, key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    SignIn::new(&spec(auth), Some(&Secret::new(key.to_owned()))).unwrap().apply(&mut headers);
    headers
}

#[test]
fn keys_go_where_the_record_says() {
    assert_eq!(headers(Auth::Bearer, "sk-1")["authorization"], "Bearer sk-1");
    assert_eq!(headers(Auth::None, "sk-1")["authorization"], "Bearer sk-1");
    assert_eq!(headers(Auth::Header("x-api-key".into()), "sk-1")["x-api-key"], "sk-1");
    let key = Secret::new("a b/c&d".to_owned());
    let sign_in = SignIn::new(&spec(Auth::Query("key".into())), Some(&key)).unwrap();
    assert_eq!(sign_in.query(), Some("key=a%20b%2Fc%26d"));
    assert_eq!(SignIn::new(&spec(Auth::None), None).unwrap(), SignIn::None);
}

#[test]
fn a_word_stands_in_for_a_key_where_the_record_has_one() {
    let auth = Auth::BearerOr("none".into());
    assert_eq!(headers(auth.clone(), "sk-1")["authorization"], "Bearer sk-1");
    let mut bare = HeaderMap::new();
    SignIn::new(&spec(auth), None).unwrap().apply(&mut bare);
    assert_eq!(bare["authorization"], "Bearer none");
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?}", headers(Auth::Bearer, "sk-very-secret"));
    assert!(!shown.contains("very"), "{shown}");
    let key = Secret::new("sk-very-secret".to_owned());
    for auth in [Auth::Bearer, Auth::Header("x-api-key".into()), Auth::Query("key".into())] {
        let shown = format!("{:?}", SignIn::new(&spec(auth), Some(&key)).unwrap());
        assert!(!shown.contains("very"), "{shown}");
    }
}

#[test]
fn a_missing_key_names_its_variable() {
    for key in [None, Some(Secret::new(String::new()))] {
        let error = SignIn::new(&spec(Auth::Bearer), key.as_ref()).unwrap_err();
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Unauthenticated, Origin::Gateway));
        assert!(error.message().contains("`GROQ_API_KEY`"), "{error}");
    }
}

#[test]
fn a_key_cannot_inject_headers() {
    for key in ["sk-1\r\nx-admin: yes", "sk-1\n", "sk-\u{201c}1\u{201d}", "sk\0"] {
        for auth in [Auth::Bearer, Auth::Header("x-api-key".into())] {
            let error = SignIn::new(&spec(auth), Some(&Secret::new(key.to_owned()))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            assert!(!error.message().contains("sk"), "{error}");
        }
    }
}
