//! What Entra and managed identities are asked.

use llm_types::Secret;

use super::{Entra, Proof};
use crate::signin::tests::{fetched, file, pairs};
use crate::signin::{Given, Key, Source};

const ANSWER: &str = r#"{"access_token":"eyJ.entra","expires_in":3599}"#;
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

fn application(proof: Proof) -> Source {
    Source::Entra(Entra::Application {
        authority: "https://login.microsoftonline.com/".into(),
        tenant: "tenant-1".into(),
        client: "client-1".into(),
        proof,
        scope: SCOPE.into(),
    })
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn an_application_proves_itself_in_three_ways() {
    let assertion = file("eyJ.assertion");
    for (proof, more) in [
        (
            Proof::Secret(Secret::new("s p".into())),
            vec![pair("grant_type", "client_credentials"), pair("client_secret", "s p")],
        ),
        (
            Proof::Assertion(Given::File(assertion.path().to_owned())),
            vec![
                pair("grant_type", "client_credentials"),
                pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                pair("client_assertion", "eyJ.assertion"),
            ],
        ),
        (
            Proof::Password("u@x".into(), Secret::new("p".into()), None),
            vec![pair("grant_type", "password"), pair("username", "u@x"), pair("password", "p")],
        ),
    ] {
        let (asked, key) = fetched(application(proof), &[(200, ANSWER)]);
        let [request] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(request.method, "POST");
        assert_eq!(request.uri, "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
        let mut expected = vec![pair("client_id", "client-1"), pair("scope", SCOPE)];
        expected.extend(more);
        assert_eq!(pairs(request), expected);
        let Key::Bearer(value) = key.unwrap() else { panic!("expected a token") };
        assert_eq!(value, "Bearer eyJ.entra");
        assert!(value.is_sensitive());
    }
}

#[test]
fn a_missing_file_is_named() {
    let proof = Proof::Assertion(Given::File("/nowhere/token".into()));
    let (asked, key) = fetched(application(proof), &[]);
    assert!(asked.is_empty());
    assert_eq!(key.unwrap_err().message(), "sign-in: `/nowhere/token` cannot be read: entity not found");
}

#[test]
fn managed_identities_are_asked_by_machine_or_app() {
    let managed = |endpoint: &str, header: Option<&str>, client: Option<&str>| {
        Source::Entra(Entra::Managed {
            endpoint: endpoint.into(),
            header: header.map(|text| Secret::new(text.into())),
            client: client.map(Into::into),
            scope: SCOPE.into(),
        })
    };
    let machine = r#"{"access_token":"t","expires_in":"86400","expires_on":"1795359600"}"#;
    let (asked, key) = fetched(managed(super::INSTANCE, None, Some("c-1")), &[(200, machine)]);
    assert_eq!(
        asked[0].uri,
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&\
         resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c-1"
    );
    assert_eq!((asked[0].method.as_str(), &asked[0].headers["metadata"]), ("GET", &"true".parse().unwrap()));
    key.unwrap();
    let (asked, _) =
        fetched(managed("http://127.0.0.1:42356/msi/token", Some("h-1"), None), &[(200, machine)]);
    assert_eq!(asked[0].headers["x-identity-header"], "h-1");
    assert!(asked[0].uri.to_string().starts_with("http://127.0.0.1:42356/msi/token?api-version=2019-08-01&"));
}
