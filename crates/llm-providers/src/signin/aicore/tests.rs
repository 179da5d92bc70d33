//! A service key becomes a token and the URL of the newest deployment that orchestrates.

use llm_types::testing::ReplayTransport;
use llm_types::{ErrorKind, Secret};

use super::super::tests::{now, run};
use super::super::{Credential, Source};
use super::{Aicore, Exchanged};

fn source(api: Option<&str>) -> Source {
    let form = [("grant_type", "client_credentials"), ("client_secret", "a-very-secret-secret")];
    Source::Aicore(Aicore {
        exchange: Exchanged {
            whom: "SAP AI Core's token service".into(),
            url: "https://auth.example/oauth/token".into(),
            headers: Vec::new(),
            form: form.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned()))).into(),
        },
        api: api.map(str::to_owned),
        group: "team".into(),
    })
}

const TOKEN: &str = r#"{"access_token":"t-1","expires_in":43199}"#;
const DEPLOYMENTS: &str = r#"{"resources":[
    {"scenarioId":"foundation-models","configurationId":"c0","createdAt":"2026-05-01","deploymentUrl":"https://x/d0"},
    {"scenarioId":"orchestration","configurationId":"c1","createdAt":"2026-01-01","deploymentUrl":"https://x/d1"},
    {"scenarioId":"orchestration","configurationId":"c2","createdAt":"2026-03-01","deploymentUrl":"https://x/d2"},
    {"scenarioId":"orchestration","configurationId":"c3","createdAt":"2026-04-01","deploymentUrl":"https://x/d3"}]}"#;

#[test]
fn the_newest_deployment_that_orchestrates_is_found() {
    let transport = ReplayTransport::default()
        .reply(200, TOKEN)
        .reply(200, DEPLOYMENTS)
        .reply(200, r#"{"executableId":"other"}"#)
        .reply(200, r#"{"executableId":"orchestration"}"#);
    let credential = Credential::new(source(Some("https://api.example/")));
    run(credential.ready(&transport, now())).unwrap();
    assert_eq!(credential.held(now()).unwrap().base.as_ref().unwrap().to_string(), "https://x/d2");
    let asked = transport.asked();
    let urls: Vec<String> = asked.iter().map(|request| request.uri.to_string()).collect();
    assert_eq!(
        urls[1..],
        [
            "https://api.example/v2/lm/deployments",
            "https://api.example/v2/lm/configurations/c3",
            "https://api.example/v2/lm/configurations/c2",
        ]
    );
    assert_eq!(asked[1].headers["authorization"], "Bearer t-1");
    assert_eq!(asked[1].headers["ai-resource-group"], "team");
}

#[test]
fn a_group_without_one_is_told() {
    let transport = ReplayTransport::default().reply(200, TOKEN).reply(200, r#"{"resources":[]}"#);
    let credential = Credential::new(source(Some("https://api.example")));
    let error = run(credential.ready(&transport, now())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.message().contains("no deployment of orchestration"), "{error}");
}

#[test]
fn where_the_operator_names_the_deployment_none_is_looked_for() {
    let transport = ReplayTransport::default().reply(200, TOKEN);
    let credential = Credential::new(source(None));
    run(credential.ready(&transport, now())).unwrap();
    assert!(credential.held(now()).unwrap().base.is_none());
    assert_eq!(transport.asked().len(), 1);
}
