//! Where doors lead, and to which models.

use std::sync::Arc;

use crate::providers::built_in;
use crate::{Auth, DialectId, Target};

fn through(provider: &str, model: &str, dialect: DialectId, base: Option<&str>) -> Option<(String, Auth)> {
    let spec = Arc::new(built_in().find(|spec| spec.id.as_str() == provider).unwrap().clone());
    let door =
        spec.quirks.doors.iter().find(|door| door.dialect == dialect && door.leads_to(model)).cloned()?;
    let mut target = Target::bare(Arc::clone(&spec), model);
    if let Some(base) = base {
        target.base_url = spec.full_base_url(Some(base));
    }
    let behind = target.through(&door);
    assert_eq!(behind.spec.dialect, dialect);
    Some((behind.base_url, behind.spec.auth.clone()))
}

#[test]
fn anthropics_callers_find_the_vendors_that_speak_it() {
    let messages = |provider: &str, base| through(provider, "m", DialectId::Anthropic, base).unwrap();
    let own = Auth::Header("x-api-key".into());
    let anthropic = "https://api.deepseek.com/anthropic".to_owned();
    assert_eq!(messages("deepseek", None), (anthropic.clone(), own.clone()));
    assert_eq!(messages("deepseek", Some("https://api.deepseek.com/anthropic")), (anthropic, own.clone()));
    assert_eq!(messages("minimax", None), ("https://api.minimax.io/anthropic".to_owned(), own));
    assert_eq!(messages("cortecs", None), ("https://api.cortecs.ai".to_owned(), Auth::Bearer));
    assert_eq!(messages("edenai", None), ("https://api.edenai.run/v3".to_owned(), Auth::Bearer));
    for (provider, base) in [
        ("meta", "https://api.meta.ai"),
        ("prism", "https://api.prisminference.com"),
        ("sail", "https://api.sailresearch.com"),
    ] {
        assert_eq!(messages(provider, None), (base.to_owned(), Auth::Bearer), "{provider}");
    }
    let own = Auth::Header("x-api-key".into());
    assert_eq!(messages("tencent", None), ("https://tokenhub-intl.tencentcloudmaas.com".to_owned(), own));
    let whole = Some("https://gpu.example/v1/messages");
    assert_eq!(messages("meta", whole).0, "https://gpu.example", "a whole URL is as good");
}

#[test]
fn claude_on_bedrock_is_invoked_for_anthropics_callers() {
    let claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let target = |model: &str| {
        let spec = Arc::new(built_in().find(|spec| spec.id.as_str() == "bedrock").unwrap().clone());
        Target::bare(spec, model).routed()
    };
    let door = |target: &Target| {
        let doors = &target.spec.quirks.doors;
        doors.iter().find(|door| door.leads_to(&target.model)).cloned()
    };
    for model in [claude, "eu-west-1/anthropic.claude-haiku-4-5-20251001-v1:0"] {
        let plain = target(model);
        assert_eq!(plain.spec.dialect, DialectId::Converse, "{model}");
        let behind = plain.through(&door(&plain).unwrap());
        assert_eq!(behind.spec.dialect, DialectId::Anthropic, "{model}");
        assert_eq!(behind.spec.cloud.shell.path, "/model/{model}/invoke", "{model}");
        assert_eq!(behind.spec.cloud.identity, plain.spec.cloud.identity, "signed as ever");
        assert!(behind.spec.quirks.no_media_urls);
    }
    // Who writes `converse/` means it, and other models have no such door.
    for model in [&*format!("converse/{claude}"), "us.amazon.nova-pro-v1:0"] {
        assert!(door(&target(model)).is_none(), "{model}");
    }
}

#[test]
fn callers_of_responses_find_the_vendors_and_models_that_speak_it() {
    let responses =
        |provider: &str, model: &str, base| through(provider, model, DialectId::OpenaiResponses, base);
    let base = |found: Option<(String, Auth)>| found.map(|(base, _)| base);
    let foundry = Some("https://p.services.ai.azure.com");
    assert_eq!(
        base(responses("azure_ai", "gpt-5", foundry)).as_deref(),
        Some("https://p.services.ai.azure.com/openai/v1")
    );
    assert_eq!(responses("azure_ai", "Mistral-Large", foundry), None);
    assert_eq!(base(responses("perplexity", "sonar", None)).as_deref(), Some("https://api.perplexity.ai/v1"));
    let workspace = Some("https://w.azuredatabricks.net");
    assert_eq!(
        base(responses("databricks", "databricks-gpt-5", workspace)).as_deref(),
        Some("https://w.azuredatabricks.net/serving-endpoints")
    );
    assert_eq!(responses("databricks", "databricks-claude-sonnet-4", workspace), None);
}
